import type { MachineId } from '../../../src-shared/ids.ts';
import {
  MAX_PEER_MESSAGE_BYTES,
  MAX_PEER_PART_BYTES,
  MIN_PEER_PART_BYTES,
  type PeerPart,
} from '../../../src-shared/peer-protocol.ts';
import { concat } from '../../../src-shared/seal.ts';
import { nextWindow } from '../link/bulk-window.ts';

/** Of all machines together: beyond that the message is given up that has waited longest for its next part. */
const MAX_HELD_BYTES = 2 * MAX_PEER_MESSAGE_BYTES;

/** How much of a message goes at a time to one machine: as much as the slower of both lines carries in a moment. */
export class PeerPartSize {
  #bytes = MIN_PEER_PART_BYTES;

  get bytes(): number {
    return this.#bytes;
  }

  /** The relay has said after `tookMs` that it has passed. */
  passed(bytes: number, tookMs: number): void {
    this.#bytes = Math.min(MAX_PEER_PART_BYTES, nextWindow(this.#bytes, bytes, tookMs));
  }
}

interface Begun {
  readonly id: string;
  readonly of: number;
  bytes: number;
  readonly parts: Uint8Array[];
}

/** Puts messages together that came in parts: one at a time for each machine, in order, each part once. */
export class PeerParts {
  readonly #open = new Map<string, Begun>();
  #heldBytes = 0;

  /** The message, once `part` was its last. `road` keeps deeds and words apart. */
  add(road: `${'input' | 'live'} ${MachineId}`, { id, from, of, bytes }: PeerPart): Uint8Array | null {
    if (from === 0) {
      this.#forget(road);
      this.#open.set(road, { id, of, bytes: 0, parts: [] });
    }
    const open = this.#open.get(road);
    const end = from + bytes.byteLength;
    if (open === undefined || open.id !== id || open.of !== of || open.bytes !== from || end > of) return null;
    // What is kept of each part costs more than its bytes: crumbs are no part of anything.
    if (end < of && bytes.byteLength < MIN_PEER_PART_BYTES) return null;
    open.parts.push(bytes);
    open.bytes = end;
    this.#heldBytes += bytes.byteLength;
    this.#open.delete(road);
    this.#open.set(road, open);
    for (const [waiting] of this.#open) {
      if (this.#heldBytes <= MAX_HELD_BYTES) break;
      this.#forget(waiting);
    }
    if (end < of) return null;
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
    this.#heldBytes -= open.bytes;
  }
}
