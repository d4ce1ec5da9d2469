import type { MachineId } from '../../src-shared/ids.ts';
import { applyEntry, liveMember, type Membership } from '../../src-shared/membership.ts';
import { EMPTY_STREAM, inspectBatch, type StreamState, withNextEpoch, writerOf } from '../../src-shared/receive-batch.ts';
import { batchCost, type Lane, leaseBytes, type MachineSeen, type RelayRefusal } from '../../src-shared/relay-protocol.ts';
import { fromHex, isSignedBy } from '../../src-shared/seal.ts';
import { BATCH_KINDS, type BatchKindName, type SealedBatch } from '../../src-shared/sealed-batch.ts';
import type { CommitQueue } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import { encodeBatch, type Follow, MAX_FOLLOWS } from './follows.ts';
import type { RelayStorage, StoredBatch, StoredStream, StreamKind } from './storage/storage.ts';

/** Streams whose state is kept in memory; others are read again when they are needed. */
const MAX_CACHED_STREAMS = 10_000;

const STREAM_KIND: Readonly<Record<BatchKindName, StreamKind | null>> = {
  log: 'log',
  document: 'document',
  snapshot: 'document',
  index: 'index',
  live: null,
  input: null,
};

/** With the last batch of its epoch a machine hands the session to another. */
export interface Release {
  readonly to: MachineId;
  readonly signature: Uint8Array;
}

export type Taken =
  | { readonly is: 'waiting' }
  | { readonly is: 'stored'; readonly position: number }
  | { readonly is: 'passed'; readonly receivers: number }
  | { readonly is: 'refused'; readonly why: RelayRefusal };

interface WorkspaceOptions {
  readonly storage: RelayStorage;
  readonly commits: CommitQueue;
  readonly quotaBytes: number;
  readonly membership: Membership;
}

/** One workspace at the relay: its chain, who is connected, its streams. */
export class RelayWorkspace {
  readonly id: string;
  readonly connected = new Map<MachineId, Connection>();
  #membership: Membership;
  readonly #storage: RelayStorage;
  readonly #commits: CommitQueue;
  readonly #quotaBytes: number;
  readonly #streams = new Map<string, StoredStream>();
  readonly #followers = new Map<string, Set<Connection>>();
  /** What is stored and what waits to be. */
  #usedBytes: number;

  constructor({ storage, commits, quotaBytes, membership }: WorkspaceOptions) {
    this.id = membership.workspace;
    this.#membership = membership;
    this.#storage = storage;
    this.#commits = commits;
    this.#quotaBytes = quotaBytes;
    this.#usedBytes = storage.usedBytes(this.id);
  }

  get membership(): Membership {
    return this.#membership;
  }

  chainAfter(height: number): readonly Uint8Array[] {
    return this.#storage.chain(this.id).slice(height);
  }

  /** The next entry, from a machine of the workspace. Its author need not be the one that brings it. */
  appendEntry(bytes: Uint8Array): RelayRefusal | null {
    const applied = applyEntry(this.#membership, bytes);
    if (applied.is === 'known') return null;
    // A fork is for the machines to judge: here the chain that came first stays.
    if (applied.is !== 'applied') return 'entry-refused';
    this.#storage.addEntries(this.id, applied.membership.height, [bytes]);
    this.#membership = applied.membership;
    for (const connection of this.connected.values()) {
      connection.send({ type: 'chain', ask: null, entries: [bytes], height: applied.membership.height });
    }
    return null;
  }

  seen(nowMs: number): MachineSeen[] {
    const seen = this.#storage.seen(this.id);
    return [...this.#membership.members.keys()].flatMap((machine) => {
      const online = this.connected.has(machine);
      const seenAtMs = online ? nowMs : seen.get(machine);
      return seenAtMs === undefined ? [] : [{ machine, online, seenAtMs }];
    });
  }

  tellSeen(machine: MachineId, online: boolean, nowMs: number): void {
    this.#storage.setSeen(this.id, machine, nowMs);
    const seen = { machine, online, seenAtMs: nowMs };
    for (const [other, connection] of this.connected) if (other !== machine) connection.send({ type: 'machine', seen });
  }

  stream(name: string): StoredStream | null {
    const cached = this.#streams.get(name);
    if (cached !== undefined) return cached;
    const stored = this.#storage.stream(this.id, name);
    if (stored !== null) this.#remember(name, stored);
    return stored;
  }

