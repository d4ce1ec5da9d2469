const WINDOW_SECONDS = 10;

/** Counts events, and how many of them came lately. */
export class EventRate {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #buckets = Array.from({ length: WINDOW_SECONDS + 1 }, () => ({ second: -1, count: 0 }));
  #total = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startedMs = now();
  }

  add(count: number): void {
    this.#total += count;
    const second = Math.floor(this.#now() / 1000);
    const bucket = this.#buckets[second % this.#buckets.length];
    if (bucket === undefined) return;
    if (bucket.second !== second) Object.assign(bucket, { second, count: 0 });
    bucket.count += count;
  }

  get total(): number {
    return this.#total;
  }

  /** Over the last ten whole seconds, or since the beginning. */
  get perSecond(): number {
    const second = Math.floor(this.#now() / 1000);
    const recent = this.#buckets.filter((bucket) => bucket.second >= second - WINDOW_SECONDS && bucket.second <= second);
    const lastedSeconds = Math.min(WINDOW_SECONDS, Math.max(1, (this.#now() - this.#startedMs) / 1000));
    return recent.reduce((sum, { count }) => sum + count, 0) / lastedSeconds;
  }
}
