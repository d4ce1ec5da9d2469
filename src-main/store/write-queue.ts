import type { LogEvent } from '../../src-shared/events.ts';
import { BatchEncoder } from './batch.ts';
import type { Batch, BatchResult, WriteExtra } from './messages.ts';
import { errorOf, StoreError } from './store-error.ts';

/** Batches that the writer has been given and not committed: one that it writes and one that waits, so that it never idles. */
const MAX_IN_FLIGHT = 2;
/** A batch is closed at this size; the next one begins. It bounds how long a durable write waits behind output. */
const BATCH_BYTES = 1024 * 1024;
/** Output that nobody waits for stays up to this long for company: a commit costs the disk some 20 KB however little it holds. */
const LINGER_MS = 10;
const LINGER_BELOW_BYTES = 64 * 1024;
/** Beyond this an append is refused. Only a disk that has stopped while nobody holds output back leads here. */
export const MAX_PENDING_BYTES = 256 * 1024 * 1024;

/** What a write weighs beside its bytes: its promise and what hangs on it. Without it tens of thousands of tiny ones could wait. */
const WRITE_BYTES = 512;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly onCommitted: (() => void) | null;
}

interface Pending {
  readonly batch: Batch;
  readonly waiting: readonly Waiting[];
  readonly bytes: number;
}

export interface Write {
  readonly key: number;
  readonly events: readonly Omit<LogEvent, 'runId'>[];
  readonly extra: WriteExtra | null;
  readonly durable: boolean;
  /** Told when it is committed, before its promise resolves. */
  readonly onCommitted: (() => void) | null;
}

/** What is on its way to the writer. One batch is one transaction; it holds what came in while the one before was written. */
export class WriteQueue {
  readonly #encoder = new BatchEncoder();
  #extras: WriteExtra[] = [];
  #waiting: Waiting[] = [];
  #isDurable = false;
  /** Somebody waits for the open batch, or it is large: it does not linger. */
  #isUrgent = false;
  /** Of the open batch. */
  #openBytes = 0;
  readonly #closed: Pending[] = [];
  readonly #inFlight = new Map<number, Pending>();
  #nextBatchId = 1;
  #pendingBytes = 0;
  #flushing: NodeJS.Immediate | null = null;
  #lingering: NodeJS.Timeout | null = null;
  #ended: StoreError | null = null;
  readonly #whenIdle: (() => void)[] = [];
  readonly #post: (batch: Batch) => void;

  constructor(post: (batch: Batch) => void) {
    this.#post = post;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  write(write: Write): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#pendingBytes > MAX_PENDING_BYTES) {
      const message = `Cannot append: ${Math.round(this.#pendingBytes / 2 ** 20)} MB are waiting to be written. The disk is too slow or has stopped.`;
      return Promise.reject(new StoreError('overloaded', message));
    }
    try {
      this.#encode(write);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    this.#isDurable ||= write.durable;
    this.#isUrgent ||= write.durable || write.extra !== null || this.#openBytes >= LINGER_BELOW_BYTES;
    const written = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ resolve, reject, onCommitted: write.onCommitted });
    });
    if (this.#openBytes >= BATCH_BYTES) this.#closeBatch();
    this.#schedule();
    return written;
  }

  #encode({ key, events, extra }: Write): void {
    let bytes = WRITE_BYTES + this.#encoder.operation(key, events, extra === null ? 0 : this.#extras.length + 1);
    if (extra !== null) {
      this.#extras.push(extra);
      bytes += extraBytes(extra);
    }
    this.#openBytes += bytes;
    this.#pendingBytes += bytes;
  }

  /** The writer's answer to a batch, with the memory it came in. Returns how many bytes it held. */
  handleCommitted({ batchId, failures }: BatchResult, memory: ArrayBuffer): number {
    this.#encoder.recycle(memory);
    const done = this.#inFlight.get(batchId);
    if (done === undefined) return 0;
    this.#inFlight.delete(batchId);
    this.#pendingBytes -= done.bytes;
    for (const [place, waiting] of done.waiting.entries()) {
      const failure = failures.get(place);
      if (failure !== undefined) {
        waiting.reject(errorOf(failure));
        continue;
      }
      waiting.onCommitted?.();
      waiting.resolve();
    }
    this.#schedule();
    if (this.#isEmpty()) this.#tellIdle();
    return done.bytes;
  }

  /** Resolves when everything that was asked for so far is committed or refused. */
  drained(): Promise<void> {
    this.#isUrgent = true;
    this.#schedule();
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** No write is accepted any more; what waits is refused. */
  end(error: StoreError): void {
    this.#ended = error;
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    const batches = [...this.#inFlight.values(), ...this.#closed, { waiting: this.#waiting }];
    for (const { waiting } of batches) for (const { reject } of waiting) reject(error);
    this.#inFlight.clear();
    this.#closed.length = 0;
    this.#waiting = [];
    this.#pendingBytes = 0;
    this.#tellIdle();
  }

  #isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#closed.length === 0 && this.#inFlight.size === 0;
  }

  #tellIdle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** What is appended in one turn of the loop goes together; what nobody waits for lingers. */
  #schedule(): void {
    if (this.#inFlight.size >= MAX_IN_FLIGHT || (this.#waiting.length === 0 && this.#closed.length === 0)) return;
    if (this.#isUrgent || this.#closed.length > 0) this.#flushing ??= setImmediate(() => this.#flush());
    else this.#lingering ??= setTimeout(() => this.#flush(), LINGER_MS);
  }

  #flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#flushing = null;
    this.#lingering = null;
    while (this.#inFlight.size < MAX_IN_FLIGHT) {
      if (this.#closed.length === 0 && this.#waiting.length > 0) this.#closeBatch();
      const next = this.#closed.shift();
      if (next === undefined) return;
      this.#inFlight.set(next.batch.id, next);
      this.#post(next.batch);
    }
  }

  #closeBatch(): void {
    const batch = { id: this.#nextBatchId++, durable: this.#isDurable, bytes: this.#encoder.take(), extras: this.#extras };
    this.#closed.push({ batch, waiting: this.#waiting, bytes: this.#openBytes });
    this.#extras = [];
    this.#waiting = [];
    this.#openBytes = 0;
    this.#isDurable = false;
    this.#isUrgent = false;
  }
}

/** What an extra weighs in memory; exact for those that can be large. */
function extraBytes(extra: WriteExtra): number {
  if (extra.op === 'screen') return extra.screen.data.length;
  return extra.op === 'draft' ? extra.text.length : 1024;
}
