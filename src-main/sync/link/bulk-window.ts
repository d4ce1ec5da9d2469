import { MIN_PART_BYTES } from '../../../src-shared/relay-protocol.ts';

/** What is always let through, however slow the line: one part. */
export const MIN_WINDOW_BYTES = MIN_PART_BYTES;
export const MAX_WINDOW_BYTES = 1024 * 1024;
const FIRST_WINDOW_BYTES = 32 * 1024;
/** Bulk that takes longer to be acknowledged is in the way of what is typed. */
const SLOW_MS = 400;
/** What is on the way may take so long: what it takes is measured, and the window follows. */
const AIM_MS = 250;

/**
 * How many bytes of bulk may be on the way to the other end. What is typed has to pass the bytes that are on the way already, in
 * buffers that nobody can look into; so there are as few as the line is slow: as many as it was seen to carry in a moment. Grows only
 * while it is what limits: a line that turns slow shall not have been given more than was needed.
 */
export class BulkWindow {
  #windowBytes = FIRST_WINDOW_BYTES;
  #onTheWayBytes = 0;

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** How much more may be. */
  get roomBytes(): number {
    return this.#windowBytes - this.#onTheWayBytes;
  }

  /** Returns how much has to arrive for these bytes to have arrived. */
  sent(bytes: number): number {
    this.#onTheWayBytes += bytes;
    return this.#onTheWayBytes;
  }

  /** `carriedBytes`: what `sent` returned for them. */
  acknowledged(bytes: number, carriedBytes: number, afterMs: number): void {
    this.#onTheWayBytes = Math.max(0, this.#onTheWayBytes - bytes);
    this.#windowBytes = nextWindow(this.#windowBytes, carriedBytes, afterMs);
  }

  /** The connection is another one: nothing is on the way. */
  restart(): void {
    this.#windowBytes = FIRST_WINDOW_BYTES;
    this.#onTheWayBytes = 0;
  }
}

/** After the line was seen to carry `carriedBytes` in `tookMs`. */
export function nextWindow(windowBytes: number, carriedBytes: number, tookMs: number): number {
  const aimBytes = (carriedBytes * AIM_MS) / Math.max(1, tookMs);
  if (tookMs > SLOW_MS) return Math.max(MIN_WINDOW_BYTES, Math.min(windowBytes, Math.floor(aimBytes)));
  if (tookMs > AIM_MS || carriedBytes < windowBytes / 2) return windowBytes;
  return Math.min(MAX_WINDOW_BYTES, Math.max(windowBytes, Math.floor(Math.min(aimBytes, windowBytes + carriedBytes))));
}
