import type { Database } from 'better-sqlite3';
import type { Seq } from '../../src-shared/ids.ts';
import { hashFromBytes } from './chain.ts';
import { addGap } from './gaps.ts';
import { MAX_SEQ, rowId, seqOf } from './row-id.ts';
import type { Writer } from './writer.ts';

/** What one step removes at most: a step holds up the writer for some ten milliseconds. */
const STEP_ROWS = 2000;
const STEP_BYTES = 4 * 1024 * 1024;
/** A screen counts as close if no more than this lies before it. */
const SCREEN_REACH_BYTES = 16 * 1024 * 1024;
/** Screens from before the cut that are kept, newest first: each is a page of the past that is otherwise gone. */
const KEPT_SCREENS = 16;
/** Free pages beyond this share of the file are given back to the disk, so many at a time. */
const FREE_SHARE = 0.2;
const VACUUM_PAGES = 512;

interface OutputRow {
  id: number;
  ts: number;
  epoch: number;
  hash: Buffer;
  bytes: number;
}

/**
 * Removes a session's oldest terminal output until at most `keepBytes` are left; if a stored screen follows closely, up to that
 * screen, so that what comes after the gap can be drawn on a known one. The newest event always stays. Each step is a
 * transaction of its own: a crash in between leaves a shorter log with a longer gap.
 */
export class Compaction {
  readonly #db: Database;
  readonly #writer: Writer;
  readonly #key: number;
  readonly #keepBytes: number;
  /** Output up to here has been removed. */
  #doneThrough: number;
  /** Output up to here goes although the quota no longer asks for it; null until the quota is met. */
  #screenSeq: number | null = null;
  freedBytes = 0;

  constructor(db: Database, writer: Writer, key: number, keepBytes: number) {
    this.#db = db;
    this.#writer = writer;
    this.#key = key;
    this.#keepBytes = keepBytes;
    this.#doneThrough = this.#compactedThrough();
  }

  get throughSeq(): Seq {
    return this.#doneThrough as Seq;
  }

