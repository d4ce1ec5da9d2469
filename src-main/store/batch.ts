import type { LogEvent } from '../../src-shared/events.ts';
import { MAX_SEQ } from './row-id.ts';
import { StoreError } from './store-error.ts';

/**
 * Appended events on their way to the writer: one flat buffer, transferred, so that an event costs no object on the way and its
 * bytes are hashed and stored where they lie. Integers are big-endian.
 *
 *   operation  key u32 | events u32 | extra u32 (1 + index into the batch's extras, 0: none) | bytes of its events u32
 *   event      bytes of the record u32 | previous hash 32 (filled in by the writer) | record
 *   record     seq u64 | epoch u32 | ts i64 | channel u16 + bytes | type u16 + bytes | form u8 | payload (to the end)
 *
 * previous hash and record are exactly what the chain hashes (src-shared/SPEC.md, seq-5).
 */
export const HASH_BYTES = 32;
export const OPERATION_BYTES = 16;
export const RECORD_AT = 4 + HASH_BYTES;
const FIXED_BYTES = 20;
export const FORM_JSON = 0;
export const FORM_BYTES = 1;

/** Longer strings are measured before they are written; shorter ones get three bytes a character. */
const MEASURE_ABOVE_CHARS = 4096;
const MAX_LABELS = 1024;
const FIRST_BYTES = 8 * 1024;
const MAX_SPARE = 3;
const MAX_SPARE_BYTES = 2 * 1024 * 1024;

export class BatchEncoder {
  #bytes: Buffer<ArrayBuffer> = Buffer.alloc(0);
  #used = 0;
  #operationAt = 0;
  readonly #labels = new Map<string, Map<string, Buffer>>();
  #labelCount = 0;
  /** Buffers that came back from the writer: memory that is touched for the first time is what a large batch costs most. */
  readonly #spare: ArrayBuffer[] = [];

  get usedBytes(): number {
    return this.#used;
  }

  /** Throws StoreError on what cannot be stored and then leaves the batch as it was. Returns the bytes it added. */
  operation(key: number, events: readonly Omit<LogEvent, 'runId'>[], extra: number): number {
    this.#operationAt = this.#used;
    try {
      this.#reserve(OPERATION_BYTES);
      this.#used += OPERATION_BYTES;
      for (const event of events) this.#event(event);
    } catch (error) {
      this.#used = this.#operationAt;
      throw error;
    }
    const at = this.#operationAt;
    this.#bytes.writeUInt32BE(key, at);
    this.#bytes.writeUInt32BE(events.length, at + 4);
    this.#bytes.writeUInt32BE(extra, at + 8);
    this.#bytes.writeUInt32BE(this.#used - at - OPERATION_BYTES, at + 12);
    return this.#used - at;
  }

  /** The batch so far; the encoder starts a new one. */
  take(): Buffer<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#used);
    this.#bytes = Buffer.alloc(0);
    this.#used = 0;
    return taken;
  }

  /** Gives a batch's memory back, once nobody looks at it any more. */
  recycle(buffer: ArrayBuffer): void {
    if (this.#spare.length < MAX_SPARE && buffer.byteLength <= MAX_SPARE_BYTES) this.#spare.push(buffer);
  }

  #event(event: Omit<LogEvent, 'runId'>): void {
    if (!(event.seq >= 1 && event.seq <= MAX_SEQ)) {
      throw new StoreError('not-continuing', `Cannot append event ${event.seq}: numbers go from 1 to ${MAX_SEQ}.`);
    }
    const label = this.#label(event.channel, event.type);
    const json = event.payload instanceof Uint8Array ? null : toJson(event);
    const room = json === null ? (event.payload as Uint8Array).byteLength : roomFor(json);
    this.#reserve(RECORD_AT + FIXED_BYTES + label.length + 1 + room);
    const bytes = this.#bytes;
    const start = this.#used;
    let at = start + RECORD_AT;
    at = bytes.writeUInt32BE(0, at);
    at = bytes.writeUInt32BE(event.seq, at);
    at = bytes.writeUInt32BE(event.epoch, at);
    at = bytes.writeInt32BE(Math.floor(event.ts / 2 ** 32), at);
    at = bytes.writeUInt32BE(event.ts >>> 0, at);
    bytes.set(label, at);
    at += label.length;
    if (json === null) {
      bytes[at++] = FORM_BYTES;
      bytes.set(event.payload as Uint8Array, at);
      at += room;
    } else {
      bytes[at++] = FORM_JSON;
      at += bytes.write(json, at, 'utf8');
    }
    bytes.writeUInt32BE(at - start - RECORD_AT, start);
    this.#used = at;
  }

  /** Channel and type with their lengths, as they stand in a record. */
  #label(channel: string, type: string): Buffer {
    const known = this.#labels.get(channel)?.get(type);
    if (known) return known;
    const parts = [channel, type].map((text) => Buffer.from(text, 'utf8'));
    if (parts.some((part) => part.length > 0xffff)) {
      throw new StoreError('bad-payload', `Cannot append an event whose channel or type is longer than ${0xffff} bytes.`);
    }
    const label = Buffer.concat(parts.flatMap((part) => [Buffer.from([part.length >> 8, part.length & 0xff]), part]));
    // Channels are few, but their names come from adapters.
    if (this.#labelCount >= MAX_LABELS) {
      this.#labels.clear();
      this.#labelCount = 0;
    }
    const types = this.#labels.get(channel) ?? new Map<string, Buffer>();
    this.#labels.set(channel, types.set(type, label));
    this.#labelCount++;
    return label;
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#bytes.length) return;
    const spare = this.#spare.findIndex((buffer) => buffer.byteLength >= needed);
    const [buffer = new ArrayBuffer(Math.max(needed, this.#bytes.length * 2, FIRST_BYTES))] =
      spare < 0 ? [] : this.#spare.splice(spare, 1);
    const larger = Buffer.from(buffer);
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

function toJson(event: Omit<LogEvent, 'runId'>): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(event.payload);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StoreError('bad-payload', `Cannot append ${event.channel} ${event.type}: its payload is not JSON (${why}).`);
  }
  if (json === undefined) {
    throw new StoreError('bad-payload', `Cannot append ${event.channel} ${event.type}: its payload is not JSON (undefined).`);
  }
  return json;
}

function roomFor(text: string): number {
  return text.length > MEASURE_ABOVE_CHARS ? Buffer.byteLength(text, 'utf8') : text.length * 3;
}

/** Where the parts of the event at `at` lie. `labelEnd` is where the form byte stands; the payload follows it. */
export interface EventParts {
  seq: number;
  epoch: number;
  ts: number;
  prevAt: number;
  labelAt: number;
  labelEnd: number;
  end: number;
}

/** Fills `parts` (one object for all events of a batch, so that an event costs none). */
export function eventAt(bytes: Buffer, at: number, parts: EventParts): void {
  const record = at + RECORD_AT;
  parts.seq = bytes.readUInt32BE(record + 4);
  parts.epoch = bytes.readUInt32BE(record + 8);
  parts.ts = bytes.readInt32BE(record + 12) * 2 ** 32 + bytes.readUInt32BE(record + 16);
  parts.prevAt = at + 4;
  parts.labelAt = record + FIXED_BYTES;
  const typeAt = parts.labelAt + 2 + bytes.readUInt16BE(parts.labelAt);
  parts.labelEnd = typeAt + 2 + bytes.readUInt16BE(typeAt);
  parts.end = record + bytes.readUInt32BE(at);
}
