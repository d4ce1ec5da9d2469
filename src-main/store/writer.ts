import type { Database, Statement } from 'better-sqlite3';
import { type EventParts, eventAt, FORM_JSON, HASH_BYTES, OPERATION_BYTES } from './batch.ts';
import { chainHash, hashFromHex, hashToHex, NO_HASH } from './chain.ts';
import { addGap, type Gap, hashAt, missingPart, shortenMissingPart } from './gaps.ts';
import { type Head, Heads } from './heads.ts';
import type { Batch, BatchResult, WriteExtra } from './messages.ts';
import { rowId } from './row-id.ts';
import type { ChainedGap, ReplicaAppend } from './store.ts';
import { explainSqlite, failureOf, StoreError, type StoreFailure } from './store-error.ts';
import { WriteExtras } from './write-extras.ts';

const OUTPUT_CHANNEL = 'pty:stdout';
/** WAL bytes after which it is written back into the file; larger means fewer double writes, and a longer pause when it comes. */
const CHECKPOINT_AFTER_BYTES = 16 * 1024 * 1024;

interface Label {
  readonly channel: string;
  readonly type: string;
}

/** Executes batches, one transaction each. Synchronous: it lives in a worker of its own. */
export class Writer {
  readonly heads: Heads;
  readonly #db: Database;
  readonly #file: string;
  readonly #extras: WriteExtras;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #insertJson: Statement;
  readonly #insertBytes: Statement;
  readonly #labels = new Map<string, Label>();
  readonly #parts: EventParts = { seq: 0, epoch: 0, ts: 0, prevAt: 0, labelAt: 0, labelEnd: 0, end: 0 };
  readonly #hash = Buffer.alloc(HASH_BYTES);
  #isFull = false;
  /** The open transaction holds events; a transaction since the batch began did. */
  #hasEvents = false;
  #hasCommittedEvents = false;
  #bytesSinceCheckpoint = 0;

  constructor(db: Database, file: string) {
    this.#db = db;
    this.#file = file;
    this.heads = new Heads(db);
    this.#extras = new WriteExtras(db);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
    const insert = (payload: string) =>
      db.prepare(`INSERT INTO events (id, ts, epoch, channel, type, hash, payload) VALUES (?, ?, ?, ?, ?, ?, ${payload})`);
    this.#insertJson = insert('CAST(? AS TEXT)');
    this.#insertBytes = insert('?');
    db.pragma('synchronous = NORMAL');
  }

