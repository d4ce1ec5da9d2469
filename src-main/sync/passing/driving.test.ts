import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { LogEvent } from '../../../src-shared/events.ts';
import type { InputId, MachineId, RunId } from '../../../src-shared/ids.ts';
import type { Rights } from '../../../src-shared/machines.ts';
import type { HostMessage } from '../../../src-shared/protocol.ts';
import { ENDLESS_PHRASE, PERMISSION_PHRASE } from '../../engine/adapters/echo.ts';
import { type Ground, ground, newInputId, pty, type TestClient, type Watcher, watch } from '../../engine/engine.fixture.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import { Driving } from './driving.ts';
import { DrivingHost } from './driving-host.ts';
import { Outbox, PERMISSION_WAITS_MS } from './outbox.ts';
import { type PeerMessage, Peers } from './peers.ts';

/** An engine whose machine is in a workspace: it drives the others' sessions, and they its own. What is replicated it is given. */
class Side {
  readonly machine: SyncedMachine;
  readonly ground: Ground;
  readonly told: HostMessage[] = [];
  readonly heard: PeerMessage[] = [];
  allows: Rights = 'start';
  outbox: Outbox | null = null;
  #parts: { peers: Peers; driving: Driving; host: DrivingHost } | null = null;
  #looks = new Set<() => void>();

  constructor(machine: SyncedMachine, engine: Ground) {
    this.machine = machine;
    this.ground = engine;
  }

