import type { Database, Statement } from 'better-sqlite3';
import type { Json } from '../../src-shared/events.ts';
import { rowId, seqOf } from './row-id.ts';
import { OUTPUT_CHANNEL, OutputText, TEXT_CHANNELS, textOf } from './search-text.ts';

/** How far a segment looks into the event after it, to finish a line that the cut went through. */
const LINE_END_BYTES = 1024;

export interface TextRow {
  readonly id: number;
  readonly ts: number;
  readonly channel: string;
  readonly type: string;
  readonly payload: string | Buffer;
}

/** An event whose text begins at `at` (in UTF-16 units of the segment's text). */
export interface Mark {
  readonly at: number;
  readonly seq: number;
  readonly ts: number;
  readonly channel: string;
}

export interface SegmentText {
  readonly text: string;
  readonly marks: readonly Mark[];
  /** Where the last event's own text ends; what follows belongs to the event after the segment. */
  readonly end: number;
}

/** Collects the text of events that follow one another. */
export class SegmentBuilder {
  readonly #output = new OutputText();
  #bytes = Buffer.alloc(64 * 1024);
  #used = 0;
  readonly #marks: { readonly at: number; readonly row: TextRow }[] = [];

  get textBytes(): number {
    return this.#used;
  }

  add(row: TextRow): void {
    this.#marks.push({ at: this.#used, row });
    if (row.channel === OUTPUT_CHANNEL) this.#addOutput(row.payload);
    else this.#addLine(textOf(row.channel, row.type, parsed(row.payload)));
  }

  /** `next`: the event after the segment, null if there is none. */
  finish(next: TextRow | null): SegmentText {
    const ownEnd = this.#used;
    if (next !== null && next.channel === OUTPUT_CHANNEL && this.#bytes[ownEnd - 1] !== 0x0a) {
      this.#addOutput(bytesOf(next.payload).subarray(0, LINE_END_BYTES));
      const newline = this.#bytes.subarray(ownEnd, this.#used).indexOf(0x0a);
      if (newline >= 0) this.#used = ownEnd + newline;
    }
    const bytes = this.#bytes.subarray(0, this.#used);
    const text = bytes.toString('utf8');
    const isAscii = text.length === bytes.length;
    const offset = (at: number) => (isAscii ? at : bytes.toString('utf8', 0, at).length);
    const marks = this.#marks.map(({ at, row }) => ({ at: offset(at), seq: seqOf(row.id), ts: row.ts, channel: row.channel }));
    return { text, marks, end: offset(ownEnd) };
  }

  #addOutput(payload: string | Buffer): void {
    const bytes = bytesOf(payload);
    this.#reserve(bytes.length);
    this.#used = this.#output.strip(bytes, this.#bytes, this.#used);
  }

  #addLine(line: string): void {
    if (line === '') return;
    this.#reserve(line.length * 3 + 2);
    // What stands before it is output that did not end its line.
    if (this.#used > 0 && this.#bytes[this.#used - 1] !== 0x0a) this.#bytes[this.#used++] = 0x0a;
    this.#used += this.#bytes.write(`${line}\n`, this.#used, 'utf8');
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#used + bytes, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

/** Reads the events that have text. */
export class TextRows {
  readonly #range: Statement<[number, number, string], TextRow>;
  readonly #sizesBack: Statement<[number, number, string], { id: number; bytes: number }>;

  constructor(db: Database) {
    this.#range = db.prepare(
      `SELECT id, ts, channel, type, payload FROM events
       WHERE id BETWEEN ? AND ? AND channel IN (SELECT value FROM json_each(?)) ORDER BY id`,
    );
    this.#sizesBack = db.prepare(
      `SELECT id, octet_length(payload) AS bytes FROM events
       WHERE id BETWEEN ? AND ? AND channel IN (SELECT value FROM json_each(?)) ORDER BY id DESC`,
    );
  }

  between(key: number, fromSeq: number, toSeq: number): IterableIterator<TextRow> {
    return this.#range.iterate(rowId(key, fromSeq), rowId(key, toSeq), JSON.stringify(TEXT_CHANNELS));
  }

  /** The events from `fromSeq` to `toSeq` as one text; `finishLine`: with what the next one adds to the last line. */
  text(key: number, fromSeq: number, toSeq: number, finishLine: boolean): SegmentText {
    const builder = new SegmentBuilder();
    for (const row of this.between(key, fromSeq, toSeq)) builder.add(row);
    let next: TextRow | null = null;
    if (finishLine) for (const row of this.between(key, toSeq + 1, toSeq + 1)) next = row;
    return builder.finish(next);
  }

  /** The first of the last events up to `toSeq` that come to about `bytes`; at least one, none before `fromSeq`. */
  startOf(key: number, fromSeq: number, toSeq: number, bytes: number): { readonly fromSeq: number; readonly bytes: number } {
    let sum = 0;
    for (const row of this.#sizesBack.iterate(rowId(key, fromSeq), rowId(key, toSeq), JSON.stringify(TEXT_CHANNELS))) {
      if (sum > 0 && sum + row.bytes > bytes) return { fromSeq: seqOf(row.id) + 1, bytes: sum };
      sum += row.bytes;
    }
    return { fromSeq, bytes: sum };
  }
}

function bytesOf(payload: string | Buffer): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
}

function parsed(payload: string | Buffer): Json {
  return typeof payload === 'string' ? (JSON.parse(payload) as Json) : null;
}
