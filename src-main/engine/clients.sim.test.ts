import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ClientAttachment, RunSessionClient } from '../../src-shared/client.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import { ClientId, InputId, MachineId, type RunId } from '../../src-shared/ids.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionState } from '../../src-shared/session.ts';
import { foldState, initialState } from '../../src-shared/session-state.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import { MemoryDisk } from '../store/memory-disk.fixture.ts';
import { memoryStore } from '../store/memory-store.fixture.ts';
import { echoAdapter } from './adapters/echo.ts';
import { Children } from './children.ts';
import { ECHO } from './engine.fixture.ts';
import { Engine } from './engine.ts';
import { Agenda, NO_DOCUMENTS, NO_SCREENS, randomOf, seedsToRun } from './sim.fixture.ts';

/**
 * Random histories: clients join, leave, reload, lose their wires, fall behind and send again, while frames and commits arrive in
 * any order that keeps each wire's own, the disk is full from time to time, and the engine is killed and started again. Whatever
 * happens, afterwards every promise holds.
 * `npm run sim -- --seeds N` runs more of them; `--seed S` the one that failed.
 */
const STEPS = 250;
const MAX_CLIENTS = 4;

interface Peer {
  readonly client: RunSessionClient;
  readonly events: LogEvent[];
  firstSeq: number;
  state: SessionState | null;
  /** Its newest wire, whoever connects. */
  readonly line: { wire: Wire | null };
  attachment: ClientAttachment | null;
  /** Output that it was shown and has not acknowledged. */
  unparsedBytes: number;
}