  get id(): MachineId {
    return this.machine.signer.machine;
  }
  get peers(): Peers {
    if (this.#parts === null) throw new Error('it is not connected');
    return this.#parts.peers;
  }

  async connect(): Promise<void> {
    const { engine, store } = this.ground;
    const broadcast = (message: HostMessage) => {
      this.told.push(message);
      engine.broadcast(message);
      this.look();
    };
    const remote = (runId: RunId) => engine.remote.all.get(runId);
    const target = (runId: RunId) => remote(runId)?.target ?? null;
    const { clock, onProblem } = this.machine;
    this.outbox ??= await Outbox.open({ store, clock, target, broadcast, onProblem });
    const peers = new Peers(this.machine);
    const driving = new Driving({ context: this.machine, peers, outbox: this.outbox, remote, broadcast });
    const host = new DrivingHost({
      context: this.machine,
      peers,
      hosted: (runId) => engine.hosted.get(runId),
      onLog: (listener) => engine.onLog(listener),
      perform: (operation, params, caller) => engine.perform(operation, params, caller),
      allows: () => this.allows,
    });
    peers.onSeen(() => this.look());
    peers.onMessage((_from, message) => {
      this.heard.push(message);
      this.look();
    });
    this.#parts = { peers, driving, host };
    engine.remote.drive = driving;
  }

  /** As when the machine sleeps: its line is gone, its sessions run on. */
  disconnect(): void {
    this.ground.engine.remote.drive = null;
    this.#parts?.driving.stop();
    this.#parts?.host.stop();
    this.#parts?.peers.stop();
    this.#parts = null;
    this.machine.link.stop();
  }

  async reconnect(): Promise<void> {
    this.machine.connect();
    await this.connect();
    await this.machine.live();
  }

  look(): void {
    for (const look of [...this.#looks]) look();
  }
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** It has a replica of this session of `host`, of which nothing has come yet. */
  async keep(host: Side, runId: RunId): Promise<void> {
    const session = host.ground.engine.hosted.get(runId);
    if (session === undefined) throw new Error('the host does not have it');
    const { spec, epoch, createdTs } = session;
    await this.ground.engine.remote.create(
      { runId, spec, epoch, createdTs, branchOf: null },
      {
        machineId: host.id,
        machine: 'host',
        epoch,
        holder: host.id,
        hostEpoch: 0,
        lastSeq: 0,
        writers: [],
        heardMs: 0,
        forked: false,
      },
    );
  }

  dispose(): Promise<void> {
    if (this.#parts !== null) this.disconnect();
    return this.ground.dispose();
  }
}

let synced: SyncedMachines;
let a: Side;
let b: Side;
let viewer: Side;
let atB: TestClient;
let atA: TestClient;
beforeAll(async () => {
  synced = await SyncedMachines.start('start', 'view');
  const sides = await Promise.all(synced.machines.map(async (machine) => new Side(machine, await ground())));
  const [first, second, third] = sides;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three machines were asked for');
  [a, b, viewer] = [first, second, third];
  for (const side of sides) await side.connect();
  atA = a.ground.connect();
  atB = b.ground.connect();
  await Promise.all([atA.ready(), atB.ready()]);
});
afterAll(async () => {
  await Promise.all([a, b, viewer].map((side) => side.dispose()));
  await synced.dispose();
  for (const side of [a, b, viewer]) expect([...side.machine.problems, ...side.ground.problems]).toEqual([]);
});
beforeEach(async () => {
  await Promise.all([b.until(() => b.peers.isOnline(a.id)), viewer.until(() => viewer.peers.isOnline(a.id))]);
});

const terminal = () => a.ground.create(pty('/bin/sh', ['-c', 'stty -echo; printf ready; exec cat']));
const echo = () => a.ground.create({ kind: 'echo', cwd: '/' });
const prompt = (text: string, inputId: InputId = newInputId()) => ({
  kind: 'prompt' as const,
  inputId,
  content: { text, images: [] },
});
/** What the log of a session has of prompts. */
const promptsIn = (watcher: Watcher) =>
  watcher.events.filter(({ channel, type }) => channel === 'run:prompt' && type === 'queued');
const attached = async (watcher: Watcher) => {
  await watcher.until(() => watcher.state !== null);
  return watcher;
};
const viewport = { cols: 100, rows: 30 };

it('[drive-1] keys typed on another machine reach the terminal once and in order, and its size follows who types', async () => {
  const runId = await terminal();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId, { viewport: { cols: 80, rows: 24 } }));
  await here.until(() => here.text.includes('ready'));
  const there = await attached(watch(atB, runId, { viewport }));
  await a.until(() => a.heard.some((message) => message.type === 'look' && message.runId === runId));
  expect(here.state?.cols).toBe(80);
  const typed = Array.from({ length: 300 }, (_, index) => `${index}\n`);
  for (const line of typed) there.attachment?.keys(Buffer.from(line));
  await here.until(() => here.text.includes('299\r\n'));
  expect(here.text.replaceAll('\r', '')).toBe(`ready${typed.join('')}`);
  await here.until(() => here.state?.cols === 100);
});

it('[drive-1] a large paste arrives whole, behind what was typed before it', async () => {
  const runId = await a.ground.create(pty('/bin/sh', ['-c', 'stty raw -echo; printf ready; exec head -c 300003 | sha256sum']));
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  await here.until(() => here.text.includes('ready'));
  const there = await attached(watch(atB, runId, { viewport }));
  there.attachment?.keys(Buffer.from('abc'));
  there.attachment?.keys(Buffer.alloc(300_000, 'x'));
  const hash = createHash('sha256')
    .update(`abc${'x'.repeat(300_000)}`)
    .digest('hex');
  await here.until(() => here.text.includes(hash));
});

it('[drive-2] a prompt given on another machine is in the host’s log before its sender hears that it is queued', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  const seq = await atB.send(runId, prompt('hello'));
  await here.until(() => promptsIn(here).length === 1);
  expect(promptsIn(here)[0]?.seq).toBe(seq);
});

it('[drive-2] of two machines that answer one permission request the first is heard, and the other told', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  await atB.send(runId, prompt(`${PERMISSION_PHRASE}, please`));
  await here.until(() => here.state?.permissions.length === 1);
  const requestId = here.state?.permissions[0]?.asked.requestId ?? '';
  const answer = () => ({ kind: 'permission', inputId: newInputId(), requestId, decision: 'allow', reason: null }) as const;
  await atB.send(runId, answer());
  await here.until(() => here.state?.permissions.length === 0);
  await expect(atA.send(runId, answer())).rejects.toThrow('answered already');
  await expect(atB.send(runId, answer())).rejects.toThrow('answered already');
});

it('[drive-6] text that is being written is shown on other machines, to one who comes later from its beginning', async () => {
  const runId = await echo();
  await Promise.all([b.keep(a, runId), viewer.keep(a, runId)]);
  const shownAt = (side: Side) =>
    side.ground.engine.remote.all
      .get(runId)
      ?.liveTexts()
      .map(({ text }) => text);
  await attached(watch(atB, runId));
  await a.until(() => a.heard.some((message) => message.type === 'look' && message.runId === runId));
  const text = `${ENDLESS_PHRASE} ${'long '.repeat(60_000)}`;
  await atB.send(runId, prompt(text));
  await expect.poll(() => shownAt(b)).toEqual([text]);
  const late = viewer.ground.connect();
  await late.ready();
  await attached(watch(late, runId));
  await expect.poll(() => shownAt(viewer)).toEqual([text]);
  expect(shownAt(b)).toEqual([text]);
});

