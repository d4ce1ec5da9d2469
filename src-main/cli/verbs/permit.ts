import type { RunSessionClient } from '../../../src-shared/client.ts';
import type { PermissionDecision } from '../../../src-shared/events.ts';
import type { SessionState, SessionSummary } from '../../../src-shared/session.ts';
import { newInputId, withEngine } from '../engine-client.ts';
import { EXIT, Failure } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { sendOrLeave } from '../host-away.ts';
import { hasColors, oneLine, painter, printJson, printLine, say } from '../output.ts';
import { permissionText, refuseInside } from '../permission-text.ts';
import { sessionNamed } from './sessions.ts';

interface PermitOptions {
  readonly request?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

type Pending = SessionState['permissions'][number];

export async function permit(
  name: string | undefined,
  decision: PermissionDecision | undefined,
  options: PermitOptions,
): Promise<undefined> {
  refuseInside();
  await withEngine(async (client) => {
    const sessions =
      name === undefined
        ? [...client.sessions.values()].filter(({ permissions }) => permissions > 0)
        : [sessionNamed(client, name)];
    if (decision === undefined) await listPending(client, sessions, options.json === true);
    else await answer(client, sessions[0], decision, options);
  });
}

async function pendingOf(client: RunSessionClient, { runId }: SessionSummary): Promise<readonly Pending[]> {
  return (await client.call('session.get', { runId })).state.permissions;
}

async function listPending(client: RunSessionClient, sessions: readonly SessionSummary[], isJson: boolean): Promise<void> {
  const found = [];
  for (const session of sessions) for (const pending of await pendingOf(client, session)) found.push({ session, ...pending });
  if (isJson) {
    printJson({ permissions: found.map(({ session, asked, seq, ts }) => ({ runId: session.runId, seq, ts, ...asked })) });
    return;
  }
  const paint = painter(hasColors(process.stdout));
  for (const { session, asked } of found) {
    printLine(`${paint('bold', shortId(session.runId))} ${oneLine(session.title)}, request ${asked.requestId}`);
    printLine(permissionText(asked, paint));
    const rule = asked.sessionRule === null ? '' : `, or allow-session: ${oneLine(asked.sessionRule)}`;
    printLine(paint('dim', `  Answer: baton permit ${shortId(session.runId)} allow or deny --request ${asked.requestId}${rule}`));
  }
  if (found.length === 0) say('No permission is asked for.');
}

async function answer(
  client: RunSessionClient,
  session: SessionSummary | undefined,
  decision: PermissionDecision,
  options: PermitOptions,
): Promise<void> {
  if (session === undefined) throw new Failure(EXIT.notFound, 'No session asks for a permission.');
  const pending = await pendingOf(client, session);
  const wanted = options.request === undefined ? pending : pending.filter(({ asked }) => asked.requestId === options.request);
  const [only, another] = wanted;
  if (only === undefined) {
    throw new Failure(
      EXIT.conflict,
      `${shortId(session.runId)} does not ask for that (any more).`,
      'baton permit lists what is asked.',
    );
  }
  if (another !== undefined) {
    throw new Failure(
      EXIT.usage,
      `${wanted.length} requests wait there.`,
      'Say which: --request and its id, as baton permit lists them.',
    );
  }
  const { requestId } = only.asked;
  const reason = options.reason ?? null;
  const seq = await sendOrLeave(client, session, { kind: 'permission', inputId: newInputId(), requestId, decision, reason });
  const waits = seq === null ? { waitsFor: session.machine } : {};
  if (options.json) printJson({ runId: session.runId, requestId, decision, seq, ...waits });
}
