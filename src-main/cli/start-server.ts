import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { entryPath } from '../entry-path.ts';
import { preparePaths } from '../paths.ts';
import { connectTo, type EnginePlace, noServer } from './engine-place.ts';
import { EXIT, Failure } from './failure.ts';

export const START_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 20;
/** What headless.ts ends with when another engine was quicker. */
const ALREADY_SERVED = 6;
const SAID = 'baton: ';

/**
 * Starts a headless engine that outlives this command, and resolves when it listens. It has no terminal and a session of its own:
 * neither Ctrl-C nor closing the window here reaches it.
 */
export async function startServer(place: EnginePlace, timeoutMs = START_TIMEOUT_MS): Promise<{ readonly socket: Socket }> {
  if (!place.canStart) throw noServer(place);
  const { paths } = place;
  preparePaths(paths);
  // A file, not a pipe: the engine goes on writing when nobody reads any more.
  const said = join(paths.logs, 'headless.out');
  const file = openSync(said, 'w', 0o600);
  const child = spawn(process.execPath, [entryPath('headless')], {
    cwd: paths.data,
    detached: true,
    stdio: ['ignore', file, file],
    windowsHide: true,
  });
  closeSync(file);
  let ended: string | null = null;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    if (code !== ALREADY_SERVED) ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  child.unref();
  const givesUpAt = Date.now() + timeoutMs;
  for (;;) {
    const socket = await connectTo(place.socket);
    if (socket !== null) return { socket };
    if (ended !== null)
      throw new Failure(EXIT.failed, `The engine did not start: ${ended}. ${lastWords(said)}`.trim(), `See ${said}`);
    if (Date.now() > givesUpAt) {
      throw new Failure(EXIT.timedOut, `The engine did not start within ${timeoutMs / 1000} s.`, `See ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** What it said itself, if anything. */
function lastWords(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.findLast((line) => line.startsWith(SAID))?.slice(SAID.length) ?? '';
}
