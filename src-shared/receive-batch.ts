import type { MachineId } from './ids.ts';
import { liveMember, type Member, type Membership } from './membership.ts';
import { fromHex, type Keyring } from './seal.ts';
import {
  BATCH_KINDS,
  type BatchHeader,
  isBatchSignedBy,
  NO_BATCH_HASH,
  readBatch,
  type SealedBatch,
  unsealBatch,
} from './sealed-batch.ts';

/**
 * What is checked of a batch before anything is done with it, cheapest first: size and layout, the sender's membership, the order in
 * its stream, the signature, the seal. The relay checks all but the seal; readers leave the signature of some kinds to the relay.
 */

/** How far a stream has come, as one end knows it. */
export interface StreamState {
  /** The highest ownership epoch; 0 before the first batch of a log. */
  readonly epoch: number;
  /** Who writes under that epoch; null where nobody has yet. */
  readonly holder: MachineId | null;
  readonly lastSeq: number;
  /** The newest batch of each machine and kind, by `writerOf`. */
  readonly writers: ReadonlyMap<string, { readonly counter: number; readonly hash: string }>;
}

/**
 * Counters and hashes run for each machine and kind apart: who has all updates of a document never sees the snapshots that replace
 * them.
 */
export const writerOf = ({ machine, kind }: Pick<BatchHeader, 'machine' | 'kind'>): string => `${kind} ${machine}`;

export const EMPTY_STREAM: StreamState = { epoch: 0, holder: null, lastSeq: 0, writers: new Map() };

export type BatchRefusal =
  | 'malformed'
  /** Signed by a machine that is not in the chain. */
  | 'unknown-machine'
  | 'revoked'
  /** Its rights do not cover this kind of batch. */
  | 'not-allowed'
  /** It names an entry of the chain that is not known here: fetch the chain and try again. */
  | 'unknown-head'
  /** Two histories of the chain were seen. */
  | 'forked'
  /** Sealed with an older key than the chain has, or had where the sender stood. */
  | 'wrong-generation'
  /** Written under an epoch that is over. */
  | 'fenced'
  /** An epoch that nobody granted, or somebody else's. */
  | 'not-holder'
  /** Events or batches before it are missing. */
  | 'gap'
  /** An older batch once more. */
  | 'replayed'
  /** The counter was used for other bytes: two computers use one machine's keys. */
  | 'counter-reused'
  | 'bad-signature'
  /** Its key is not here. Kept as it is, and marked. */
  | 'no-key'
  /** Not what was sealed. */
  | 'damaged';

/** The relay knows the newest chain and the granted epochs; a reader meets batches of the past, and hears of new epochs through them. */
export type Side = 'relay' | 'reader';

/** Null: it may go on to the next check. */
export function whyNotMember(header: BatchHeader, membership: Membership, side: Side): BatchRefusal | null {
  if (membership.fork !== null) return 'forked';
  const sender = membership.members.get(header.machine);
  if (sender === undefined) return 'unknown-machine';
  const head = membership.entries.get(header.chainHead);
  if (head === undefined) return 'unknown-head';
  if (sender.revokedHeight !== null) {
    // What it wrote before stays readable where it was kept. What passes is of now, and now it is nobody.
    const isOfThePast = side === 'reader' && BATCH_KINDS[header.kind].storing !== 'pass' && head.height < sender.revokedHeight;
    if (!isOfThePast) return 'revoked';
  }
  if (head.height < sender.addedHeight) return 'unknown-machine';
  if (header.generation !== head.generation) return 'wrong-generation';
  // A key that is over: whoever was revoked since could read it.
  if (side === 'relay' && header.generation !== membership.generation) return 'wrong-generation';
  return isAllowed(sender, header) ? null : 'not-allowed';
}

/** A machine that may only look still has sessions of its own and takes part in documents; it sends no input to others. */
function isAllowed({ rights }: Member, { kind }: BatchHeader): boolean {
  return kind !== 'input' || rights !== 'view';
}

export type Order =
  | { readonly is: 'next'; readonly state: StreamState }
  /** The newest batch of its machine once more. */
  | { readonly is: 'repeated' }
  | { readonly is: 'refused'; readonly why: BatchRefusal };

/** What says where a batch stands in its stream. */
export type PlaceInStream = Omit<BatchHeader, 'stream' | 'generation' | 'chainHead'>;

