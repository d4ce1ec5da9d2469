import { createHash } from 'node:crypto';
import { chmodSync, closeSync, constants, openSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Paths } from './paths.ts';
import { openSocket } from './stream-wire.ts';

/**
 * One engine per data folder [engine-1]. Two things hold it, both by the operating system, so that neither survives the process:
 * a lock on the data folder, and the listening socket through which everybody else reaches the engine.
 * A socket file alone would not do: it stays behind after a crash, and of two processes that both find it dead each could remove
 * the other's new one.
 */
export type EngineLock =
  | {
      readonly kind: 'held';
      readonly server: Server;
      /** The last thing an engine does: after it another engine may open the same data. Closes the server. */
      release(): Promise<void>;
    }
  /** Another process is the engine; this socket is connected to it. */
  | { readonly kind: 'taken'; readonly socket: Socket };

/** How long a lock without a reachable socket is waited for: an engine that is starting or stopping. */
const PATIENCE_MS = 10_000;
const RETRY_MS = 50;

export class EngineLockError extends Error {
  override readonly name = 'EngineLockError';
}

export interface LockOptions {
  /** Gets every socket that connects once the lock is held. */
  readonly onConnection: (socket: Socket) => void;
  /** A connection could not be accepted; the engine goes on. */
  readonly onError: (error: Error) => void;
  readonly patienceMs?: number;
}

/** Throws EngineLockError where neither the lock nor its holder is to be had. */
export async function lockEngine(paths: Pick<Paths, 'data' | 'socket'>, options: LockOptions): Promise<EngineLock> {
  const givesUpAt = Date.now() + (options.patienceMs ?? PATIENCE_MS);
  for (;;) {
    const socket = await connectTo(paths.socket);
    if (socket !== null) return { kind: 'taken', socket };
    const folderLock = await lockFolder(paths.data);
    const held = folderLock && (await listenUnder(folderLock, paths.socket, options));
    if (held !== null) return held;
    if (Date.now() >= givesUpAt) {
      throw new EngineLockError(
        `Another Baton holds ${paths.data} and does not answer at ${paths.socket}. End it, or set BATON_HOME to another folder.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** A socket connected to the engine, or null where none listens. */
export function connectTo(path: string): Promise<Socket | null> {
  return openSocket(path).catch((error: Error) => {
    throw new EngineLockError(`Cannot reach the engine at ${path}: ${error.message}.`);
  });
}

interface FolderLock {
  release(): Promise<void>;
}

/** null: another process was quicker (Windows, where the pipe is all there is). */
async function listenUnder(lock: FolderLock, path: string, options: LockOptions): Promise<EngineLock | null> {
  const isPipe = process.platform === 'win32';
  try {
    // Nobody else may listen for this folder: what lies there is dead.
    if (!isPipe) rmSync(path, { force: true });
    const server = await listen(path, options.onConnection);
    server.on('error', options.onError);
    if (!isPipe) chmodSync(path, 0o600);
    const release = async () => {
      await closeServer(server);
      await lock.release();
    };
    return { kind: 'held', server, release };
  } catch (error) {
    await lock.release();
    if (isPipe && codeOf(error) === 'EADDRINUSE') return null;
    throw new EngineLockError(`Cannot listen at ${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** null: another process has it. */
async function lockFolder(folder: string): Promise<FolderLock | null> {
  // A pipe's first instance is the lock itself: Windows makes no second one, and keeps none of a dead process.
  if (process.platform === 'win32') return { release: async () => {} };
  return process.platform === 'linux' ? await lockByName(folder) : lockByFile(folder);
}

/** Linux: a socket name without a file; the kernel frees it with the process. */
async function lockByName(folder: string): Promise<FolderLock | null> {
  const { dev, ino, uid } = statSync(folder);
  const name = createHash('sha256').update(`${uid}:${dev}:${ino}`).digest('hex').slice(0, 32);
  try {
    const server = await listen(`\0baton-${name}`, (socket) => socket.destroy());
    return { release: () => closeServer(server) };
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return null;
    throw error;
  }
}

/** O_EXLOCK of macOS and the BSDs: opened and locked in one step. Node does not name it. */
const O_EXLOCK = 0x20;

function lockByFile(folder: string): FolderLock | null {
  try {
    const file = openSync(
      join(folder, 'engine.lock'),
      constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | O_EXLOCK,
      0o600,
    );
    return { release: async () => closeSync(file) };
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return null;
    throw error;
  }
}

function listen(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection);
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** Stops listening at once; open connections are their owner's to close. */
async function closeServer(server: Server): Promise<void> {
  if (server.listening) server.close();
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
