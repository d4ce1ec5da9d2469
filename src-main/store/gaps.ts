import type { Database } from 'better-sqlite3';
import { type ChainHash, hashFromBytes, NO_HASH } from './chain.ts';
import { rowId, SEQ_SPAN, seqOf } from './row-id.ts';

/** A run of events that is no longer there. Reading yields it as one `system:status gap` event that stands at `toSeq`. */
export interface Gap {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Of the last event of the run. */
  readonly ts: number;
  readonly epoch: number;
  /** Payload bytes that the run held; 0 where that is not known. */
  readonly bytes: number;
  readonly reason: string;
  /** Of the last event of the run, so that the chain goes on after it; null where it was lost. */
  readonly hash: ChainHash | null;
}

interface GapRow {
  id: number;
  to_seq: number;
  ts: number;
  epoch: number;
  bytes: number;
  reason: string;
  hash: Buffer | null;
}

/** Gaps that touch after < seq <= upTo, cut to that range (`bytes` stays the whole run's), in order. */
export function gapsBetween(db: Database, key: number, after: number, upTo: number): Gap[] {
  const rows = db
    .prepare<[number, number, number], GapRow>('SELECT * FROM gaps WHERE id BETWEEN ? AND ? AND to_seq > ? ORDER BY id')
    .all(rowId(key, 1), rowId(key, upTo), after);
  return rows.map((row) => gapOf(row, Math.max(seqOf(row.id), after + 1), Math.min(row.to_seq, upTo)));
}

function gapOf({ ts, epoch, bytes, reason, hash }: GapRow, fromSeq: number, toSeq: number): Gap {
  return { fromSeq, toSeq, ts, epoch, bytes, reason, hash: hash && hashFromBytes(hash) };
}

/** Why a run is missing that a replica has not fetched yet. */
export const NOT_HERE_YET = 'not here yet';

/** The run at a log's beginning that was not fetched yet; null where there is none. */
export function missingPart(db: Database, key: number): Gap | null {
  const [first] = db
    .prepare<[number, number, string], GapRow>('SELECT * FROM gaps WHERE id > ? AND id < ? AND reason = ? ORDER BY id LIMIT 1')
    .all(key * SEQ_SPAN, (key + 1) * SEQ_SPAN, NOT_HERE_YET);
  return first === undefined ? null : gapOf(first, seqOf(first.id), first.to_seq);
}

/** Events up to `throughSeq` are there now. */
export function shortenMissingPart(db: Database, key: number, missing: Gap, throughSeq: number): void {
  db.prepare('DELETE FROM gaps WHERE id = ?').run(rowId(key, missing.fromSeq));
  if (throughSeq < missing.toSeq) addGap(db, key, { ...missing, fromSeq: throughSeq + 1 });
}

/** The hash of event `seq`, whether it is there or in a run that is not; null where it is not known. */
export function hashAt(db: Database, key: number, seq: number): ChainHash | null {
  if (seq === 0) return NO_HASH;
  const id = rowId(key, seq);
  const row = db.prepare<[number], { hash: Buffer }>('SELECT hash FROM events WHERE id = ?').get(id);
  if (row !== undefined) return hashFromBytes(row.hash);
  const gap = db
    .prepare<[number, number, number], { hash: Buffer | null }>('SELECT hash FROM gaps WHERE id > ? AND id <= ? AND to_seq = ?')
    .get(key * SEQ_SPAN, id, seq);
  return gap?.hash ? hashFromBytes(gap.hash) : null;
}

/** Adds a run, or lengthens the one that ends just before it for the same reason. */
export function addGap(db: Database, key: number, gap: Gap): void {
  const hash = gap.hash === null ? null : Buffer.from(gap.hash, 'latin1');
  const lengthened = db
    .prepare(
      `UPDATE gaps SET to_seq = ?, ts = ?, epoch = ?, bytes = bytes + ?, hash = ?
       WHERE id = (SELECT max(id) FROM gaps WHERE id > ? AND id < ?) AND to_seq = ? AND reason = ?`,
    )
    .run(gap.toSeq, gap.ts, gap.epoch, gap.bytes, hash, key * SEQ_SPAN, rowId(key, gap.fromSeq), gap.fromSeq - 1, gap.reason);
  if (lengthened.changes > 0) return;
  db.prepare('INSERT INTO gaps (id, to_seq, ts, epoch, bytes, reason, hash) VALUES (?, ?, ?, ?, ?, ?, ?)').run(
    rowId(key, gap.fromSeq),
    gap.toSeq,
    gap.ts,
    gap.epoch,
    gap.bytes,
    gap.reason,
    hash,
  );
}
