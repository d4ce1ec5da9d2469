import { MachineId } from './ids.ts';
import {
  concat,
  decrypt,
  digest,
  encrypt,
  fromHex,
  HASH_BYTES,
  isSignedBy,
  type Keyring,
  NONCE_BYTES,
  type Purpose,
  SIGNATURE_BYTES,
  STREAM_BYTES,
  sign,
  TAG_BYTES,
  toHex,
} from './seal.ts';

/**
 * A batch as it travels between machines and lies at the relay:
 * header (plain) ‖ nonce ‖ ciphertext of the padded payload ‖ signature over all of it. docs/sync.md has the table of bytes.
 */
export const BATCH_VERSION = 1;
/** A larger one is refused before anything else is looked at. */
export const MAX_BATCH_BYTES = 1024 * 1024;

export interface BatchKind {
  readonly code: number;
  readonly purpose: Purpose;
  /**
   * append: kept one behind the other. replace: takes the place of what it covers. pass: handed to whoever listens now, never kept.
   */
  readonly storing: 'append' | 'replace' | 'pass';
  /** The others are protected by the workspace key and their counters; the relay has checked who signed them. */
  readonly isVerifiedByReaders: boolean;
}

export const BATCH_KINDS = {
  /** Events of a session, numbered by its host. */
  log: { code: 1, purpose: 'events', storing: 'append', isVerifiedByReaders: true },
  /** An update of a shared document. */
  document: { code: 2, purpose: 'documents', storing: 'append', isVerifiedByReaders: false },
  /** A whole document: takes the place of what the relay has up to the position `seqTo`. */
  snapshot: { code: 3, purpose: 'documents', storing: 'replace', isVerifiedByReaders: true },
  /** What a machine says of itself and its sessions: the newest replaces the one before. */
  index: { code: 4, purpose: 'index', storing: 'replace', isVerifiedByReaders: true },
  /** What is seen while it happens and never kept: text being written, presence. */
  live: { code: 5, purpose: 'events', storing: 'pass', isVerifiedByReaders: false },
  /** To a host: keys, prompts, answers. */
  input: { code: 6, purpose: 'events', storing: 'pass', isVerifiedByReaders: true },
} as const satisfies Record<string, BatchKind>;
export type BatchKindName = keyof typeof BATCH_KINDS;

const KIND_OF_CODE = new Map<number, BatchKindName>(
  (Object.keys(BATCH_KINDS) as BatchKindName[]).map((name) => [BATCH_KINDS[name].code, name]),
);

export interface BatchHeader {
  readonly kind: BatchKindName;
  /** Of the workspace key that it is sealed with. */
  readonly generation: number;
  /** Of the session's ownership under which it was written; 0 where nobody owns the stream. */
  readonly epoch: number;
  /** Log: its first and last event. Snapshot: `seqTo` is the last position it replaces, 0 if none. Else 0. */
  readonly seqFrom: number;
  readonly seqTo: number;
  /** Grows with every batch of this kind of this machine in this stream and is never used for other bytes. */
  readonly counter: number;
  readonly machine: MachineId;
  /** 32 hex digits; see Keyring.streamName. */
  readonly stream: string;
  /** Of this machine's batch of this kind before this one in the stream, as hex; zeros for the first. */
  readonly previousHash: string;
  /** The newest entry of the membership chain that the sender knew. */
  readonly chainHead: string;
}

export const NO_BATCH_HASH = '0'.repeat(HASH_BYTES * 2);
const MACHINE_BYTES = 16;
const HEADER_BYTES = 2 + 4 + 4 + 8 + 8 + 8 + MACHINE_BYTES + STREAM_BYTES + HASH_BYTES + HASH_BYTES;
/** The payload's length in front of it, inside the seal. */
const LENGTH_BYTES = 4;
const MIN_PADDED_BYTES = 128;
const OVERHEAD_BYTES = HEADER_BYTES + NONCE_BYTES + TAG_BYTES + SIGNATURE_BYTES;
const MIN_BATCH_BYTES = OVERHEAD_BYTES + MIN_PADDED_BYTES;
/** What fits into a batch whatever its padding. */
export const MAX_PAYLOAD_BYTES = 896 * 1024;

/**
 * The size a text of `length` bytes is padded to: steps of an eighth of the power of two below it, so that at most about an eighth is
 * added and sizes say little.
 */
function paddedLength(length: number): number {
  if (length <= MIN_PADDED_BYTES) return MIN_PADDED_BYTES;
  const step = 2 ** (Math.floor(Math.log2(length)) - 3);
  return Math.ceil(length / step) * step;
}

