import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RunSessionClient } from '../../src-shared/client.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import { ClientId, InputId, MachineId, type RunId } from '../../src-shared/ids.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionState } from '../../src-shared/session.ts';
import { foldState, initialState } from '../../src-shared/session-state.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import { echoAdapter } from './adapters/echo.ts';
import { Children } from './children.ts';
import { ECHO } from './engine.fixture.ts';
import { Engine } from './engine.ts';
import type { Screens } from './screen.ts';
import { Agenda, memoryStore, randomOf } from './sim.fixture.ts';

/**
 * Random histories: clients join, leave, reload, lose their wires and send again, while frames and commits arrive in any order that
 * keeps each wire's own, and the disk is full from time to time. Whatever happens, afterwards every promise holds.
 * `npm run sim -- --seeds N` runs more of them; `--seed S` the one that failed.
 */
const SEEDS = Number(process.env.SIM_SEEDS ?? 100);
const ONLY = process.env.SIM_SEED === undefined ? null : Number(process.env.SIM_SEED);
const STEPS = 250;
const MAX_CLIENTS = 4;

interface Peer {
  readonly client: RunSessionClient;
  readonly events: LogEvent[];
  firstSeq: number;
  state: SessionState | null;
  wire: Wire | null;
}

const NO_SCREENS: Pick<Screens, 'stop'> = { stop: async () => {} };

class World {
  readonly random: () => number;
  readonly agenda: Agenda;
  readonly peers: Peer[] = [];
  readonly answered = new Map<InputId, number>();
  readonly sent = new Map<InputId, Command>();
  diskIsFull = false;
  readonly #memory: ReturnType<typeof memoryStore>;
  engine!: Engine;
  runId!: RunId;
  #wires = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.agenda = new Agenda(this.random);
    this.#memory = memoryStore(this.agenda, () => this.diskIsFull);
  }

  get log(): readonly LogEvent[] {
    return this.#memory.log(this.runId);
  }

  async open(): Promise<void> {
    this.engine = await Engine.open({
      store: this.#memory.store,
      screens: NO_SCREENS as Screens,
      adapters: { pty: echoAdapter, claude: echoAdapter, echo: echoAdapter },
      children: new Children(this.#memory.store),
      machine: () => ({ machineId: MachineId.parse('00000000-0000-4000-8000-000000000001'), name: 'sim' }),
      childEnv: () => ({}),
      onProblem: () => {},
      version: '0',
      home: '/',
      operations: {},
      now: () => this.agenda.nowMs,
      quotas: () => ({ sessionBytes: 1, totalBytes: 1 }),
    });
    const created = this.engine.create(InputId.parse(randomUUID()), ECHO, { title: null });
    await this.settle(() => false);
    this.runId = (await created).runId;
  }

  join(): void {
    const peer: Peer = { client: this.#client(), events: [], firstSeq: 1, state: null, wire: null };
    this.peers.push(peer);
    this.#attach(peer);
  }

  /** A page that reloads: the client is another one, with the same id, and knows nothing. */
  reload(peer: Peer): void {
    peer.client.stop();
    const at = this.peers.indexOf(peer);
    const next: Peer = { client: this.#client(peer.client.clientId), events: [], firstSeq: 1, state: null, wire: null };
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
    peer.client.attach(
      this.runId,
      { after: null },
      {
        onStart: ({ after }) => {
          peer.events.length = 0;
          peer.firstSeq = after + 1;
        },
        onEvents: (events) => {
          // [seq-2] In order, each exactly once.
          for (const event of events) {
            expect(event.seq).toBe((peer.events.at(-1)?.seq ?? peer.firstSeq - 1) + 1);
            peer.events.push(event);
          }
        },
        onState: (state) => {
          peer.state = state;
        },
      },
    );
  }

  #client(clientId: ClientId = ClientId.parse(randomUUID())): RunSessionClient {
    const client: RunSessionClient = new RunSessionClient({
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
        const lane = `wire ${this.#wires++}`;
        const ends = wirePair((deliver) => void this.agenda.add(lane, deliver));
        this.engine.attachWire(ends[1], { isLocal: true });
        const peer = this.peers.find((candidate) => candidate.client === client);
        if (peer !== undefined) peer.wire = ends[0];
        return ends[0];
      },
    });
    return client;
  }
}

function act(world: World): void {
  const { random, peers } = world;
  const peer = peers[Math.floor(random() * peers.length)];
  const chance = random();
  if (peer === undefined || (chance < 0.03 && peers.length < MAX_CLIENTS)) world.join();
  else if (chance < 0.05) world.reload(peer);
  else if (chance < 0.06 && peers.length > 1) world.leave(peer);
  else if (chance < 0.1) peer.wire?.close({ code: 4500, reason: 'cut' });
  else if (chance < 0.12) world.diskIsFull = !world.diskIsFull;
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
  const endsAt = Date.now() + 10_000;
  // A full disk is tried again on a real timer: let it come.
  while (!isAtRest() && Date.now() < endsAt) await world.settle(isAtRest);
  checkLog(world);
  let folded = initialState(ECHO);
  for (const event of world.log) folded = foldState(folded, event);
  for (const peer of world.peers) {
    expect(peer.events).toEqual(world.log.slice(peer.firstSeq - 1));
    expect(peer.state).toEqual(folded);
  }
  for (const peer of [...world.peers]) world.leave(peer);
  for (const session of world.engine.sessions.values()) session.log.close();
}

it(`[seq-1] [seq-2] [seq-3] [input-1] [input-4] [input-7] [wire-7] [wire-8] hold in every history`, {
  timeout: 3_600_000,
}, async () => {
  const seeds = ONLY === null ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [ONLY];
  for (const seed of seeds) {
    try {
      await simulate(seed);
    } catch (error) {
      throw new Error(`seed ${seed} fails (npm run sim -- --seed ${seed}): ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
});
