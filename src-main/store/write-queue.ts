import type { LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type Seq } from '../../src-shared/ids.ts';
import { BatchEncoder } from './batch.ts';
import type { Batch, BatchResult, WriteExtra } from './messages.ts';
import { errorOf, StoreError, type StoreFailure } from './store-error.ts';

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

/** Whose log it is: told what of it is committed, before the promise of the write resolves. */
export interface CommitListener {
  handleCommitted(lastSeq: Seq): void;
}

export interface Write {
  readonly key: number;
  readonly events: readonly Omit<LogEvent, 'runId'>[];
  readonly extra: WriteExtra | null;
  readonly durable: boolean;
  /** null: there are no events, or nobody keeps account of them. */
  readonly listener: CommitListener | null;
}

type Failures = ReadonlyMap<number, StoreFailure>;

/**
 * The writes of one transaction. They share one promise, from which each derives its own: thousands wait in a flood, and what each
 * of them holds in memory is what a flood costs the main loop most.
 */
class PendingBatch {
  readonly id: number;
  readonly extras: WriteExtra[] = [];
  bytes = 0;
  isDurable = false;
  /** Somebody waits for it, or it is large: it does not linger. */
  isUrgent = false;
  /** By place. */
  readonly #listeners: (CommitListener | null)[] = [];
  readonly #lastSeqs: Seq[] = [];
  #settle: { readonly resolve: (failures: Failures) => void; readonly reject: (error: Error) => void } | null = null;
  readonly #settled: Promise<Failures>;

  constructor(id: number) {
    this.id = id;
    this.#settled = new Promise<Failures>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  get isEmpty(): boolean {
    return this.#listeners.length === 0;
  }

  add({ events, listener }: Write): Promise<void> {
    const place = this.#listeners.push(listener) - 1;
    this.#lastSeqs.push(events.at(-1)?.seq ?? NO_SEQ);
    return this.#settled.then((failures) => {
      const failure = failures.get(place);
      if (failure !== undefined) throw errorOf(failure);
    });
  }

  committed(failures: Failures): void {
    for (let place = 0; place < this.#listeners.length; place++) {
      if (!failures.has(place)) this.#listeners[place]?.handleCommitted(this.#lastSeqs[place] ?? NO_SEQ);
    }
    this.#settle?.resolve(failures);
  }

  refuse(error: StoreError): void {
    // Without writes nobody listens to the rejection.
    if (!this.isEmpty) this.#settle?.reject(error);
  }
}

interface ClosedBatch {
  readonly pending: PendingBatch;
  readonly batch: Batch;
}

/** What is on its way to the writer. One batch is one transaction; it holds what came in while the one before was written. */
export class WriteQueue {
  readonly #encoder = new BatchEncoder();
  #open = new PendingBatch(1);
  readonly #closed: ClosedBatch[] = [];
  readonly #inFlight = new Map<number, PendingBatch>();
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
    const open = this.#open;
    open.isDurable ||= write.durable;
    open.isUrgent ||= write.durable || write.extra !== null || open.bytes >= LINGER_BELOW_BYTES;
    const written = open.add(write);
    if (open.bytes >= BATCH_BYTES) this.#closeBatch();
    this.#schedule();
    return written;
  }

  #encode({ key, events, extra }: Write): void {
    const { extras } = this.#open;
    let bytes = WRITE_BYTES + this.#encoder.operation(key, events, extra === null ? 0 : extras.length + 1);
    if (extra !== null) {
      extras.push(extra);
      bytes += extraBytes(extra);
    }
    this.#open.bytes += bytes;
    this.#pendingBytes += bytes;
  }

  /** The writer's answer to a batch, with the memory it came in. Returns how many bytes it held. */
  handleCommitted({ batchId, failures }: BatchResult, memory: ArrayBuffer): number {
    this.#encoder.recycle(memory);
    const done = this.#inFlight.get(batchId);
    if (done === undefined) return 0;
    this.#inFlight.delete(batchId);
    this.#pendingBytes -= done.bytes;
    done.committed(failures);
    this.#schedule();
    if (this.#isEmpty()) this.#tellIdle();
    return done.bytes;
  }

  /** Resolves when everything that was asked for so far is committed or refused. */
  drained(): Promise<void> {
    this.#open.isUrgent = true;
    this.#schedule();
    if (this.#isEmpty()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** No write is accepted any more; what waits is refused. */
  end(error: StoreError): void {
    this.#ended = error;
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    const batches = [...this.#inFlight.values(), ...this.#closed.map(({ pending }) => pending), this.#open];
    for (const batch of batches) batch.refuse(error);
    this.#inFlight.clear();
    this.#closed.length = 0;
    this.#open = new PendingBatch(this.#open.id + 1);
    this.#pendingBytes = 0;
    this.#tellIdle();
  }

  #isEmpty(): boolean {
    return this.#open.isEmpty && this.#closed.length === 0 && this.#inFlight.size === 0;
  }

  #tellIdle(): void {
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** What is appended in one turn of the loop goes together; what nobody waits for lingers. */
  #schedule(): void {
    if (this.#inFlight.size >= MAX_IN_FLIGHT || (this.#open.isEmpty && this.#closed.length === 0)) return;
    if (this.#open.isUrgent || this.#closed.length > 0) this.#flushing ??= setImmediate(() => this.#flush());
    else this.#lingering ??= setTimeout(() => this.#flush(), LINGER_MS);
  }

  #flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#flushing = null;
    this.#lingering = null;
    while (this.#inFlight.size < MAX_IN_FLIGHT) {
      if (this.#closed.length === 0 && !this.#open.isEmpty) this.#closeBatch();
      const next = this.#closed.shift();
      if (next === undefined) return;
      this.#inFlight.set(next.batch.id, next.pending);
      this.#post(next.batch);
    }
  }

  #closeBatch(): void {
    const pending = this.#open;
    const { id, isDurable, extras } = pending;
    this.#closed.push({ pending, batch: { id, durable: isDurable, bytes: this.#encoder.take(), extras } });
    this.#open = new PendingBatch(id + 1);
  }
}

/** What an extra weighs in memory; exact for those that can be large. */
function extraBytes(extra: WriteExtra): number {
  if (extra.op === 'screen') return extra.screen.data.length;
  return extra.op === 'document' ? 1024 + (extra.change.update?.byteLength ?? 0) : 1024;
}
