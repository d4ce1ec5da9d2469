import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEvent, NewEvent } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import { testMachineId } from '../../src-shared/sim/workspace.ts';
import { json, newSession, numbered, output, prompt, runIdOf, temporaryFolder } from './store.fixture.ts';
import { openStore, type Store } from './store.ts';
import { StoreError } from './store-error.ts';
import { WorkerLink } from './worker-link.ts';

let folder: ReturnType<typeof temporaryFolder>;
let store: Store;
let problems: string[];

beforeEach(async () => {
  folder = temporaryFolder();
  problems = [];
  store = await open();
});

afterEach(async () => {
  await store.close();
  folder.remove();
  expect(problems).toEqual([]);
});

function open(): Promise<Store> {
  return openStore({ file: folder.file, onProblem: (message) => problems.push(message) });
}

async function create(key: number, events: readonly NewEvent[] = [], durable = false): Promise<RunId> {
  const runId = runIdOf(key);
  await store.createSession(newSession(runId), { events: numbered(runId, 1, events), durable });
  return runId;
}

function append(runId: RunId, seq: number, events: readonly NewEvent[], durable = false): Promise<void> {
  return store.append({ runId, events: numbered(runId, seq, events), durable });
}

function readAll(runId: RunId): Promise<readonly LogEvent[]> {
  return store.read({ runId, limit: 100_000, maxBytes: 1e9 });
}

const refusal = (code: string) => expect.objectContaining({ name: 'StoreError', code });

