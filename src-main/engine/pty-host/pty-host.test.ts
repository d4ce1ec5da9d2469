import { type ChildProcess, fork, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { entryPath } from '../../entry-path.ts';
import { type Pty, type PtyExit, type PtyHost, startPtyHost } from './pty-host-client.ts';
import { forkPtyHost } from './pty-host-fork.ts';
import { linkPtyHost, type PtyHostProcess } from './pty-host-link.ts';
import { type FromPtyHost, PTY_WINDOW_BYTES, type PtySpawn } from './pty-host-protocol.ts';

/** Commands of the fast-exit test; the benchmark runs ten thousand of them. */
const FAST_COMMANDS = 300;
const STALL_MS = 120;
/** What the kernel and this process's own reading may hold beyond the window. */
const KERNEL_BYTES = 512 * 1024;

let hostProcesses: PtyHostProcess[];
let ptyHost: PtyHost;
beforeEach(() => {
  hostProcesses = [];
  ptyHost = startPtyHost(() => {
    const started = forkPtyHost();
    hostProcesses.push(started);
    return started;
  });
});
afterEach(() => ptyHost.stop(500));

function sh(script: string): PtySpawn {
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin' };
  return { file: '/bin/sh', args: ['-c', script], cwd: '/', env, cols: 80, rows: 24, term: 'xterm', options: {} };
}

interface Run {
  readonly pty: Pty;
  readonly output: () => string;
  readonly exit: Promise<PtyExit>;
}

async function run(script: string, onOutput: (bytes: Uint8Array) => void = () => {}): Promise<Run> {
  const chunks: Uint8Array[] = [];
  let resolveExit = (_: PtyExit): void => {};
  const exit = new Promise<PtyExit>((resolve) => {
    resolveExit = resolve;
  });
  let hasExited = false;
  const pty = await ptyHost.spawn(sh(script), {
    onOutput: (bytes) => {
      if (hasExited) throw new Error('output after the exit');
      chunks.push(new Uint8Array(bytes));
      onOutput(bytes);
    },
    onInputLost: () => {},
    onExit: (told) => {
      hasExited = true;
      resolveExit(told);
    },
  });
  return { pty, output: () => Buffer.concat(chunks).toString('utf8'), exit };
}

/** A pty host that the test has started by itself, and what it tells. */
function linkTo(host: ChildProcess): { readonly link: PtyHostProcess; readonly told: readonly FromPtyHost[] } {
  const told: FromPtyHost[] = [];
  const link = linkPtyHost({
    pid: host.pid,
    onMessage: (listener) => void host.on('message', listener),
    onExit: (listener) => void host.once('exit', () => listener('it ended')),
    kill: () => void host.kill('SIGKILL'),
  });
  link.onMessage((message) => told.push(message));
  return { link, told };
}

/** Nothing runs in this process for so long: timers, messages, streams all wait. */
function stall(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 5 });
}

