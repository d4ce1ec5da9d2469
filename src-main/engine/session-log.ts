import type { LogEvent, NewEvent } from '../../src-shared/events.ts';
import { type Epoch, nextSeq, type RunId, type Seq } from '../../src-shared/ids.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionState } from '../../src-shared/session.ts';
import { foldState } from '../../src-shared/session-state.ts';
import type { AppendRequest, InputRecord, Store } from '../store/store.ts';
import type { ShownLog } from './engine-session.ts';
import { LogTail, payloadBytes } from './log-tail.ts';

/** Between attempts to store what the disk refused. */
const RETRY_MS = 500;

export interface SessionLogOptions {
  readonly runId: RunId;
  readonly epoch: Epoch;
  readonly store: Pick<Store, 'append'>;
  readonly lastSeq: Seq;
  readonly state: SessionState;
  readonly now: () => number;
  /** What viewers may now see, in order, once. */
  readonly onPublish: (events: readonly LogEvent[]) => void;
  /** The store refuses (disk full); output must be held back until it is false again. */
  readonly onTrouble: (message: string | null) => void;
  /** The session's own checkpoint, stored in the same transaction as events that change its state. */
  readonly checkpoint: (state: SessionState, seq: Seq) => NonNullable<AppendRequest['meta']>;
}

interface Entry {
  events: readonly LogEvent[];
  readonly durable: boolean;
  readonly input: ((seq: Seq) => InputRecord) | undefined;
  readonly resolve: (seq: Seq) => void;
  /** null: nobody may be refused, because nobody can do without it (output, what a child did). */
  readonly reject: ((error: Error) => void) | null;
  isPublished: boolean;
  isStored: boolean;
}

export interface AppendOptions {
  readonly durable?: boolean;
  /** The answer to the command that caused this, stored in the same transaction [input-1]. */
  readonly input?: (seq: Seq) => InputRecord;
  /** If the store refuses, give this up and say so, instead of trying again until it is stored. */
  readonly refusable?: boolean;
}

/**
 * Numbers, stores and publishes the events of one session.
 *
 * Order: events are published in `seq` order. What need not be durable is published at once; a durable event only when it is
 * fsynced [seq-7], and everything behind it waits for it [seq-2].
 * A refused write: what has been published keeps its number and is tried again until it is stored; a command that nobody has
 * seen is refused and leaves no number behind.
 */
export class SessionLog implements ShownLog {
  /** Of what is appended from now on. It only grows. */
  epoch: Epoch;
  readonly #options: SessionLogOptions;
  #lastSeq: Seq;
  #state: SessionState;
  #published: { readonly seq: Seq; readonly state: SessionState };
  /** Not stored yet, or not published yet. In order. */
  #pending: Entry[] = [];
  #pendingBytes = 0;
  readonly #tail = new LogTail();
  #retry: ReturnType<typeof setTimeout> | null = null;
  /** Its time has come, and not all that was written before has been answered. */
  #isRetryDue = false;
  #inFlight = 0;
  #isClosed = false;

  constructor(options: SessionLogOptions) {
    this.#options = options;
    this.epoch = options.epoch;
    this.#lastSeq = options.lastSeq;
    this.#state = options.state;
    this.#published = { seq: options.lastSeq, state: options.state };
  }

