import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { MachineId } from '../../../src-shared/ids.ts';
import { MAX_PAYLOAD_BYTES } from '../../../src-shared/sealed-batch.ts';

/**
 * What a sealed batch of a document holds: a Yjs update (V1), or a piece of one that is larger than a batch:
 * version u8 ‖ is u8 (0 update, 1 snapshot) ‖ piece ‖ pieces ‖ in a snapshot's first piece: what it covers ‖ bytes to the end.
 * Numbers are lib0's varUints. What a snapshot covers: count, then machine (text), counter and hash (32 bytes) of each.
 */
const VERSION = 1;
/** The rest of the payload is for what stands in front. */
export const PIECE_BYTES = MAX_PAYLOAD_BYTES - 64 * 1024;
/** A document that has become larger is not carried any more. */
export const MAX_UPDATE_BYTES = 32 * 1024 * 1024;
const MAX_PIECES = Math.ceil(MAX_UPDATE_BYTES / PIECE_BYTES);
const MAX_COVERED = 300;
const HASH_BYTES = 32;

/** The newest update of a machine that a snapshot holds. */
export interface Covered {
  readonly machine: MachineId;
  readonly counter: number;
  /** As hex. */
  readonly hash: string;
}

export interface DocumentPiece {
  readonly is: 'update' | 'snapshot';
  /** From 0. */
  readonly piece: number;
  readonly pieces: number;
  readonly covers: readonly Covered[];
  readonly bytes: Uint8Array;
}

/** One update as the payloads of one or more batches. Throws for one that is too large. */
export function encodePieces(
  is: DocumentPiece['is'],
  update: Uint8Array,
  covers: readonly Covered[] = [],
  pieceBytes: number = PIECE_BYTES,
): Uint8Array[] {
  if (update.byteLength > MAX_UPDATE_BYTES) throw new Error(`a document holds at most ${MAX_UPDATE_BYTES} bytes`);
  const pieces = Math.max(1, Math.ceil(update.byteLength / pieceBytes));
  return Array.from({ length: pieces }, (_, piece) => {
    const bytes = update.subarray(piece * pieceBytes, (piece + 1) * pieceBytes);
    return encodePiece({ is, piece, pieces, covers: covers.slice(0, MAX_COVERED), bytes });
  });
}

function encodePiece({ is, piece, pieces, covers, bytes }: DocumentPiece): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeUint8(encoder, VERSION);
  encoding.writeUint8(encoder, is === 'snapshot' ? 1 : 0);
  encoding.writeVarUint(encoder, piece);
  encoding.writeVarUint(encoder, pieces);
  if (is === 'snapshot' && piece === 0) {
    encoding.writeVarUint(encoder, covers.length);
    for (const { machine, counter, hash } of covers) {
      encoding.writeVarString(encoder, machine);
      encoding.writeVarUint(encoder, counter);
      encoding.writeUint8Array(
        encoder,
        Uint8Array.from(hash.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
      );
    }
  }
  encoding.writeUint8Array(encoder, bytes);
  return encoding.toUint8Array(encoder);
}

/** Null for what is no such thing. */
export function decodePiece(payload: Uint8Array): DocumentPiece | null {
  try {
    const decoder = decoding.createDecoder(payload);
    if (decoding.readUint8(decoder) !== VERSION) return null;
    const kind = decoding.readUint8(decoder);
    const piece = decoding.readVarUint(decoder);
    const pieces = decoding.readVarUint(decoder);
    if (kind > 1 || pieces < 1 || pieces > MAX_PIECES || piece >= pieces) return null;
    const is = kind === 1 ? 'snapshot' : 'update';
    const covers = is === 'snapshot' && piece === 0 ? decodeCovers(decoder) : [];
    return { is, piece, pieces, covers, bytes: decoding.readTailAsUint8Array(decoder) };
  } catch {
    return null;
  }
}

function decodeCovers(decoder: decoding.Decoder): Covered[] {
  const count = decoding.readVarUint(decoder);
  if (count > MAX_COVERED) throw new Error(`a snapshot covers ${MAX_COVERED} machines at most`);
  return Array.from({ length: count }, () => {
    const machine = MachineId.parse(decoding.readVarString(decoder));
    const counter = decoding.readVarUint(decoder);
    const hash = decoding.readUint8Array(decoder, HASH_BYTES);
    return { machine, counter, hash: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') };
  });
}

/** Whole updates out of their pieces. Those of one machine come in order, with those of others between them. */
export class Pieces {
  readonly #open = new Map<string, { readonly pieces: number; readonly got: Uint8Array[] }>();

  /** A snapshot has begun and is not whole: what follows builds on it. */
  get isInSnapshot(): boolean {
    return [...this.#open.keys()].some((key) => key.startsWith('snapshot'));
  }
  /** Something would be missing to whoever went on from here. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /**
   * The update that this piece completes; null where there is none. A piece without the one before it belongs to a snapshot that is
   * not for whoever has what it covers, or to an update that its machine has given up.
   */
  take(machine: MachineId, { is, piece, pieces, bytes }: DocumentPiece): Uint8Array | null {
    const key = `${is} ${machine}`;
    const before = piece === 0 ? { pieces, got: [] } : this.#open.get(key);
    this.#open.delete(key);
    if (before === undefined || before.pieces !== pieces || before.got.length !== piece) return null;
    before.got.push(bytes);
    if (before.got.length === pieces) return joined(before.got);
    this.#open.set(key, before);
    return null;
  }

  clear(): void {
    this.#open.clear();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
