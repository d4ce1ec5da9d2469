import { type NewEvent, newEvent } from '../../src-shared/events.ts';
import type { SessionState } from '../../src-shared/session.ts';

/** What ends a turn that will not go on, and what it asked [input-7]. */
export function turnEndings(state: SessionState, outcome: 'interrupted' | 'failed', message: string): NewEvent[] {
  const { turn } = state;
  const ended = turn === null ? [] : [newEvent('run:turn', 'ended', { inputId: turn.inputId, outcome, message })];
  return [...mootPermissions(state), ...ended];
}

/** Requests that nobody can answer any more: the turn is over or the process is gone. */
export function mootPermissions(state: SessionState): NewEvent[] {
  const nobody = { inputId: null, clientId: null, decision: 'deny', reason: null } as const;
  return state.permissions.map(({ asked: { requestId } }) => newEvent('run:permission', 'answered', { requestId, ...nobody }));
}