it('[drive-7] what a terminal echoes is shown on another machine before its log comes, once, and the log is what counts', async () => {
  const runId = await terminal();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  await here.until(() => here.text.includes('ready'));
  const { remote } = b.ground.engine;
  /** What B does not have yet, as it is stored on A or as `change` makes it. */
  const logComes = async (change = (events: readonly LogEvent[]) => events) => {
    const session = remote.all.get(runId);
    if (session === undefined) throw new Error('B does not have it');
    await a.ground.store.sync();
    const events = await a.ground.store.read({ runId, after: session.log.published.seq, limit: 100, maxBytes: 100_000 });
    const replica = { ...session.replica, lastSeq: events.at(-1)?.seq ?? 0 };
    await remote.append(runId, { events: change(events), gaps: [], headHash: null, replica });
  };
  await logComes();
  const there = await attached(watch(atB, runId, { viewport }));
  await here.until(() => here.state?.cols === viewport.cols);
  await logComes();
  const before = remote.all.get(runId)?.log.published.seq;

  there.attachment?.keys(Buffer.from('one\n'));
  await there.until(() => there.tail.includes('one'));
  expect(remote.all.get(runId)?.log.published.seq).toBe(before);
  await logComes();
  there.attachment?.keys(Buffer.from('two\n'));
  await there.until(() => there.tail.includes('two'));
  await logComes();
  expect(there.starts.length).toBe(1);
  const shown = there.events.map(({ seq }) => seq);
  expect(shown).toEqual([...new Set(shown)].sort((left, right) => left - right));

  there.attachment?.keys(Buffer.from('lost\n'));
  await there.until(() => there.tail.includes('lost'));
  await logComes((events) => events.map((event) => ({ ...event, payload: new Uint8Array(Buffer.from('kept')) })));
  await there.until(() => there.starts.length === 2);
  expect(there.text).toMatch(/one[\s\S]*two[\s\S]*kept/);
  expect(there.text).not.toContain('lost');
});

it('[outbox-1] what is sent while the host is away waits, survives a restart, and is carried out once and in order', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  a.disconnect();
  await b.until(() => !b.peers.isOnline(a.id));
  const [first, second] = [prompt('first'), prompt('second')];
  const sent = [atB.send(runId, first), atB.send(runId, second)];
  await b.until(() => b.outbox?.list().length === 2);
  expect(b.outbox?.list()).toMatchObject([
    { runId, inputId: first.inputId, kind: 'prompt', text: 'first', state: 'waiting' },
    { runId, inputId: second.inputId, text: 'second', state: 'waiting' },
  ]);
  // As after a restart: what waits is read from the store again, beside the one that clients of before wait for.
  const { store, engine } = b.ground;
  const { clock, onProblem } = b.machine;
  const reread = await Outbox.open({
    store,
    clock,
    onProblem,
    broadcast: () => undefined,
    target: (id) => engine.remote.all.get(id)?.target ?? null,
  });
  expect(reread.list().map(({ text }) => text)).toEqual(['first', 'second']);
  reread.connect({ peers: b.peers, nameOf: () => 'a', isViewer: () => false, isApart: () => false });
  await a.reconnect();
  const seqs = await Promise.all(sent);
  reread.sendAll();
  await here.until(() => promptsIn(here).length === 2);
  expect(promptsIn(here).map(({ seq }) => seq)).toEqual(seqs);
  expect(promptsIn(here).map(({ payload }) => (payload as { content: { text: string } }).content.text)).toEqual([
    'first',
    'second',
  ]);
  await b.until(() => b.told.some((message) => message.type === 'outbox:changed' && message.items.length === 0));
  expect(b.outbox?.list()).toEqual([]);
  reread.disconnect();
  await expect.poll(() => store.listOutbox()).toEqual([]);
});

it('[outbox-2] what still waits can be taken back, and its sender is told', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  a.disconnect();
  await b.until(() => !b.peers.isOnline(a.id));
  const unwanted = prompt('no');
  const refused = expect(atB.send(runId, unwanted)).rejects.toThrow('taken back');
  await b.until(() => b.outbox?.list().length === 1);
  b.outbox?.cancel(unwanted.inputId);
  await refused;
  expect(() => b.outbox?.cancel(unwanted.inputId)).toThrow('does not wait');
  await expect(atB.send(runId, { kind: 'interrupt', inputId: newInputId() })).rejects.toThrow('out of reach');
  await a.reconnect();
});

it('[outbox-4] an answer to a permission request waits ten minutes', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  let nowMs = 0;
  const timers: { run: () => void; atMs: number }[] = [];
  const { store, engine } = b.ground;
  const outbox = await Outbox.open({
    store,
    clock: {
      nowMs: () => nowMs,
      random: () => 0,
      setTimer: (run, delayMs) => {
        timers.push({ run, atMs: nowMs + delayMs });
        return () => {};
      },
    },
    onProblem: b.machine.onProblem,
    broadcast: () => undefined,
    target: (id) => engine.remote.all.get(id)?.target ?? null,
  });
  const target = engine.remote.all.get(runId)?.target;
  if (target === undefined) throw new Error('it is kept');
  const answer = { kind: 'permission', inputId: newInputId(), requestId: 'r', decision: 'allow', reason: null } as const;
  const outcome = outbox.execute(target, answer, 'client');
  await expect.poll(() => outbox.list().length).toBe(1);
  nowMs = PERMISSION_WAITS_MS - 1;
  for (const { run, atMs } of timers) if (atMs <= nowMs) run();
  expect(outbox.list().length).toBe(1);
  nowMs = PERMISSION_WAITS_MS;
  for (const { run, atMs } of timers) if (atMs <= nowMs) run();
  expect(await outcome).toMatchObject({ ok: false, refusal: { message: expect.stringContaining('10 minutes') } });
  expect(outbox.list()).toEqual([]);
});

