import type { Database, Statement } from 'better-sqlite3';
import { MAX_SEQ, rowId } from './row-id.ts';
import type { SegmentRow } from './search-index.ts';

/** Segments looked up at once. */
const FOUND_SEGMENTS = 64;

/** What a search asks the index, its statements prepared once. */
export class SearchLookup {
  readonly #trigrams: string;
  readonly #upTo: Statement<[number, number], SegmentRow>;
  readonly #inSession: Statement<[string, number, number], { id: number }>;
  readonly #newest: Statement<[string, number, number, number], SegmentRow>;
  readonly #cursor: Statement<[number], { seq: number; is_open: number }>;
  readonly #candidates = new Map<number, ReadonlySet<number>>();

  constructor(index: Database, trigrams: string) {
    this.#trigrams = trigrams;
    this.#upTo = index.prepare('SELECT * FROM segments WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT 1');
    this.#inSession = index.prepare('SELECT rowid AS id FROM texts WHERE texts MATCH ? AND rowid BETWEEN ? AND ?');
    this.#newest = index.prepare(
      `SELECT s.* FROM texts JOIN segments s ON s.id = texts.rowid
       WHERE texts MATCH ? AND (s.ts, s.id) <= (?, ?) ORDER BY s.ts DESC, s.id DESC LIMIT ?`,
    );
    this.#cursor = index.prepare('SELECT seq, is_open FROM cursors WHERE key = ?');
  }

  /** The last segment of the session that ends after `after` and at or before `upTo`. */
  segmentUpTo(key: number, after: number, upTo: number): SegmentRow | undefined {
    return this.#upTo.get(rowId(key, after), rowId(key, upTo));
  }

  /** false: the text is not in that segment. */
  mayHold(key: number, segment: SegmentRow): boolean {
    const known = this.#candidates.get(key);
    if (known) return known.has(segment.id);
    const rows = this.#inSession.all(this.#trigrams, rowId(key, 1), rowId(key, MAX_SEQ));
    const candidates = new Set(rows.map(({ id }) => id));
    this.#candidates.set(key, candidates);
    return candidates.has(segment.id);
  }

  /** Segments of all sessions that may hold the text, newest first, from that one on. */
  newest(fromTs: number, fromId: number): SegmentRow[] {
    return this.#newest.all(this.#trigrams, fromTs, fromId, FOUND_SEGMENTS);
  }

  /** How far the index covers the session. */
  covered(key: number): { readonly seq: number; readonly isOpen: boolean } {
    const row = this.#cursor.get(key);
    return { seq: row?.seq ?? 0, isOpen: row?.is_open === 1 };
  }
}
