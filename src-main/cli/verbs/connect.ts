import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { RunSessionClient } from '../../../src-shared/client.ts';
import { PATHS, ProofAnswer, ServerFile } from '../../../src-shared/http-api.ts';
import { newChallenge, proofOf, tokenIdOf } from '../../../src-shared/http-proof.ts';
import type { ClientKind } from '../../../src-shared/operations.ts';
import { withEngine, withStartedEngine } from '../engine-client.ts';
import { enginePlace } from '../engine-place.ts';
import { EXIT, Failure } from '../failure.ts';
import { printJson, printLine, say } from '../output.ts';

interface ConnectOptions {
  readonly print?: boolean;
  readonly remote?: boolean;
  readonly json?: boolean;
}

/** Lets one browser in: opens it, or prints the link for another one. */
export async function connectDashboard(options: ConnectOptions): Promise<undefined> {
  await withStartedEngine(async (client) => {
    await proveServer(await runningServer(client));
    const link = await client.call('server.loginCode', {});
    const address = options.remote ? publicLink(link.publicUrls) : link.url;
    if (options.json) {
      printJson({ url: address, expiresAt: new Date(link.expiresAt).toISOString() });
      return;
    }
    const isOpened = !options.print && !options.remote && (await openBrowser(address));
    if (!isOpened) printLine(address);
    if (options.remote && process.stdout.isTTY) {
      const { renderUnicodeCompact } = await import('uqr');
      printLine(renderUnicodeCompact(address));
    }
    const seconds = Math.max(0, Math.round((link.expiresAt - Date.now()) / 1000));
    say(`${isOpened ? 'Opened in your browser' : 'Open the link in a browser'}. It lets one in, once, within ${seconds} s.`);
  });
}

/** The file of the server that the engine runs. One that has just been started answers here before it listens for browsers. */
async function runningServer(client: RunSessionClient): Promise<ServerFile> {
  const { paths } = enginePlace();
  const { settings } = await client.call('settings.get', {});
  const givesUpAt = Date.now() + (settings['server.enabled'] ? STARTING_MS : 0);
  for (;;) {
    const { url } = await client.call('engine.status', {});
    const file = await readServerFile(paths.serverFile);
    if (url !== null && file?.url === url) return file;
    if (Date.now() >= givesUpAt) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Failure(
    EXIT.refused,
    'The engine serves no browsers: its HTTP server does not run.',
    settings['server.enabled'] ? 'Its log says why.' : 'It is switched off: baton config set server.enabled true',
  );
}

/** null: it is not there, or not (yet) one. */
async function readServerFile(path: string): Promise<ServerFile | null> {
  try {
    return ServerFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

function publicLink(links: readonly string[]): string {
  const [link] = links;
  if (link !== undefined) return link;
  throw new Failure(
    EXIT.refused,
    'Other machines do not reach this one: it has no name for them.',
    'Name it as your tunnel or private network does: baton config set server.hostNames \'["laptop.example.net"]\'',
  );
}

/** Sees to it that there is an engine to talk to, and says where; with a session, makes this terminal a window on it. */
export async function connectCli(name: string | undefined, options: { readonly json?: boolean }): Promise<number> {
  if (name !== undefined) return (await import('./attach.ts')).attach(name, { resize: true, detachKeys: 'ctrl-\\,d' });
  const place = enginePlace();
  await withStartedEngine(async (client) => {
    const { pid, version, machine, startedAt } = await client.call('engine.status', {});
    const sessions = client.sessions.size;
    if (options.json) {
      printJson({ socket: place.socket, pid, version, machine, startedAt, sessions });
      return;
    }
    printLine(`Baton ${version} on ${machine} (pid ${pid}) answers at ${place.socket}.`);
    printLine(
      `${sessions === 1 ? '1 session' : `${sessions} sessions`}. See them: baton list   Enter one: baton attach <session>`,
    );
  });
  return EXIT.done;
}

const KINDS: Readonly<Record<'cli' | 'dashboard', ClientKind>> = { cli: 'cli', dashboard: 'browser' };

/** Closes the connections of all browsers, or of all other command lines; browsers need a new link to come back. */
export async function disconnect(kind: 'cli' | 'dashboard', options: { readonly json?: boolean }): Promise<undefined> {
  await withEngine(async (client) => {
    const { disconnected } = await client.call('clients.disconnect', { kind: KINDS[kind] });
    if (options.json) printJson({ disconnected });
    else if (disconnected === 0) say('None was connected.');
    else say(`${disconnected === 1 ? '1 client' : `${disconnected} clients`} disconnected.`);
  });
}

/** Whoever listens on the port shows that it is the engine, before a browser is sent there with a code. */
async function proveServer({ url, key }: ServerFile): Promise<void> {
  const challenge = newChallenge();
  const answer = await fetch(url + PATHS.proof, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tokenId: await tokenIdOf(key), challenge }),
  });
  const proof = ProofAnswer.safeParse(answer.ok ? await answer.json() : null);
  if (!proof.success || proof.data.proof !== (await proofOf(key, new URL(url).host, challenge))) {
    throw new Failure(EXIT.refused, `What answers at ${url} is not Baton's engine.`, 'Another program has taken its port.');
  }
}

/** False: there is none to be opened here. */
function openBrowser(url: string): Promise<boolean> {
  const [program, ...args] = opener(url) ?? [];
  if (program === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
    child.once('spawn', () => {
      // Some go on for as long as the browser does.
      setTimeout(() => resolve(true), OPENING_MS).unref();
      child.unref();
    });
  });
}

const OPENING_MS = 3_000;
const STARTING_MS = 10_000;
const LOOK_EVERY_MS = 20;

function opener(url: string, env: NodeJS.ProcessEnv = process.env): readonly string[] | null {
  if (process.platform === 'darwin') return ['open', url];
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return env.DISPLAY || env.WAYLAND_DISPLAY ? ['xdg-open', url] : null;
}
