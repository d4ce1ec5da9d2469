import * as z from 'zod/mini';
import { Epoch, MachineId, RunId, Seq, Timestamp } from './ids.ts';
import { Rights } from './machines.ts';
import { Screen } from './operations.ts';
import type { BatchRefusal, PlaceInStream, StreamState } from './receive-batch.ts';
import type { BatchHeader } from './sealed-batch.ts';
import { SessionSpec, SessionState } from './session.ts';

/** What machines tell one another of their sessions, what each keeps of the others', and the decisions that replication makes. Pure. */

const Count = z.int().check(z.nonnegative());
const Hash = z.string().check(z.regex(/^[0-9a-f]{64}$/));

/** What others must know of a session before they have anything of its log. */
export const CardSession = z.object({
  runId: RunId,
  spec: SessionSpec,
  epoch: Epoch,
  createdTs: Timestamp,
  branchOf: z.nullable(z.object({ runId: RunId, seq: Seq })),
});
export type CardSession = z.infer<typeof CardSession>;

export const MAX_CARD_DELETED = 1_000;
/** Sessions of one machine that another one keeps: with more, there would be no room to follow those of the others. */
export const MAX_SESSIONS_OF_MACHINE = 5_000;

/** What a machine says of itself and its sessions. The newest replaces the one before. */
export const MachineCard = z.object({
  name: z.string().check(z.maxLength(200)),
  version: z.string().check(z.maxLength(100)),
  platform: z.string().check(z.maxLength(100)),
  protocol: z.int(),
  state: z.enum(['up', 'asleep', 'quit']),
  /** What others may do there at most, whatever their rights; absent: whatever these say. */
  allows: z.optional(Rights),
  sessions: z.array(CardSession),
  /** The newest last. Absence from `sessions` alone deletes nothing: the list may have been cut. */
  deleted: z.array(RunId).check(z.maxLength(MAX_CARD_DELETED)),
});
export type MachineCard = z.infer<typeof MachineCard>;

