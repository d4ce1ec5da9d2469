import { useTranslation } from 'react-i18next';
import { useWindow } from '../store.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { FirstSteps } from './first-steps.tsx';
import { Welcome } from './welcome.tsx';

/** What the panes' area shows while no pane is open: the way in. */
export function Emptiness() {
  const { t } = useTranslation();
  const connection = useWindow((window) => window.connection.is);
  const isKnown = useWindow((window) => window.host !== null && window.settingsFile !== null);
  const hasSessions = useWindow((window) => window.sessions.size > 0);
  const isNew = useWindow((window) => window.settings['machine.name'] === '');
  if (!isKnown)
    return (
      <div className="flex h-full items-center justify-center gap-2 text-dim">
        {connection !== 'refused' && <Spinner />}
        {t(`connection.${connection}`)}
      </div>
    );
  if (isNew && !hasSessions) return <Welcome />;
  return (
    <EmptyState
      title={hasSessions ? t('empty.noPane') : t('empty.noSession')}
      text={hasSessions ? t('empty.noPaneText') : t('empty.noSessionText')}
    >
      <FirstSteps />
    </EmptyState>
  );
}
