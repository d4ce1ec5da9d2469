import { hash } from 'node:crypto';
import { FORM_BYTES, FORM_JSON, HASH_BYTES } from './batch.ts';

/** A hash as a string of 32 latin1 characters: hashing into a string is twice as fast as into a Buffer. */
export type ChainHash = string;

/** Before the first event. */
export const NO_HASH: ChainHash = '\0'.repeat(HASH_BYTES);

/** `bytes` is the previous hash followed by the record (see batch.ts). */
export function chainHash(bytes: Buffer): ChainHash {
  return hash('sha256', bytes, 'binary');
}

export function hashFromBytes(bytes: Uint8Array): ChainHash {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function hashToHex(value: ChainHash): string {
  return Buffer.from(value, 'latin1').toString('hex');
}

export function hashFromHex(hex: string): ChainHash {
  return Buffer.from(hex, 'hex').toString('latin1');
}

/** An event as it stands in its row. `payload` is text (JSON) or bytes. */
export interface StoredEvent {
  readonly seq: number;
  readonly epoch: number;
  readonly ts: number;
  readonly channel: string;
  readonly type: string;
  readonly payload: string | Buffer;
}

/** What the event's hash must be after `previous`: the same bytes that batch.ts lays out, built from a stored row. */
export function hashOfStored(previous: ChainHash, event: StoredEvent): ChainHash {
  const channel = Buffer.from(event.channel, 'utf8');
  const type = Buffer.from(event.type, 'utf8');
  const isJson = typeof event.payload === 'string';
  const payload = isJson ? Buffer.from(event.payload, 'utf8') : event.payload;
  const head = Buffer.alloc(HASH_BYTES + 20 + 2 + channel.length + 2 + type.length + 1);
  let at = head.write(previous, 0, 'latin1');
  at = head.writeUInt32BE(0, at);
  at = head.writeUInt32BE(event.seq, at);
  at = head.writeUInt32BE(event.epoch, at);
  at = head.writeInt32BE(Math.floor(event.ts / 2 ** 32), at);
  at = head.writeUInt32BE(event.ts >>> 0, at);
  at = head.writeUInt16BE(channel.length, at);
  at += channel.copy(head, at);
  at = head.writeUInt16BE(type.length, at);
  at += type.copy(head, at);
  head[at] = isJson ? FORM_JSON : FORM_BYTES;
  return chainHash(Buffer.concat([head, payload]));
}
