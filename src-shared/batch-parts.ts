import type { FromRelay } from './relay-protocol.ts';
import { concat } from './seal.ts';
import { MAX_BATCH_BYTES } from './sealed-batch.ts';

/** Streams of which part of a batch has come. The relay begins another one where a watched stream goes before one at rest. */
const MAX_OPEN = 64;

type Part = Extract<FromRelay, { type: 'part' }>;

/** Puts batches together that came in parts because there was no room for more at a time. */
export class BatchParts {
  readonly #open = new Map<string, { readonly of: number; bytes: number; readonly parts: Uint8Array[] }>();

  /** The batch, once `part` was its last. Throws for what a relay does not send. */
  add({ stream, from, of, bytes }: Part): Uint8Array | null {
    // Followed anew: what was begun before is begun again.
    if (from === 0) this.#open.delete(stream);
    const open = this.#open.get(stream) ?? { of, bytes: 0, parts: [] };
    const isNext = open.bytes === from && open.of === of && from + bytes.byteLength <= of && of <= MAX_BATCH_BYTES;
    if (!isNext || (from === 0 && this.#open.size >= MAX_OPEN)) throw new Error('a part that does not follow');
    open.parts.push(bytes);
    open.bytes += bytes.byteLength;
    if (open.bytes < of) {
      this.#open.set(stream, open);
      return null;
    }
    this.#open.delete(stream);
    return concat(...open.parts);
  }

  /** Whether a batch of it has begun. */
  isOpen(stream: string): boolean {
    return this.#open.has(stream);
  }

  /** What has begun is not wanted any more. */
  forget(stream: string): void {
    this.#open.delete(stream);
  }

  clear(): void {
    this.#open.clear();
  }
}
