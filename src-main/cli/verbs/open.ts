import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { entryPath } from '../../entry-path.ts';
import { preparePaths } from '../../paths.ts';
import { withEngine } from '../engine-client.ts';
import { connectTo, enginePlace } from '../engine-place.ts';
import { EXIT, Failure } from '../failure.ts';

/** An app that has not failed for so long is taken to be up. */
const UP_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 50;

/** Opens the app's window, or shows the one that is open. Where there is no screen to show it on: lists the sessions. */
export async function open(): Promise<number | undefined> {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) return (await import('./list.ts')).list({});
  const place = enginePlace();
  // In a pane of a Baton that has moved: its own window, not that of another one.
  const home = place.canStart ? null : await withEngine(async (client) => (await client.call('engine.status', {})).home);
  preparePaths(place.paths);
  const said = join(place.paths.logs, 'open.out');
  const app = start(said, home);
  const ran = await connectTo(place.socket);
  ran?.destroy();
  const givesUpAt = Date.now() + UP_AFTER_MS;
  while (Date.now() < givesUpAt) {
    const outcome = app.outcome();
    // The one that was open has been told, and shows itself.
    if (outcome === 0) return undefined;
    if (outcome !== null) {
      throw new Failure(EXIT.failed, `The app did not start: ${outcome}. ${lastLine(said)}`.trim(), `See ${said}`);
    }
    const socket = ran === null ? await connectTo(place.socket) : null;
    socket?.destroy();
    if (socket !== null) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return undefined;
}

/** Starts the app in a session of its own, so that it outlives this terminal. It writes to a file, for nobody reads along. */
function start(said: string, home: string | null): { readonly outcome: () => 0 | string | null } {
  const [command, ...args] = appCommand();
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
  if (home !== null) env.BATON_HOME = home;
  const file = openSync(said, 'w', 0o600);
  const app: ChildProcess = spawn(command, args, { detached: true, stdio: ['ignore', file, file], env });
  closeSync(file);
  app.unref();
  let failure: string | null = null;
  app.once('error', ({ message }) => {
    failure = message;
  });
  return {
    outcome: () => {
      if (failure !== null) return failure;
      if (app.exitCode === 0) return 0;
      if (app.exitCode === null && app.signalCode === null) return null;
      return `it ended with ${app.signalCode ?? `code ${app.exitCode}`}`;
    },
  };
}

/** In the package this command runs on the app's own executable; in a checkout there is a script that builds and starts it. */
function appCommand(): [string, ...string[]] {
  // Chromium refuses to sandbox as root, and only then is it told not to.
  if (process.versions.electron !== undefined) {
    return [process.execPath, ...(process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
  }
  const script = join(dirname(entryPath('cli')), '..', '..', 'scripts', 'start.mjs');
  if (existsSync(script)) return [process.execPath, script];
  throw new Failure(EXIT.failed, 'There is no app beside this command.', 'Its commands work without one: baton --help');
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
}
