import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { useNow } from '../ui/now.ts';
import { clockTime } from '../ui/relative-time.tsx';
import { Spinner } from '../ui/spinner.tsx';

/** A reload of the engine's wire takes a moment; only what lasts longer is told, so that nothing flickers. */
const patienceMs = 800;

/** Floats above the panes, so that losing the engine resizes no terminal. */
export function ConnectionNotice() {
  const { t } = useTranslation();
  const connection = useWindow((window) => window.connection);
  const wasConnected = useWindow((window) => window.host !== null);
  const now = useNow();
  const [isDue, setDue] = useState(false);
  const isTrouble = connection.is === 'refused' || (connection.is !== 'live' && wasConnected);
  useEffect(() => {
    setDue(false);
    if (!isTrouble) return;
    const timer = setTimeout(() => setDue(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isTrouble]);
  if (!isTrouble || !isDue) return null;
  return (
    <div
      role="alert"
      className="absolute inset-x-0 top-11 z-20 phone:top-14 mx-auto flex w-fit max-w-[calc(100%-24px)] items-center gap-2 rounded-md border border-line bg-raised px-3 py-1.5 shadow-float animate-appear"
    >
      {connection.is === 'refused' ? (
        <>
          <span className="min-w-0">{t('connection.refusedText', { reason: connection.reason })}</span>
          <Button size="sm" onClick={() => location.reload()}>
            {t('connection.reload')}
          </Button>
        </>
      ) : (
        <>
          <Spinner />
          <span className="min-w-0" title={connection.is === 'lost' ? connection.reason : undefined}>
            {t('connection.lostText', { at: clockTime(connection.since, now) })}
          </span>
        </>
      )}
    </div>
  );
}
