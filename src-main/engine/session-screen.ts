import { type LogEvent, type NewEvent, newEvent, readEvent } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import type { SessionSpec, SessionState } from '../../src-shared/session.ts';
import type { Store } from '../store/store.ts';
import type { ReadOutput, ScreenEvents, ScreenHandle, Screens } from './screen/screen.ts';
import type { HistorySource } from './screen/screen-history.ts';
import type { Details } from './screen/screen-listen.ts';
import type { ProgramNotice } from './screen/screen-notice.ts';

/** Lines above the screen that a viewer gets at once; what lies further up is the history view's. */
export const LIVE_SCROLLBACK_LINES = 1_000;
/** A program that sets its title with every line writes at most so often into the log. */
const DETAILS_EVERY_MS = 250;
const HISTORY_PAGE_EVENTS = 2_000;
/** A program that sends notices without end is heard so often [pty-11]. */
const NOTICE_EVERY_MS = 2_000;

export interface ScreenOwner {
  readonly runId: RunId;
  readonly spec: SessionSpec;
  readonly state: SessionState;
  readonly isRunning: boolean;
  readonly log: {
    readonly published: { readonly seq: Seq; readonly state: SessionState };
    recent(after: Seq, maxBytes: number): readonly LogEvent[] | null;
  };
  readonly viewers: { readonly size: number };
  append(events: readonly NewEvent[]): Promise<Seq>;
}

interface Dependencies {
  readonly store: Pick<Store, 'read' | 'screen' | 'putScreen'>;
  readonly screens: Screens;
  /** The program has something to tell the user. */
  readonly onNotice: (runId: RunId, notice: ProgramNotice) => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** What a terminal shows now, kept by the screen worker; and what its program says of itself there. Sessions without a terminal have none. */
export class SessionScreen {
  readonly #owner: ScreenOwner;
  readonly #dependencies: Dependencies;
  readonly #reply: ((bytes: Uint8Array) => void) | null;
  #handle: ScreenHandle | null = null;
  #opening: Promise<void> | null = null;
  /** Viewers-to-be that wait for the screen: one may come while another leaves. */
  #readers = 0;
  /** Published while the handle was being opened: it begins at the log's end of then. */
  #details: Details = {};
  #detailsTimer: ReturnType<typeof setTimeout> | null = null;
  #nextNotice: ProgramNotice | null = null;
  #noticeTimer: ReturnType<typeof setTimeout> | null = null;

  /** `reply`: what the terminal answers to its program; null where another machine's does. */
  constructor(owner: ScreenOwner, dependencies: Dependencies, reply: ((bytes: Uint8Array) => void) | null) {
    this.#owner = owner;
    this.#dependencies = dependencies;
    this.#reply = reply;
  }

  /** Begins to follow, from the stored screen and the log. Does nothing for sessions that have no terminal, or when it is open. */
  open(): Promise<void> {
    if (this.#owner.spec.kind !== 'pty' || this.#handle !== null) return Promise.resolve();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { runId } = this.#owner;
    const from = await this.#dependencies.store.screen(runId);
    this.#handle = this.#dependencies.screens.open(runId, {
      ...this.#firstSize(),
      from,
      lastSeq: this.#owner.log.published.seq,
      answers: this.#reply !== null,
      readOutput: this.#readOutput,
      events: this.#events(),
    });
  }

