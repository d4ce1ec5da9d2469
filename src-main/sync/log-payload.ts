import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRaw } from 'node:zlib';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type { Json, LogEvent } from '../../src-shared/events.ts';
import { Epoch, type RunId, Seq } from '../../src-shared/ids.ts';
import { fromHex, HASH_BYTES, toHex } from '../../src-shared/seal.ts';
import type { ChainedGap, ChainedPage } from '../store/store.ts';

/**
 * What a sealed batch of a log holds: version u8 ‖ form u8 (0 as it is, 1 deflated) ‖ body. The body, in lib0's encoding:
 *   first seq ‖ items ‖ hash of the chain at the end (u8, and 32 bytes where it is 1) ‖ each item
 *   event  u8 0 JSON text, 1 bytes ‖ epoch ‖ ts ‖ channel ‖ type ‖ payload as it is stored
 *   gap    u8 2 ‖ last seq ‖ epoch ‖ ts ‖ bytes ‖ reason ‖ hash of its last event (as above)
 * Events are numbered from the first seq on, without holes.
 */
const VERSION = 1;
const PLAIN = 0;
const DEFLATED = 1;
const JSON_EVENT = 0;
const BYTES_EVENT = 1;
const GAP = 2;
/** Smaller ones are not worth it. */
const DEFLATE_FROM_BYTES = 256;
/** What may come out of a batch, however small it is. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_ITEMS = 16_384;

const deflate = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw);
const inflate = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

/** `body`, deflated where that makes it smaller. */
export async function pack(body: Uint8Array): Promise<Uint8Array> {
  const small = body.byteLength < DEFLATE_FROM_BYTES ? null : await deflate(body, { level: constants.Z_BEST_SPEED });
  const isSmaller = small !== null && small.byteLength < body.byteLength;
  const payload = new Uint8Array(2 + (isSmaller ? small : body).byteLength);
  payload[0] = VERSION;
  payload[1] = isSmaller ? DEFLATED : PLAIN;
  payload.set(isSmaller ? small : body, 2);
  return payload;
}

/** Throws for what is no payload, or would become too large. */
export async function unpack(payload: Uint8Array): Promise<Uint8Array> {
  const form = payload[1];
  if (payload[0] !== VERSION || (form !== PLAIN && form !== DEFLATED)) throw new Error('this payload is of a later version');
  const body = payload.subarray(2);
  return form === PLAIN ? body : inflate(body, { maxOutputLength: MAX_BODY_BYTES });
}

export function encodeLog(firstSeq: number, { items, headHash }: ChainedPage): Promise<Uint8Array> {
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
      encoding.writeUint8(encoder, item.isJson ? JSON_EVENT : BYTES_EVENT);
      encoding.writeVarUint(encoder, item.epoch);
      encoding.writeVarInt(encoder, item.ts);
      encoding.writeVarString(encoder, item.channel);
      encoding.writeVarString(encoder, item.type);
      encoding.writeVarUint8Array(encoder, item.payload);
    }
  }
  return pack(encoding.toUint8Array(encoder));
}

export interface LogPiece {
  readonly events: readonly LogEvent[];
  readonly gaps: readonly ChainedGap[];
  readonly headHash: string | null;
}

/**
 * The events of a batch that says it holds `from` to `to`, without those up to `known`. Throws for anything else; nothing of it counts
 * then.
 */
export async function decodeLog(
  payload: Uint8Array,
  { runId, from, to, known }: { readonly runId: RunId; readonly from: number; readonly to: number; readonly known: number },
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
      const event = readEvent(decoder, runId, ++seq, kind);
      if (seq > known) events.push(event);
    }
  }
  if (seq !== to || decoding.hasContent(decoder)) throw new Error(`the batch ends at ${seq}, not at ${to}`);
  return { events, gaps, headHash };
}

function readGap(decoder: decoding.Decoder, from: number): ChainedGap {
  const toSeq = Seq.parse(decoding.readVarUint(decoder));
  if (toSeq < from) throw new Error('a gap that ends before it begins');
  return {
    fromSeq: Seq.parse(from),
    toSeq,
    epoch: Epoch.parse(decoding.readVarUint(decoder)),
    ts: decoding.readVarInt(decoder),
    bytes: decoding.readVarUint(decoder),
    reason: decoding.readVarString(decoder),
    hash: readHash(decoder),
  };
}

function readEvent(decoder: decoding.Decoder, runId: RunId, seq: number, kind: number): LogEvent {
  if (kind !== JSON_EVENT && kind !== BYTES_EVENT) throw new Error(`an item of kind ${kind}`);
  const epoch = Epoch.parse(decoding.readVarUint(decoder));
  const ts = decoding.readVarInt(decoder);
  const channel = decoding.readVarString(decoder);
  const type = decoding.readVarString(decoder);
  const bytes = decoding.readVarUint8Array(decoder);
  const payload = kind === BYTES_EVENT ? bytes.slice() : (JSON.parse(utf8.decode(bytes)) as Json);
  return { runId, seq: Seq.parse(seq), epoch, ts, channel, type, payload };
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function writeHash(encoder: encoding.Encoder, hash: string | null): void {
  encoding.writeUint8(encoder, hash === null ? 0 : 1);
  if (hash !== null) encoding.writeUint8Array(encoder, fromHex(hash));
}

function readHash(decoder: decoding.Decoder): string | null {
  return decoding.readUint8(decoder) === 0 ? null : toHex(decoding.readUint8Array(decoder, HASH_BYTES));
}