  /** Commits what can be committed. */
  write(batch: Batch): BatchResult {
    const bytes = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    this.#setFull(batch.durable);
    this.#hasCommittedEvents = false;
    this.noteWritten(bytes.length);
    const failures = this.#writeAll(bytes, operationsOf(bytes), batch.extras);
    // A transaction that wrote nothing does not sync; one with events, or with what is there to sync, always did write.
    return { batchId: batch.id, failures, isSynced: batch.durable && this.#hasCommittedEvents };
  }

  #writeAll(bytes: Buffer, operations: readonly number[], extras: readonly WriteExtra[]): Map<number, StoreFailure> {
    try {
      return this.#writeTogether(bytes, operations, extras);
    } catch (error) {
      if (operations.length === 1) return new Map([[0, this.#failure(error)]]);
      return this.#writeOneByOne(bytes, operations, extras);
    }
  }

  /** FULL: a commit returns after fsync. Everything committed before it is then on disk too, since there is one WAL. */
  #setFull(isFull: boolean): void {
    if (isFull === this.#isFull) return;
    this.#db.pragma(`synchronous = ${isFull ? 'FULL' : 'NORMAL'}`);
    this.#isFull = isFull;
  }

  /** One transaction of the store's own (compaction, deletion). */
  transaction(work: () => void): void {
    this.#begin.run();
    this.#hasEvents = false;
    try {
      work();
      this.heads.flush();
      this.#commit.run();
    } catch (error) {
      this.#rollBack();
      throw error;
    }
    this.heads.committed();
    this.#hasCommittedEvents ||= this.#hasEvents;
  }

  /** Counts towards the next checkpoint. */
  noteWritten(bytes: number): void {
    this.#bytesSinceCheckpoint += bytes;
  }

  /** Writes the WAL back when it has grown. true: everything committed so far is fsynced. */
  checkpointIfDue(): boolean {
    if (this.#bytesSinceCheckpoint < CHECKPOINT_AFTER_BYTES) return false;
    this.#bytesSinceCheckpoint = 0;
    return checkpoint(this.#db, 'PASSIVE');
  }

  #writeTogether(bytes: Buffer, operations: readonly number[], extras: readonly WriteExtra[]): Map<number, StoreFailure> {
    const failures = new Map<number, StoreFailure>();
    this.transaction(() => {
      for (const [place, at] of operations.entries()) {
        try {
          this.#operation(bytes, at, extras);
        } catch (error) {
          // Anything but our own refusal may have cost the transaction.
          if (!(error instanceof StoreError)) throw error;
          failures.set(place, failureOf(error));
        }
      }
    });
    return failures;
  }

  /** After a failed transaction: an operation that can be written is not lost because of its neighbours. */
  #writeOneByOne(bytes: Buffer, operations: readonly number[], extras: readonly WriteExtra[]): Map<number, StoreFailure> {
    const failures = new Map<number, StoreFailure>();
    for (const [place, at] of operations.entries()) {
      try {
        this.transaction(() => this.#operation(bytes, at, extras));
      } catch (error) {
        failures.set(place, this.#failure(error));
      }
    }
    return failures;
  }

  #operation(bytes: Buffer, at: number, extras: readonly WriteExtra[]): void {
    const key = bytes.readUInt32BE(at);
    const extra = extras[bytes.readUInt32BE(at + 8) - 1];
    const from = at + OPERATION_BYTES;
    const to = from + bytes.readUInt32BE(at + 12);
    if (extra === undefined) {
      this.#append(key, bytes, from, to);
      return;
    }
    const before = this.heads.get(key);
    this.#extras.inSavepoint(
      () => {
        if (extra.op === 'fill') {
          this.#fill(key, bytes, from, to, extra.gap);
          return;
        }
        this.#extras.run(extra, this.heads);
        if (extra.op === 'sync') this.#hasEvents = true;
        const replica = extra.op === 'annotate' ? (extra.replica ?? null) : null;
        if (replica !== null) this.#appendReplica(key, bytes, from, to, replica);
        else if (to > from) this.#append(key, bytes, from, to);
      },
      () => {
        if (before) this.heads.set(key, before);
        else this.heads.remove(key);
      },
    );
  }

  #append(key: number, bytes: Buffer, from: number, to: number): void {
    const head = this.#headOf(key);
    this.#refuseUnlessContinuing(head, bytes, from, to);
    this.heads.set(key, this.#insert(key, head, bytes, from, to));
  }

  #headOf(key: number): Head {
    const head = this.heads.get(key);
    if (head === undefined) throw new StoreError('unknown-session', 'Cannot append: the session does not exist or was deleted.');
    return head;
  }

  /** Inserts what follows `head`; returns the head behind it. */
  #insert(key: number, head: Head, bytes: Buffer, from: number, to: number): Head {
    const parts = this.#parts;
    let { lastSeq, lastTs, epoch, hash, outputBytes } = head;
    for (let at = from; at < to; at = parts.end) {
      eventAt(bytes, at, parts);
      bytes.write(hash, parts.prevAt, 'latin1');
      hash = chainHash(bytes.subarray(parts.prevAt, parts.end));
      this.#hash.write(hash, 0, 'latin1');
      const label = this.#label(bytes, parts);
      const payload = bytes.subarray(parts.labelEnd + 1, parts.end);
      const insert = bytes[parts.labelEnd] === FORM_JSON ? this.#insertJson : this.#insertBytes;
      insert.run(rowId(key, parts.seq), parts.ts, parts.epoch, label.channel, label.type, this.#hash, payload);
      ({ seq: lastSeq, ts: lastTs, epoch } = parts);
      if (label.channel === OUTPUT_CHANNEL) outputBytes += payload.length;
    }
    if (to > from) this.#hasEvents = true;
    return { lastSeq, lastTs, epoch, hash, outputBytes };
  }

  /** Puts events, or a run that is gone for good, where the log's beginning is missing. The last of them has to fit what follows. */
  #fill(key: number, bytes: Buffer, from: number, to: number, gap: Gap | null): void {
    const head = this.#headOf(key);
    const missing = missingPart(this.#db, key);
    if (missing === null) throw new StoreError('not-continuing', 'Cannot fill in the log: nothing of it is missing.');
    const hash = hashAt(this.#db, key, missing.fromSeq - 1);
    if (hash === null) throw new StoreError('not-continuing', 'Cannot fill in the log: what comes before is not known.');
    const before: Head = { lastSeq: missing.fromSeq - 1, lastTs: 0, epoch: 1, hash, outputBytes: 0 };
    if (gap === null) this.#refuseUnlessContinuing(before, bytes, from, to);
    else if (gap.fromSeq !== missing.fromSeq) {
      throw new StoreError(
        'not-continuing',
        `Cannot fill in from event ${gap.fromSeq}: it is missing from ${missing.fromSeq} on.`,
      );
    }
    const lastSeq = gap?.toSeq ?? this.#parts.seq;
    if (lastSeq > missing.toSeq) {
      throw new StoreError(
        'not-continuing',
        `Cannot fill in event ${lastSeq}: only what is before ${missing.toSeq + 1} is missing.`,
      );
    }
    const after = gap === null ? this.#insert(key, before, bytes, from, to) : { ...before, lastSeq: gap.toSeq, hash: gap.hash };
    if (lastSeq === missing.toSeq && after.hash !== missing.hash) {
      throw new StoreError('forked', `What was to be filled in up to event ${lastSeq} has another history than the log.`);
    }
    shortenMissingPart(this.#db, key, missing, lastSeq);
    if (gap !== null) addGap(this.#db, key, gap);
    this.heads.set(key, { ...head, outputBytes: head.outputBytes + after.outputBytes });
  }

  /** Events between which runs may be missing. Together they have to come to the host's hash. */
  #appendReplica(key: number, bytes: Buffer, from: number, to: number, { gaps, headHash }: ReplicaAppend): void {
    let start = from;
    for (const gap of gaps) {
      const end = this.#endBefore(bytes, start, to, gap.fromSeq);
      if (end > start) this.#append(key, bytes, start, end);
      this.#cross(key, gap);
      start = end;
    }
    if (to > start) this.#append(key, bytes, start, to);
    const hash = this.heads.get(key)?.hash ?? NO_HASH;
    if (headHash !== null && hash !== hashFromHex(headHash)) {
      throw new StoreError('forked', `The log comes to ${hashToHex(hash)}, its host's to ${headHash}: there are two histories.`);
    }
  }

  /** Where the first event lies that is not before `seq`. */
  #endBefore(bytes: Buffer, from: number, to: number, seq: number): number {
    const parts = this.#parts;
    for (let at = from; at < to; at = parts.end) {
      eventAt(bytes, at, parts);
      if (parts.seq >= seq) return at;
    }
    return to;
  }

  #cross(key: number, gap: ChainedGap): void {
    const head = this.heads.get(key);
    if (head === undefined) throw new StoreError('unknown-session', 'Cannot append: the session does not exist or was deleted.');
    if (gap.fromSeq !== head.lastSeq + 1 || gap.toSeq < gap.fromSeq || gap.epoch < head.epoch) {
      throw new StoreError(
        'not-continuing',
        `Cannot append a gap from ${gap.fromSeq} to ${gap.toSeq}: the log ends at ${head.lastSeq}.`,
      );
    }
    const hash = gap.hash === null ? null : hashFromHex(gap.hash);
    addGap(this.#db, key, { ...gap, hash });
    this.#hasEvents = true;
    this.heads.set(key, { ...head, lastSeq: gap.toSeq, lastTs: gap.ts, epoch: gap.epoch, hash: hash ?? head.hash });
  }

  #refuseUnlessContinuing(head: Head, bytes: Buffer, from: number, to: number): void {
    const parts = this.#parts;
    let { lastSeq, epoch } = head;
    for (let at = from; at < to; at = parts.end) {
      eventAt(bytes, at, parts);
      if (parts.seq !== lastSeq + 1) {
        throw new StoreError('not-continuing', `Cannot append event ${parts.seq}: the log ends at ${lastSeq}.`);
      }
      if (parts.epoch < epoch) {
        throw new StoreError(
          'not-continuing',
          `Cannot append event ${parts.seq} of epoch ${parts.epoch}: the log is at epoch ${epoch} already.`,
        );
      }
      lastSeq = parts.seq;
      epoch = parts.epoch;
    }
  }

  #label(bytes: Buffer, parts: EventParts): Label {
    const encoded = bytes.toString('latin1', parts.labelAt, parts.labelEnd);
    const known = this.#labels.get(encoded);
    if (known) return known;
    const typeAt = parts.labelAt + 2 + bytes.readUInt16BE(parts.labelAt);
    const label = {
      channel: bytes.toString('utf8', parts.labelAt + 2, typeAt),
      type: bytes.toString('utf8', typeAt + 2, parts.labelEnd),
    };
    if (this.#labels.size >= 1024) this.#labels.clear();
    this.#labels.set(encoded, label);
    return label;
  }

  #rollBack(): void {
    // A full disk rolls back by itself.
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    this.heads.rolledBack();
  }

  #failure(error: unknown): StoreFailure {
    return failureOf(explainSqlite(error, 'write to the log', this.#file));
  }
}

/** true: the whole WAL is in the file and fsynced. */
export function checkpoint(db: Database, mode: 'PASSIVE' | 'TRUNCATE'): boolean {
  const [result] = db.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[];
  return result !== undefined && result.busy === 0 && result.log === result.checkpointed;
}

/** Where each operation of a batch begins. */
function operationsOf(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += OPERATION_BYTES + bytes.readUInt32BE(at + 12)) starts.push(at);
  return starts;
}