  /** false: nothing is left to do. */
  step(): boolean {
    const head = this.#writer.heads.get(this.#key);
    if (head === undefined) return false;
    const excess = head.outputBytes - this.#keepBytes;
    if (excess > 0 && this.#removeOldest(head.lastSeq - 1, excess)) return true;
    if (this.freedBytes === 0) return false;
    this.#screenSeq ??= this.#nextScreen(head.lastSeq - 1);
    if (this.#removeOldest(this.#screenSeq, Number.POSITIVE_INFINITY)) return true;
    this.#writer.transaction(() => this.#dropScreens());
    return false;
  }

  /** Everything below the last quota gap has been looked at before. */
  #compactedThrough(): number {
    const row = this.#db
      .prepare<[number, number], { to_seq: number }>(
        `SELECT to_seq FROM gaps WHERE id BETWEEN ? AND ? AND reason = 'quota' ORDER BY id DESC LIMIT 1`,
      )
      .get(rowId(this.#key, 1), rowId(this.#key, MAX_SEQ));
    return row?.to_seq ?? 0;
  }

  /** The first stored screen from here on, if little output lies before it; else 0. */
  #nextScreen(upTo: number): number {
    const screen = this.#db
      .prepare<[number, number, number], { seq: number }>(
        'SELECT seq FROM screens WHERE key = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT 1',
      )
      .get(this.#key, this.#doneThrough, upTo);
    if (screen === undefined) return 0;
    const rows = this.#outputRows(screen.seq, STEP_ROWS);
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
    return rows.length < STEP_ROWS && bytes <= Math.min(this.#keepBytes / 2, SCREEN_REACH_BYTES) ? screen.seq : 0;
  }

  /** One step: at most `enough` bytes and what crosses them. false: there is no output left up to that event. */
  #removeOldest(upTo: number, enough: number): boolean {
    const head = this.#writer.heads.get(this.#key);
    const rows = cutAt(this.#outputRows(upTo, STEP_ROWS), Math.min(enough, STEP_BYTES));
    const last = rows.at(-1);
    if (head === undefined || last === undefined) return false;
    const freed = rows.reduce((sum, row) => sum + row.bytes, 0);
    this.#writer.transaction(() => {
      for (const run of runsOf(rows)) this.#remove(run);
      this.#writer.heads.set(this.#key, { ...head, outputBytes: head.outputBytes - freed });
    });
    this.freedBytes += freed;
    this.#doneThrough = seqOf(last.id);
    return true;
  }

  #outputRows(upTo: number, limit: number): OutputRow[] {
    return this.#db
      .prepare<[number, number, number], OutputRow>(
        `SELECT id, ts, epoch, hash, octet_length(payload) AS bytes FROM events
         WHERE id BETWEEN ? AND ? AND channel = 'pty:stdout' ORDER BY id LIMIT ?`,
      )
      .all(rowId(this.#key, this.#doneThrough + 1), rowId(this.#key, upTo), limit);
  }

  #remove(run: readonly OutputRow[]): void {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#db.prepare('DELETE FROM events WHERE id BETWEEN ? AND ?').run(first.id, last.id);
    addGap(this.#db, this.#key, {
      fromSeq: seqOf(first.id),
      toSeq: seqOf(last.id),
      ts: last.ts,
      epoch: last.epoch,
      bytes: run.reduce((sum, row) => sum + row.bytes, 0),
      reason: 'quota',
      hash: hashFromBytes(last.hash),
    });
  }

  #dropScreens(): void {
    this.#db
      .prepare(
        `DELETE FROM screens WHERE key = ? AND seq <= (
           SELECT seq FROM screens WHERE key = ? AND seq <= ? ORDER BY seq DESC LIMIT 1 OFFSET ${KEPT_SCREENS})`,
      )
      .run(this.#key, this.#key, this.#doneThrough);
  }
}

/** The first rows that come to `bytes` together. */
function cutAt<R extends { bytes: number }>(rows: readonly R[], bytes: number): readonly R[] {
  let sum = 0;
  const end = rows.findIndex((row) => {
    sum += row.bytes;
    return sum >= bytes;
  });
  return end < 0 ? rows : rows.slice(0, end + 1);
}

/** Rows whose numbers follow one another, together. */
function runsOf(rows: readonly OutputRow[]): OutputRow[][] {
  const runs: OutputRow[][] = [];
  let run: OutputRow[] = [];
  for (const row of rows) {
    if (run.at(-1)?.id !== row.id - 1) {
      run = [];
      runs.push(run);
    }
    run.push(row);
  }
  return runs;
}

/** Removes what deleted sessions left behind, also those of an earlier process. false: nothing is left. */
export function removeDeleted(db: Database, writer: Writer): boolean {
  const session = db.prepare<[], { key: number }>('SELECT key FROM sessions WHERE deleted = 1 LIMIT 1').get();
  if (session === undefined) return false;
  const [first, last] = [rowId(session.key, 0), rowId(session.key, MAX_SEQ)];
  writer.transaction(() => {
    const rows = db
      .prepare<[number, number, number], { id: number; bytes: number }>(
        'SELECT id, octet_length(payload) AS bytes FROM events WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?',
      )
      .all(first, last, STEP_ROWS);
    const through = cutAt(rows, STEP_BYTES).at(-1);
    if (through !== undefined) {
      db.prepare('DELETE FROM events WHERE id BETWEEN ? AND ?').run(first, through.id);
      return;
    }
    db.prepare('DELETE FROM gaps WHERE id BETWEEN ? AND ?').run(first, last);
    db.prepare('DELETE FROM sessions WHERE key = ?').run(session.key);
  });
  return true;
}

/** Gives pages back to the disk when many are free. false: they are few. */
export function shrink(db: Database): boolean {
  const free = Number(db.pragma('freelist_count', { simple: true }));
  const all = Number(db.pragma('page_count', { simple: true }));
  if (free < VACUUM_PAGES || free < all * FREE_SHARE) return false;
  db.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
  return true;
}
