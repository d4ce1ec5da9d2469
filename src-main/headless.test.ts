import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunSessionClient } from '../src-shared/client.ts';
import { ClientId, NO_SEQ } from '../src-shared/ids.ts';
import { ECHO, newInputId, outputOf, pty, watch } from './engine/engine.fixture.ts';
import { connectTo } from './engine-lock.ts';
import { batonPaths, type Paths } from './paths.ts';
import { streamWire } from './stream-wire.ts';

/** The engine as it is shipped: built, in a process of its own, reached through its socket. */
let paths: Paths;
let engines: ChildProcess[];
let clients: RunSessionClient[];
/** What an engine, or a process it started, wrote to stderr. */
const said = new Map<ChildProcess, string>();
beforeEach(() => {
  paths = batonPaths({ BATON_HOME: mkdtempSync(join(tmpdir(), 'baton-headless-')) });
  engines = [];
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.stop();
  for (const engine of engines) if (engine.exitCode === null && engine.signalCode === null) await end(engine, 'SIGTERM');
  rmSync(paths.home ?? '', { recursive: true, force: true, maxRetries: 5 });
});

function start(): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const engine = spawn(process.execPath, [join(import.meta.dirname, '../out/main/headless.js')], {
    env: { ...env, BATON_HOME: paths.home ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  said.set(engine, '');
  engine.stderr?.setEncoding('utf8').on('data', (text: string) => said.set(engine, said.get(engine) + text));
  engines.push(engine);
  return engine;
}

async function startReady(): Promise<{ readonly engine: ChildProcess; readonly line: unknown }> {
  const engine = start();
  const [line] = await once(engine.stdout ?? engine, 'data');
  return { engine, line: JSON.parse(String(line)) };
}

async function end(engine: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = once(engine, 'exit');
  engine.kill(signal);
  await ended;
  return engine.exitCode;
}

function connect(): RunSessionClient {
  const client = new RunSessionClient({
    clientId: ClientId.parse(randomUUID()),
    kind: 'test',
    name: 'test',
    connect: async () => {
      const socket = await connectTo(paths.socket);
      if (socket === null) throw new Error('no engine listens');
      return streamWire(socket);
    },
  });
  clients.push(client);
  return client;
}

function isAlive(pid: number): boolean {
  try {
    // A zombie is dead; it waits for its parent only.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

const isPosix = process.platform !== 'win32';

it('[engine-1] says when it is ready, is for this user alone, and is the only one of its folder', async () => {
  const { engine, line } = await startReady();
  expect(line).toEqual({ ready: true, pid: engine.pid, socket: paths.socket });
  if (isPosix) {
    expect(statSync(paths.run ?? '').mode & 0o777).toBe(0o700);
    expect(statSync(paths.socket).mode & 0o777).toBe(0o600);
  }
  const second = start();
  await once(second, 'exit');
  expect(second.exitCode).toBe(6);
  expect(said.get(second)).toContain('another engine already serves');
  const status = await connect().call('engine.status', {});
  expect(status).toMatchObject({ pid: engine.pid, clients: 1, running: 0 });
});

it('ends its programs when it is told to, says so in their logs, and starts them again in place', async () => {
  const { engine } = await startReady();
  const client = connect();
  const create = async (spec: Parameters<typeof pty>) =>
    (await client.call('session.create', { inputId: newInputId(), spec: pty(...spec), title: null })).session.runId;
  const runId = await create(['/bin/sh', ['-c', 'echo "before $$"; read wait']]);
  const seen = watch(client, runId);
  await seen.until(() => /before \d+/.test(seen.text));
  const pid = seen.state?.pid ?? 0;
  expect(await end(engine, 'SIGTERM')).toBe(0);
  expect(isAlive(pid)).toBe(false);

  await startReady();
  await seen.until(() => seen.state?.status === 'ended' && client.connection.is === 'live');
  expect(seen.state?.exit?.reason).toBe('Baton was quit');
  await client.send(runId, { kind: 'restart', inputId: newInputId() });
  await seen.until(() => (seen.text.match(/before \d+/g) ?? []).length === 2);
  expect(seen.starts).toHaveLength(1);
});

it.runIf(isPosix)(
  '[engine-2] [claude-5] killed in the middle of output: what was acknowledged is there, nothing it started lives on, and the gap is marked',
  async () => {
    const { engine } = await startReady();
    const client = connect();
    const create = async (spec: ReturnType<typeof pty> | typeof ECHO) =>
      (await client.call('session.create', { inputId: newInputId(), spec, title: null })).session.runId;
    const flood = await create(
      pty('/bin/sh', ['-c', 'sleep 1000 & echo "pids $$ $!"; read go; i=0; while :; do i=$((i+1)); echo $i; done']),
    );
    const talk = await create(ECHO);
    const seen = watch(client, flood);
    await seen.until(() => /pids \d+ \d+/.test(seen.text));
    const pids = (/pids (\d+) (\d+)/.exec(seen.text) ?? []).slice(1).map(Number);
    seen.attachment?.keys(Buffer.from('\n'));
    await seen.until(() => seen.events.length > 20);
    const acknowledged: number[] = [];
    const prompts = Array.from({ length: 20 }, (_, index) => ({
      kind: 'prompt' as const,
      inputId: newInputId(),
      content: { text: `prompt ${index}`, images: [] },
    }));
    // The engine dies while some of them are on their way.
    const asked = prompts.map((prompt) => client.send(talk, prompt).then((seq) => acknowledged.push(seq)));
    await asked[9];
    await end(engine, 'SIGKILL');
    const before = [...acknowledged];
    const outputBefore = outputOf(seen.events).toString();

    const { engine: next } = await startReady();
    expect(next.pid).not.toBe(engine.pid);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 20_000 });
    await Promise.all(asked);
    // Whatever outlived it for a moment ended in peace.
    if (engine.stderr?.closed === false) await once(engine.stderr, 'close');
    expect(said.get(engine)).toBe('');

    // [input-1] Each prompt once, those acknowledged before the crash under the seq that was told.
    const { events } = await client.call('history.read', { runId: talk, limit: 1000, after: NO_SEQ, channels: ['run:prompt'] });
    const queued = events.filter(({ type }) => type === 'queued');
    expect(queued.map(({ payload }) => (payload as { inputId: string }).inputId).sort()).toEqual(
      prompts.map(({ inputId }) => inputId as string).sort(),
    );
    expect(queued.map(({ seq }) => seq)).toEqual(expect.arrayContaining(before));

    // [pty-1] The log holds a beginning of what was shown, whole, and then the mark.
    await seen.until(() => seen.state?.status === 'interrupted');
    const log = await client.call('history.read', { runId: flood, limit: 5000, after: NO_SEQ });
    const output = outputOf(log.events).toString();
    const flooded = output.slice(output.indexOf(outputBefore.slice(0, 10)));
    const shared = Math.min(flooded.length, outputBefore.length);
    expect(shared).toBeGreaterThan(0);
    expect(flooded.slice(0, shared)).toBe(outputBefore.slice(0, shared));
    const numbers = flooded.trimStart().split('\r\n').slice(0, -1).map(Number);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    if (!log.more) {
      expect(log.events.at(-1)).toMatchObject({ channel: 'system:status', type: 'interrupted' });
      expect(log.events.map(({ seq }) => seq)).toEqual(log.events.map((_, index) => index + 1));
    }
  },
);

it.skipIf(process.getuid?.() !== 0)(
  '[door-1] another user of this machine reads no key, reaches no socket, and gets no further than the gate (needs root to be another user)',
  async () => {
    await startReady();
    const { port } = JSON.parse(readFileSync(paths.serverFile, 'utf8')) as { port: number };
    const attempt = `
      const { readFileSync } = require('node:fs');
      const { connect } = require('node:net');
      const [file, socket, port] = process.argv.slice(1);
      const said = {};
      try { said.file = readFileSync(file, 'utf8'); } catch (error) { said.file = error.code; }
      const knock = connect(socket, () => done('connected')).on('error', (error) => done(error.code));
      async function done(outcome) {
        knock.destroy();
        said.socket = outcome;
        said.http = (await fetch('http://127.0.0.1:' + port + '/api/v1/sessions')).status;
        console.log(JSON.stringify(said));
      }`;
    const tryAsNobody = () => {
      const args = ['-e', attempt, paths.serverFile, paths.socket, String(port)];
      return JSON.parse(execFileSync(process.execPath, args, { uid: 65_534, gid: 65_534, cwd: '/', env: {}, encoding: 'utf8' }));
    };
    const refused = { file: 'EACCES', socket: 'EACCES', http: 401 };
    expect(tryAsNobody()).toEqual(refused);
    // Not by its folders alone.
    for (const folder of [paths.home, paths.data, paths.run]) chmodSync(folder ?? '', 0o755);
    expect(tryAsNobody()).toEqual(refused);
  },
);
