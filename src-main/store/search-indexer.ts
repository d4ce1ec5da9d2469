import { setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import type { Database } from 'better-sqlite3';
import { openForReading } from './database.ts';
import type { IndexedEvent } from './messages.ts';
import { MAX_SEQ, rowId, SEQ_SPAN, seqOf } from './row-id.ts';
import { indexPath, logIdOf, openIndexForWriting, removeIndex } from './search-index.ts';
import { SegmentBuilder, type TextRow, TextRows } from './search-segment.ts';
import { OUTPUT_CHANNEL } from './search-text.ts';
import { explainSqlite, failureOf } from './store-error.ts';

/** Text of one segment: larger ones make the index smaller and each look into one dearer. */
const SEGMENT_BYTES = 32 * 1024;
/** Of output that came faster than it could be indexed, only the end is; the rest is searched without an index. */
const BACKLOG_BYTES = 32 * 1024 * 1024;
/** After a piece of work the thread rests this many times as long as it took. */
const REST = 3;
const NICENESS = 10;

/** Segments committed together, and removed together. */
const PIECE_SEGMENTS = 8;
const REMOVE_SEGMENTS = 64;

interface Cursor {
  readonly seq: number;
  /** 1: the event at seq may go on in the next one. */
  readonly is_open: number;
}

interface SessionRow {
  readonly key: number;
  readonly last_seq: number;
  /** Output up to here was removed by the quota. */
  readonly compacted_seq: number;
}

/** The thread that brings the search index up to date and then ends. It may be ended at any time: what it has committed counts. */
export function runIndexer(port: MessagePort, file: string): void {
  // On Linux this is about the calling thread alone; elsewhere it would slow the whole process.
  if (process.platform === 'linux') setPriority(0, NICENESS);
  const log = openForReading(file);
  const index = openIndexForWriting(file, logIdOf(log));
  const indexer = new Indexer(log, index, BACKLOG_BYTES);
  const end = (message: IndexedEvent) => {
    index.close();
    log.close();
    port.postMessage(message);
    port.close();
  };
  const work = () => {
    const startedAt = performance.now();
    try {
      if (indexer.step()) timer = setTimeout(work, (performance.now() - startedAt) * REST);
      else end({ kind: 'indexed', isComplete: true, problem: null });
    } catch (error) {
      const { code, message } = failureOf(explainSqlite(error, 'bring the search index up to date', indexPath(file)));
      end({ kind: 'indexed', isComplete: false, problem: message });
      if (code === 'damaged') removeIndex(file);
    }
  };
  let timer = setTimeout(work, 0);
  port.once('message', () => {
    clearTimeout(timer);
    end({ kind: 'indexed', isComplete: false, problem: null });
  });
}

/** Goes through the sessions once; each step is one transaction on the index. */
export class Indexer {
  readonly #index: Database;
  readonly #rows: TextRows;
  readonly #backlogBytes: number;
  /** What is still to be done, last first. */
  readonly #work: (() => boolean)[];

  constructor(log: Database, index: Database, backlogBytes: number) {
    this.#index = index;
    this.#rows = new TextRows(log);
    this.#backlogBytes = backlogBytes;
    const sessions = log
      .prepare<[], SessionRow>(
        `SELECT s.key, h.last_seq, coalesce((
           SELECT max(g.to_seq) FROM gaps g
           WHERE g.id > s.key * ${SEQ_SPAN} AND g.id < (s.key + 1) * ${SEQ_SPAN} AND g.reason = 'quota'), 0) AS compacted_seq
         FROM sessions s JOIN heads h ON h.key = s.key WHERE s.deleted = 0 ORDER BY h.last_ts`,
      )
      .all();
    const keys = new Set(sessions.map((session) => session.key));
    const gone = index
      .prepare<[], { key: number }>('SELECT key FROM cursors')
      .all()
      .filter(({ key }) => !keys.has(key));
    this.#work = [
      ...sessions.flatMap((session) => [() => this.#indexPiece(session), () => this.#skipBacklog(session)]),
      ...sessions
        .filter((session) => session.compacted_seq > 0)
        .map((session) => () => this.#removePiece(session.key, session.compacted_seq)),
      ...gone.map(
        ({ key }) =>
          () =>
            this.#removePiece(key, MAX_SEQ),
      ),
    ];
  }

  /** false: everything is done. */
  step(): boolean {
    const work = this.#work.at(-1);
    if (work === undefined) return false;
    const hasMore = this.#index.transaction(work)();
    if (!hasMore) this.#work.pop();
    return true;
  }

  #skipBacklog(session: SessionRow): false {
    const first = this.#cursor(session.key).seq + 1;
    const { fromSeq } = this.#rows.startOf(session.key, first, session.last_seq, this.#backlogBytes);
    if (fromSeq > first) this.#moveCursor(session.key, fromSeq - 1, false);
    return false;
  }

  #indexPiece(session: SessionRow): boolean {
    const cursor = this.#cursor(session.key);
    if (cursor.seq >= session.last_seq) return false;
    const fromSeq = cursor.is_open === 1 ? cursor.seq : cursor.seq + 1;
    let segment = new SegmentBuilder();
    let segmentFrom = fromSeq;
    let overlaps = false;
    let last: TextRow | null = null;
    let count = 0;
    for (const row of this.#rows.between(session.key, fromSeq, session.last_seq)) {
      if (last !== null && segment.textBytes >= SEGMENT_BYTES && seqOf(last.id) > cursor.seq) {
        this.#save(segment.finish(row).text, segmentFrom, last, { overlaps, isOpen: false });
        if (++count >= PIECE_SEGMENTS) return this.#moveCursor(session.key, seqOf(last.id), false);
        segment = new SegmentBuilder();
        segmentFrom = seqOf(row.id);
        overlaps = false;
      }
      overlaps ||= seqOf(row.id) === cursor.seq;
      segment.add(row);
      last = row;
    }
    const isOpen = last?.channel === OUTPUT_CHANNEL;
    if (last !== null && seqOf(last.id) > cursor.seq && segment.textBytes > 0) {
      this.#save(segment.finish(null).text, segmentFrom, last, { overlaps, isOpen });
    }
    this.#moveCursor(session.key, last !== null && isOpen ? seqOf(last.id) : session.last_seq, isOpen);
    return false;
  }

  #cursor(key: number): Cursor {
    const row = this.#index.prepare<[number], Cursor>('SELECT seq, is_open FROM cursors WHERE key = ?').get(key);
    return row ?? { seq: 0, is_open: 0 };
  }

  #moveCursor(key: number, seq: number, isOpen: boolean): true {
    this.#index.prepare('INSERT OR REPLACE INTO cursors (key, seq, is_open) VALUES (?, ?, ?)').run(key, seq, isOpen ? 1 : 0);
    return true;
  }

  #save(text: string, fromSeq: number, last: TextRow, { overlaps, isOpen }: { overlaps: boolean; isOpen: boolean }): void {
    this.#index
      .prepare('INSERT INTO segments (id, from_seq, ts, overlaps, is_open) VALUES (?, ?, ?, ?, ?)')
      .run(last.id, fromSeq, last.ts, overlaps ? 1 : 0, isOpen ? 1 : 0);
    this.#index.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)').run(last.id, text);
  }

  /** Forgets segments that end at or before `throughSeq`; with MAX_SEQ the whole session. */
  #removePiece(key: number, throughSeq: number): boolean {
    const rows = this.#index
      .prepare<[number, number, number], { id: number }>('SELECT id FROM segments WHERE id BETWEEN ? AND ? LIMIT ?')
      .all(rowId(key, 1), rowId(key, throughSeq), REMOVE_SEGMENTS);
    for (const { id } of rows) {
      this.#index.prepare('DELETE FROM texts WHERE rowid = ?').run(id);
      this.#index.prepare('DELETE FROM segments WHERE id = ?').run(id);
    }
    if (rows.length === 0 && throughSeq === MAX_SEQ) this.#index.prepare('DELETE FROM cursors WHERE key = ?').run(key);
    return rows.length > 0;
  }
}