  /** A batch of the machine at `from`. `settle` is called later where the answer is 'waiting'. */
  take(from: Connection, batch: SealedBatch, release: Release | null, settle: (taken: Taken) => void): Taken {
    const { header } = batch;
    if (from.peer.is !== 'machine' || from.peer.machine !== header.machine) return { is: 'refused', why: 'not-allowed' };
    const kind = STREAM_KIND[header.kind];
    if (kind === null) return this.#pass(from, batch, settle);
    const stream = this.stream(header.stream);
    if (stream?.kind === 'removed') return { is: 'refused', why: 'removed' };
    if (stream !== null && stream.kind !== kind) return { is: 'refused', why: 'wrong-kind' };
    const order = inspectBatch(batch, this.#membership, stream?.state ?? EMPTY_STREAM);
    if (order.is === 'refused') return order;
    if (order.is === 'repeated') return this.#repeated(batch);
    const position = positionOf(batch, stream);
    if (position === null) return { is: 'refused', why: 'gap' };
    if (this.#usedBytes + batch.frame.byteLength > this.#quotaBytes) return { is: 'refused', why: 'quota' };
    const state = release === null ? order.state : this.#released(from, batch, release, order.state);
    if (state === null) return { is: 'refused', why: 'not-allowed' };
    const after: StoredStream = { kind, lastPosition: Math.max(position.at, stream?.lastPosition ?? 0), state };
    this.#remember(header.stream, after);
    this.#usedBytes += batch.frame.byteLength;
    const append = { workspace: this.id, batch, position: position.at, replacesUpTo: position.replacesUpTo, after };
    this.#commits.add({
      append,
      settle: (isStored) => settle(this.#settled(from, batch, position.at, isStored, release)),
    });
    return { is: 'waiting' };
  }

  /** The newest of its writer once more: its answer was lost on the way, or is still on it. */
  #repeated({ header, hash }: SealedBatch): Taken {
    this.#commits.flush();
    const stream = this.stream(header.stream);
    if (stream?.state.writers.get(writerOf(header))?.hash !== hash) return { is: 'refused', why: 'storage-failed' };
    return { is: 'stored', position: header.kind === 'log' ? header.seqTo : stream.lastPosition };
  }

