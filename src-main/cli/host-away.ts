import type { RunSessionClient } from '../../src-shared/client.ts';
import type { Seq } from '../../src-shared/ids.ts';
import { allows } from '../../src-shared/machines.ts';
import { megabytes } from '../../src-shared/megabytes.ts';
import type { Command } from '../../src-shared/protocol.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { oneLine, say } from './output.ts';
import { ago } from './table.ts';

/** What a session's machine is called, while it is another one and out of reach; else null. */
export function awayHost({ remote, machine }: Pick<SessionSummary, 'remote' | 'machine'>): string | null {
  return remote?.connection === 'away' ? oneLine(machine) : null;
}

/** Tells whoever looks at a session that what is shown may be over. */
export function sayIfAway(session: Pick<SessionSummary, 'remote' | 'machine'>): void {
  const host = awayHost(session);
  if (host === null) return;
  const heardAt = session.remote?.heardAt ?? null;
  const since =
    heardAt === null ? 'nothing of it has arrived yet' : `this is how it was ${ago(Date.now() - Date.parse(heardAt))} ago`;
  say(`[${host} is out of reach: ${since}]`);
}

/** Tells whoever looks at a session that nothing can be done with it from here [where-9]. False: something can. */
export async function sayIfLooksOnly(client: RunSessionClient, session: SessionSummary): Promise<boolean> {
  if (session.remote === null) return false;
  const { machines } = await client.call('machines.list', {});
  const host = machines.find(({ machineId }) => machineId === session.machineId);
  const own = machines.find(({ self }) => self);
  const name = oneLine(session.machine);
  if (host === undefined || own === undefined) {
    say(`[read-only: ${name} and this machine do not belong together any more]`);
    return true;
  }
  if (allows(host.may, 'type')) return false;
  say(`[read-only: ${own.rights === 'view' ? 'this machine' : 'other machines'} may only look at what runs on ${name}]`);
  return true;
}

/** Tells whoever opens a terminal whose log is behind what is to be seen. */
export function sayIfBehind({ remote, machine, kind }: Pick<SessionSummary, 'remote' | 'machine' | 'kind'>): void {
  if (remote?.connection !== 'behind' || remote.behindBytes === null) return;
  const shown = kind === 'pty' ? '; until they are here you see its screen, about each second' : '';
  say(`[the line to ${oneLine(machine)} is slow: ${megabytes(remote.behindBytes)} are on their way${shown}]`);
}

/**
 * Sends a command to a session wherever it runs. Resolves with the event that records it; with null where its machine is out of
 * reach and the engine here keeps it until that one is back.
 */
export async function sendOrLeave(client: RunSessionClient, { runId }: SessionSummary, command: Command): Promise<Seq | null> {
  let endListening = () => {};
  const left = new Promise<null>((resolve) => {
    endListening = client.onMessage((message) => {
      if (message.type !== 'outbox:changed' || message.runId !== runId) return;
      const isWaiting = message.items.some(({ inputId, state }) => inputId === command.inputId && state === 'waiting');
      // While its machine is there it waits for a moment only.
      const session = client.sessions.get(runId);
      const host = isWaiting && session !== undefined ? awayHost(session) : null;
      if (host === null) return;
      say(`${host} is out of reach: it is kept here and goes there by itself when ${host} is back.`);
      resolve(null);
    });
  });
  try {
    return await Promise.race([client.send(runId, command), left]);
  } finally {
    endListening();
  }
}