  /** Folded through everything appended: what decisions are made on. */
  get state(): SessionState {
    return this.#state;
  }
  /** What viewers may know. */
  get published(): { readonly seq: Seq; readonly state: SessionState } {
    return this.#published;
  }
  /** Bytes appended and not stored yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<Seq> {
    if (this.#isClosed) return Promise.reject(new RefusalError('shutting-down', 'The session is being closed.'));
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        events: this.#number(events),
        durable: options.durable ?? false,
        input: options.input,
        resolve,
        reject: options.refusable === true ? reject : null,
        isPublished: false,
        isStored: false,
      };
      this.#pending.push(entry);
      this.#pendingBytes += bytesOf(entry.events);
      if (this.#retry === null) this.#write(entry);
      this.#publish();
    });
  }

  /** Resolves when everything is stored (true), or after `maxMs` (false). */
  async settled(maxMs: number): Promise<boolean> {
    let isLate = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        resolve();
      }, maxMs);
    });
    while (this.#pending.length > 0 && !isLate) {
      await Promise.race([late, new Promise<void>((resolve) => this.#onSettled.push(resolve))]);
    }
    clearTimeout(timer);
    return this.#pending.length === 0;
  }
  #onSettled: (() => void)[] = [];

  /** No more events are taken; what the disk still refuses is given up. */
  close(): void {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    this.#isRetryDue = false;
  }

  /** It goes on after all, with what was not stored when it was closed. */
  reopen(): void {
    this.#isClosed = false;
    if (this.#pending.length > 0) this.#retry ??= setTimeout(() => this.#tryAgain(), RETRY_MS);
  }

  recent(after: Seq, maxBytes: number): readonly LogEvent[] | null {
    return after >= this.#published.seq ? [] : this.#tail.recent(after, maxBytes);
  }

  outputAfter(seq: Seq): number {
    return this.#tail.outputAfter(seq);
  }

  #number(events: readonly NewEvent[]): readonly LogEvent[] {
    const { epoch } = this;
    const { runId, now } = this.#options;
    const ts = now();
    return events.map(({ channel, type, payload }) => {
      this.#lastSeq = nextSeq(this.#lastSeq);
      const event: LogEvent = { runId, seq: this.#lastSeq, epoch, ts, channel, type, payload };
      this.#state = foldState(this.#state, event);
      return event;
    });
  }

  #write(entry: Entry): void {
    const lastSeq = (entry.events.at(-1) as LogEvent).seq;
    const changesState = this.#state !== this.#checkpointed;
    this.#checkpointed = this.#state;
    const request: AppendRequest = {
      runId: this.#options.runId,
      events: entry.events,
      durable: entry.durable,
      ...(entry.input === undefined ? {} : { input: entry.input(lastSeq) }),
      ...(changesState ? { meta: this.#options.checkpoint(this.#state, lastSeq) } : {}),
    };
    this.#inFlight++;
    const answered = (handle: () => void) => {
      this.#inFlight--;
      handle();
      if (this.#isRetryDue) this.#tryAgain();
    };
    this.#options.store.append(request).then(
      () => answered(() => this.#stored(entry, lastSeq)),
      (error: unknown) => answered(() => this.#refused(entry, error)),
    );
  }
  #checkpointed: SessionState | null = null;

  #stored(entry: Entry, lastSeq: Seq): void {
    entry.isStored = true;
    this.#pendingBytes -= bytesOf(entry.events);
    this.#publish();
    this.#pending = this.#pending.filter((other) => !(other.isStored && other.isPublished));
    entry.resolve(lastSeq);
    if (this.#pending.length === 0) for (const resolve of this.#onSettled.splice(0)) resolve();
  }

  #publish(): void {
    const ready: LogEvent[] = [];
    for (const entry of this.#pending) {
      if (entry.isPublished) continue;
      if (entry.durable && !entry.isStored) break;
      entry.isPublished = true;
      for (const event of entry.events) {
        ready.push(event);
        this.#tail.remember(event);
        this.#published = { seq: event.seq, state: foldState(this.#published.state, event) };
      }
    }
    if (ready.length > 0) this.#options.onPublish(ready);
  }

  /** Every entry from the refused one on is refused by the store as well: decide once, for all of them. */
  #refused(entry: Entry, error: unknown): void {
    if (this.#isClosed || this.#retry !== null || !this.#pending.includes(entry)) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onTrouble(message);
    this.#retry = setTimeout(() => this.#tryAgain(), RETRY_MS);
    const kept: Entry[] = [];
    for (const candidate of this.#pending) {
      if (candidate.reject === null || candidate.isPublished || candidate.isStored) kept.push(candidate);
      else {
        this.#pendingBytes -= bytesOf(candidate.events);
        candidate.reject(
          new RefusalError('failed', `It could not be stored: ${message}`, 'Make room on the disk and try again.'),
        );
      }
    }
    this.#renumber(kept);
  }

  /** What nobody has seen closes up to what somebody has. */
  #renumber(kept: Entry[]): void {
    this.#pending = kept;
    this.#lastSeq = this.#published.seq;
    this.#state = this.#published.state;
    for (const entry of kept) {
      if (!entry.isPublished && !entry.isStored) entry.events = this.#number(entry.events);
      else if (!entry.isPublished) {
        for (const event of entry.events) {
          this.#lastSeq = event.seq;
          this.#state = foldState(this.#state, event);
        }
      }
    }
  }

  #tryAgain(): void {
    // Writes that still carry the numbers of before are refused too; nothing is written between them.
    this.#isRetryDue = this.#inFlight > 0;
    if (this.#isRetryDue) return;
    this.#retry = null;
    if (this.#isClosed) return;
    this.#checkpointed = null;
    this.#options.onTrouble(null);
    for (const entry of this.#pending) if (!entry.isStored) this.#write(entry);
  }
}

function bytesOf(events: readonly LogEvent[]): number {
  return events.reduce((sum, event) => sum + payloadBytes(event), 0);
}
