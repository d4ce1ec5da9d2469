import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectTo, type EngineLock, EngineLockError, lockEngine } from './engine-lock.ts';
import { batonPaths, type Paths, preparePaths } from './paths.ts';

let paths: Paths;
let releases: (() => Promise<void> | void)[];
beforeEach(() => {
  paths = batonPaths({ BATON_HOME: mkdtempSync(join(tmpdir(), 'baton-lock-')) });
  preparePaths(paths);
  releases = [];
});
afterEach(async () => {
  for (const release of releases.reverse()) await release();
  rmSync(paths.config, { recursive: true, force: true });
});

async function lock(patienceMs = 0): Promise<EngineLock> {
  const result = await lockEngine(paths, {
    onConnection: (socket) => void releases.push(() => void socket.destroy()),
    onError: (error) => {
      throw error;
    },
    patienceMs,
  });
  releases.push(result.kind === 'held' ? result.release : () => void result.socket.destroy());
  return result;
}

async function held() {
  const result = await lock();
  if (result.kind !== 'held') throw new Error('the lock is taken');
  return result;
}

describe('lockEngine', () => {
  it('[engine-1] gives one process the lock and connects the others to it', async () => {
    await held();
    expect((await lock()).kind).toBe('taken');
  });

  it('[engine-1] of many that start at once exactly one is the engine', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => lock(20_000)));
    expect(results.filter((result) => result.kind === 'held')).toHaveLength(1);
  });

  it('is free again after release, and the socket is gone', async () => {
    await (await held()).release();
    expect(existsSync(paths.socket)).toBe(false);
    await held();
  });

  it('releases although a client is still connected', async () => {
    const engine = await held();
    await lock();
    await engine.release();
    expect(await connectTo(paths.socket)).toBeNull();
  });

  it.skipIf(process.platform === 'win32')('takes over from a socket that a killed process left behind', async () => {
    const script = `require('node:net').createServer().listen(${JSON.stringify(paths.socket)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(paths.socket)).toBe(true);
    await held();
  });

  it('says so when the folder is held by one that does not answer', async () => {
    await held();
    const elsewhere = { data: paths.data, socket: join(paths.data, 'other.sock') };
    const attempt = lockEngine(elsewhere, { onConnection: () => {}, onError: () => {}, patienceMs: 0 });
    await expect(attempt).rejects.toThrow(EngineLockError);
  });

  it('waits for one that is on its way out', async () => {
    const first = await held();
    const elsewhere = { data: paths.data, socket: join(paths.data, 'other.sock') };
    const second = lockEngine(elsewhere, { onConnection: () => {}, onError: () => {}, patienceMs: 20_000 });
    await first.release();
    const result = await second;
    expect(result.kind).toBe('held');
    if (result.kind === 'held') await result.release();
  });
});

describe('connectTo', () => {
  it('delivers what the engine said before anyone listened', async () => {
    const greeter = createServer((socket: Socket) => void socket.end('hello'));
    await new Promise<void>((resolve) => greeter.listen(paths.socket, resolve));
    const socket = await connectTo(paths.socket);
    const chunks = await socket?.toArray();
    expect(Buffer.concat(chunks ?? []).toString()).toBe('hello');
    greeter.close();
  });
});

it.skipIf(process.platform === 'win32')('leaves the socket to this user alone', async () => {
  await held();
  const { stdout } = await promisify(execFile)('ls', ['-l', paths.socket]);
  expect(stdout).toMatch(/^srw-------/);
});
