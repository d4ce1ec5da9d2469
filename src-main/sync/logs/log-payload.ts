import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { LogEvent } from '../../../src-shared/events.ts';
import { Epoch, type RunId, Seq, Timestamp } from '../../../src-shared/ids.ts';
import { fromHex, HASH_BYTES, toHex } from '../../../src-shared/seal.ts';
import { decodeEventJson } from '../../../src-shared/values.ts';
import type { ChainedGap, ChainedPage } from '../../store/store.ts';
import { describeLarge, type LargePayload, MAX_LARGE_BYTES } from './large-event.ts';

/**
 * What a sealed batch of a log holds: version u8 ‖ form u8 (0 as it is, 1 deflated) ‖ body. The body, in lib0's encoding:
 *   first seq ‖ items ‖ hash of the chain at the end (u8, and 32 bytes where it is 1) ‖ each item
 *   event  u8 0 JSON text, 1 bytes ‖ epoch ‖ ts ‖ channel ‖ type ‖ payload as it is stored
 *   gap    u8 2 ‖ last seq ‖ epoch ‖ ts ‖ bytes ‖ reason ‖ hash of its last event (as above)
 *   large  u8 3 JSON text, 4 bytes ‖ epoch ‖ ts ‖ channel ‖ type ‖ bytes and BLAKE2b-256 (32) of its payload, which comes in pieces of
 *          its own (large-event.ts)
 * Events are numbered from the first seq on, without holes.
 */
const VERSION = 1;
const PLAIN = 0;
const DEFLATED = 1;
const JSON_EVENT = 0;
const BYTES_EVENT = 1;
const GAP = 2;
const LARGE_JSON = 3;
const LARGE_BYTES = 4;
/** Smaller ones are not worth it: a change of a session's state is one, and each reader would have to inflate it. */
const DEFLATE_FROM_BYTES = 1024;
/** Up to here the way to another thread and back costs more than the work. */
const DEFLATE_HERE_BYTES = 16 * 1024;
const INFLATE_HERE_BYTES = 4 * 1024;
/** What may come out of a batch, however small it is. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_ITEMS = 16_384;

const deflate = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** `body`, deflated where that makes it smaller. */
export async function pack(body: Uint8Array): Promise<Uint8Array> {
  const small = body.byteLength < DEFLATE_FROM_BYTES ? null : await deflated(body);
  const isSmaller = small !== null && small.byteLength < body.byteLength;
  const payload = new Uint8Array(2 + (isSmaller ? small : body).byteLength);
  payload[0] = VERSION;
  payload[1] = isSmaller ? DEFLATED : PLAIN;
  payload.set(isSmaller ? small : body, 2);
  return payload;
}

function deflated(body: Uint8Array): Buffer | Promise<Buffer> {
  const options = { level: constants.Z_BEST_SPEED };
  return body.byteLength <= DEFLATE_HERE_BYTES ? deflateRawSync(body, options) : deflate(body, options);
}

/** Throws for what is no payload, or would become too large. */
export async function unpack(payload: Uint8Array): Promise<Uint8Array> {
  const form = payload[1];
  if (payload[0] !== VERSION || (form !== PLAIN && form !== DEFLATED)) throw new Error('this payload is of a later version');
  const body = payload.subarray(2);
  if (form === PLAIN) return body;
  const options = { maxOutputLength: MAX_BODY_BYTES };
  return body.byteLength <= INFLATE_HERE_BYTES ? inflateRawSync(body, options) : inflate(body, options);
}

/** `large`: every event of the page travels in pieces of its own. */
export function encodeLog(firstSeq: number, { items, headHash }: ChainedPage, large = false): Promise<Uint8Array> {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, firstSeq);
  encoding.writeVarUint(encoder, items.length);
  writeHash(encoder, headHash);
  for (const item of items) {
    if ('fromSeq' in item) {
      encoding.writeUint8(encoder, GAP);
      encoding.writeVarUint(encoder, item.toSeq);
      encoding.writeVarUint(encoder, item.epoch);
      encoding.writeVarInt(encoder, item.ts);
      encoding.writeVarUint(encoder, item.bytes);
      encoding.writeVarString(encoder, item.reason);
      writeHash(encoder, item.hash);
    } else {
      const kinds = large ? [LARGE_JSON, LARGE_BYTES] : [JSON_EVENT, BYTES_EVENT];
      encoding.writeUint8(encoder, (item.isJson ? kinds[0] : kinds[1]) as number);
      encoding.writeVarUint(encoder, item.epoch);
      encoding.writeVarInt(encoder, item.ts);
      encoding.writeVarString(encoder, item.channel);
      encoding.writeVarString(encoder, item.type);
      if (large) {
        const { bytes, hash } = describeLarge(item.payload);
        encoding.writeVarUint(encoder, bytes);
        encoding.writeUint8Array(encoder, fromHex(hash));
      } else encoding.writeVarUint8Array(encoder, item.payload);
    }
  }
  return pack(encoding.toUint8Array(encoder));
}

