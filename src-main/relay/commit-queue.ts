import type { Append, RelayStorage } from './storage/storage.ts';

export type Soon = (work: () => void) => void;

export interface Waiting {
  readonly append: Append;
  /** On the disk: `true`. Nothing of it is: `false`. */
  readonly settle: (isStored: boolean) => void;
}

/** Batches that wait for the disk. With so many bytes the transaction is made at once, in the middle of whatever is being read. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Makes one transaction of all batches that arrived in one turn of the loop: one fsync for all of them. Nobody hears of a batch before.
 */
export class CommitQueue {
  readonly #storage: RelayStorage;
  readonly #soon: Soon;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(storage: RelayStorage, soon: Soon, onFailure: (error: unknown) => void) {
    this.#storage = storage;
    this.#soon = soon;
    this.#onFailure = onFailure;
  }

  add(waiting: Waiting): void {
    if (this.#waiting.length === 0) this.#soon(() => this.flush());
    this.#waiting.push(waiting);
    this.#bytes += waiting.append.batch.frame.byteLength;
    if (this.#bytes >= MAX_WAITING_BYTES) this.flush();
  }

  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (waiting.length === 0) return;
    let isStored = true;
    try {
      this.#storage.append(waiting.map(({ append }) => append));
    } catch (error) {
      isStored = false;
      this.#onFailure(error);
    }
    for (const { settle } of waiting) this.#settle(settle, isStored);
  }

  /** Telling one must not keep the others from being told. */
  #settle(settle: Waiting['settle'], isStored: boolean): void {
    try {
      settle(isStored);
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
