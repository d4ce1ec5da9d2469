import { expect, it } from 'vitest';
import type { MachineId } from './ids.ts';
import { EMPTY_STREAM, orderOf, type PlaceInStream, type StreamState, withNextEpoch, writerOf } from './receive-batch.ts';
import { type AtRelay, counterFloor, laneStart, reactionTo, stateForLog } from './replication.ts';
import { NO_BATCH_HASH } from './sealed-batch.ts';

/**
 * One session, its host, a machine that takes it over, a relay and a reader: every order in which what they do can happen, with
 * connections that are cut at any step (what was on its way may be handled long after). The decisions are the product's own; what is
 * made up here is who asks when.
 */
interface Batch {
  readonly header: PlaceInStream;
  readonly hash: string;
  readonly events: readonly string[];
}

type Request =
  | { readonly is: 'look' }
  | { readonly is: 'batch'; readonly batch: Batch }
  | { readonly is: 'take'; readonly from: number };
type Answer =
  | { readonly is: 'stands'; readonly atRelay: AtRelay | null }
  | { readonly is: 'stored'; readonly batch: Batch }
  | { readonly is: 'taken'; readonly epoch: number }
  | { readonly is: 'refused'; readonly why: string };

interface Reader {
  readonly stream: StreamState;
  /** Batches of the relay that it has looked at. */
  readonly read: number;
  readonly log: readonly string[];
}

interface Machine extends Reader {
  readonly id: MachineId;
  /** Under which it writes; 0: it only follows. */
  readonly epoch: number;
  /** It was granted this one, and begins it when it has everything before; 0: none. */
  readonly granted: number;
  readonly at: Pick<AtRelay, 'lastSeq' | 'counter' | 'hash'> | null;
  /** The counter of its newest batch, wherever that is. */
  readonly counter: number;
  readonly request: Request | null;
  readonly answer: Answer | null;
  /** On a connection that is gone; nobody hears the answer. */
  readonly late: Request | null;
  readonly isStopped: boolean;
}

interface World {
  readonly machines: readonly [Machine, Machine];
  readonly stream: StreamState | null;
  readonly stored: readonly Batch[];
  readonly cuts: number;
  readonly takes: number;
}

const EVENTS_OF_A_MACHINE = 2;
const CUTS = 2;
const TAKES = 2;

const nobody: Reader = { stream: EMPTY_STREAM, read: 0, log: [] };
const still = { granted: 0, at: null, counter: 0, request: null, answer: null, late: null, isStopped: false };
/** Short: they stand in every key of a world. */
const [a, b] = ['a' as MachineId, 'b' as MachineId];
/** Of what a batch says; short, for there are many. */
const hashes = new Map<string, string>();
function hashOf(text: string): string {
  const known = hashes.get(text) ?? `#${hashes.size}`;
  hashes.set(text, known);
  return known;
}

function promise(holds: boolean, what: string, world: unknown): void {
  if (!holds) throw new Error(`${what}: ${keyOf(world)}`);
}
const keyOf = (world: unknown) => JSON.stringify(world, (_, value) => (value instanceof Map ? [...value] : value));
const isPrefix = (part: readonly string[], whole: readonly string[]) => part.every((event, at) => whole[at] === event);

function begin(): World {
  const host: Machine = { ...nobody, ...still, id: a, epoch: 1, log: ['a1'] };
  const other: Machine = { ...nobody, ...still, id: b, epoch: 0 };
  return { machines: [host, other], stream: null, stored: [], cuts: 0, takes: 0 };
}

