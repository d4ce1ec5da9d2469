import { IndexSchedule } from './index-schedule.ts';
import type {
  CheckedEvent,
  Compacted,
  OpenedLog,
  ProblemEvent,
  ReaderCall,
  ReaderCalls,
  ReaderMethod,
  ToReader,
  ToWriter,
  WriterEvent,
} from './messages.ts';
import type { StoreOptions, TimedCall, TimedListener } from './store.ts';
import { StoreError } from './store-error.ts';
import { WorkerLink } from './worker-link.ts';
import { WriteQueue } from './write-queue.ts';

/** After a start that follows a crash: the look for damaged pages waits until the start is over. */
const CHECK_AFTER_MS = 10_000;

type Writer = WorkerLink<ToWriter, WriterEvent>;
type Reader = WorkerLink<ToReader, ProblemEvent>;

/** The threads behind a store: one writes, one reads, and two come and go (search index, page check). */
export class StoreThreads {
  readonly queue: WriteQueue;
  readonly opened: OpenedLog;
  /** Told when everything committed so far is fsynced. */
  onSynced: () => void = () => {};
  readonly #file: string;
  readonly #onProblem: (message: string) => void;
  readonly #writer: Writer;
  readonly #reader: Reader;
  readonly #index: IndexSchedule;
  readonly #checkTimer: NodeJS.Timeout | null;
  #check: WorkerLink<never, CheckedEvent> | null = null;
  readonly #timers = new Set<TimedListener>();
  /** When the batches that are being written were handed over; there are only ever a few. */
  readonly #postedMs = new Map<number, number>();

  static async open({ file, onProblem = () => {} }: StoreOptions): Promise<StoreThreads> {
    // Both threads start at once; the reader opens the file when the writer has made it.
    const writer: Writer = new WorkerLink({ role: 'writer', file });
    const reader: Reader = new WorkerLink({ role: 'reader', file });
    try {
      const opened = await writer.call<OpenedLog>((callId) => ({ kind: 'open', callId }));
      await reader.call<null>((callId) => ({ kind: 'open', callId }));
      return new StoreThreads(file, onProblem, opened, writer, reader);
    } catch (error) {
      await reader.close({ kind: 'close' });
      await writer.close({ kind: 'close' });
      throw error;
    }
  }

  private constructor(file: string, onProblem: (message: string) => void, opened: OpenedLog, writer: Writer, reader: Reader) {
    this.#file = file;
    this.#onProblem = onProblem;
    this.opened = opened;
    this.#writer = writer;
    this.#reader = reader;
    this.#index = new IndexSchedule(file, onProblem);
    // What the last process left unindexed is not known here; looking is cheap.
    if (opened.sessions.length > 0) this.#index.noteAppended(1);
    this.queue = new WriteQueue((batch) => {
      this.#postedMs.set(batch.id, performance.now());
      writer.post({ kind: 'batch', batch }, [batch.bytes.buffer]);
    });
    writer.onEvent = (event) => this.#handleWriter(event);
    writer.onDeath = (error) => {
      this.queue.end(error);
      onProblem(error.message);
    };
    reader.onEvent = ({ message }) => onProblem(message);
    reader.onDeath = (error) => onProblem(error.message);
    this.#checkTimer = opened.wasUnclean ? setTimeout(() => this.#startCheck(), CHECK_AFTER_MS) : null;
    this.#checkTimer?.unref();
  }

  ask<M extends ReaderMethod>(method: M, params: ReaderCalls[M]['params']): Promise<ReaderCalls[M]['result']> {
    const call: ReaderCall<M> = { method, params };
    const asked = this.#reader.call<ReaderCalls[M]['result']>((callId) => ({ kind: 'ask', callId, call }));
    return this.#timers.size === 0 ? asked : this.#timed(method, asked);
  }

  onTimed(listener: TimedListener): () => void {
    this.#timers.add(listener);
    return () => this.#timers.delete(listener);
  }

  async #timed<R>(method: ReaderMethod, asked: Promise<R>): Promise<R> {
    const askedMs = performance.now();
    try {
      return await asked;
    } finally {
      this.#tell(method, askedMs);
    }
  }

  #tell(call: TimedCall, sinceMs: number): void {
    for (const listener of this.#timers) listener(call, performance.now() - sinceMs);
  }

  compact(key: number, keepBytes: number): Promise<Compacted> {
    return this.#writer.call<Compacted>((callId) => ({ kind: 'compact', callId, key, keepBytes }));
  }

  async close(): Promise<void> {
    if (this.#checkTimer !== null) clearTimeout(this.#checkTimer);
    await this.queue.drained();
    this.queue.end(new StoreError('closed', 'The log is closed.'));
    // The writer last: closing the last connection is what removes the WAL.
    await Promise.all([this.#index.close(), this.#check?.exited, this.#reader.close({ kind: 'close' })]);
    await this.#writer.close({ kind: 'close' });
  }

  #handleWriter(event: WriterEvent): void {
    switch (event.kind) {
      case 'committed':
        this.#tell('write', this.#postedMs.get(event.result.batchId) ?? performance.now());
        this.#postedMs.delete(event.result.batchId);
        this.#index.noteAppended(this.queue.handleCommitted(event.result, event.bytes.buffer));
        if (event.result.isSynced) this.onSynced();
        return;
      case 'synced':
        this.onSynced();
        return;
      case 'problem':
        this.#onProblem(event.message);
        return;
    }
  }

  #startCheck(): void {
    const check = new WorkerLink<never, CheckedEvent>({ role: 'check', file: this.#file });
    this.#check = check;
    check.onEvent = ({ found }) => {
      check.expectEnd();
      if (found === null) return;
      this.#onProblem(
        `${this.#file} has damaged pages (${found}). Start Baton again: it sets the file aside and rescues what can be read.`,
      );
    };
    check.onDeath = (error) => this.#onProblem(error.message);
  }
}
