import { type LogEvent, readEvent } from './events.ts';
import { NO_SEQ, type RunId, type Seq } from './ids.ts';
import type { Screen } from './operations.ts';
import { type ClientMessage, type HostMessage, type LiveText, VIEWER_WINDOW_BYTES } from './protocol.ts';
import type { Refusal } from './refusal.ts';
import type { SessionState, SessionSummary } from './session.ts';
import { foldState } from './session-state.ts';

/** Keystrokes kept for a session that is just being opened; a person does not type more in that time. */
const MAX_EARLY_KEYS = 256;
/** Parsed output is acknowledged so much at a time: the window stays open, and a key's echo costs no message back. */
const ACK_BYTES = VIEWER_WINDOW_BYTES / 4;

type HostMessageOf<T extends HostMessage['type']> = Extract<HostMessage, { type: T }>;

/** What a viewer hears. All of it in order; nothing after `detach`. */
export interface AttachmentListener {
  /**
   * The view begins anew: forget what was shown. `screen`: a terminal starts from it; otherwise the first event that follows is the
   * one after `after`. Not called when a reconnect continues where it stood.
   */
  onStart(start: {
    readonly after: Seq;
    readonly lastSeq: Seq;
    readonly screen: Screen | null;
    readonly session: SessionSummary;
    /** The `after` that was asked for stands: who still shows what came before it has nothing to forget. */
    readonly continues: boolean;
  }): void;
  /** In `seq` order, each exactly once [seq-2]. */
  onEvents(events: readonly LogEvent[]): void;
  onState?(state: SessionState): void;
  /** A text that is being written: complete from its beginning when the attachment (re)starts, then piece by piece. */
  onLive?(live: LiveText): void;
  /** The texts being written are to be forgotten: those that are still being written follow. */
  onLiveReset?(): void;
  onViewers?(viewers: HostMessageOf<'run:viewers'>, isDriving: boolean): void;
  /** Up to date and following (true), or waiting for the wire (false). */
  onFollowing?(isFollowing: boolean): void;
  /** For good: the session is not there (any more). */
  onRefused?(refusal: Refusal): void;
}

export interface AttachOptions {
  /** Continue after this event; null: the shortest way to the present. */
  readonly after: Seq | null;
  /** When that event happened (its `ts`), where known: tells a log with another history from this one. */
  readonly afterTs?: number | undefined;
  /** The cells of the pane, asked for whenever it attaches; null where there are none. */
  readonly viewport?: () => { readonly cols: number; readonly rows: number } | null;
}

/**
 * One attached session of a client: the cursor, the folded state and the account of parsed output. Made by `RunSessionClient.attach`.
 * It asks again by itself after a reconnect and after a hole, always for "everything after the last one applied" [seq-3].
 */
export class ClientAttachment {
  readonly runId: RunId;
  readonly #listener: AttachmentListener;
  readonly #options: AttachOptions;
  readonly #send: (message: ClientMessage) => void;
  readonly #release: () => void;
  #attachId = 0;
  #cursor: Seq | null;
  /** `ts` of the event at the cursor; undefined where a screen stands for it. */
  #cursorTs: number | undefined;
  /** Answered by `run:attached`: until then whatever comes belongs to an attachment that is no more. */
  #isFollowing = false;
  #isDetached = false;
  #state: SessionState | null = null;
  /** `#state` is folded through this event. */
  #stateSeq: Seq = NO_SEQ;
  #parsedBytes = 0;
  #ackedBytes = 0;
  /** Typed before the first answer, or the first on a better wire; null after it. */
  #early: Uint8Array[] | null = [];

  constructor(
    runId: RunId,
    options: AttachOptions,
    listener: AttachmentListener,
    send: (message: ClientMessage) => void,
    release: () => void,
  ) {
    this.runId = runId;
    this.#options = options;
    this.#cursor = options.after;
    this.#cursorTs = options.afterTs;
    this.#listener = listener;
    this.#send = send;
    this.#release = release;
  }

  get state(): SessionState | null {
    return this.#state;
  }
  /** The last event that was handed to the listener; null before the first start. */
  get cursor(): Seq | null {
    return this.#cursor;
  }
  get cursorTs(): number | undefined {
    return this.#cursorTs;
  }

