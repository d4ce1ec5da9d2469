import type { Database } from 'better-sqlite3';
import * as z from 'zod/mini';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { SearchPage, SearchQuery } from './messages.ts';
import { keyOf, seqOf } from './row-id.ts';
import { logIdOf, openIndexForReading, type SegmentRow, trigramQuery } from './search-index.ts';
import { SearchLookup } from './search-lookup.ts';
import { TextRows } from './search-segment.ts';
import type { SearchHit } from './store.ts';
import { StoreError } from './store-error.ts';

/** Events searched together where there is no index. */
const SCAN_PIECE_BYTES = 64 * 1024;
/** What one call looks through before it answers with what it has, and a cursor. */
const SCAN_BYTES = 16 * 1024 * 1024;
/** What a segment of the index counts in that. */
const CANDIDATE_BYTES = 64 * 1024;
/** Segments passed over at a time, because the index says no. */
const LOOKED_SEGMENTS = 500;
const BEFORE_CHARS = 80;
const AFTER_CHARS = 160;

/**
 * Where to go on: in a session at event `upTo`, backwards; or in the index at that segment. `skip`: hits that begin in that event
 * (in that segment) and were given already.
 */
const Cursor = z.discriminatedUnion('in', [
  z.object({ in: z.literal('session'), key: z.int(), lastTs: z.int(), upTo: z.int(), skip: z.int() }),
  z.object({ in: z.literal('index'), ts: z.int(), id: z.int(), skip: z.int() }),
]);
type Cursor = z.infer<typeof Cursor>;
type SessionCursor = Extract<Cursor, { in: 'session' }>;
type IndexCursor = Extract<Cursor, { in: 'index' }>;

/** A session to be walked through backwards, and down to which event: what lies below is in the index. */
interface Walk {
  readonly session: SessionRow;
  readonly stopAt: number;
}

/** Events that are searched together. */
interface Piece {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** The first event is part of the piece before, too. */
  readonly overlaps: boolean;
  /** The line that its end cuts through belongs to it. */
  readonly finishLine: boolean;
  /** false: the index says that there is nothing. */
  readonly isCandidate: boolean;
}

interface SessionRow {
  readonly key: number;
  readonly run_id: RunId;
  readonly last_seq: number;
  readonly last_ts: number;
}

/**
 * Finds text in prompts, transcripts and terminal output, as it is written, upper and lower case alike; newest first. What the
 * index covers is looked up there and confirmed in the log; what it does not cover is read.
 */
export class Search {
  readonly #log: Database;
  readonly #file: string;
  readonly #rows: TextRows;
  #isClosed = false;

  constructor(log: Database, file: string) {
    this.#log = log;
    this.#file = file;
    this.#rows = new TextRows(log);
  }

