import type { Json, LogEvent, Payload } from '../../src-shared/events.ts';
import type { Epoch, RunId, Seq } from '../../src-shared/ids.ts';
import { FORM_BYTES, FORM_JSON } from './batch.ts';
import type { EventPage } from './messages.ts';

/**
 * Events on their way from the reader: one transferable buffer, host byte order, each event as
 *   seq f64 | ts f64 | epoch u32 | label u32 (index into the page's labels) | form u32 | bytes of the payload u32 | payload
 * padded to 8 bytes, so that the numbers can be read through typed arrays.
 */
const HEADER_BYTES = 32;

/** One allocation of the right size: fresh memory is what a page costs most. */
export class EventPageWriter {
  readonly #buffer: ArrayBuffer;
  readonly #bytes: Buffer;
  readonly #floats: Float64Array;
  readonly #words: Uint32Array;
  #used = 0;
  #count = 0;
  readonly #labels: [channel: string, type: string][] = [];
  readonly #labelIndex = new Map<string, number>();
  #lastChannel = '';
  #lastType = '';
  #lastLabel = -1;

  /** Of the events that will be added. */
  constructor(payloads: readonly Uint8Array[]) {
    let size = 0;
    for (const payload of payloads) size += HEADER_BYTES + padded(payload.length);
    this.#buffer = new ArrayBuffer(size);
    this.#bytes = Buffer.from(this.#buffer);
    this.#floats = new Float64Array(this.#buffer);
    this.#words = new Uint32Array(this.#buffer);
  }

  /** `payload`: the stored bytes of JSON or raw bytes. */
  add(seq: number, epoch: number, ts: number, channel: string, type: string, isJson: boolean, payload: Uint8Array): void {
    const float = this.#used >>> 3;
    const word = this.#used >>> 2;
    this.#floats[float] = seq;
    this.#floats[float + 1] = ts;
    this.#words[word + 4] = epoch;
    this.#words[word + 5] = this.#label(channel, type);
    this.#words[word + 6] = isJson ? FORM_JSON : FORM_BYTES;
    this.#words[word + 7] = payload.length;
    this.#bytes.set(payload, this.#used + HEADER_BYTES);
    this.#used += HEADER_BYTES + padded(payload.length);
    this.#count++;
  }

  finish(): EventPage {
    return { bytes: new Uint8Array(this.#buffer), count: this.#count, labels: this.#labels };
  }

  #label(channel: string, type: string): number {
    if (channel === this.#lastChannel && type === this.#lastType && this.#lastLabel >= 0) return this.#lastLabel;
    const name = `${channel}\n${type}`;
    let index = this.#labelIndex.get(name);
    if (index === undefined) {
      index = this.#labels.push([channel, type]) - 1;
      this.#labelIndex.set(name, index);
    }
    this.#lastChannel = channel;
    this.#lastType = type;
    this.#lastLabel = index;
    return index;
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Raw payloads are views into the page's buffer. */
export function unpackEvents(runId: RunId, page: EventPage): LogEvent[] {
  const { buffer } = page.bytes;
  const bytes = Buffer.from(buffer);
  const floats = new Float64Array(buffer, 0, page.bytes.length >>> 3);
  const words = new Uint32Array(buffer, 0, page.bytes.length >>> 2);
  const events: LogEvent[] = new Array(page.count);
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
    events[index] = {
      runId,
      seq: floats[float] as Seq,
      epoch: words[word + 4] as Epoch,
      ts: floats[float + 1] ?? 0,
      channel: label[0],
      type: label[1],
      payload,
    };
    at = from + padded(length);
  }
  return events;
}
