import { LANES, type Lane, MAX_RELAY_FRAME_BYTES, type MessagePart, MIN_PART_BYTES } from './relay-protocol.ts';
import { concat } from './seal.ts';

/** A message that is sent in parts, as there is room. */
export class CutMessage {
  readonly #message: Uint8Array;
  #sentBytes = 0;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  get isSent(): boolean {
    return this.#sentBytes === this.#message.byteLength;
  }

  /** As much of the rest as there is room for; no crumbs. */
  next(lane: Lane, roomBytes: number): MessagePart {
    const from = this.#sentBytes;
    const bytes = this.#message.subarray(from, from + Math.max(roomBytes, MIN_PART_BYTES));
    this.#sentBytes += bytes.byteLength;
    return { lane, from, of: this.#message.byteLength, bytes };
  }
}

interface Begun {
  readonly of: number;
  bytes: number;
  readonly parts: Uint8Array[];
}

/** Puts messages together that came in parts: one at a time in each lane, so that its size is all that is ever held of one. */
export class MessageParts {
  readonly #begun: Record<Lane, Begun | null> = { watch: null, rest: null };

  /** The message, once `part` was its last. Throws for what nobody sends who keeps to the protocol. */
  add({ lane, from, of, bytes }: MessagePart): Uint8Array | null {
    const begun = from === 0 ? { of, bytes: 0, parts: [] } : this.#begun[lane];
    const end = from + bytes.byteLength;
    const isNext = begun !== null && begun.bytes === from && begun.of === of && end <= of && of <= MAX_RELAY_FRAME_BYTES;
    // What is kept of each part costs more than its bytes: crumbs are refused.
    if (!isNext || (end < of && bytes.byteLength < MIN_PART_BYTES)) throw new Error('a part that does not follow');
    begun.parts.push(bytes);
    begun.bytes = end;
    this.#begun[lane] = end < of ? begun : null;
    return end < of ? null : concat(...begun.parts);
  }

  /** What was begun in this lane does not go on. */
  drop(lane: Lane): void {
    this.#begun[lane] = null;
  }

  clear(): void {
    for (const lane of LANES) this.drop(lane);
  }
}