  /**
   * Typed bytes: at most once [input-5]. What is typed before the first answer to `run:attach` waits for it, as does what is typed
   * while one wire takes the place of another; while a wire that was there is down they are thrown away, because nobody wants them
   * typed later.
   */
  keys(data: Uint8Array): void {
    if (this.#isFollowing) this.#send({ type: 'run:input', runId: this.runId, epoch: null, input: { kind: 'keys', data } });
    else if (this.#early !== null && this.#early.length < MAX_EARLY_KEYS) this.#early.push(data);
  }

  viewport(cols: number, rows: number): void {
    if (this.#isFollowing)
      this.#send({ type: 'run:input', runId: this.runId, epoch: null, input: { kind: 'viewport', cols, rows } });
  }

  /** `bytes` more of terminal output have been parsed by the terminal: the host may send on [wire-5]. */
  parsed(bytes: number): void {
    this.#parsedBytes += bytes;
    if (!this.#isFollowing || this.#parsedBytes - this.#ackedBytes < ACK_BYTES) return;
    this.#ackedBytes = this.#parsedBytes;
    this.#send({ type: 'run:ack', runId: this.runId, attachId: this.#attachId, parsedBytes: this.#parsedBytes });
  }

  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#isFollowing = false;
    this.#send({ type: 'run:detach', runId: this.runId });
    this.#release();
  }

  /** The client's: a wire is there (again). */
  request(): void {
    this.#attachId += 1;
    this.#parsedBytes = 0;
    this.#ackedBytes = 0;
    this.#setFollowing(false);
    this.#send({
      type: 'run:attach',
      runId: this.runId,
      attachId: this.#attachId,
      after: this.#cursor,
      ...(this.#cursorTs === undefined ? {} : { afterTs: this.#cursorTs }),
      viewport: this.#options.viewport?.() ?? null,
    });
  }

  /** The client's: the wire is gone. Where the next one is open already, what is typed meanwhile waits for it. */
  wireLost(isChangingOver = false): void {
    if (isChangingOver && this.#isFollowing) this.#early = [];
    this.#setFollowing(false);
  }

  handleAttached(message: HostMessageOf<'run:attached'>): void {
    if (message.attachId !== this.#attachId || this.#isDetached) return;
    const { screen, session, lastSeq } = message;
    const continues = !message.reset && screen === null && this.#cursor === message.after;
    const isFirst = this.#state === null;
    this.#state = message.state;
    this.#stateSeq = lastSeq;
    if (!continues) {
      this.#cursor = screen?.seq ?? message.after;
      this.#cursorTs = undefined;
    }
    if (!continues || isFirst)
      this.#listener.onStart({ after: screen?.seq ?? message.after, lastSeq, screen, session, continues });
    this.#setFollowing(true);
    this.#listener.onLiveReset?.();
    for (const live of message.live) this.#listener.onLive?.(live);
    this.#listener.onState?.(message.state);
    const early = this.#early ?? [];
    this.#early = null;
    for (const data of early) this.keys(data);
  }

  handleRefused(message: HostMessageOf<'run:refused'>): void {
    if (message.attachId !== this.#attachId || this.#isDetached) return;
    this.#isDetached = true;
    this.#release();
    this.#listener.onRefused?.(message.refusal);
  }

  /** The session was deleted. */
  handleRemoved(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#setFollowing(false);
    this.#release();
    this.#listener.onRefused?.({ code: 'unknown-session', message: 'The session was deleted.', hint: null });
  }

  handleResync(message: HostMessageOf<'run:resync'>): void {
    if (message.attachId !== this.#attachId || !this.#isFollowing) return;
    const { screen, lastSeq, session, state } = message;
    this.#cursor = screen.seq;
    this.#cursorTs = undefined;
    this.#state = state;
    this.#stateSeq = lastSeq;
    this.#listener.onStart({ after: screen.seq, lastSeq, screen, session, continues: false });
    this.#listener.onState?.(state);
  }

  handleEvents(events: readonly LogEvent[]): void {
    if (!this.#isFollowing) return;
    const cursor = this.#cursor ?? NO_SEQ;
    const fresh = events.filter((event) => event.seq > cursor);
    const [first] = fresh;
    if (first === undefined) return;
    if (beginsAt(first) > cursor + 1) {
      // A hole: never shown, never silent.
      this.request();
      return;
    }
    const last = fresh.at(-1) ?? first;
    this.#cursor = last.seq;
    this.#cursorTs = last.ts;
    this.#listener.onEvents(fresh);
    this.#fold(fresh);
  }

  handleLive(live: LiveText): void {
    if (this.#isFollowing) this.#listener.onLive?.(live);
  }

  handleViewers(message: HostMessageOf<'run:viewers'>, isDriving: boolean): void {
    if (this.#isFollowing) this.#listener.onViewers?.(message, isDriving);
  }

  #fold(events: readonly LogEvent[]): void {
    let state = this.#state;
    if (state === null) return;
    for (const event of events) {
      if (event.seq <= this.#stateSeq) continue;
      state = foldState(state, event);
      this.#stateSeq = event.seq;
    }
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.onState?.(state);
  }

  #setFollowing(isFollowing: boolean): void {
    if (this.#isFollowing === isFollowing) return;
    this.#isFollowing = isFollowing;
    this.#listener.onFollowing?.(isFollowing);
  }
}

/** Output that was compacted away stands in the log as one gap at its run's last seq. */
function beginsAt(event: LogEvent): number {
  if (event.channel !== 'system:status' || event.type !== 'gap') return event.seq;
  const known = readEvent(event);
  return known?.channel === 'system:status' && known.type === 'gap' ? Math.min(known.payload.fromSeq, event.seq) : event.seq;
}
