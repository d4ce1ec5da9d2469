import { useTranslation } from 'react-i18next';
import { useWindow } from '../store.ts';
import { EmptyState } from '../ui/empty-state.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { FirstSteps } from './first-steps.tsx';
import { Welcome } from './welcome.tsx';

/** What the panes' area shows while no pane is open: the way in. */
export function Emptiness() {
  const { t } = useTranslation();
  const isKnown = useWindow((window) => window.host !== null && window.settingsFile !== null);
  const hasSessions = useWindow((window) => window.sessions.size > 0);
  const isNew = useWindow((window) => window.settings['machine.name'] === '');
  if (!isKnown) return <NotYet />;
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

/** The engine has not told anything yet: it starts, or it cannot. */
function NotYet() {
  const { t } = useTranslation();
  const connection = useWindow((window) => window.connection);
  if (connection.is === 'lost')
    return (
      <div className="mx-auto flex h-full max-w-120 items-center p-6">
        <ErrorNotice
          title={t('connection.noEngine')}
          text={t('connection.noEngineText', { reason: connection.reason })}
          action={{ label: t('retry'), onSelect: () => location.reload() }}
        />
      </div>
    );
  return (
    <div className="flex h-full items-center justify-center gap-2 text-dim">
      {connection.is === 'connecting' && <Spinner />}
      {t(`connection.${connection.is}`)}
    </div>
  );
}
