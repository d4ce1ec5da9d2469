import type { MachineId } from '../../../src-shared/ids.ts';
import type { StreamState } from '../../../src-shared/receive-batch.ts';
import type { SealedBatch } from '../../../src-shared/sealed-batch.ts';

/** What a stream holds. Decided by its first batch. */
export type StreamKind = 'log' | 'document' | 'index';

export interface StoredStream {
  /** `removed`: nothing of it is kept but its name. */
  readonly kind: StreamKind | 'removed';
  /** Of its newest batch: in a log the batch's last event, else counted from 1. */
  readonly lastPosition: number;
  readonly state: StreamState;
}

/** One batch with everything that changes with it. */
export interface Append {
  readonly workspace: string;
  readonly batch: SealedBatch;
  readonly position: number;
  /** Batches at positions up to this one go. 0: none. */
  readonly replacesUpTo: number;
  /** The stream as it is afterwards. */
  readonly after: StoredStream;
}

export interface StoredBatch {
  readonly position: number;
  readonly frame: Uint8Array;
}

/**
 * Where a relay keeps its state. Every method that changes something returns when it is safe on the disk, all of it or nothing: what
 * the relay acknowledges has been through here. It throws where the disk fails.
 */
export interface RelayStorage {
  /** The seed of the relay's own signing key: made with the storage, kept as long as it. */
  readonly relaySeed: Uint8Array;
  /** Another one after the storage was lost. */
  readonly incarnation: string;
  workspaces(): readonly string[];
  /** Every entry from the first; empty where the workspace is not known. */
  chain(workspace: string): readonly Uint8Array[];
  /** `height`: of the first of them. */
  addEntries(workspace: string, height: number, entries: readonly Uint8Array[]): void;
  /** Of all batches kept for it. */
  usedBytes(workspace: string): number;
  stream(workspace: string, stream: string): StoredStream | null;
  append(batches: readonly Append[]): void;
  /** Everything in these streams goes; what they are called stays, so that nothing is stored there again. */
  remove(workspace: string, streams: readonly string[]): void;
  /** A stream that exists has another holder from now on. */
  setHolder(workspace: string, stream: string, epoch: number, holder: MachineId): void;
  /** After a position, in order, until `maxBytes` are reached: one batch at least, if there is one. */
  read(workspace: string, stream: string, after: number, maxBytes: number): readonly StoredBatch[];
  /** When each machine was last connected. */
  seen(workspace: string): ReadonlyMap<MachineId, number>;
  setSeen(workspace: string, machine: MachineId, atMs: number): void;
  close(): void;
}