/** An event of which only the description came. */
export interface LargeEvent extends LargePayload {
  readonly seq: number;
}

export interface LogPiece {
  readonly events: readonly LogEvent[];
  readonly gaps: readonly ChainedGap[];
  readonly headHash: string | null;
  /** Set where the payload of an event has to be fetched first; there are no events then. */
  readonly missing: LargeEvent | null;
}

/**
 * The events of a batch that says it holds `from` to `to`, without those up to `known`. Throws for anything else; nothing of it counts
 * then.
 */
export async function decodeLog(
  payload: Uint8Array,
  { runId, from, to, known }: { readonly runId: RunId; readonly from: number; readonly to: number; readonly known: number },
  /** The payloads that were fetched, by seq. */
  large: ReadonlyMap<number, Uint8Array> = new Map(),
): Promise<LogPiece> {
  const decoder = decoding.createDecoder(await unpack(payload));
  const events: LogEvent[] = [];
  const gaps: ChainedGap[] = [];
  let seq = decoding.readVarUint(decoder) - 1;
  if (seq !== from - 1) throw new Error(`the batch begins at ${seq + 1}, not at ${from}`);
  const count = decoding.readVarUint(decoder);
  if (count > MAX_ITEMS) throw new Error(`a batch of ${count} events`);
  const headHash = readHash(decoder);
  for (let read = 0; read < count; read++) {
    const kind = decoding.readUint8(decoder);
    if (kind === GAP) {
      const gap = readGap(decoder, seq + 1);
      seq = gap.toSeq;
      if (seq > known) gaps.push({ ...gap, fromSeq: Seq.parse(Math.max(gap.fromSeq, known + 1)) });
    } else {
      const event = readEvent(decoder, runId, ++seq, kind, large.get(seq));
      if (seq <= known) continue;
      if ('hash' in event) return { events: [], gaps: [], headHash: null, missing: event };
      events.push(event);
    }
  }
  if (seq !== to || decoding.hasContent(decoder)) throw new Error(`the batch ends at ${seq}, not at ${to}`);
  return { events, gaps, headHash, missing: null };
}

function readGap(decoder: decoding.Decoder, from: number): ChainedGap {
  const toSeq = Seq.parse(decoding.readVarUint(decoder));
  if (toSeq < from) throw new Error('a gap that ends before it begins');
  return {
    fromSeq: Seq.parse(from),
    toSeq,
    epoch: Epoch.parse(decoding.readVarUint(decoder)),
    ts: Timestamp.parse(decoding.readVarInt(decoder)),
    bytes: decoding.readVarUint(decoder),
    reason: decoding.readVarString(decoder),
    hash: readHash(decoder),
  };
}

function readEvent(
  decoder: decoding.Decoder,
  runId: RunId,
  seq: number,
  kind: number,
  fetched: Uint8Array | undefined,
): LogEvent | LargeEvent {
  if (kind > LARGE_BYTES) throw new Error(`an item of kind ${kind}`);
  const epoch = Epoch.parse(decoding.readVarUint(decoder));
  const ts = Timestamp.parse(decoding.readVarInt(decoder));
  const channel = decoding.readVarString(decoder);
  const type = decoding.readVarString(decoder);
  const isLarge = kind === LARGE_JSON || kind === LARGE_BYTES;
  const large = isLarge ? readLarge(decoder, seq) : null;
  if (large !== null && fetched === undefined) return large;
  const bytes = fetched ?? decoding.readVarUint8Array(decoder);
  const isJson = kind === JSON_EVENT || kind === LARGE_JSON;
  const payload = isJson ? decodeEventJson(utf8.decode(bytes)) : bytes.slice();
  return { runId, seq: Seq.parse(seq), epoch, ts, channel, type, payload };
}

function readLarge(decoder: decoding.Decoder, seq: number): LargeEvent {
  const bytes = decoding.readVarUint(decoder);
  if (bytes > MAX_LARGE_BYTES) throw new Error(`an event of ${bytes} bytes`);
  return { seq, bytes, hash: toHex(decoding.readUint8Array(decoder, HASH_BYTES)) };
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function writeHash(encoder: encoding.Encoder, hash: string | null): void {
  encoding.writeUint8(encoder, hash === null ? 0 : 1);
  if (hash !== null) encoding.writeUint8Array(encoder, fromHex(hash));
}

function readHash(decoder: decoding.Decoder): string | null {
  return decoding.readUint8(decoder) === 0 ? null : toHex(decoding.readUint8Array(decoder, HASH_BYTES));
}
