import type { RunId } from '../../src-shared/ids.ts';
import type { Store } from '../store/store.ts';

const EVERY_MS = 60_000;

interface OutputQuotaOptions {
  readonly store: Pick<Store, 'outputBytes' | 'compactOutput'>;
  readonly quotas: () => { readonly sessionBytes: number; readonly totalBytes: number };
  /** When a session was used last, in ms since 1970. */
  readonly activityOf: (runId: RunId) => number;
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Keeps terminal output within its quotas [seq-9]: each session's own, then the oldest sessions' until all fit. Looks every minute. */
export class OutputQuota {
  readonly #options: OutputQuotaOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #isRunning = false;

  constructor(options: OutputQuotaOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.run(), EVERY_MS);
    this.#timer.unref();
  }

  /** Never rejects. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const { store, quotas, activityOf, onProblem } = this.#options;
    try {
      const { sessionBytes, totalBytes } = quotas();
      let total = 0;
      const sizes = [...(await store.outputBytes())].sort(([a], [b]) => activityOf(b) - activityOf(a));
      for (const [runId, bytes] of sizes) {
        const keep = Math.min(sessionBytes, Math.max(0, totalBytes - total));
        if (bytes > keep) await store.compactOutput(runId, keep);
        total += Math.min(bytes, keep);
      }
    } catch (error) {
      onProblem('keeping terminal output within its quota failed', error);
    } finally {
      this.#isRunning = false;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