describe('appending', () => {
  it('[seq-6] stores events of any channel and gives them back unchanged', async () => {
    const events = [
      json({ later: { version: [1, 'ü', null, true, 1e300] } }, 'channel:of-a-later-version', 'typé'),
      output('\x00\xff raw \x1b[0m'),
      json(null),
      json('text'),
      output(''),
    ];
    const runId = await create(1, events);
    expect(await readAll(runId)).toEqual(numbered(runId, 1, events));
    expect(await store.verify(runId)).toEqual({ ok: true, headHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('[seq-8] commits in the order of the calls, and a refused one costs only itself', async () => {
    const runId = await create(1);
    const order: string[] = [];
    const one = (name: string, seq: number, durable: boolean) =>
      append(runId, seq, [json(name)], durable).then(
        () => order.push(name),
        (error: unknown) => order.push(`${name}: ${error instanceof StoreError ? error.code : error}`),
      );
    await Promise.all([
      one('a', 1, false),
      one('gap', 3, true),
      one('b', 2, true),
      one('repetition', 1, false),
      one('c', 3, false),
      one('d', 4, true),
    ]);
    expect(order).toEqual(['a', 'gap: not-continuing', 'b', 'repetition: not-continuing', 'c', 'd']);
    expect((await readAll(runId)).map(({ payload }) => payload)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps thousands of small appends of several sessions dense and in order', async () => {
    const runIds = await Promise.all([1, 2, 3].map((key) => create(key)));
    const written: Promise<void>[] = [];
    for (let seq = 1; seq <= 3000; seq++) for (const runId of runIds) written.push(append(runId, seq, [output(`${seq}`)]));
    expect(store.pendingBytes).toBeGreaterThan(100_000);
    await Promise.all(written);
    expect(store.pendingBytes).toBe(0);
    for (const runId of runIds) {
      expect((await readAll(runId)).map(({ payload }) => Number(Buffer.from(payload as Uint8Array)))).toEqual(
        Array.from({ length: 3000 }, (_, index) => index + 1),
      );
      expect((await store.verify(runId)).ok).toBe(true);
    }
  });

  it('has read the bytes when append returns: the caller may use them again', async () => {
    const runId = await create(1);
    const bytes = new Uint8Array(Buffer.from('before'));
    const written = append(runId, 1, [json(0), { ...output(''), payload: bytes }]);
    bytes.fill(0);
    await written;
    expect(Buffer.from((await readAll(runId))[1]?.payload as Uint8Array).toString()).toBe('before');
  });

  it('[seq-7] knows what is fsynced: a durable append, and with it everything committed before', async () => {
    const one = await create(1);
    const two = await create(2, [json(1)]);
    expect([store.durableSeq(one), store.durableSeq(two)]).toEqual([0, 0]);
    await append(one, 1, [json(1), json(2)]);
    expect(store.durableSeq(one)).toBe(0);
    const last = append(one, 3, [json(3)], true);
    expect(store.durableSeq(one)).toBe(0);
    await last;
    expect([store.durableSeq(one), store.durableSeq(two)]).toEqual([3, 1]);
    expect(store.durableSeq(runIdOf(9))).toBe(0);
    await append(two, 2, [json(2)]);
    await store.close();
    store = await open();
    expect([store.durableSeq(one), store.durableSeq(two)]).toEqual([3, 2]);
  });

  it('refuses a payload that is not JSON at once, and stores what comes after it', async () => {
    const runId = await create(1);
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await expect(append(runId, 1, [json(circular as never)])).rejects.toEqual(refusal('bad-payload'));
    await append(runId, 1, [json('good')]);
    expect(await readAll(runId)).toHaveLength(1);
  });

  it('[input-1] finds a recorded input again, also after a restart', async () => {
    const runId = await create(1);
    const input = { inputId: 'i1', contentHash: 'h', answer: { ok: true, seq: 1 } };
    await store.append({ runId, events: numbered(runId, 1, [prompt('x')]), input, durable: true });
    await store.recordInput(runId, { ...input, inputId: 'i2' });
    await expect(store.recordInput(runId, input)).rejects.toEqual(refusal('input-exists'));
    await store.close();
    store = await open();
    expect(await store.findInput(runId, 'i1')).toEqual(input);
    expect(await store.findInput(runId, 'i2')).toEqual({ ...input, inputId: 'i2' });
    expect(await store.findInput(runId, 'i3')).toBeNull();
  });
});

describe('sessions', () => {
  it('[engine-2] are there again after a restart, with what is known of them', async () => {
    const runId = await create(1, [json(1)]);
    const events = numbered(runId, 2, [json(2)], 4);
    await store.append({ runId, events, meta: { status: 'idle', meta: { title: 't' } }, durable: false });
    await create(2);
    await store.updateSession(runIdOf(2), { status: 'ended', meta: ['m'] });
    await store.close();
    store = await open();
    const base = { kind: 'pty', replica: null, createdTs: newSession(runId).createdTs };
    expect(await store.listSessions()).toEqual([
      { ...base, runId, status: 'idle', epoch: 4, meta: { title: 't' }, lastSeq: 2, lastTs: events[0]?.ts },
      { ...base, runId: runIdOf(2), status: 'ended', epoch: 1, meta: ['m'], lastSeq: 0, lastTs: base.createdTs },
    ]);
    expect(store.recovered).toBeNull();
  });

  it('exist once, and are unknown when they are deleted', async () => {
    const runId = await create(1, [json('x')]);
    await expect(create(1)).rejects.toEqual(refusal('session-exists'));
    await store.deleteSession(runId);
    expect(await store.listSessions()).toEqual([]);
    await expect(append(runId, 2, [json('y')])).rejects.toEqual(refusal('unknown-session'));
    await expect(readAll(runId)).rejects.toEqual(refusal('unknown-session'));
    await expect(store.deleteSession(runId)).rejects.toEqual(refusal('unknown-session'));
  });

  it('can be appended to before their creation is answered; if that fails, so does what follows', async () => {
    const runId = runIdOf(1);
    const created = store.createSession(newSession(runId), { events: numbered(runId, 1, [json(1)]), durable: true });
    await Promise.all([created, append(runId, 2, [json(2)])]);
    const other = runIdOf(2);
    const failing = store.createSession(newSession(other), { events: numbered(other, 5, [json(1)]), durable: true });
    const following = append(other, 6, [json(2)]);
    await expect(failing).rejects.toEqual(refusal('not-continuing'));
    await expect(following).rejects.toEqual(refusal('unknown-session'));
    await expect(append(other, 1, [json(1)])).rejects.toEqual(refusal('unknown-session'));
    await create(2, [json(1)]);
  });

  const outboxRow = (n: number) => ({
    inputId: `input ${n}`,
    runId: runIdOf(n),
    machineId: testMachineId(n),
    clientId: 'client',
    sinceMs: 5,
    command: { kind: 'close' },
  });

  it('keep layouts, drafts, facts, the outbox, children and screens', async () => {
    const runId = await create(1);
    expect([await store.getLayout('c'), await store.readDocument('d'), await store.getFact('f')]).toEqual([null, [], null]);
    expect([await store.screen(runId), await store.listChildren()]).toEqual([null, []]);
    const screen = (seq: number) => ({ seq: seq as Seq, cols: 80, rows: 24, data: `screen ${seq}` });
    await Promise.all([
      store.setLayout('c', { panes: [1] }),
      store.writeDocument('d', { update: Buffer.from('one') }),
      store.setFact('f', [1]),
      store.putOutbox(outboxRow(1)),
      store.putOutbox(outboxRow(2)),
      store.putOutbox({ ...outboxRow(2), clientId: 'another' }),
      store.removeOutbox('input 1'),
      store.putChild({ runId, pid: 7, startTime: 'boot+1' }),
      store.putChild({ runId, pid: 8, startTime: 'boot+2' }),
      store.removeChild(runId, 7),
      store.putScreen(runId, screen(5)),
      store.putScreen(runId, screen(9)),
    ]);
    await store.close();
    store = await open();
    expect(await store.getLayout('c')).toEqual({ panes: [1] });
    expect((await store.readDocument('d')).map((update) => Buffer.from(update).toString())).toEqual(['one']);
    expect(await store.getFact('f')).toEqual([1]);
    expect(await store.listOutbox()).toEqual([outboxRow(2)]);
    expect(await store.listChildren()).toEqual([{ runId, pid: 8, startTime: 'boot+2' }]);
    expect(await store.screen(runId)).toEqual(screen(9));
    expect(await store.screen(runId, 8 as Seq)).toEqual(screen(5));
    expect(await store.screen(runId, 4 as Seq)).toBeNull();
    expect(await store.sizeBytes()).toBeGreaterThan(8192);
  });
});

describe('output beyond its quota', () => {
  it('[seq-9] is swapped for a gap while the log goes on', async () => {
    const runId = await create(1, [json('created'), ...Array.from({ length: 500 }, () => output('x'.repeat(50_000)))]);
    const compacting = store.compactOutput(runId, 1_000_000);
    const appended: Promise<void>[] = [];
    for (let seq = 502; seq < 600; seq++) appended.push(append(runId, seq, [output('y')], true));
    await Promise.all(appended);
    const { freedBytes, throughSeq } = await compacting;
    expect(freedBytes).toBeGreaterThanOrEqual(24_000_000);
    const events = await readAll(runId);
    expect(events.slice(0, 2)).toMatchObject([
      { seq: 1, payload: 'created' },
      { seq: throughSeq, channel: 'system:status', type: 'gap', payload: { fromSeq: 2, toSeq: throughSeq, reason: 'quota' } },
    ]);
    expect(events.at(-1)?.seq).toBe(599);
    expect((await store.verify(runId)).ok).toBe(true);
    expect((await store.outputBytes()).get(runId)).toBeLessThanOrEqual(1_000_000);
  });
});

describe('reading', () => {
  it('pages backwards from the end, and over chosen channels', async () => {
    const runId = await create(
      1,
      Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? prompt(`${n}`) : output(`${n}`))),
    );
    const seqs = (events: readonly LogEvent[]) => events.map(({ seq }) => seq);
    const bounds = { runId, limit: 3, maxBytes: 1e6 };
    expect(seqs(await store.readBack(bounds))).toEqual([98, 99, 100]);
    expect(seqs(await store.readBack({ ...bounds, before: 98 as Seq }))).toEqual([95, 96, 97]);
    expect(seqs(await store.readBack({ ...bounds, channels: ['run:prompt'] }))).toEqual([71, 81, 91]);
    expect(seqs(await store.read({ ...bounds, after: 11 as Seq, channels: ['run:prompt'] }))).toEqual([21, 31, 41]);
    expect(seqs(await store.read({ ...bounds, after: 97 as Seq, upTo: 99 as Seq }))).toEqual([98, 99]);
    expect(seqs(await store.read({ ...bounds, after: 100 as Seq }))).toEqual([]);
  });

  it('is answered while a long verification goes on, and finds text meanwhile', async () => {
    const runId = await create(1, [prompt('find me'), ...Array.from({ length: 100 }, () => output('x'.repeat(100_000)))]);
    const order: string[] = [];
    await Promise.all([
      store.verify(runId).then(() => order.push('verify')),
      store.search({ query: 'find me', runId, limit: 5 }).then(() => order.push('search')),
      store.read({ runId, limit: 1, maxBytes: 10 }).then(() => order.push('read')),
    ]);
    expect(order[0]).toBe('read');
    const { hits } = await store.search({ query: 'FIND', limit: 5 });
    expect(hits).toEqual([
      { runId, seq: 1, ts: expect.any(Number), channel: 'run:prompt', before: '', match: 'find', after: ' me' },
    ]);
  });
});

describe('the search index', () => {
  it('is brought up to date behind the log, by a thread that comes and goes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const runId = await create(1, [output('needle\r\n'), output('x'.repeat(1_500_000))]);
    const segments = () => {
      const db = new SqliteDatabase(`${folder.file}-search`, { readonly: true });
      try {
        return Number(db.prepare('SELECT count(*) FROM segments').pluck().get());
      } finally {
        db.close();
      }
    };
    // Each look advances the clock by which the index is due.
    await vi.waitFor(() => expect(segments()).toBeGreaterThan(0), { timeout: 20_000, interval: 100 });
    expect((await store.search({ query: 'needle', limit: 5 })).hits).toMatchObject([{ runId, seq: 1 }]);
    vi.useRealTimers();
  });
});

describe('the file', () => {
  it('lies in a folder for this user alone', async () => {
    await store.close();
    const file = join(folder.path, 'new', 'folder', 'baton.db');
    store = await openStore({ file });
    await create(1, [json(1)]);
    expect(statSync(join(folder.path, 'new', 'folder')).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
  });

  it('is one file without a WAL after closing, and can be read by its documented names', async () => {
    const runId = await create(1, [output('a'), json({ b: 1 })]);
    await Promise.all([store.close(), store.close()]);
    expect(existsSync(`${folder.file}-wal`)).toBe(false);
    const db = new SqliteDatabase(folder.file, { readonly: true });
    const rows = db
      .prepare('SELECT seq, channel, type, payload, epoch FROM session_events WHERE run_id = ? ORDER BY seq')
      .raw()
      .all(runId);
    db.close();
    expect(rows).toEqual([
      [1, 'pty:stdout', 'data', Buffer.from('a'), 1],
      [2, 'claude:message', 'message', '{"b":1}', 1],
    ]);
  });

  it('writes what was asked for before closing, and refuses what is asked for after', async () => {
    const runId = await create(1);
    const written = append(runId, 1, [output('last words')]);
    const closed = store.close();
    await expect(append(runId, 2, [output('too late')])).rejects.toEqual(refusal('closed'));
    await expect(readAll(runId)).rejects.toEqual(refusal('closed'));
    await Promise.all([written, closed]);
    store = await open();
    expect(await readAll(runId)).toHaveLength(1);
  });

  it('of a newer Baton is refused in words, and left alone', async () => {
    await store.close();
    const db = new SqliteDatabase(folder.file);
    const own = db.pragma('user_version', { simple: true });
    db.pragma('user_version = 99');
    db.close();
    await expect(open()).rejects.toEqual(refusal('newer-schema'));
    const again = new SqliteDatabase(folder.file);
    expect(again.pragma('user_version', { simple: true })).toBe(99);
    again.pragma(`user_version = ${own}`);
    again.close();
    store = await open();
  });

  it('that is damaged is set aside, and the user is told', async () => {
    await store.close();
    rmSync(folder.file);
    writeFileSync(folder.file, 'x'.repeat(10_000));
    store = await open();
    expect(store.recovered?.message).toMatch(/was damaged/);
    expect(existsSync(store.recovered?.asidePath ?? '')).toBe(true);
    await create(1, [json('works')], true);
  });

  it('in a place that cannot be written to is refused in words', async () => {
    const file = join(folder.path, 'a-file');
    writeFileSync(file, '');
    await expect(openStore({ file: join(file, 'baton.db') })).rejects.toThrow(/a-file/);
  });
});

describe('a thread that dies', () => {
  it('refuses what waits for it and what comes after, with the reason', async () => {
    const link = new WorkerLink<unknown, { kind: string }>({ role: 'indexer', file: join(folder.path, 'none', 'baton.db') });
    const told = new Promise((resolve) => {
      link.onDeath = resolve;
    });
    const waiting = link.call((callId) => ({ callId }));
    await expect(waiting).rejects.toThrow(/^The log's indexer stopped: .*Cannot open database.*what was stored is safe/);
    await expect(told).resolves.toEqual(refusal('failed'));
    await expect(link.call((callId) => ({ callId }))).rejects.toEqual(refusal('failed'));
    await link.exited;
  });
});

describe('kill -9', () => {
  const bundle = resolve(import.meta.dirname, '..', '..', '.cache', `store-test-${process.pid}`);

  beforeAll(async () => {
    const input = Object.fromEntries(['store', 'store-worker'].map((name) => [name, join(import.meta.dirname, `${name}.ts`)]));
    const output = { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' } as const;
    await build({
      configFile: false,
      logLevel: 'error',
      build: { ssr: true, outDir: bundle, target: 'node20', rollupOptions: { input, output } },
    });
  });
  afterAll(() => rmSync(bundle, { recursive: true }));

  /** Floods two sessions with output, a durable event every 50, and says what was acknowledged as durable. */
  const appender = `
    const { openStore } = await import(process.argv[1]);
    const store = await openStore({ file: process.argv[2] });
    const runIds = process.argv.slice(3);
    const seqs = runIds.map(() => 0);
    for (const runId of runIds) {
      const row = { runId, kind: 'pty', status: 'running', epoch: 1, createdTs: 0, meta: null };
      await store.createSession(row, { events: [], durable: true });
    }
    const payload = new Uint8Array(300);
    for (let n = 0; ; n++) {
      const which = n % runIds.length;
      const runId = runIds[which];
      const seq = ++seqs[which];
      const durable = seq % 50 === 0;
      const event = { runId, seq, epoch: 1, ts: n, channel: 'pty:stdout', type: 'data', payload };
      const written = store.append({ runId, events: [event], durable });
      if (durable) written.then(() => process.stdout.write(which + ' ' + seq + '\\n'));
      if (n % 100 === 0) await written;
    }`;

  it('[seq-7] loses nothing that was acknowledged as durable, and leaves dense chains', async () => {
    await store.close();
    const runIds = [runIdOf(1), runIdOf(2)];
    const url = pathToFileURL(join(bundle, 'store.js')).href;
    const child = spawn(process.execPath, ['--input-type=module', '-e', appender, url, folder.file, ...runIds], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const acknowledged = [0, 0];
    let count = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [which = 0, seq = 0] = line.split(' ').map(Number);
      acknowledged[which] = seq;
      if (++count === 200) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    store = await open();
    for (const [which, runId] of runIds.entries()) {
      const events = await readAll(runId);
      expect(events.length).toBeGreaterThanOrEqual(acknowledged[which] ?? 0);
      expect(acknowledged[which]).toBeGreaterThan(1000);
      expect(events.map(({ seq }) => seq)).toEqual(Array.from(events, (_, index) => index + 1));
      expect((await store.verify(runId)).ok).toBe(true);
      expect(store.durableSeq(runId)).toBe(events.length);
      await append(runId, events.length + 1, [output('on it goes')], true);
    }
  });
});
