import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useLooksOnly } from '../machines/may.ts';
import { isOver, restartSession } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import { Button } from '../ui/button.tsx';
import { useNow } from '../ui/now.ts';
import { clockTime } from '../ui/relative-time.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { paneIdOf } from './layout.ts';
import { focusPane } from './pane-focus.ts';

/** At the foot of a session whose program does not run: how it ended, and the way on. */
export function EndedBar({ runId }: { runId: RunId }) {
  const { t } = useTranslation();
  const session = useWindow((window) => window.sessions.get(runId));
  const isLive = useWindow((window) => window.connection.is === 'live');
  const [isBusy, setBusy] = useState(false);
  const text = useEnding(session);
  const looksOnly = useLooksOnly(runId);
  if (!session || !isOver(session)) return null;
  const restart = async () => {
    setBusy(true);
    try {
      await restartSession(runId);
      // The button goes; what one wants next is to type.
      focusPane(paneIdOf({ is: 'session', runId }));
    } catch (error) {
      showFailure(t('failed', { what: t('session.restart') }), error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex min-h-9 shrink-0 items-center gap-2 border-t border-line bg-sunken px-3 py-1">
      <StateMark status={session.status} silent />
      <p className="min-w-0 flex-1 text-dim">{text}</p>
      <Button
        size="sm"
        icon={RotateCw}
        busy={isBusy}
        disabled={!isLive || looksOnly !== null}
        title={looksOnly ?? undefined}
        onClick={() => void restart()}
      >
        {session.kind === 'claude' ? t('session.resume') : t('session.restart')}
      </Button>
    </div>
  );
}

function useEnding(session: SessionSummary | undefined): string {
  const { t } = useTranslation();
  const now = useNow();
  const exit = useWindow((window) => (session ? window.states.get(session.runId)?.exit : undefined));
  if (!session) return '';
  if (session.status === 'interrupted') {
    const at = clockTime(Date.parse(session.lastActivityAt), now);
    return t(session.kind === 'claude' ? 'ended.interruptedClaude' : 'ended.interrupted', { at });
  }
  if (exit?.reason) return t('ended.reason', { reason: exit.reason });
  if (exit?.signal) return t('ended.signal', { signal: exit.signal });
  return session.exitCode === null ? t('ended.plain') : t('ended.code', { code: session.exitCode });
}
