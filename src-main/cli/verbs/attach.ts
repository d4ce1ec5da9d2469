import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { attachTerminal, type TerminalOptions } from '../attach-terminal.ts';
import { describeKeys, parseDetachKeys } from '../detach-keys.ts';
import { withStartedEngine } from '../engine-client.ts';
import { EXIT, Failure, failureOf } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { sayIfAway, sayIfBehind, sayIfLooksOnly } from '../host-away.ts';
import { exitCodeOf, type Left } from '../left.ts';
import { oneLine, say } from '../output.ts';
import { sessionNamed } from './sessions.ts';

interface AttachOptions {
  readonly detachKeys: string;
  readonly readOnly?: boolean;
  readonly resize: boolean;
}

export function attach(name: string | undefined, options: AttachOptions): Promise<number> {
  const detachKeys = parseDetachKeys(options.detachKeys);
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new Failure(
      EXIT.usage,
      'Only a terminal can be attached.',
      'To read a session: baton log --follow. To write: baton send',
    );
  }
  return asOwnFailure(() =>
    withStartedEngine(async (client) => {
      const session = sessionNamed(client, name);
      const isReadOnly = options.readOnly === true;
      return await attachTo(client, session, { after: null, detachKeys, isReadOnly, fitsWindow: options.resize });
    }),
  );
}

/** The program's own exit code is passed on: what Baton itself could not do is told by a code that programs do not use. */
export async function asOwnFailure(work: () => Promise<number | undefined>): Promise<number> {
  try {
    return (await work()) ?? EXIT.done;
  } catch (error) {
    const { message, hint } = failureOf(error);
    throw new Failure(EXIT.ownFailure, message, hint);
  }
}

export async function attachTo(client: RunSessionClient, session: SessionSummary, options: TerminalOptions): Promise<number> {
  const inside = process.env.BATON_SESSION_ID;
  if (inside === session.runId) throw new Failure(EXIT.refused, 'This is the session itself: it would be shown inside itself.');
  const named = `${oneLine(session.title)} (${shortId(session.runId)})`;
  say(`[${named}: ${describeKeys(options.detachKeys)} detaches, and it goes on]`);
  sayIfAway(session);
  sayIfBehind(session);
  const isReadOnly = (await sayIfLooksOnly(client, session)) || options.isReadOnly;
  const left = await attachAs(session.kind, client, session.runId, { ...options, isReadOnly });
  switch (left.is) {
    case 'detached':
      say(`[detached from ${named}; back with: baton attach ${shortId(session.runId)}]`);
      return EXIT.done;
    case 'interrupted':
      throw new Failure(EXIT.failed, `The engine stopped, and ${named} with it.`, 'Its log is kept: baton log');
    case 'ended': {
      const code = exitCodeOf(left.exit);
      const { reason, signal } = left.exit;
      const how = signal ?? (code === null ? (reason ?? 'for unknown reasons') : `code ${code}`);
      say(`[${named} ended: ${oneLine(how)}]`);
      return code ?? EXIT.ownFailure;
    }
  }
}

async function attachAs(
  kind: SessionSummary['kind'],
  client: RunSessionClient,
  runId: RunId,
  options: TerminalOptions,
): Promise<Left> {
  if (kind !== 'claude') return await attachTerminal(client, runId, options);
  const { attachChat } = await import('../attach-chat.ts');
  return await attachChat(client, runId, options);
}
