/** What is always let through, however slow the line: about one batch. */
export const MIN_WINDOW_BYTES = 16 * 1024;
export const MAX_WINDOW_BYTES = 1024 * 1024;
const FIRST_WINDOW_BYTES = 64 * 1024;
/** Bulk that takes longer to be acknowledged is in the way of what is typed. */
const SLOW_MS = 400;
const QUICK_MS = 100;

/**
 * How many bytes of bulk may be on the way to the other end. What is typed has to pass the bytes that are on the way already, in
 * buffers that nobody can look into; so there are as few as the line is slow. Grows while acknowledgements come quickly, halves when
 * they come late.
 */
export class BulkWindow {
  #windowBytes = FIRST_WINDOW_BYTES;
  #onTheWayBytes = 0;

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** Something always may be, when nothing is. */
  hasRoom(bytes: number): boolean {
    return this.#onTheWayBytes === 0 || this.#onTheWayBytes + bytes <= this.#windowBytes;
  }

  sent(bytes: number): void {
    this.#onTheWayBytes += bytes;
  }

  acknowledged(bytes: number, afterMs: number): void {
    this.#onTheWayBytes = Math.max(0, this.#onTheWayBytes - bytes);
    if (afterMs > SLOW_MS) this.#windowBytes = Math.max(MIN_WINDOW_BYTES, this.#windowBytes / 2);
    else if (afterMs < QUICK_MS) this.#windowBytes = Math.min(MAX_WINDOW_BYTES, this.#windowBytes + bytes);
  }

  /** The connection is another one: nothing is on the way. */
  restart(): void {
    this.#windowBytes = FIRST_WINDOW_BYTES;
    this.#onTheWayBytes = 0;
  }
}
