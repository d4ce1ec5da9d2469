import { useTranslation } from 'react-i18next';
import type { SessionState } from '../../src-shared/session.ts';
import { shortModel } from './composer/model-menu.tsx';
import { useModeName } from './mode-name.ts';

/** A conversation in which nothing has been said: what it is, and how to begin. */
export function EmptyConversation({ state }: { state: SessionState }) {
  const { t } = useTranslation('claude');
  const nameOf = useModeName();
  const mode = state.claude?.permissionMode ?? 'default';
  const facts: readonly [string, string][] = [
    [t('empty.folder'), state.cwd],
    [t('empty.model'), state.claude?.model == null ? t('model.usual') : shortModel(state.claude.model)],
    [t('empty.mode'), nameOf(mode)],
  ];
  return (
    <div className="flex min-h-0 flex-1 flex-col items-center justify-center gap-6 overflow-y-auto px-6 py-8">
      <h2 className="text-20 font-semibold">{t('empty.title')}</h2>
      <dl className="grid max-w-full grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-right text-faint">{name}</dt>
            <dd className="truncate selectable" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <p className="max-w-90 text-center text-dim">{t('empty.hint')}</p>
    </div>
  );
}
