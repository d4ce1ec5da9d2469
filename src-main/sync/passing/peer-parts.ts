import type { MachineId } from '../../../src-shared/ids.ts';
import { MAX_PEER_MESSAGE_BYTES, PEER_PART_BYTES, type PeerPart } from '../../../src-shared/peer-protocol.ts';
import { concat } from '../../../src-shared/seal.ts';

/** Of all machines together: beyond that the message is given up that has waited longest for its next part. */
const MAX_HELD_BYTES = 2 * MAX_PEER_MESSAGE_BYTES;

export function cutIntoParts(id: string, message: Uint8Array): PeerPart[] {
  const count = Math.ceil(message.byteLength / PEER_PART_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    type: 'part',
    id,
    index,
    count,
    bytes: message.subarray(index * PEER_PART_BYTES, (index + 1) * PEER_PART_BYTES),
  }));
}

/** Puts messages together that came in parts: one at a time for each machine, in order, each part once. */
export class PeerParts {
  readonly #open = new Map<string, { readonly id: string; readonly count: number; readonly parts: Uint8Array[] }>();
  #heldBytes = 0;

  /** The message, once `part` was its last. `road` keeps deeds and words apart. */
  add(road: `${'input' | 'live'} ${MachineId}`, part: PeerPart): Uint8Array | null {
    if (part.index === 0) {
      this.#forget(road);
      this.#open.set(road, { id: part.id, count: part.count, parts: [] });
    }
    const open = this.#open.get(road);
    if (open === undefined || open.id !== part.id || open.count !== part.count || open.parts.length !== part.index) return null;
    open.parts.push(part.bytes);
    this.#heldBytes += part.bytes.byteLength;
    this.#open.delete(road);
    this.#open.set(road, open);
    for (const [waiting] of this.#open) {
      if (this.#heldBytes <= MAX_HELD_BYTES) break;
      this.#forget(waiting);
    }
    if (open.parts.length < open.count) return null;
    this.#forget(road);
    return concat(...open.parts);
  }

  /** The machine is gone: what it did not finish never comes. */
  forget(machine: MachineId): void {
    this.#forget(`input ${machine}`);
    this.#forget(`live ${machine}`);
  }

  #forget(road: string): void {
    const open = this.#open.get(road);
    if (open === undefined) return;
    this.#open.delete(road);
    for (const part of open.parts) this.#heldBytes -= part.byteLength;
  }
}
