import { counterAt } from '../../../src-shared/replication.ts';

/** So many are reserved at a time: what was reserved and not given when the engine ended is left out. */
const BLOCK = 1_000_000;
/** The next block is reserved when so many are left: far more than are given while a disk writes. */
const RESERVE_AT = BLOCK / 2;

/**
 * Counts what is passed without being kept. Every number is given at most once, ever, and each is higher than the one before, also
 * over restarts: a receiver takes a number that it has seen, or a lower one, for a replay [order-4].
 */
export class PassCounter {
  readonly #reserve: (upTo: number) => Promise<void>;
  readonly #onProblem: (message: string, error?: unknown) => void;
  #given: number;
  #reserved: number;
  #isReserving = false;

  private constructor(
    from: number,
    reserve: (upTo: number) => Promise<void>,
    onProblem: (message: string, error?: unknown) => void,
  ) {
    this.#given = from;
    this.#reserved = from + BLOCK;
    this.#reserve = reserve;
    this.#onProblem = onProblem;
  }

  /** `reservedBefore`: what `reserve` was told last; it may be of an old copy of this machine's data [machine-15]. */
  static async open(
    reservedBefore: number,
    nowMs: number,
    reserve: (upTo: number) => Promise<void>,
    onProblem: (message: string, error?: unknown) => void,
  ): Promise<PassCounter> {
    const from = Math.max(reservedBefore, counterAt(nowMs));
    await reserve(from + BLOCK);
    return new PassCounter(from, reserve, onProblem);
  }

  next(): number {
    if (this.#given === this.#reserved) throw new Error('the disk does not take the next block of counters');
    this.#given += 1;
    if (this.#reserved - this.#given <= RESERVE_AT) this.#reserveMore();
    return this.#given;
  }

  #reserveMore(): void {
    if (this.#isReserving) return;
    this.#isReserving = true;
    const upTo = this.#reserved + BLOCK;
    this.#reserve(upTo)
      .then(
        () => {
          this.#reserved = upTo;
        },
        (error: unknown) => this.#onProblem('no counters could be reserved', error),
      )
      .finally(() => {
        this.#isReserving = false;
      });
  }
}
