import type { IndexedEvent } from './messages.ts';
import { WorkerLink } from './worker-link.ts';

/** The search index is brought up to date when this much is new, or after this long; until then a search reads what is new. */
const INDEX_AFTER_BYTES = 1024 * 1024;
const INDEX_AFTER_MS = 60_000;
/** While more than this is appended in a second, indexing waits: output, its log and its screens go first. */
const FLOOD_BYTES_PER_SECOND = 2 * 1024 * 1024;
const LOOK_EVERY_MS = 1000;

/** Decides when the indexer runs. It is a thread that ends when it is done, so that it costs nothing in between. */
export class IndexSchedule {
  readonly #file: string;
  readonly #onProblem: (message: string) => void;
  #timer: NodeJS.Timeout | null = null;
  /** Appended and not indexed. */
  #newBytes = 0;
  #bytesThisLook = 0;
  #waitedMs = 0;
  #indexer: WorkerLink<'stop', IndexedEvent> | null = null;

  constructor(file: string, onProblem: (message: string) => void) {
    this.#file = file;
    this.#onProblem = onProblem;
  }

  noteAppended(bytes: number): void {
    this.#newBytes += bytes;
    this.#bytesThisLook += bytes;
    if (this.#timer !== null) return;
    this.#waitedMs = 0;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stop();
    await this.#indexer?.exited;
  }

  #look(): void {
    const isFlood = this.#bytesThisLook > FLOOD_BYTES_PER_SECOND;
    this.#bytesThisLook = 0;
    this.#waitedMs += LOOK_EVERY_MS;
    if (this.#indexer !== null) {
      if (isFlood) this.#stop();
      return;
    }
    if (!isFlood && (this.#newBytes >= INDEX_AFTER_BYTES || this.#waitedMs >= INDEX_AFTER_MS)) this.#start();
  }

  #start(): void {
    this.#newBytes = 0;
    this.#waitedMs = 0;
    const indexer = new WorkerLink<'stop', IndexedEvent>({ role: 'indexer', file: this.#file });
    indexer.onEvent = ({ isComplete, problem }) => {
      indexer.expectEnd();
      if (problem !== null) this.#onProblem(problem);
      // Stopped on the way: the rest is due as soon as it is quiet again.
      if (!isComplete && problem === null) this.#newBytes += INDEX_AFTER_BYTES;
    };
    indexer.onDeath = (error) => this.#onProblem(error.message);
    this.#indexer = indexer;
    void indexer.exited.then(() => {
      this.#indexer = null;
      if (this.#newBytes > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    });
  }

  #stop(): void {
    if (this.#indexer !== null) this.#indexer.post('stop');
  }
}
