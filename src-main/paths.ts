import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

/** Where everything of Baton's lies. `BATON_HOME` moves all of it, so that several can run side by side. */
export interface Paths {
  /** BATON_HOME as an absolute path; null where the platform's own folders are used. */
  readonly home: string | null;
  readonly config: string;
  readonly data: string;
  readonly logs: string;
  readonly cache: string;
  /** Holds the socket; null on Windows, where a pipe has no folder. */
  readonly run: string | null;
  readonly settingsFile: string;
  readonly keybindingsFile: string;
  /** Secrets that the user entrusts to Baton (an API key). */
  readonly secretsFile: string;
  /** This machine's own keys, while it is in a workspace. */
  readonly machineKeysFile: string;
  readonly database: string;
  /** Where the local HTTP server listens, and the key to it; while it runs. */
  readonly serverFile: string;
  /** Chromium's own files. */
  readonly electron: string;
  /** The engine's Unix socket or named pipe. */
  readonly socket: string;
}

/** sun_path holds 104 bytes on macOS and 108 on Linux, the closing NUL included. */
const MAX_SOCKET_PATH_BYTES = 103;

export function batonPaths(env: NodeJS.ProcessEnv = process.env): Paths {
  const home = env.BATON_HOME ? resolve(env.BATON_HOME) : null;
  const folders = home === null ? platformFolders() : homeFolders(home);
  return {
    home,
    ...folders,
    ...socketOf(home, folders.data, env),
    settingsFile: join(folders.config, 'settings.json'),
    keybindingsFile: join(folders.config, 'keybindings.json'),
    secretsFile: join(folders.data, 'secrets.json'),
    machineKeysFile: join(folders.data, 'machine-keys.json'),
    database: join(folders.data, 'baton.db'),
    serverFile: join(folders.data, 'server.json'),
    electron: join(folders.data, 'electron'),
  };
}

type Folders = Pick<Paths, 'config' | 'data' | 'logs' | 'cache'>;

function homeFolders(home: string): Folders {
  return { config: home, data: join(home, 'data'), logs: join(home, 'logs'), cache: join(home, 'cache') };
}

function platformFolders(): Folders {
  const { config, data, log, cache } = envPaths(process.platform === 'linux' ? 'baton' : 'Baton', { suffix: '' });
  // People who live in a terminal keep their settings there on macOS too.
  const dotConfig = join(homedir(), '.config', 'baton');
  const usesDotConfig = process.platform === 'darwin' && existsSync(dotConfig);
  return { config: usesDotConfig ? dotConfig : config, data, logs: log, cache };
}

function socketOf(home: string | null, data: string, env: NodeJS.ProcessEnv): Pick<Paths, 'run' | 'socket'> {
  // Outside BATON_HOME the name tells data folders apart: two of them must never share an engine.
  const name = createHash('sha256').update(data).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return { run: null, socket: `\\\\.\\pipe\\baton-${userInfo().username}-${name}` };
  if (home !== null) {
    const socket = join(home, 'run', 'engine.sock');
    if (Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES) return { run: join(home, 'run'), socket };
  }
  const run = runtimeFolder(env);
  return { run, socket: join(run, `${name}.sock`) };
}

function runtimeFolder(env: NodeJS.ProcessEnv): string {
  const uid = userInfo().uid;
  if (process.platform === 'linux') {
    if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, 'baton');
    // sudo, cron and plain ssh set no variable; the folder is there all the same, and must be found by all of them.
    if (existsSync(`/run/user/${uid}`)) return `/run/user/${uid}/baton`;
    return `/tmp/baton-${uid}`;
  }
  return join(tmpdir(), `baton-${uid}`);
}

/** A folder or file of Baton's that cannot be used as it is; the message says which, why and what to do. */
export class PathsError extends Error {
  override readonly name = 'PathsError';
}

/** Makes the folders, for this user alone, and tightens what is too open. Throws PathsError. */
export function preparePaths(paths: Paths): void {
  for (const folder of [paths.home, paths.config, paths.data, paths.logs, paths.cache, paths.run, paths.electron]) {
    if (folder !== null) prepareFolder(folder, folder === paths.run);
  }
  for (const file of [paths.settingsFile, paths.keybindingsFile, paths.secretsFile, paths.machineKeysFile, paths.serverFile]) {
    if (existsSync(file)) tighten(file, 0o600);
  }
}

function prepareFolder(folder: string, mayBeShared: boolean): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new PathsError(
      `Cannot create the folder ${folder}: ${reasonOf(error)}. Make it writable, or set BATON_HOME to another folder.`,
    );
  }
  // Below /tmp anyone may have put a link there first.
  if (!(mayBeShared ? lstatSync(folder) : statSync(folder)).isDirectory()) {
    throw new PathsError(`${folder} is not a folder. Move it away, or set BATON_HOME to another folder.`);
  }
  tighten(folder, 0o700);
}

function tighten(path: string, mode: number): void {
  if (process.platform === 'win32') return;
  const found = statSync(path);
  const uid = userInfo().uid;
  if (found.uid !== uid) {
    throw new PathsError(
      `${path} belongs to another user (uid ${found.uid}, you are ${uid}). Move it away, or set BATON_HOME to a folder of your own.`,
    );
  }
  if ((found.mode & 0o077) === 0) return;
  try {
    chmodSync(path, mode);
  } catch (error) {
    throw new PathsError(
      `Others can read ${path}, and that cannot be changed: ${reasonOf(error)}. Run: chmod ${mode.toString(8)} '${path}'`,
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
