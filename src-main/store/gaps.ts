import type { Database } from 'better-sqlite3';
import { type ChainHash, hashFromBytes } from './chain.ts';
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
  return rows.map((row) => ({
    fromSeq: Math.max(seqOf(row.id), after + 1),
    toSeq: Math.min(row.to_seq, upTo),
    ts: row.ts,
    epoch: row.epoch,
    bytes: row.bytes,
    reason: row.reason,
    hash: row.hash && hashFromBytes(row.hash),
  }));
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
