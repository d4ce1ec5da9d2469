import type { Json, LogEvent, Payload } from '../../src-shared/events.ts';
import type { Epoch, RunId, Seq } from '../../src-shared/ids.ts';
import { FORM_BYTES, FORM_JSON } from './batch.ts';
import type { EventPage } from './messages.ts';
import { rowId } from './row-id.ts';

/**
 * Events on their way from the reader: one transferable buffer, host byte order, each event as
 *   seq f64 | ts f64 | epoch u32 | label u32 (index into the page's labels) | form u32 | bytes of the payload u32 | payload
 * padded to 8 bytes, so that the numbers can be read through typed arrays.
 */
const HEADER_BYTES = 32;

/** An event as the reader selects it; the payload is the stored bytes of JSON or raw bytes. */
export type EventRow = readonly [
  id: number,
  epoch: number,
  ts: number,
  channel: string,
  type: string,
  isJson: number,
  payload: Uint8Array,
];

/** One allocation of the right size: fresh memory is what a page costs most. */
export function packEvents(key: number, rows: readonly EventRow[]): EventPage {
  const base = rowId(key, 0);
  let size = 0;
  for (const row of rows) size += HEADER_BYTES + padded(row[6].length);
  const buffer = new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  const floats = new Float64Array(buffer);
  const words = new Uint32Array(buffer);
  const labels = new Labels();
  let at = 0;
  for (const [id, epoch, ts, channel, type, isJson, payload] of rows) {
    const float = at >>> 3;
    const word = at >>> 2;
    floats[float] = id - base;
    floats[float + 1] = ts;
    words[word + 4] = epoch;
    words[word + 5] = labels.indexOf(channel, type);
    words[word + 6] = isJson === 1 ? FORM_JSON : FORM_BYTES;
    words[word + 7] = payload.length;
    bytes.set(payload, at + HEADER_BYTES);
    at += HEADER_BYTES + padded(payload.length);
  }
  return { bytes, count: rows.length, labels: labels.all };
}

/** The pairs of channel and type of a page; neighbours are mostly alike. */
class Labels {
  readonly all: [channel: string, type: string][] = [];
  readonly #index = new Map<string, number>();
  #last = -1;

  indexOf(channel: string, type: string): number {
    const last = this.all[this.#last];
    if (last !== undefined && last[0] === channel && last[1] === type) return this.#last;
    const name = `${channel}\n${type}`;
    const index = this.#index.get(name) ?? this.all.push([channel, type]) - 1;
    this.#index.set(name, index);
    this.#last = index;
    return index;
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Raw payloads are views into their page's buffer. */
export function unpackEvents(runId: RunId, pages: readonly EventPage[]): LogEvent[] {
  const events: LogEvent[] = [];
  for (const page of pages) unpackPage(runId, page, events);
  return events;
}

function unpackPage(runId: RunId, page: EventPage, events: LogEvent[]): void {
  const { buffer } = page.bytes;
  const bytes = Buffer.from(buffer);
  const floats = new Float64Array(buffer);
  const words = new Uint32Array(buffer);
  for (let index = 0, at = 0; index < page.count; index++) {
    const float = at >>> 3;
    const word = at >>> 2;
    const length = words[word + 7] ?? 0;
    const from = at + HEADER_BYTES;
    const label = page.labels[words[word + 5] ?? 0] ?? ['', ''];
    const payload: Payload =
      words[word + 6] === FORM_BYTES
        ? new Uint8Array(buffer, from, length)
        : (JSON.parse(bytes.toString('utf8', from, from + length)) as Json);
    events.push({
      runId,
      seq: floats[float] as Seq,
      epoch: words[word + 4] as Epoch,
      ts: floats[float + 1] ?? 0,
      channel: label[0],
      type: label[1],
      payload,
    });
    at = from + padded(length);
  }
}
