import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { SessionState, SessionSummary } from '../../../src-shared/session.ts';
import { withEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { sayIfAway } from '../host-away.ts';
import { printJson } from '../output.ts';
import { sessionNamed } from './sessions.ts';

type Goal = 'idle' | 'exit' | 'permission';

interface WaitOptions {
  readonly for?: Goal;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** A terminal does not say that it is done: one that has printed nothing for so long counts as idle. */
const QUIET_MS = 1_000;

export async function wait(name: string | undefined, options: WaitOptions): Promise<undefined> {
  await withEngine(async (client) => {
    const session = sessionNamed(client, name);
    const goal = options.for ?? (session.kind === 'claude' ? 'idle' : 'exit');
    if (goal === 'permission' && session.kind === 'pty') throw new Failure(EXIT.usage, 'A terminal asks for no permissions.');
    sayIfAway(session);
    const state = await reached(client, session, goal, options.timeout);
    if (options.json) {
      const { status, exit, permissions } = state;
      printJson({ runId: session.runId, status, exitCode: exit?.exitCode ?? null, permissions: permissions.length });
    }
  });
}

function reached(
  client: RunSessionClient,
  session: SessionSummary,
  goal: Goal,
  timeoutMs: number | undefined,
): Promise<SessionState> {
  return new Promise((resolve, reject) => {
    const named = shortId(session.runId);
    const tooLate = new Failure(EXIT.timedOut, `Waited ${(timeoutMs ?? 0) / 1000} s for ${named}, in vain.`);
    if (timeoutMs !== undefined) setTimeout(() => reject(tooLate), timeoutMs);
    let quiet: NodeJS.Timeout | undefined;
    const look = (state: SessionState) => {
      clearTimeout(quiet);
      if (isReached(goal, state)) resolve(state);
      else if (goal === 'idle' && session.kind === 'pty') quiet = setTimeout(() => resolve(state), QUIET_MS);
      else if (isOver(state)) {
        reject(new Failure(EXIT.failed, `${named} ended before it asked for a permission.`));
      }
    };
    const attachment = client.attach(
      session.runId,
      { after: session.lastSeq },
      {
        onStart: () => {},
        onEvents: (events) => {
          const bytes = events.reduce((sum, { payload }) => sum + (payload instanceof Uint8Array ? payload.length : 0), 0);
          if (bytes > 0) attachment.parsed(bytes);
          if (attachment.state !== null) look(attachment.state);
        },
        onState: look,
        onRefused: ({ message, hint }) => reject(new Failure(EXIT.notFound, message, hint)),
      },
    );
  });
}

function isReached(goal: Goal, state: SessionState): boolean {
  switch (goal) {
    case 'exit':
      return isOver(state);
    case 'permission':
      return state.permissions.length > 0;
    case 'idle':
      // A prompt that is queued is a turn that is about to begin.
      return isOver(state) || (state.status === 'idle' && state.turn === null && state.queue.length === 0);
  }
}

function isOver({ status }: SessionState): boolean {
  return status === 'ended' || status === 'interrupted';
}
