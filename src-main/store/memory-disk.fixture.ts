import type { Json, LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import { type ChainHash, hashToHex, NO_HASH } from './chain.ts';
import { NOT_HERE_YET } from './gaps.ts';
import { type Item, isGap, lastOf, shown } from './memory-log.fixture.ts';
import type { DocumentRow, InputRecord, OutboxRow, SessionRow } from './store.ts';

/** One session as it is on the disk. Never changed, only replaced: what was before can be put back. */
export interface DiskSession {
  readonly row: SessionRow;
  readonly items: readonly Item[];
  readonly inputs: ReadonlyMap<string, InputRecord>;
}

/** A shared document: updates that lie one on the other. Never changed, only replaced. */
export interface DiskDocument {
  readonly row: DocumentRow;
  readonly updates: readonly Uint8Array[];
}

/**
 * What outlasts the process that wrote it. Commits come in the order of the calls; what is committed outlasts a kill of the process,
 * what is fsynced a power cut too. Keeps the rules of the store in SQLite; for simulations only.
 */
export class MemoryDisk {
  readonly sessions = new Map<RunId, DiskSession>();
  readonly facts = new Map<string, Json>();
  readonly outbox = new Map<string, OutboxRow>();
  readonly documents = new Map<string, DiskDocument>();
  /** Takes back what is not fsynced, the newest last. */
  #unsynced: (() => void)[] = [];

  put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
    const before = map.get(key);
    this.#unsynced.push(() => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    });
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }

  sync(): void {
    this.#unsynced = [];
  }

  powerCut(): void {
    for (const undo of this.#unsynced.reverse()) undo();
    this.#unsynced = [];
  }

  log(runId: RunId): readonly LogEvent[] {
    return (this.sessions.get(runId)?.items ?? []).map((item) => shown(runId, item));
  }

  /** The last event of a session, the chain's hash there as hex, and whether its beginning is missing here. */
  headOf(runId: RunId): { readonly seq: Seq; readonly hash: string | null; readonly isWhole: boolean } {
    const items = this.sessions.get(runId)?.items ?? [];
    const last = items.at(-1);
    const isWhole = !items.some((item) => isGap(item) && item.gap.reason === NOT_HERE_YET);
    if (last === undefined) return { seq: NO_SEQ, hash: hashToHex(NO_HASH), isWhole };
    return { seq: lastOf(last), hash: last.hash && hashToHex(last.hash), isWhole };
  }

  /** The chain as it is here: the hash of every event that is known, by its number. */
  *hashes(runId: RunId): Generator<readonly [seq: Seq, hash: ChainHash]> {
    for (const item of this.sessions.get(runId)?.items ?? []) if (item.hash !== null) yield [lastOf(item), item.hash];
  }
}