/** A session as it stood behind one of its events: whoever begins there misses nothing that lists and panes show. */
export const Checkpoint = z.object({
  seq: Seq,
  /** Of that event. */
  ts: Timestamp,
  epoch: Epoch,
  /** The chain's there. */
  hash: Hash,
  state: SessionState,
  /** What its terminal showed; null: it has none. */
  screen: z.nullable(Screen),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

/** How far a session's log was followed; stored with its events. */
export const ReplicaState = z.object({
  machineId: MachineId,
  machine: z.string(),
  epoch: Count,
  holder: z.nullable(MachineId),
  /** The epoch in which that machine says that it hosts it: what others wrote under earlier ones is part of the same log. */
  hostEpoch: z._default(Count, 0),
  lastSeq: Count,
  writers: z.array(z.object({ writer: z.string(), counter: Count, hash: Hash })),
  /** When the newest of it arrived; 0: nothing has. */
  heardMs: z.int(),
  /** Its host's log is another one: followed no more. */
  forked: z.boolean(),
});
export type ReplicaState = z.infer<typeof ReplicaState>;

/** Of a log of which nothing is here; with a checkpoint, which came at `nowMs`, it is followed from there. */
export function newReplica(
  machineId: MachineId,
  machine: string,
  hostEpoch: number,
  from: { readonly checkpoint: Checkpoint; readonly nowMs: number } | null = null,
): ReplicaState {
  const replica = { machineId, machine, epoch: 0, holder: null, hostEpoch, lastSeq: 0, writers: [], heardMs: 0, forked: false };
  if (from === null) return replica;
  const { seq: lastSeq, epoch } = from.checkpoint;
  return { ...replica, lastSeq, epoch, holder: machineId, heardMs: from.nowMs };
}

export function streamStateOf({ epoch, holder, lastSeq, writers }: ReplicaState): StreamState {
  return { epoch, holder, lastSeq, writers: new Map(writers.map(({ writer, counter, hash }) => [writer, { counter, hash }])) };
}

export function withStream(
  replica: ReplicaState,
  { epoch, holder, lastSeq, writers }: StreamState,
  heardMs: number,
): ReplicaState {
  const list = [...writers].map(([writer, { counter, hash }]) => ({ writer, counter, hash }));
  return { ...replica, epoch, holder, lastSeq, writers: list, heardMs };
}

/**
 * Whether a batch of a log is from whom it has to be [replica-8]. What was written under an earlier epoch is somebody else's, and the log
 * goes on from it: that it fits, its host's hash says.
 */
export function isWriterOfLog(
  { machine, epoch }: Pick<BatchHeader, 'machine' | 'epoch'>,
  { machineId, hostEpoch }: Pick<ReplicaState, 'machineId' | 'hostEpoch'>,
): boolean {
  return machine === machineId || epoch < hostEpoch;
}

/**
 * The state to check a batch of a log against. A relay that lost its disk gets the log anew from its host, cut into other batches: who
 * missed some of the old ones cannot follow hash by hash, but event by event [replica-6]. The counter must have grown all the same.
 */
export function stateForLog(state: StreamState, header: PlaceInStream, writer: string): StreamState {
  const last = state.writers.get(writer);
  if (last === undefined || header.previousHash === last.hash || header.counter <= last.counter) return state;
  const writers = new Map(state.writers).set(writer, { counter: last.counter, hash: header.previousHash });
  return { ...state, writers };
}

/**
 * Counters of one life of a machine: no other one uses the same, before or after a relay was lost or set back. A life is named by the time
 * at which it begins, so that one that is brought back from an old copy of its data does not take up the numbers of those that the copy
 * does not know [machine-15]. A thousand for each millisecond: nothing is sent as fast.
 */
const COUNTERS_A_MS = 1024;
/** Between two lives where the clock says less: it was set back. */
const LIFE_MS = 1_000;
/** In the year 2109: a clock that is beyond is not believed. */
const MAX_ROUND = 2 ** 42;

/** The round of the life that begins now, after one that began in round `before`. */
export function nextRound(before: number, nowMs: number): number {
  return Math.max(before + LIFE_MS, roundAt(nowMs));
}

function roundAt(nowMs: number): number {
  return Math.min(Math.floor(nowMs), MAX_ROUND);
}

/** Above all counters of lives that began before. */
export function counterAt(nowMs: number): number {
  return roundAt(nowMs) * COUNTERS_A_MS;
}

/** What the relay has of a session's log, by its answer; null: it knows nothing of it. */
export interface AtRelay {
  readonly epoch: number;
  readonly isHeldByUs: boolean;
  /** Who holds it is no machine of the workspace any more, or nobody does. */
  readonly isHolderGone: boolean;
  readonly lastSeq: number;
  readonly lastPosition: number;
  readonly counter: number;
  readonly hash: string;
}

/** The counter that a publisher goes on after: above what the relay has, above what it used itself and above all of its earlier lives. */
export function counterFloor(atRelay: Pick<AtRelay, 'counter'>, used: { readonly counter: number }, round: number): number {
  return Math.max(atRelay.counter, used.counter, round * COUNTERS_A_MS);
}

export type LaneStart =
  | { readonly is: 'send'; readonly after: number }
  /** The relay is asked for the epoch after this one: who held it is gone, or the relay was set back to before it was asked. */
  | { readonly is: 'take'; readonly from: number }
  /** The relay has granted this epoch; the log here has not begun it yet. */
  | { readonly is: 'begin'; readonly epoch: number }
  /** Nothing may be sent, for a reason that people are told. */
  | { readonly is: 'stop'; readonly why: 'taken-over' | 'set-back' };

/** Where a publisher goes on with a session of which it has `durableSeq` on its own disk. */
export function laneStart(atRelay: AtRelay | null, own: { readonly epoch: number; readonly durableSeq: number }): LaneStart {
  if (atRelay === null) return { is: 'send', after: 0 };
  const { epoch, isHeldByUs, isHolderGone, lastSeq } = atRelay;
  if (!isHeldByUs && !isHolderGone) return { is: 'stop', why: 'taken-over' };
  if (lastSeq > own.durableSeq) return { is: 'stop', why: 'set-back' };
  if (!isHeldByUs || epoch < own.epoch) return { is: 'take', from: epoch };
  return epoch > own.epoch ? { is: 'begin', epoch } : { is: 'send', after: lastSeq };
}

/** What a publisher does when a batch of a log is not stored. */
export type LaneReaction =
  /** Asks the relay where the stream stands and goes on from there, at once or after a while. */
  | 'look-again'
  | 'wait-and-look'
  /** The chain has grown: sealed again when it is known here. */
  | 'wait-for-chain'
  | 'stop';

export function reactionTo(why: BatchRefusal | string): LaneReaction {
  switch (why) {
    case 'gap':
    case 'replayed':
    case 'unknown-stream':
    case 'epoch-taken':
      return 'look-again';
    case 'wrong-generation':
    case 'unknown-head':
      return 'wait-for-chain';
    case 'quota':
    case 'storage-failed':
    case 'too-many':
    // The connection was lost, or the line is full.
    case 'lost':
      return 'wait-and-look';
    default:
      return 'stop';
  }
}
