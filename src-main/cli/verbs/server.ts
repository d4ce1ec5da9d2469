import type { RunSessionClient } from '../../../src-shared/client.ts';
import { megabytes } from '../../../src-shared/megabytes.ts';
import type { ClientSummary, ResultOf } from '../../../src-shared/operations.ts';
import { BATON_VERSION } from '../../version.ts';
import { withEngine, withSocket } from '../engine-client.ts';
import { connectTo, enginePlace, noServer } from '../engine-place.ts';
import { EXIT, Failure } from '../failure.ts';
import { shortId } from '../find-session.ts';
import { hasColors, oneLine, painter, print, printJson, printLine, type Style, say } from '../output.ts';
import { startServer } from '../start-server.ts';
import { ago, table } from '../table.ts';

const LOOK_EVERY_MS = 20;
/** Where it cannot listen, on a port that is taken, say, there will be none; status and doctor tell. */
const HTTP_WITHIN_MS = 5_000;

export async function start(options: { readonly timeout: number; readonly json?: boolean }): Promise<undefined> {
  const place = enginePlace();
  const running = await connectTo(place.socket);
  const socket = running ?? (await startServer(place, options.timeout)).socket;
  await withSocket(place, socket, async (client) => {
    const { pid, port, url, version } = await whenServing(client);
    if (options.json) printJson({ running: true, pid, port, url, version, socket: place.socket });
    else say(`Baton ${version} runs ${running === null ? 'in the background' : 'already'} (pid ${pid}).`);
  });
}

/** The engine answers before its HTTP server listens; whoever asks to have it started may want that one next. */
async function whenServing(client: RunSessionClient): Promise<ResultOf<'engine.status'>> {
  const { settings } = await client.call('settings.get', {});
  const givesUpAt = Date.now() + HTTP_WITHIN_MS;
  for (;;) {
    const found = await client.call('engine.status', {});
    if (found.url !== null || !settings['server.enabled'] || Date.now() > givesUpAt) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

export async function status(options: { readonly json?: boolean }): Promise<number> {
  const place = enginePlace();
  const socket = await connectTo(place.socket);
  if (socket === null) {
    if (!options.json) throw noServer(place);
    printJson({ running: false, pid: null, port: null, url: null, version: BATON_VERSION, socket: place.socket });
    return EXIT.noServer;
  }
  await withSocket(place, socket, async (client) => {
    const found = { socket: place.socket, ...(await client.call('engine.status', {})), sessions: client.sessions.size };
    const { pid, url, version, home, machine, startedAt, running, sessions, clients, logBytes } = found;
    if (options.json) {
      // `running` says whether there is an engine; how many programs it runs has a name of its own.
      printJson({ ...found, running: true, programs: running });
      return;
    }
    printLine(`Baton ${version} runs on ${machine} (pid ${pid}) since ${startedAt}.`);
    printLine(
      `${counted(sessions, 'session')}, ${running} running; ${counted(clients, 'client')}; log of ${megabytes(logBytes)}.`,
    );
    printLine(`Data: ${home}   Socket: ${place.socket}   ${url === null ? 'No HTTP server.' : `HTTP: ${url}`}`);
  });
  return EXIT.done;
}

export async function users(options: { readonly all?: boolean; readonly json?: boolean }): Promise<undefined> {
  await withEngine(async (client) => {
    const { clients } = await client.call('clients.list', {});
    if (options.json) {
      printJson({ clients });
      return;
    }
    const shown = options.all ? clients : clients.filter(({ state }) => state !== 'disconnected');
    print(clientTable(shown));
    const left = clients.length - shown.length;
    if (left > 0) say(`${left} more ${left === 1 ? 'has' : 'have'} left: baton server users --all`);
  });
}

const STATE_STYLE: Readonly<Record<ClientSummary['state'], Style>> = { active: 'green', idle: 'cyan', disconnected: 'dim' };

function clientTable(clients: readonly ClientSummary[]): string {
  const paint = painter(hasColors(process.stdout));
  return table<ClientSummary>(
    [
      { head: 'ID', text: ({ clientId }) => shortId(clientId) },
      { head: 'KIND', text: ({ kind }) => kind },
      { head: 'ROAD', text: ({ road }) => road },
      { head: 'STATE', text: ({ state }) => state, paint: (cell, { state }) => paint(STATE_STYLE[state], cell) },
      { head: 'SINCE', text: ({ connectedAt }) => ago(Date.now() - Date.parse(connectedAt)) },
      { head: 'HEARD', text: ({ lastHeardAt }) => ago(Date.now() - Date.parse(lastHeardAt)) },
      { head: 'NAME', text: ({ name }) => oneLine(name), shrinks: true },
      { head: 'SESSIONS', text: ({ sessions }) => sessions.map(shortId).join(' ') },
    ],
    clients,
    process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
    (head) => paint('bold', head),
  );
}

export async function stats(options: { readonly json?: boolean }): Promise<undefined> {
  await withEngine(async (client) => {
    const found = await client.call('server.stats', {});
    if (options.json) {
      printJson(found);
      return;
    }
    const { uptimeSeconds, wires, events, eventsPerSecond, bytesIn, bytesOut, refusedAttempts, reconnections, requests } = found;
    const open = Object.entries(wires).flatMap(([road, count]) => (count > 0 ? [`${count} ${road}`] : []));
    const facts: Readonly<Record<string, string>> = {
      up: ago(uptimeSeconds * 1000),
      wires: open.join(', ') || 'none',
      events: `${events}, ${eventsPerSecond.toFixed(1)} a second`,
      bytes: `${megabytes(bytesIn)} in, ${megabytes(bytesOut)} out`,
      refused: String(refusedAttempts),
      reconnections: String(reconnections),
    };
    for (const [name, text] of Object.entries(facts)) printLine(`${name.padEnd(13)}  ${text}`);
    if (requests.length > 0) print(`\n${requestTable(requests)}`);
  });
}

type Requests = ResultOf<'server.stats'>['requests'];

function requestTable(requests: Requests): string {
  const paint = painter(hasColors(process.stdout));
  return table<Requests[number]>(
    [
      { head: 'COUNT', text: ({ count }) => String(count) },
      { head: 'STATUS', text: ({ status: code }) => String(code) },
      { head: 'ROUTE', text: ({ route }) => route },
    ],
    requests,
    Number.POSITIVE_INFINITY,
    (head) => paint('bold', head),
  );
}

const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`;

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
  const running = [...client.sessions.values()].filter(
    ({ status, remote }) => remote === null && status !== 'ended' && status !== 'interrupted',
  ).length;
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