class World {
  readonly random: () => number;
  readonly agenda: Agenda;
  readonly peers: Peer[] = [];
  readonly answered = new Map<InputId, number>();
  readonly sent = new Map<InputId, Command>();
  diskIsFull = false;
  readonly #disk = new MemoryDisk();
  engine!: Engine;
  runId!: RunId;
  /** Opening after a crash: nobody can connect. */
  isDown = false;
  #wires = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.agenda = new Agenda(this.random);
  }

  get log(): readonly LogEvent[] {
    return this.#disk.log(this.runId);
  }

  async open(): Promise<void> {
    const opening = this.#openEngine();
    await this.settle(() => false);
    this.engine = await opening;
    const created = this.engine.create(InputId.parse(randomUUID()), ECHO, { title: null });
    await this.settle(() => false);
    this.runId = (await created).runId;
  }

  /** kill -9: what is not committed is gone, and nobody hears another word of it. */
  crash(): void {
    if (this.isDown) return;
    this.isDown = true;
    for (const session of this.engine.hosted.values()) session.log.close();
    this.agenda.drop((lane) => lane.startsWith('store '));
    this.agenda.add('crash', () => {
      for (const peer of this.peers) peer.line.wire?.close({ code: 1006, reason: 'the engine was killed' });
      void this.#openEngine().then((engine) => {
        this.engine = engine;
        this.isDown = false;
      });
    });
  }

  #openEngine(): Promise<Engine> {
    const store = memoryStore({
      disk: this.#disk,
      schedule: (lane, work) => this.agenda.add(`store ${lane}`, work),
      isFull: () => this.diskIsFull,
    });
    return Engine.open({
      store,
      documents: NO_DOCUMENTS,
      screens: NO_SCREENS,
      adapters: { pty: echoAdapter, claude: echoAdapter, echo: echoAdapter },
      children: new Children(store),
      machine: () => ({ machineId: MachineId.parse('00000000-0000-4000-8000-000000000001'), name: 'sim' }),
      childEnv: () => ({}),
      envReady: async () => {},
      onProblem: () => {},
      version: '0',
      home: '/',
      operations: {},
      now: () => this.agenda.nowMs,
      serverAddress: () => null,
      clientIdleMs: () => 300_000,
      quotas: () => ({ sessionBytes: 1, totalBytes: 1 }),
    });
  }

  join(): void {
    const peer = this.#peer();
    this.peers.push(peer);
    this.#attach(peer);
  }

  #peer(clientId?: ClientId): Peer {
    const line: Peer['line'] = { wire: null };
    const client = this.#client(line, clientId);
    return { client, events: [], firstSeq: 1, state: null, line, attachment: null, unparsedBytes: 0 };
  }

  type(peer: Peer, bytes: number): void {
    peer.attachment?.keys(new Uint8Array(bytes).fill(97));
  }

  acknowledge(peer: Peer): void {
    if (peer.unparsedBytes === 0) return;
    peer.attachment?.parsed(peer.unparsedBytes);
    peer.unparsedBytes = 0;
  }

  /** A page that reloads: the client is another one, with the same id, and knows nothing. */
  reload(peer: Peer): void {
    peer.client.stop();
    const at = this.peers.indexOf(peer);
    const next = this.#peer(peer.client.clientId);
    this.peers[at] = next;
    this.#attach(next);
  }

  leave(peer: Peer): void {
    peer.client.stop();
    this.peers.splice(this.peers.indexOf(peer), 1);
  }

  send(peer: Peer, command: Command): void {
    this.sent.set(command.inputId, command);
    peer.client.send(this.runId, command).then(
      (seq) => {
        // [input-1] Whoever hears an answer hears the same one.
        expect(this.answered.get(command.inputId) ?? seq).toBe(seq);
        this.answered.set(command.inputId, seq);
      },
      (error: unknown) => expect(error).toBeInstanceOf(RefusalError),
    );
  }

  /** Runs until nothing is left to happen, or `isDone`. */
  async settle(isDone: () => boolean): Promise<void> {
    for (let idle = 0; idle < 5 && !isDone(); ) {
      await turn();
      if (this.agenda.isEmpty) idle++;
      else {
        idle = 0;
        this.agenda.step();
      }
    }
  }

  #attach(peer: Peer): void {
    peer.attachment = peer.client.attach(
      this.runId,
      { after: null },
      {
        onStart: ({ after }) => {
          peer.events.length = 0;
          peer.firstSeq = after + 1;
          peer.unparsedBytes = 0;
        },
        onFollowing: (isFollowing) => {
          // What was under way on the wire before counts no longer.
          if (!isFollowing) peer.unparsedBytes = 0;
        },
        onEvents: (events) => {
          // [seq-2] In order, each exactly once.
          for (const event of events) {
            expect(event.seq).toBe((peer.events.at(-1)?.seq ?? peer.firstSeq - 1) + 1);
            peer.events.push(event);
            if (event.payload instanceof Uint8Array) peer.unparsedBytes += event.payload.byteLength;
          }
        },
        onState: (state) => {
          peer.state = state;
        },
      },
    );
  }

  #client(line: Peer['line'], clientId: ClientId = ClientId.parse(randomUUID())): RunSessionClient {
    return new RunSessionClient({
      clientId,
      kind: 'test',
      name: 'peer',
      clock: {
        nowMs: () => this.agenda.nowMs,
        // Pings are not simulated: time stands still between steps. Reconnects happen some steps later.
        setTimer: (run, delayMs) => (delayMs >= 5_000 ? () => {} : this.agenda.add(`timer ${this.#wires++}`, run)),
        random: this.random,
      },
      connect: async () => {
        if (this.isDown) throw new Error('no engine listens');
        const lane = `wire ${this.#wires++}`;
        const ends = wirePair((deliver) => void this.agenda.add(lane, deliver));
        this.engine.attachWire(ends[1], { isLocal: true, road: 'socket' });
        line.wire = ends[0];
        return ends[0];
      },
    });
  }
}