function pad(payload: Uint8Array): Uint8Array {
  const padded = new Uint8Array(paddedLength(LENGTH_BYTES + payload.byteLength));
  new DataView(padded.buffer).setUint32(0, payload.byteLength);
  padded.set(payload, LENGTH_BYTES);
  return padded;
}

function unpad(padded: Uint8Array): Uint8Array | null {
  if (padded.byteLength < LENGTH_BYTES) return null;
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  return length > padded.byteLength - LENGTH_BYTES ? null : padded.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
}

function encodeHeader(header: BatchHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = BATCH_VERSION;
  bytes[1] = BATCH_KINDS[header.kind].code;
  view.setUint32(2, header.generation);
  view.setUint32(6, header.epoch);
  view.setBigUint64(10, BigInt(header.seqFrom));
  view.setBigUint64(18, BigInt(header.seqTo));
  view.setBigUint64(26, BigInt(header.counter));
  bytes.set(fromHex(header.machine.replaceAll('-', '')), 34);
  bytes.set(fromHex(header.stream), 50);
  bytes.set(fromHex(header.previousHash), 66);
  bytes.set(fromHex(header.chainHead), 98);
  return bytes;
}

function decodeHeader(bytes: Uint8Array): BatchHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const kind = KIND_OF_CODE.get(bytes[1] ?? 0);
  if (bytes[0] !== BATCH_VERSION || kind === undefined) return null;
  const [seqFrom, seqTo, counter] = [10, 18, 26].map((at) => Number(view.getBigUint64(at)));
  if (!isCount(seqFrom) || !isCount(seqTo) || !isCount(counter) || counter === 0) return null;
  const hex = toHex(bytes.subarray(34, 50));
  const machine = MachineId.safeParse(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
  );
  if (!machine.success) return null;
  return {
    kind,
    generation: view.getUint32(2),
    epoch: view.getUint32(6),
    seqFrom,
    seqTo,
    counter,
    machine: machine.data,
    stream: toHex(bytes.subarray(50, 66)),
    previousHash: toHex(bytes.subarray(66, 98)),
    chainHead: toHex(bytes.subarray(98, 130)),
  };
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value);
}

/** A batch whose layout is right; nothing in it has been checked otherwise. */
export interface SealedBatch {
  readonly frame: Uint8Array;
  readonly header: BatchHeader;
  /** Over everything that is signed, as hex. */
  readonly hash: string;
}

/** Throws where the caller broke a promise: a payload that is too large, or a generation that it does not have. */
export function sealBatch(header: BatchHeader, payload: Uint8Array, keyring: Keyring, signSecretKey: Uint8Array): SealedBatch {
  if (payload.byteLength > MAX_PAYLOAD_BYTES) {
    throw new Error(`a batch holds ${MAX_PAYLOAD_BYTES} bytes at most, not ${payload.byteLength}`);
  }
  const key = keyring.subKey(header.generation, BATCH_KINDS[header.kind].purpose);
  if (key === null) throw new Error(`cannot seal: the key of generation ${header.generation} is not here`);
  const plain = encodeHeader(header);
  const signed = concat(plain, encrypt(key, pad(payload), plain));
  return { frame: concat(signed, sign('batch', signed, signSecretKey)), header, hash: toHex(digest(signed)) };
}

/** Looks at size and layout only. Null for what is no batch. */
export function readBatch(frame: Uint8Array): SealedBatch | null {
  if (frame.byteLength < MIN_BATCH_BYTES || frame.byteLength > MAX_BATCH_BYTES) return null;
  const header = decodeHeader(frame);
  if (header === null) return null;
  return { frame, header, hash: toHex(digest(frame.subarray(0, -SIGNATURE_BYTES))) };
}

export function isBatchSignedBy({ frame }: SealedBatch, signKey: Uint8Array): boolean {
  return isSignedBy('batch', frame.subarray(0, -SIGNATURE_BYTES), frame.subarray(-SIGNATURE_BYTES), signKey);
}

/** Its payload; null where the key is not here or the bytes are not what was sealed. */
export function unsealBatch({ frame, header }: SealedBatch, keyring: Keyring): Uint8Array | null {
  const key = keyring.subKey(header.generation, BATCH_KINDS[header.kind].purpose);
  if (key === null) return null;
  const padded = decrypt(key, frame.subarray(HEADER_BYTES, -SIGNATURE_BYTES), frame.subarray(0, HEADER_BYTES));
  return padded === null ? null : unpad(padded);
}
