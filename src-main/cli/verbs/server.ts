import type { RunSessionClient } from '../../../src-shared/client.ts';
import { BATON_VERSION } from '../../version.ts';
import { withSocket } from '../engine-client.ts';
import { connectTo, enginePlace, noServer } from '../engine-place.ts';
import { EXIT, Failure } from '../failure.ts';
import { printJson, printLine, say } from '../output.ts';
import { startServer } from '../start-server.ts';

export async function start(options: { readonly timeout: number; readonly json?: boolean }): Promise<undefined> {
  const place = enginePlace();
  const running = await connectTo(place.socket);
  const socket = running ?? (await startServer(place, options.timeout)).socket;
  await withSocket(place, socket, async (client) => {
    const { pid, version } = await client.call('engine.status', {});
    if (options.json) printJson({ running: true, pid, version, socket: place.socket });
    else
      say(
        running === null
          ? `Baton ${version} runs in the background (pid ${pid}).`
          : `Baton ${version} runs already (pid ${pid}).`,
      );
  });
}

export async function status(options: { readonly json?: boolean }): Promise<number> {
  const place = enginePlace();
  const socket = await connectTo(place.socket);
  if (socket === null) {
    if (!options.json) throw noServer(place);
    printJson({ running: false, pid: null, version: BATON_VERSION, socket: place.socket });
    return EXIT.noServer;
  }
  await withSocket(place, socket, async (client) => {
    const found = { socket: place.socket, ...(await client.call('engine.status', {})), sessions: client.sessions.size };
    const { pid, version, home, machine, startedAt, running, sessions, clients, logBytes } = found;
    if (options.json) {
      // `running` says whether there is an engine; how many programs it runs has a name of its own.
      printJson({ ...found, running: true, programs: running });
      return;
    }
    printLine(`Baton ${version} runs on ${machine} (pid ${pid}) since ${startedAt}.`);
    printLine(`${running} of ${sessions} sessions run, ${clients} clients, log of ${(logBytes / 1e6).toFixed(1)} MB.`);
    printLine(`Data: ${home}   Socket: ${place.socket}`);
  });
  return EXIT.done;
}

const LOOK_EVERY_MS = 20;

export async function stop(options: { readonly yes?: boolean; readonly timeout: number }): Promise<undefined> {
  const place = enginePlace();
  const socket = await connectTo(place.socket);
  if (socket === null) throw noServer(place);
  const pid = await withSocket(place, socket, async (client) => {
    const found = await client.call('engine.status', {});
    if (!options.yes) await confirm(client);
    await client.call('engine.stop', {});
    return found.pid;
  });
  const givesUpAt = Date.now() + options.timeout;
  while (isAlive(pid)) {
    if (Date.now() > givesUpAt) {
      throw new Failure(
        EXIT.timedOut,
        `The engine (pid ${pid}) is still ending its programs.`,
        'Look again: baton server status',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  say('Stopped.');
}

/** Somebody at a terminal is asked before programs end; a script has said what it means. */
async function confirm(client: RunSessionClient): Promise<void> {
  const running = [...client.sessions.values()].filter(({ status }) => status !== 'ended' && status !== 'interrupted').length;
  if (running === 0 || !process.stdin.isTTY || !process.stderr.isTTY) return;
  const { createInterface } = await import('node:readline/promises');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question(
    `${running === 1 ? '1 session runs' : `${running} sessions run`} and would end. Stop? [y/N] `,
  );
  asking.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure(EXIT.cancelled, 'Nothing was stopped.');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