/** The relay, as far as one log goes. */
function handled(world: World, id: MachineId, request: Request): readonly [World, Answer] {
  const { stream, stored } = world;
  if (request.is === 'look') return [world, { is: 'stands', atRelay: stream === null ? null : standing(stream, stored, id) }];
  if (request.is === 'take') {
    const next = stream === null ? null : withNextEpoch(stream, request.from, id);
    return next === null
      ? [world, { is: 'refused', why: 'epoch-taken' }]
      : [
          { ...world, stream: next },
          { is: 'taken', epoch: next.epoch },
        ];
  }
  const { batch } = request;
  const order = orderOf(batch, stream ?? EMPTY_STREAM, 'relay');
  if (order.is === 'refused') return [world, order];
  if (order.is === 'repeated') return [world, { is: 'stored', batch }];
  return [
    { ...world, stream: order.state, stored: [...stored, batch] },
    { is: 'stored', batch },
  ];
}

function standing({ epoch, holder, lastSeq, writers }: StreamState, stored: readonly Batch[], id: MachineId): AtRelay {
  const own = writers.get(writerOf({ machine: id, kind: 'log' })) ?? { counter: 0, hash: NO_BATCH_HASH };
  return { epoch, isHeldByUs: holder === id, isHolderGone: false, lastSeq, lastPosition: stored.length, ...own };
}

/** A machine hears what the relay answered. */
function heard(machine: Machine, answer: Answer): Machine {
  const now: Machine = { ...machine, request: null, answer: null };
  switch (answer.is) {
    case 'stands': {
      const start = laneStart(answer.atRelay, { epoch: machine.epoch, durableSeq: machine.log.length });
      if (start.is === 'stop') return { ...now, isStopped: true };
      if (start.is !== 'send') throw new Error(`nothing here asks for ${start.is}`);
      const { counter, hash } = answer.atRelay ?? { counter: 0, hash: NO_BATCH_HASH };
      return { ...now, at: { lastSeq: start.after, counter, hash } };
    }
    case 'stored': {
      const { header, hash } = answer.batch;
      return { ...now, at: { lastSeq: header.seqTo, counter: header.counter, hash } };
    }
    case 'taken':
      return { ...now, granted: answer.epoch };
    case 'refused':
      if (now.epoch === 0) return now;
      return reactionTo(answer.why) === 'stop' ? { ...now, isStopped: true } : { ...now, at: null };
  }
}

/** What a publisher sends next: all that is there, or the first of it. */
function* requests({ id, epoch, log, at, counter: used }: Machine): Generator<Request> {
  if (at === null) yield { is: 'look' };
  else {
    for (const seqTo of new Set([at.lastSeq + 1, log.length])) {
      if (seqTo <= at.lastSeq || seqTo > log.length) continue;
      const counter = counterFloor(at, { counter: used }, 0) + 1;
      const events = log.slice(at.lastSeq, seqTo);
      const range = { epoch, seqFrom: at.lastSeq + 1, seqTo, counter };
      const hash = hashOf(`${id} ${counter} ${epoch} ${events.join()} ${at.hash}`);
      yield { is: 'batch', batch: { header: { kind: 'log', machine: id, ...range, previousHash: at.hash }, hash, events } };
    }
  }
}

/** The next batch that the relay has, as a replica takes it. */
function followed<R extends Reader>(reader: R, stored: readonly Batch[]): R {
  const batch = stored[reader.read];
  if (batch === undefined) throw new Error('there is none');
  const state = stateForLog(reader.stream, batch.header, writerOf(batch.header));
  const order = orderOf(batch, state, 'reader');
  if (order.is === 'refused') throw new Error(`a reader refuses what the relay took: ${order.why}`);
  const read = reader.read + 1;
  if (order.is === 'repeated') return { ...reader, read };
  const known = reader.log.slice(batch.header.seqFrom - 1);
  promise(isPrefix(known, batch.events), 'what was followed goes on as it was', batch);
  return { ...reader, read, stream: order.state, log: [...reader.log, ...batch.events.slice(known.length)] };
}

