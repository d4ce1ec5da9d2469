import type { Statement } from 'better-sqlite3';
import { type EventRow, packEvents } from './event-page.ts';
import type { Gap } from './gaps.ts';
import type { EventPage, ReadQuery } from './messages.ts';
import { rowId, seqOf } from './row-id.ts';

/** Rows fetched at first, before their size is known. */
const FIRST_ROWS = 64;
/** What is fetched and packed at a time: rows and page stay near the processor, and few buffers have to change threads. */
const PIECE_BYTES = 1024 * 1024;
const PIECE_ROWS = 1024;

/** Answers one query: fetches rows piece by piece, puts the gaps in their places, and stops at the query's bounds. */
export class EventRead {
  readonly #statement: Statement<unknown[], EventRow>;
  readonly #query: ReadQuery;
  /** Those not placed yet, the next one last. */
  readonly #gaps: Gap[];
  #low: number;
  #high: number;
  #count = 0;
  #rows = 0;
  #bytes = 0;
  #isFull = false;

  /** `gaps` of the query's range, in order. */
  constructor(statement: Statement<unknown[], EventRow>, query: ReadQuery, gaps: readonly Gap[]) {
    this.#statement = statement;
    this.#query = query;
    this.#gaps = query.fromEnd ? [...gaps] : gaps.toReversed();
    this.#low = rowId(query.key, query.after + 1);
    this.#high = rowId(query.key, query.upTo);
  }

  run(): EventPage[] {
    const { key, fromEnd, limit } = this.#query;
    const pages: EventPage[] = [];
    for (let fetch = FIRST_ROWS; !this.#isFull; fetch = this.#nextFetch()) {
      const asked = Math.min(fetch, limit - this.#count);
      const rows = this.#fetch(asked);
      const placed = this.#place(rows, rows.length < asked);
      if (placed.length > 0) pages.push(packEvents(key, fromEnd ? placed.toReversed() : placed));
      if (rows.length < asked) break;
    }
    return fromEnd ? pages.toReversed() : pages;
  }

  #fetch(limit: number): EventRow[] {
    const { channels, fromEnd } = this.#query;
    const rows = this.#statement.all(this.#low, this.#high, ...(channels === null ? [] : [JSON.stringify(channels)]), limit);
    const last = rows.at(-1);
    if (last !== undefined && fromEnd) this.#high = last[0] - 1;
    if (last !== undefined && !fromEnd) this.#low = last[0] + 1;
    return rows;
  }

  #nextFetch(): number {
    const average = Math.max(1, this.#bytes / Math.max(1, this.#rows));
    const room = Math.min(PIECE_BYTES, this.#query.maxBytes - this.#bytes);
    return Math.min(PIECE_ROWS, 1 + Math.ceil(room / average));
  }

  /** `isLast`: there are no rows behind these, so that all gaps that are left have their place here. */
  #place(rows: readonly EventRow[], isLast: boolean): readonly EventRow[] {
    const { limit, maxBytes, fromEnd } = this.#query;
    const placed: EventRow[] = [];
    for (const row of rows) {
      if (this.#gaps.length > 0) this.#placeGaps(placed, seqOf(row[0]));
      if (this.#isFull) return placed;
      this.#bytes += row[6].length;
      if (this.#rows > 0 && this.#bytes > maxBytes) {
        this.#isFull = true;
        return placed;
      }
      this.#rows++;
      placed.push(row);
      this.#isFull = ++this.#count >= limit;
    }
    if (isLast) this.#placeGaps(placed, fromEnd ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    return placed;
  }

  /** Those that come before event `seq`, in the direction of reading. */
  #placeGaps(placed: EventRow[], seq: number): void {
    const { fromEnd, limit } = this.#query;
    for (let gap = this.#gaps.at(-1); gap !== undefined && !this.#isFull; gap = this.#gaps.at(-1)) {
      if (fromEnd ? gap.toSeq < seq : gap.toSeq > seq) return;
      this.#gaps.pop();
      placed.push(eventOf(this.#query.key, gap));
      this.#isFull = ++this.#count >= limit;
    }
  }
}

function eventOf(key: number, { fromSeq, toSeq, bytes, reason, epoch, ts }: Gap): EventRow {
  const payload = Buffer.from(JSON.stringify({ fromSeq, toSeq, bytes, reason }), 'utf8');
  return [rowId(key, toSeq), epoch, ts, 'system:status', 'gap', 1, payload];
}