describe('the pty host', () => {
  it('[pty-2] hands over fast commands whole and before their exit, also while this process is stalled again and again', async () => {
    const lengths: number[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < FAST_COMMANDS) {
        const started = await run(`printf '%020000d' ${next++}`);
        await started.exit;
        lengths.push(started.output().length);
      }
    };
    const workers = Promise.all(Array.from({ length: 60 }, worker));
    let isDone = false;
    void workers.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      stall(STALL_MS);
      await delay(20);
    }
    await workers;
    expect(lengths).toEqual(Array.from({ length: FAST_COMMANDS }, () => 20_000));
  });

  it('keeps no descriptor of a terminal that is over', async () => {
    await (await run('true')).exit;
    const descriptors = () => readdirSync(`/proc/${hostProcesses[0]?.pid}/fd`).length;
    const before = process.platform === 'linux' ? descriptors() : 0;
    for (let round = 0; round < 20; round++) {
      const runs = await Promise.all(Array.from({ length: 10 }, () => run('true')));
      await Promise.all(runs.map(({ exit }) => exit));
    }
    if (process.platform === 'linux') expect(descriptors()).toBe(before);
  });

  it.runIf(process.platform === 'linux')(
    'reads no further than its window while this process takes nothing: the program waits',
    async () => {
      const bytes = 8 * PTY_WINDOW_BYTES;
      const flood = await run(`exec head -c ${bytes} /dev/zero`);
      stall(1000);
      const written = Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${flood.pty.pid}/io`, 'latin1'))?.[1]);
      expect(written).toBeGreaterThan(PTY_WINDOW_BYTES);
      expect(written).toBeLessThan(PTY_WINDOW_BYTES + KERNEL_BYTES);
      await flood.exit;
      expect(flood.output()).toBe('\0'.repeat(bytes));
    },
  );

  it('loses nothing of a paused pty whose program is over', async () => {
    const paused = await run('read line; printf "%03000d"; echo; echo over');
    paused.pty.pause();
    paused.pty.write(Buffer.from('\n'));
    expect(await paused.exit).toEqual({ exitCode: 0, signal: null, reason: null });
    expect(paused.output()).toMatch(/^\r\n0{3000}\r\nover\r\n$/);
  });

  it('goes on with others while one program does not read', async () => {
    const deaf = await run('stty raw -echo; echo deaf; sleep 1000');
    await until(() => deaf.output().includes('deaf'));
    deaf.pty.write(Buffer.alloc(1024 * 1024, 'x'));
    const echoing = await run('stty -echo; echo ready; read line; echo "got $line"');
    await until(() => echoing.output().includes('ready'));
    echoing.pty.write(Buffer.from('this\n'));
    await echoing.exit;
    expect(echoing.output()).toBe('ready\r\ngot this\r\n');
    await deaf.pty.close(0);
  });

  it.runIf(process.platform === 'linux')(
    'refuses a start without descriptors for it, leaves nothing of it behind and goes on',
    async () => {
      const limited = ['-c', 'ulimit -n 48; exec "$0" "$@"', process.execPath, entryPath('pty-host')];
      const host = spawnProcess('/bin/sh', limited, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      const { link, told } = linkTo(host);
      const start = async (id: number): Promise<boolean> => {
        link.post({ type: 'spawn', id, spawn: sh('sleep 1000') });
        await until(() =>
          told.some((message) => message.id === id && (message.type === 'spawned' || message.type === 'refused')),
        );
        return told.some((message) => message.id === id && message.type === 'spawned');
      };
      let id = 1;
      while (await start(id)) id++;
      expect(id).toBeGreaterThan(3);
      link.post({ type: 'close', id: 1, graceMs: 1000 });
      await until(() => told.some((message) => message.id === 1 && message.type === 'closed'));
      expect(await start(id + 1)).toBe(true);
      const children = told.flatMap((message) => (message.type === 'spawned' ? [message.pid] : []));
      const gone = once(host, 'exit');
      host.disconnect();
      await gone;
      expect(children.filter(isAlive)).toEqual([]);
    },
  );

  it('hands over characters whole that a program writes in pieces', async () => {
    const chunks: string[] = [];
    const pieces = await run(`i=0; while [ $i -lt 50 ]; do printf '\\342'; printf '\\230\\203'; i=$((i+1)); done`, (bytes) =>
      chunks.push(Buffer.from(bytes).toString('utf8')),
    );
    await pieces.exit;
    expect(chunks.join('')).toBe('☃'.repeat(50));
  });
});

describe('the end of a pty host', () => {
  it('ends every program when this process is gone', async () => {
    const host = fork(entryPath('pty-host'), [], { execArgv: [] });
    const { link, told } = linkTo(host);
    link.post({ type: 'spawn', id: 1, spawn: sh('trap "" HUP; echo ready; while :; do sleep 0.05; done') });
    await until(() => told.some(({ type }) => type === 'output'));
    const pid = told.flatMap((message) => (message.type === 'spawned' ? [message.pid] : []))[0] ?? 0;
    const gone = once(host, 'exit');
    host.disconnect();
    await gone;
    expect(isAlive(pid)).toBe(false);
  });

  it('tells every session why when the host dies, kills what it left, and the next start has a new host', async () => {
    const left = await run('trap "" HUP; echo ready; while :; do sleep 0.05; done');
    await until(() => left.output().includes('ready'));
    process.kill(hostProcesses[0]?.pid ?? 0, 'SIGKILL');
    const exit = await left.exit;
    expect(exit).toMatchObject({ exitCode: null, signal: null });
    expect(exit.reason).toMatch(/process that holds the terminals is gone: it was ended by SIGKILL/);
    await left.pty.close(1000);
    await until(() => !isAlive(left.pty.pid));
    const next = await run('echo again');
    await next.exit;
    expect(next.output()).toBe('again\r\n');
    expect(hostProcesses).toHaveLength(2);
  });

  it('ends its programs and itself when it is stopped, and starts nothing after that', async () => {
    const running = await run('sleep 1000');
    const hostPid = hostProcesses[0]?.pid ?? 0;
    await ptyHost.stop(1000);
    await running.exit;
    expect(isAlive(running.pty.pid)).toBe(false);
    expect(isAlive(hostPid)).toBe(false);
    await expect(run('true')).rejects.toThrow('stopped');
  });

  it('rejects a start whose host cannot be started', async () => {
    const none = startPtyHost(() => ({
      pid: undefined,
      post: () => {},
      onMessage: () => {},
      onExit: (listener) => queueMicrotask(() => listener('no such file')),
      kill: () => {},
    }));
    await expect(none.spawn(sh('true'), { onOutput: () => {}, onInputLost: () => {}, onExit: () => {} })).rejects.toThrow(
      'no such file',
    );
  });

  it.each<[string, FromPtyHost, RegExp]>([
    ['loses a chunk', { type: 'output', id: 1, chunk: 2, data: Buffer.from('b') }, /chunk 1 is missing/],
    ['tells an exit that came too early', { type: 'exit', id: 1, chunks: 3, exitCode: 0, signal: null }, /0 of 3 chunks/],
  ])('is not believed any longer when it %s', async (_, message, reason) => {
    let tell = (_message: FromPtyHost): void => {};
    const kill = vi.fn();
    const broken = startPtyHost(() => ({
      pid: 1,
      post: () => queueMicrotask(() => tell({ type: 'spawned', id: 1, pid: 2 ** 30 })),
      onMessage: (listener) => {
        tell = listener;
      },
      onExit: () => {},
      kill,
    }));
    const exits: PtyExit[] = [];
    await broken.spawn(sh('true'), { onOutput: () => {}, onInputLost: () => {}, onExit: (exit) => exits.push(exit) });
    tell(message);
    expect(exits).toHaveLength(1);
    expect(exits[0]?.reason).toMatch(reason);
    expect(kill).toHaveBeenCalledOnce();
  });
});
