import { CloudOff } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { useWindow } from '../store.ts';
import { Icon } from '../ui/icon.tsx';

/** Above a session that the user's other machines do not get: that it is so, and why. */
export function UnsentBar({ runId }: { runId: RunId }) {
  const { t } = useTranslation('machines');
  const why = useWindow((window) => window.sessions.get(runId)?.unsent ?? null);
  if (why === null) return null;
  return (
    <section
      aria-label={t('unsent')}
      className="flex shrink-0 items-start gap-1.5 border-b border-line bg-sunken px-3 py-1 text-11 text-dim"
    >
      <Icon of={CloudOff} size={14} className="mt-px text-danger" />
      <p className="min-w-0 selectable">
        <span className="text-text">{t('unsent')}.</span> {why}
      </p>
    </section>
  );
}

/** The same in a list. */
export function UnsentMark() {
  const { t } = useTranslation('machines');
  return (
    <span title={t('unsent')} className="shrink-0 text-danger">
      <Icon of={CloudOff} size={14} />
      <span className="sr-only">{t('unsent')}</span>
    </span>
  );
}