/** All that can happen next. */
function* steps(world: World): Generator<World> {
  const { stored, cuts, takes } = world;
  for (const machine of world.machines) {
    const withMachine = (change: Partial<Machine>, of: World = world): World => ({
      ...of,
      machines: of.machines.map((it) => (it.id === machine.id ? { ...it, ...change } : it)) as unknown as World['machines'],
    });
    const { id, epoch, granted, request, answer, late, isStopped, log } = machine;
    if (epoch === 0 && machine.read < stored.length) yield withMachine(followed(machine, stored));
    if (late !== null) yield withMachine({ late: null }, handled(world, id, late)[0]);
    if (request !== null && answer === null) {
      const [after, said] = handled(world, id, request);
      yield withMachine({ answer: said }, after);
    }
    if (answer !== null) yield withMachine(heard(machine, answer));
    if (request !== null && cuts < CUTS && late === null) {
      yield { ...withMachine({ at: null, request: null, answer: null, late: answer === null ? request : null }), cuts: cuts + 1 };
    }
    if (granted > 0 && machine.read === stored.length) yield withMachine({ epoch: granted, granted: 0, at: null });
    const isIdle = request === null && answer === null && !isStopped;
    if (isIdle && epoch === 0 && granted === 0 && takes < TAKES && machine.stream.epoch > 0) {
      yield { ...withMachine({ request: { is: 'take', from: machine.stream.epoch } }), takes: takes + 1 };
    }
    if (epoch > 0 && !isStopped && log.filter((event) => event.startsWith(id)).length < EVENTS_OF_A_MACHINE) {
      yield withMachine({ log: [...log, `${id}${epoch}`] });
    }
    if (isIdle && epoch > 0) {
      for (const next of requests(machine)) {
        yield withMachine({ request: next, ...(next.is === 'batch' ? { counter: next.batch.header.counter } : {}) });
      }
    }
  }
}

function check(world: World): void {
  const { stored, stream, machines } = world;
  const writers = new Map<number, MachineId>();
  let [seq, last] = [0, 0];
  for (const { header } of stored) {
    promise((writers.get(header.epoch) ?? header.machine) === header.machine, 'one machine writes an epoch', world);
    writers.set(header.epoch, header.machine);
    promise(header.seqFrom === seq + 1, 'no event is missing or there twice', world);
    promise(header.epoch >= last, 'nothing comes under an epoch that is over', world);
    [seq, last] = [header.seqTo, header.epoch];
  }
  promise(last <= (stream?.epoch ?? 0), 'no epoch is written that was not granted', world);
  const there = stored.flatMap(({ events }) => events);
  const reader = stored.reduce((before) => followed(before, stored), nobody);
  promise(reader.log.join() === there.join(), 'whoever follows has what is there', world);
  for (const { id, epoch, log } of machines) {
    if (epoch === 0) promise(isPrefix(log, there), 'a replica has what its host wrote', world);
    else if (stream?.holder === id && stream.epoch === epoch) promise(isPrefix(there, log), 'a holder has all before it', world);
  }
}

/**
 * Where nothing is left to be done, who holds the session has brought it to the relay; who was passed over has stopped, or has nothing
 * that is not there.
 */
function checkRest(world: World): void {
  const { stored, stream, machines } = world;
  const there = stored.flatMap(({ events }) => events);
  for (const { id, epoch, log, isStopped } of machines) {
    if (epoch === 0) continue;
    if (stream?.holder === id) promise(!isStopped && log.join() === there.join(), 'a holder gets on', world);
    else promise(isStopped || isPrefix(log, there), 'who was passed over stops', world);
  }
}

it('[order-3] [relay-13] one machine writes an epoch, whatever is lost or late while another takes the session over', () => {
  const first = begin();
  const seen = new Set([keyOf(first)]);
  const todo = [first];
  let passedOver = 0;
  for (let world = todo.pop(); world !== undefined; world = todo.pop()) {
    check(world);
    let isAtRest = true;
    for (const next of steps(world)) {
      isAtRest = false;
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      todo.push(next);
    }
    if (isAtRest) checkRest(world);
    if (isAtRest && world.machines[0].isStopped) passedOver += 1;
  }
  expect(passedOver).toBeGreaterThan(100);
}, 120_000);
