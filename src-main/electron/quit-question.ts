import type { SessionSummary } from '../../src-shared/session.ts';

export interface QuitQuestion {
  readonly message: string;
  readonly detail: string;
}

const MAX_NAMED = 8;
const MAX_TITLE_LENGTH = 60;

/** What quitting would end. null: nothing that is lost by it (a conversation at rest is resumed from its log). */
export function quitQuestion(sessions: readonly SessionSummary[]): QuitQuestion | null {
  const running = sessions.filter(endsWithTheApp);
  if (running.length === 0) return null;
  const named = running.slice(0, MAX_NAMED).map(({ kind, status, title }) => {
    const short = title.length > MAX_TITLE_LENGTH ? `${title.slice(0, MAX_TITLE_LENGTH - 1)}…` : title;
    return `• ${short} (${kind === 'claude' ? 'Claude' : 'terminal'}${status === 'waiting' ? ', needs you' : ''})`;
  });
  const rest = running.length - named.length;
  return {
    message: running.length === 1 ? 'One session is still running.' : `${running.length} sessions are still running.`,
    detail: [...named, ...(rest > 0 ? [`• and ${rest} more`] : []), '', 'Their history is kept either way.'].join('\n'),
  };
}

function endsWithTheApp({ kind, status, remote }: SessionSummary): boolean {
  // What another machine hosts goes on there.
  if (remote !== null || status === 'ended' || status === 'interrupted') return false;
  return kind === 'pty' || status !== 'idle';
}
