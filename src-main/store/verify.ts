import type { Database } from 'better-sqlite3';
import type { Seq } from '../../src-shared/ids.ts';
import { type ChainHash, hashFromBytes, hashOfStored, hashToHex, NO_HASH } from './chain.ts';
import { type Gap, gapsBetween } from './gaps.ts';
import type { Verdict } from './messages.ts';
import { rowId, type StoredRow, seqOf } from './row-id.ts';

/** One step's work, so that other questions to the reader are answered in between. */
const STEP_BYTES = 4 * 1024 * 1024;
const STEP_ROWS = 2000;

/**
 * Recomputes a session's chain, step by step, as far as the log went when it began. Across a gap it goes on from the hash that the
 * gap kept; where that was lost, the first event after it is taken as it is.
 */
export class Verification {
  readonly #db: Database;
  readonly #key: number;
  readonly #lastSeq: number;
  readonly #headHash: ChainHash;
  /** What has been verified. */
  #seq = 0;
  /** null: not known, it was lost with its event. */
  #hash: ChainHash | null = NO_HASH;
  readonly #step: () => Verdict | null;

  constructor(db: Database, key: number) {
    this.#db = db;
    this.#key = key;
    const head = db
      .prepare<[number], { last_seq: number; hash: Buffer }>('SELECT last_seq, hash FROM heads WHERE key = ?')
      .get(key);
    this.#lastSeq = head?.last_seq ?? 0;
    this.#headHash = head ? hashFromBytes(head.hash) : NO_HASH;
    this.#step = db.transaction(() => this.#stepOn());
  }

  /** null: not finished yet. Each step reads its gaps anew, because more may have been compacted meanwhile. */
  step(): Verdict | null {
    return this.#step();
  }

  #stepOn(): Verdict | null {
    const gaps = gapsBetween(this.#db, this.#key, this.#seq, this.#lastSeq).reverse();
    const rows = this.#db
      .prepare<[number, number], StoredRow>('SELECT * FROM events WHERE id BETWEEN ? AND ? ORDER BY id')
      .iterate(rowId(this.#key, this.#seq + 1), rowId(this.#key, this.#lastSeq));
    let bytes = 0;
    let count = 0;
    for (const row of rows) {
      this.#crossGaps(gaps);
      const wrong = this.#check(row);
      if (wrong !== null) return wrong;
      bytes += row.payload.length;
      if (++count >= STEP_ROWS || bytes >= STEP_BYTES) return null;
    }
    this.#crossGaps(gaps);
    if (this.#seq < this.#lastSeq) return this.#wrong('is missing');
    if (this.#hash !== null && this.#hash !== this.#headHash)
      return this.#wrong('is not the one that the log ended with', this.#seq);
    return { ok: true, headHash: hashToHex(this.#headHash) };
  }

  #crossGaps(gaps: Gap[]): void {
    for (let gap = gaps.at(-1); gap !== undefined && gap.fromSeq <= this.#seq + 1; gap = gaps.at(-1)) {
      gaps.pop();
      this.#seq = gap.toSeq;
      this.#hash = gap.hash;
    }
  }

  #check(row: StoredRow): Verdict | null {
    const event = { ...row, seq: seqOf(row.id) };
    if (event.seq !== this.#seq + 1) return this.#wrong('is missing');
    const stored = hashFromBytes(row.hash);
    if (this.#hash !== null && hashOfStored(this.#hash, event) !== stored) return this.#wrong('was changed after it was written');
    this.#seq = event.seq;
    this.#hash = stored;
    return null;
  }

  #wrong(what: string, seq = this.#seq + 1): Verdict {
    return { ok: false, seq: seq as Seq, message: `Event ${seq} ${what}.` };
  }
}