/** Whether a batch comes next in its stream. */
export function orderOf(
  { header, hash }: { readonly header: PlaceInStream; readonly hash: string },
  state: StreamState,
  side: Side,
): Order {
  const refused = (why: BatchRefusal): Order => ({ is: 'refused', why });
  const writer = writerOf(header);
  const last = state.writers.get(writer);
  if (last !== undefined && header.counter === last.counter) {
    return hash === last.hash ? { is: 'repeated' } : refused('counter-reused');
  }
  if (last !== undefined && header.counter < last.counter) return refused('replayed');
  // A reader of a stream that is replaced as a whole does not see each of them; of one that passes it may miss any.
  if (header.kind === 'log' || header.kind === 'document') {
    if (last !== undefined && header.previousHash !== last.hash) return refused('gap');
    if (last === undefined && header.counter === 1 && header.previousHash !== NO_BATCH_HASH) return refused('malformed');
  }
  const writers = new Map(state.writers).set(writer, { counter: header.counter, hash });
  if (header.kind !== 'log') return { is: 'next', state: { ...state, writers } };
  const why = whyNotInLog(header, state, side);
  if (why !== null) return refused(why);
  const lastSeq = Math.max(state.lastSeq, header.seqTo);
  return { is: 'next', state: { epoch: header.epoch, holder: header.machine, lastSeq, writers } };
}

function whyNotInLog(header: PlaceInStream, state: StreamState, side: Side): BatchRefusal | null {
  if (header.epoch < 1 || header.seqFrom < 1 || header.seqTo < header.seqFrom) return 'malformed';
  if (header.epoch < state.epoch) return 'fenced';
  // What the relay does not know yet has whatever epoch it was born with, or had when the relay lost its disk.
  if (side === 'relay' && state.epoch !== 0 && header.epoch > state.epoch) return 'not-holder';
  if (header.epoch === state.epoch && state.holder !== null && state.holder !== header.machine) return 'not-holder';
  // A reader may have got events by another way; what it has it skips.
  const follows = side === 'relay' ? header.seqFrom === state.lastSeq + 1 : header.seqFrom <= state.lastSeq + 1;
  return follows ? null : 'gap';
}

/** The stream when `holder` gets the epoch after `from`; null: `from` is over, somebody else was granted the next one [relay-13]. */
export function withNextEpoch(state: StreamState, from: number, holder: MachineId): StreamState | null {
  return state.epoch === from ? { ...state, epoch: from + 1, holder } : null;
}

export interface ReaderContext {
  readonly membership: Membership;
  readonly state: StreamState;
  readonly keyring: Keyring;
}

export type Received =
  | { readonly is: 'opened'; readonly batch: SealedBatch; readonly payload: Uint8Array; readonly state: StreamState }
  | { readonly is: 'repeated' }
  | { readonly is: 'refused'; readonly why: BatchRefusal };

/** Everything a reader checks but what the payload means. Changes nothing: the caller keeps `state` once it has kept the payload. */
export function receiveBatch(frame: Uint8Array, { membership, state, keyring }: ReaderContext): Received {
  const refused = (why: BatchRefusal): Received => ({ is: 'refused', why });
  const batch = readBatch(frame);
  if (batch === null) return refused('malformed');
  const { header } = batch;
  const notMember = whyNotMember(header, membership, 'reader');
  if (notMember !== null) return refused(notMember);
  const order = orderOf(batch, state, 'reader');
  if (order.is !== 'next') return order;
  const sender = membership.members.get(header.machine);
  if (sender === undefined) return refused('unknown-machine');
  if (BATCH_KINDS[header.kind].isVerifiedByReaders && !isBatchSignedBy(batch, fromHex(sender.signKey))) {
    return refused('bad-signature');
  }
  const payload = unsealBatch(batch, keyring);
  if (payload !== null) return { is: 'opened', batch, payload, state: order.state };
  return refused(keyring.has(header.generation) ? 'damaged' : 'no-key');
}

/** The same at the relay, which cannot open anything: order, then signature, for the live machine that sent it. */
export function inspectBatch(batch: SealedBatch, membership: Membership, state: StreamState): Order {
  const why = whyNotMember(batch.header, membership, 'relay');
  if (why !== null) return { is: 'refused', why };
  const order = orderOf(batch, state, 'relay');
  if (order.is !== 'next') return order;
  const sender = liveMember(membership, batch.header.machine);
  if (sender === null || !isBatchSignedBy(batch, fromHex(sender.signKey))) return { is: 'refused', why: 'bad-signature' };
  return order;
}