it('[outbox-3] a command that is sent three times over lost connections is carried out once', async () => {
  const runId = await echo();
  await b.keep(a, runId);
  const here = await attached(watch(atA, runId));
  const once = prompt('once');
  const outcomes = [];
  for (let times = 0; times < 3; times++) {
    outcomes.push(await atB.send(runId, once));
    b.disconnect();
    await b.reconnect();
    await b.until(() => b.peers.isOnline(a.id));
  }
  expect(new Set(outcomes).size).toBe(1);
  expect(promptsIn(here).length).toBe(1);
  await expect(atB.send(runId, prompt('another', once.inputId))).rejects.toThrow();
});

it('[drive-3] a machine that may only look does not type, send or start', async () => {
  const runId = await echo();
  await viewer.keep(a, runId);
  const client = viewer.ground.connect();
  await client.ready();
  await expect(client.send(runId, prompt('no'))).rejects.toThrow('only look');
  const create = { inputId: newInputId(), spec: pty('/bin/true'), title: null, machineId: a.id };
  await expect(client.call('session.create', create)).rejects.toThrow('only look');
});

it('[drive-3] a host may let others do less than their rights', async () => {
  const runId = await terminal();
  await b.keep(a, runId);
  const there = await attached(watch(atB, runId, { viewport }));
  const create = { inputId: newInputId(), spec: pty('/bin/cat'), title: null, machineId: a.id };
  a.allows = 'type';
  await expect(atB.call('session.create', create)).rejects.toThrow('does not let other machines');
  a.allows = 'view';
  await expect(atB.send(runId, { kind: 'interrupt', inputId: newInputId() })).rejects.toThrow('does not let other machines');
  there.attachment?.keys(Buffer.from('x'));
  await b.until(() => b.told.some((message) => message.type === 'session:notice' && message.body.includes('does not let')));
  a.allows = 'start';
});

it('[drive-4] a session is started on another machine, once, and operations that are not for others are refused', async () => {
  const create = { inputId: newInputId(), spec: pty('/bin/cat'), title: null, machineId: a.id };
  const known = new Set(a.ground.engine.hosted.keys());
  const creating = [atB.call('session.create', create), atB.call('session.create', create)];
  const runId = await new Promise<RunId>((resolve) => {
    const end = a.ground.engine.onSession((summary) => {
      if (known.has(summary.runId)) return;
      end();
      resolve(summary.runId);
    });
  });
  await b.keep(a, runId);
  const created = await Promise.all(creating);
  expect(created.map(({ session }) => session.runId)).toEqual([runId, runId]);
  const drive = b.ground.engine.remote.drive;
  await expect(drive?.call(a.id, 'settings.set', { changes: {} })).rejects.toThrow('for clients of that machine');
  const ofB = await b.ground.create({ kind: 'echo', cwd: '/' });
  await expect(drive?.call(a.id, 'session.delete', { runId: ofB })).rejects.toThrow('no such session');
});

it('[drive-5] who watches, wherever they are, is shown on both machines, and forgotten when a machine goes', async () => {
  const runId = await terminal();
  await b.keep(a, runId);
  const sizes: number[] = [];
  const here = await attached(watch(atA, runId));
  const end = a.ground.engine.hosted.get(runId)?.viewers.onTold((message) => {
    if (message.type === 'run:viewers') sizes.push(message.viewers.length);
    a.look();
  });
  const there = await attached(watch(atB, runId, { viewport }));
  await a.until(() => sizes.at(-1) === 2);
  const names = () =>
    a.ground.engine.hosted
      .get(runId)
      ?.viewers.message()
      .viewers.map(({ name }) => name);
  expect(names()).toEqual(['test', 'test on machine 02']);
  there.attachment?.detach();
  await a.until(() => sizes.at(-1) === 1);
  await attached(watch(atB, runId, { viewport }));
  await a.until(() => sizes.at(-1) === 2);
  b.disconnect();
  await a.until(() => sizes.at(-1) === 1);
  end?.();
  here.attachment?.detach();
  await b.reconnect();
});