function act(world: World): void {
  const { random, peers } = world;
  const peer = peers[Math.floor(random() * peers.length)];
  const chance = random();
  if (peer === undefined || (chance < 0.03 && peers.length < MAX_CLIENTS)) world.join();
  else if (chance < 0.05) world.reload(peer);
  else if (chance < 0.06 && peers.length > 1) world.leave(peer);
  else if (chance < 0.1) peer.line.wire?.close({ code: 4500, reason: 'cut' });
  else if (chance < 0.12) world.diskIsFull = !world.diskIsFull;
  else if (chance < 0.125) world.crash();
  else if (chance < 0.16) world.type(peer, Math.ceil(random() * 60_000));
  else if (chance < 0.2) world.acknowledge(peer);
  else if (chance < 0.3) sendSomething(world, peer);
  else world.agenda.step();
}

function sendSomething(world: World, peer: Peer): void {
  const { random, sent } = world;
  const inputId = InputId.parse(randomUUID());
  const pending = peer.state?.permissions[0]?.asked.requestId;
  const queued = peer.state?.queue[0]?.inputId;
  const chance = random();
  const again = [...sent.values()][Math.floor(random() * sent.size)];
  if (chance < 0.15 && again !== undefined) world.send(peer, again);
  else if (chance < 0.35 && pending !== undefined) {
    world.send(peer, { kind: 'permission', inputId, requestId: pending, decision: 'allow', reason: null });
  } else if (chance < 0.45) world.send(peer, { kind: 'interrupt', inputId });
  else if (chance < 0.55 && queued !== undefined) world.send(peer, { kind: 'prompt-delete', inputId, target: queued });
  else {
    const text = chance < 0.7 ? 'may I' : chance < 0.8 ? 'wait for me' : 'hello';
    world.send(peer, { kind: 'prompt', inputId, content: { text, images: [] } });
  }
}

function checkLog(world: World): void {
  const { log } = world;
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const queued = log.filter(({ channel, type }) => channel === 'run:prompt' && type === 'queued');
  const ids = queued.map(({ payload }) => (payload as { inputId: string }).inputId);
  expect(new Set(ids).size).toBe(ids.length);
  let isTurn = false;
  for (const { channel, type } of log) {
    if (channel === 'run:prompt' && type === 'accepted') {
      expect(isTurn).toBe(false);
      isTurn = true;
    } else if (channel === 'run:turn') {
      expect(isTurn).toBe(true);
      isTurn = false;
    }
  }
  for (const [inputId, seq] of world.answered) {
    expect(JSON.stringify(log[seq - 1]?.payload)).toContain(inputId);
  }
}

/** Terminal output by its length: comparing it byte by byte takes most of the time. */
function comparable(event: LogEvent) {
  return event.payload instanceof Uint8Array ? { ...event, payload: event.payload.byteLength } : event;
}

async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
  await world.open();
  for (let step = 0; step < STEPS; step++) {
    act(world);
    await turn();
  }
  world.diskIsFull = false;
  if (world.peers.length === 0) world.join();
  const published = () => world.engine.session(world.runId).log.published.seq;
  const isAtRest = () =>
    world.agenda.isEmpty &&
    world.log.length === published() &&
    world.peers.every((peer) => (peer.events.at(-1)?.seq ?? 0) === published());
  const endsAt = performance.now() + 10_000;
  while (!isAtRest() && performance.now() < endsAt) {
    await world.settle(isAtRest);
    // A full disk is tried again after a while.
    vi.advanceTimersByTime(500);
    for (const peer of world.peers) world.acknowledge(peer);
  }
  checkLog(world);
  let folded = initialState(ECHO);
  for (const event of world.log) folded = foldState(folded, event);
  for (const peer of world.peers) {
    expect(peer.events.map(comparable)).toEqual(world.log.slice(peer.firstSeq - 1).map(comparable));
    expect(peer.state).toEqual(folded);
  }
  for (const peer of [...world.peers]) world.leave(peer);
  for (const session of world.engine.hosted.values()) session.log.close();
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it(`[seq-1] [seq-2] [seq-3] [seq-4] [input-1] [input-4] [input-7] [wire-7] [wire-8] hold in every history`, {
  timeout: 3_600_000,
}, async () => {
  for (const seed of seedsToRun(100)) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails (npm run sim -- --seed ${seed}): ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
});