  /** A published event that changes the screen. */
  show(event: LogEvent): void {
    if (this.#handle === null) return;
    if (event.channel === 'pty:stdout' && event.payload instanceof Uint8Array) {
      this.#handle.write(event.seq, event.payload);
    } else if (event.channel === 'pty:resize') {
      const known = readEvent(event);
      if (known?.channel === 'pty:resize') this.#handle.resize(event.seq, known.payload.cols, known.payload.rows);
    }
  }

  /** The screen as far as it is parsed, at once; events after its `seq` complete it. null: this session has no terminal. */
  async latest(scrollbackLines = LIVE_SCROLLBACK_LINES): Promise<Screen | null> {
    this.#readers += 1;
    try {
      await this.open();
      return (await this.#handle?.latest({ scrollbackLines })) ?? null;
    } finally {
      this.#readers -= 1;
    }
  }

  /** The screen after everything that was published before this call. null: this session has no terminal. */
  async snapshot(scrollbackLines = LIVE_SCROLLBACK_LINES): Promise<Screen | null> {
    this.#readers += 1;
    try {
      if (this.#handle === null) await this.open();
      return (await this.#handle?.snapshot({ scrollbackLines })) ?? null;
    } finally {
      this.#readers -= 1;
      this.letGo();
    }
  }

  /** Stores the screen of a program that has ended, and lets go of it if nobody watches. */
  async keep(): Promise<void> {
    const handle = this.#handle;
    if (handle === null) return;
    await this.#dependencies.store.putScreen(
      this.#owner.runId,
      await handle.snapshot({ scrollbackLines: LIVE_SCROLLBACK_LINES }),
    );
    this.letGo();
  }

  /** Frees a screen that nobody watches and nothing writes to; the next viewer opens it again. */
  letGo(): void {
    if (this.#owner.isRunning || this.#owner.viewers.size > 0 || this.#opening !== null || this.#readers > 0) return;
    this.#handle?.close();
    this.#handle = null;
  }

  async close(): Promise<void> {
    for (const timer of [this.#detailsTimer, this.#noticeTimer]) if (timer !== null) clearTimeout(timer);
    this.#detailsTimer = null;
    this.#noticeTimer = null;
    await this.#opening?.catch(() => {});
    this.#handle?.close();
    this.#handle = null;
  }

  historySource(): HistorySource {
    const { runId } = this.#owner;
    const { store } = this.#dependencies;
    return {
      runId,
      ...this.#firstSize(),
      readOutput: this.#readOutput,
      lastSeq: () => this.#owner.log.published.seq,
      screen: (atOrBefore) => store.screen(runId, atOrBefore),
    };
  }

  /** The newest from memory: they may not be stored yet. */
  readonly #readOutput: ReadOutput = async (after, maxBytes) =>
    this.#owner.log.recent(after, maxBytes) ??
    this.#dependencies.store.read({
      runId: this.#owner.runId,
      after,
      channels: ['pty:stdout', 'pty:resize'],
      limit: HISTORY_PAGE_EVENTS,
      maxBytes,
    });

  /** The size that the terminal began with: its log begins there. */
  #firstSize(): { readonly cols: number; readonly rows: number } {
    const { spec, state } = this.#owner;
    return spec.kind === 'pty' ? { cols: spec.cols, rows: spec.rows } : { cols: state.cols, rows: state.rows };
  }

  #events(): ScreenEvents {
    const { onProblem, store } = this.#dependencies;
    const { runId } = this.#owner;
    return {
      onReply: this.#reply ?? (() => {}),
      onDetails: (details) => this.#handleDetails(details),
      onScreen: (screen) => {
        store.putScreen(runId, screen).catch((error: unknown) => onProblem(`storing a screen of session ${runId} failed`, error));
      },
      onFailed: (message) => {
        onProblem(`the screen of session ${runId} cannot be kept: ${message}`);
        this.#handle?.close();
        this.#handle = null;
      },
    };
  }

  #handleDetails({ notice, ...details }: Readonly<Details>): void {
    if (notice !== undefined) this.#handleNotice(notice);
    if (Object.keys(details).length === 0) return;
    this.#details = { ...this.#details, ...details };
    this.#detailsTimer ??= setTimeout(() => this.#logDetails(), DETAILS_EVERY_MS);
  }

  /** The first one at once; of what comes soon after, the newest. */
  #handleNotice(notice: ProgramNotice): void {
    if (this.#noticeTimer !== null) {
      this.#nextNotice = notice;
      return;
    }
    this.#dependencies.onNotice(this.#owner.runId, notice);
    this.#noticeTimer = setTimeout(() => {
      this.#noticeTimer = null;
      const next = this.#nextNotice;
      this.#nextNotice = null;
      if (next !== null) this.#handleNotice(next);
    }, NOTICE_EVERY_MS);
    this.#noticeTimer.unref();
  }

  #logDetails(): void {
    this.#detailsTimer = null;
    const { programTitle, cwd, atPrompt } = this.#details;
    this.#details = {};
    const { state, runId, isRunning } = this.#owner;
    const changed = {
      ...(programTitle === undefined || programTitle === state.programTitle ? {} : { programTitle }),
      ...(cwd === undefined || cwd === state.cwd ? {} : { cwd }),
      ...(atPrompt === undefined || atPrompt === (state.status === 'idle') ? {} : { atPrompt }),
    };
    if (!isRunning || Object.keys(changed).length === 0) return;
    this.#owner.append([newEvent('system:status', 'details', changed)]).catch((error: unknown) => {
      this.#dependencies.onProblem(`details of session ${runId} could not be logged`, error);
    });
  }
}