  #settled(from: Connection, batch: SealedBatch, position: number, isStored: boolean, release: Release | null): Taken {
    const { stream } = batch.header;
    if (!isStored) {
      // Nothing of the transaction is there: what was worked out from it is forgotten with it.
      this.#streams.delete(stream);
      this.#usedBytes = this.#storage.usedBytes(this.id);
      return { is: 'refused', why: 'storage-failed' };
    }
    if (BATCH_KINDS[batch.header.kind].storing === 'replace') this.#usedBytes = this.#storage.usedBytes(this.id);
    this.#fanOut(from, batch, position);
    if (release !== null) this.#tellLease(stream, batch.header.epoch + 1, release.to, from);
    return { is: 'stored', position };
  }

  #fanOut(from: Connection, { header, frame }: SealedBatch, position: number): void {
    const followers = this.#followers.get(header.stream);
    if (followers === undefined) return;
    const encoded = encodeBatch(header.stream, position, frame);
    for (const connection of followers) {
      const follow = connection.follows.get(header.stream);
      if (follow === undefined) continue;
      // Who wrote it has it.
      if (connection === from && follow.isCaughtUp) follow.cursor = Math.max(follow.cursor, position);
      else connection.follows.offer(follow, { position, frame }, encoded);
    }
  }

  /** What is large is acknowledged when all who got it have room for more: its sender sends the next one then. */
  #pass(from: Connection, batch: SealedBatch, settle: (taken: Taken) => void): Taken {
    const order = inspectBatch(batch, this.#membership, EMPTY_STREAM);
    if (order.is === 'refused') return order;
    const { stream } = batch.header;
    const encoded = encodeBatch(stream, null, batch.frame);
    const cost = batchCost({ position: null, frame: batch.frame });
    const receivers = [...(this.#followers.get(stream) ?? [])].filter(
      (connection) => connection !== from && connection.pass(encoded),
    );
    const passed: Taken = { is: 'passed', receivers: receivers.length };
    if (cost === 0 || receivers.length === 0) return passed;
    let full = receivers.length;
    for (const { follows } of receivers) {
      follows.passed(cost);
      follows.whenRoom(() => {
        full -= 1;
        if (full === 0) settle(passed);
      });
    }
    return { is: 'waiting' };
  }

  /** A machine takes a session over: the first to name the epoch that holds gets the next one. */
  takeLease(from: Connection, name: string, epoch: number, signature: Uint8Array): number | RelayRefusal {
    if (from.peer.is !== 'machine') return 'not-allowed';
    const { machine } = from.peer;
    // What still waits to be written belongs to the epoch that ends.
    this.#commits.flush();
    const stream = this.stream(name);
    if (stream === null || stream.kind !== 'log') return 'unknown-stream';
    const state = withNextEpoch(stream.state, epoch, machine);
    if (state === null) return 'epoch-taken';
    if (!this.#mayHold(from, machine, { to: machine, signature }, name, state.epoch)) return 'not-allowed';
    const before = stream.state.holder;
    this.#storage.setHolder(this.id, name, state.epoch, machine);
    this.#remember(name, { ...stream, state });
    this.#tellLease(name, state.epoch, machine, before === null ? undefined : this.connected.get(before));
    return state.epoch;
  }

  /** What is deleted leaves nothing behind, and cannot come back by somebody who has not heard of it. */
  removeStreams(from: Connection, names: readonly string[]): RelayRefusal | null {
    if (from.peer.is !== 'machine') return 'not-allowed';
    const { machine } = from.peer;
    // What still waits to be written goes too.
    this.#commits.flush();
    const mayAll = liveMember(this.#membership, machine)?.rights === 'start';
    const known = names.filter((name) => mayAll || this.stream(name) !== null);
    if (!known.every((name) => this.#mayRemove(machine, mayAll, this.stream(name)))) return 'not-allowed';
    this.#storage.remove(this.id, known);
    for (const name of known) this.#streams.delete(name);
    this.#usedBytes = this.#storage.usedBytes(this.id);
    return null;
  }

  /** A log is its holder's as long as that is a machine of the workspace. */
  #mayRemove(machine: MachineId, mayAll: boolean, stream: StoredStream | null): boolean {
    if (stream === null || stream.kind === 'removed') return true;
    const { holder, writers } = stream.state;
    if (stream.kind === 'log') {
      return holder === machine || (mayAll && (holder === null || liveMember(this.#membership, holder) === null));
    }
    return mayAll || [...writers.keys()].every((writer) => writer.endsWith(` ${machine}`));
  }

  /** Behind the last batch of its epoch; null: it may not be handed over so. */
  #released(from: Connection, { header }: SealedBatch, release: Release, state: StreamState): StreamState | null {
    const next = header.kind === 'log' ? withNextEpoch(state, header.epoch, release.to) : null;
    return next !== null && this.#mayHold(from, header.machine, release, header.stream, next.epoch) ? next : null;
  }

  /** `by` signed it, and the machine that gets the session may run sessions. */
  #mayHold(from: Connection, by: MachineId, { to, signature }: Release, stream: string, epoch: number): boolean {
    const signer = liveMember(this.#membership, by);
    const holder = liveMember(this.#membership, to);
    if (signer === null || holder === null || (to === by && holder.rights !== 'start')) return false;
    const signed = leaseBytes({ relayNonce: from.nonce, stream, epoch, holder: to });
    return isSignedBy('lease', signed, signature, fromHex(signer.signKey));
  }

  #tellLease(stream: string, epoch: number, holder: MachineId, before: Connection | undefined): void {
    const told = new Set(this.#followers.get(stream));
    const next = this.connected.get(holder);
    for (const connection of [before, next]) if (connection !== undefined) told.add(connection);
    for (const connection of told) connection.send({ type: 'lease', stream, epoch, holder });
  }

  /** What is stored after a position, in order: at least one batch, if there is one. */
  read(stream: string, after: number, maxBytes: number): readonly StoredBatch[] {
    return this.#storage.read(this.id, stream, after, maxBytes);
  }

  follow(connection: Connection, stream: string, after: number, lane: Lane): boolean {
    if (connection.follows.size >= MAX_FOLLOWS && connection.follows.get(stream) === undefined) return false;
    const follow: Follow = {
      stream,
      lane,
      cursor: after,
      isCaughtUp: false,
      read: (from, maxBytes) => this.read(stream, from, maxBytes),
      end: () => this.#storage.stream(this.id, stream)?.lastPosition ?? 0,
    };
    connection.follows.start(follow);
    const followers = this.#followers.get(stream);
    if (followers === undefined) this.#followers.set(stream, new Set([connection]));
    else followers.add(connection);
    return true;
  }

  unfollow(connection: Connection, stream: string): void {
    connection.follows.stop(stream);
    const followers = this.#followers.get(stream);
    followers?.delete(connection);
    if (followers?.size === 0) this.#followers.delete(stream);
  }

  leave(connection: Connection): void {
    for (const stream of [...connection.follows.streams()]) this.unfollow(connection, stream);
    if (connection.peer.is === 'machine' && this.connected.get(connection.peer.machine) === connection) {
      this.connected.delete(connection.peer.machine);
    }
  }

  /** Oldest out first: a state that is needed again is read again. What waits to be written must stay, and is among the newest. */
  #remember(name: string, stream: StoredStream): void {
    this.#streams.delete(name);
    this.#streams.set(name, stream);
    if (this.#streams.size <= MAX_CACHED_STREAMS) return;
    this.#commits.flush();
    const [oldest] = this.#streams.keys();
    if (oldest !== undefined) this.#streams.delete(oldest);
  }
}

/** Where a batch goes, and what it takes the place of; null where what it builds on is not here. */
function positionOf({ header }: SealedBatch, stream: StoredStream | null): { at: number; replacesUpTo: number } | null {
  const last = stream?.lastPosition ?? 0;
  if (header.kind === 'log') return { at: header.seqTo, replacesUpTo: 0 };
  if (header.kind === 'index') return { at: last + 1, replacesUpTo: last };
  if (header.kind !== 'snapshot' || header.seqTo === 0) return { at: last + 1, replacesUpTo: 0 };
  return header.seqTo <= last ? { at: header.seqTo, replacesUpTo: header.seqTo } : null;
}
