import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { findSession } from '../find-session.ts';

/** The session that was named on the command line, of those the engine told at its welcome. */
export function sessionNamed(client: RunSessionClient, name: string | undefined): SessionSummary {
  return findSession(client.sessions.values(), name, process.env.BATON_SESSION_ID);
}