  async run(query: SearchQuery): Promise<SearchPage> {
    const sessions = this.#log
      .prepare<[], SessionRow>(
        `SELECT s.key, s.run_id, h.last_seq, h.last_ts FROM sessions s JOIN heads h ON h.key = s.key
         WHERE s.deleted = 0 ORDER BY h.last_ts DESC, s.key DESC`,
      )
      .all();
    // Opened for each search: the indexer may replace the file.
    const index = openIndexForReading(this.#file, logIdOf(this.#log));
    try {
      const run = new SearchRun(this.#rows, index, sessions, query);
      const cursor = await run.go(() => this.#isClosed);
      return { hits: run.hits, cursor: cursor === null ? null : JSON.stringify(cursor) };
    } finally {
      index?.close();
    }
  }

  close(): void {
    this.#isClosed = true;
  }
}

/** One page of answers. */
class SearchRun {
  readonly hits: SearchHit[] = [];
  readonly #rows: TextRows;
  /** null: there is no index, or the query is too short for it. */
  readonly #index: SearchLookup | null;
  readonly #query: SearchQuery;
  readonly #pattern: RegExp;
  readonly #runIds: ReadonlyMap<number, RunId>;
  readonly #walks: readonly Walk[];
  /** Segments of the index that may hold the text, not yet looked at. */
  #found: SegmentRow[] = [];
  #budgetBytes = SCAN_BYTES;

  constructor(rows: TextRows, index: Database | null, sessions: readonly SessionRow[], query: SearchQuery) {
    this.#rows = rows;
    this.#query = query;
    this.#pattern = new RegExp(query.query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
    const trigrams = trigramQuery(query.query);
    this.#index = index === null || trigrams === null ? null : new SearchLookup(index, trigrams);
    this.#runIds = new Map(sessions.map((session) => [session.key, session.run_id]));
    this.#walks = sessions
      .filter((session) => query.key === null || session.key === query.key)
      .map((session) => ({ session, stopAt: query.key === null ? (this.#index?.covered(session.key).seq ?? 0) : 0 }))
      .filter(({ session, stopAt }) => session.last_seq > stopAt);
  }

  /** Returns where the next page goes on. */
  async go(isClosed: () => boolean): Promise<Cursor | null> {
    let cursor = this.#query.cursor === null ? this.#firstWalk(this.#walks) : readCursor(this.#query.cursor);
    while (cursor !== null && this.hits.length < this.#query.limit && this.#budgetBytes > 0) {
      cursor = cursor.in === 'session' ? this.#walkStep(cursor) : this.#indexStep(cursor);
      await new Promise((resolve) => setImmediate(resolve));
      if (isClosed()) throw new StoreError('closed', 'Cannot search: the log is being closed.');
    }
    return cursor;
  }

  #firstWalk(walks: readonly Walk[]): Cursor | null {
    const [walk] = walks;
    if (walk) {
      const { key, last_ts, last_seq } = walk.session;
      return { in: 'session', key, lastTs: last_ts, upTo: last_seq, skip: 0 };
    }
    if (this.#index === null || this.#query.key !== null) return null;
    return { in: 'index', ts: Number.MAX_SAFE_INTEGER, id: Number.MAX_SAFE_INTEGER, skip: 0 };
  }

  /** One piece of one session. */
  #walkStep(cursor: SessionCursor): Cursor | null {
    const { key, lastTs, upTo } = cursor;
    const walk = this.#walks.find(({ session }) => session.key === key);
    if (walk === undefined || upTo <= walk.stopAt) {
      const isLater = ({ session }: Walk) => session.last_ts < lastTs || (session.last_ts === lastTs && session.key < key);
      return this.#firstWalk(this.#query.key === null ? this.#walks.filter(isLater) : []);
    }
    const piece = this.#candidateUpTo(key, upTo, walk.stopAt);
    const found = piece.isCandidate ? this.#hitsIn(key, piece) : [];
    const given = this.#give(found, piece.toSeq === upTo ? cursor.skip : 0);
    const last = found[given - 1];
    if (given < found.length && last !== undefined) {
      return { ...cursor, upTo: last.seq, skip: found.slice(0, given).filter((hit) => hit.seq === last.seq).length };
    }
    return { ...cursor, upTo: before(piece), skip: 0 };
  }

  /** The last piece that may hold the text; or, after many that do not, one that does not. */
  #candidateUpTo(key: number, upTo: number, stopAt: number): Piece {
    let piece = this.#pieceUpTo(key, upTo, stopAt);
    for (let looked = 0; !piece.isCandidate && before(piece) > stopAt && looked < LOOKED_SEGMENTS; looked++) {
      piece = this.#pieceUpTo(key, before(piece), stopAt);
    }
    return piece;
  }

  #pieceUpTo(key: number, upTo: number, stopAt: number): Piece {
    const segment = this.#index?.segmentUpTo(key, stopAt, upTo);
    const low = segment ? seqOf(segment.id) : stopAt;
    if (segment && low === upTo) return { ...pieceOf(segment), isCandidate: this.#index?.mayHold(key, segment) ?? true };
    const covered = this.#index?.covered(key);
    const overlaps = covered?.isOpen === true && covered.seq === low;
    const { fromSeq, bytes } = this.#rows.startOf(key, overlaps ? low : low + 1, upTo, SCAN_PIECE_BYTES);
    this.#budgetBytes -= bytes;
    return { fromSeq, toSeq: upTo, overlaps: overlaps && fromSeq === low && fromSeq < upTo, finishLine: true, isCandidate: true };
  }

  /** One segment that holds all trigrams of the query. */
  #indexStep(cursor: IndexCursor): Cursor | null {
    if (this.#found.length === 0) this.#found = this.#index?.newest(cursor.ts, cursor.id) ?? [];
    const segment = this.#found.shift();
    if (segment === undefined) return null;
    const { id, ts } = segment;
    this.#budgetBytes -= CANDIDATE_BYTES;
    const hits = this.#hitsIn(keyOf(id), pieceOf(segment));
    const given = this.#give(hits, id === cursor.id ? cursor.skip : 0);
    return given < hits.length ? { in: 'index', ts, id, skip: given } : { in: 'index', ts, id: id - 1, skip: 0 };
  }

  /** Gives hits from the `skip`th on, as long as there is room. Returns how many of them have been given in all. */
  #give(hits: readonly SearchHit[], skip: number): number {
    const end = Math.min(hits.length, skip + this.#query.limit - this.hits.length);
    this.hits.push(...hits.slice(skip, end));
    return end;
  }

  /** Newest first. A match belongs to the piece in which it begins. */
  #hitsIn(key: number, piece: Piece): SearchHit[] {
    const runId = this.#runIds.get(key);
    if (runId === undefined) return [];
    const { text, marks, end } = this.#rows.text(key, piece.fromSeq, piece.toSeq, piece.finishLine);
    const hits: SearchHit[] = [];
    let at = 0;
    for (const found of text.matchAll(this.#pattern)) {
      if (found.index >= end) break;
      while ((marks[at + 1]?.at ?? Number.POSITIVE_INFINITY) <= found.index) at++;
      const mark = marks[at];
      if (mark === undefined) break;
      const matchEnd = found.index + found[0].length;
      const isInFirst = mark.seq === piece.fromSeq && matchEnd <= (marks[at + 1]?.at ?? end);
      if (piece.overlaps && isInFirst) continue;
      const { seq, ts, channel } = mark;
      hits.push({ runId, seq: seq as Seq, ts, channel, ...context(text, found.index, matchEnd) });
    }
    return hits.reverse();
  }
}

/** Where a walk backwards goes on after a piece. */
function before(piece: Piece): number {
  return piece.overlaps ? piece.fromSeq : piece.fromSeq - 1;
}

function pieceOf({ id, from_seq, overlaps, is_open }: SegmentRow): Piece {
  return { fromSeq: from_seq, toSeq: seqOf(id), overlaps: overlaps === 1, finishLine: is_open === 0, isCandidate: true };
}

/** The match and what stands beside it in its line. */
function context(text: string, from: number, to: number): Pick<SearchHit, 'before' | 'match' | 'after'> {
  const lineStart = text.lastIndexOf('\n', from - 1) + 1;
  const newline = text.indexOf('\n', to);
  return {
    before: text.slice(Math.max(from === 0 ? 0 : lineStart, from - BEFORE_CHARS), from),
    match: text.slice(from, to),
    after: text.slice(to, Math.min(newline < 0 ? text.length : newline, to + AFTER_CHARS)),
  };
}

function readCursor(text: string | null): Cursor | null {
  if (text === null) return null;
  try {
    return Cursor.parse(JSON.parse(text));
  } catch {
    throw new StoreError('bad-cursor', 'Cannot go on searching: the cursor is not one of this log. Search from the beginning.');
  }
}
