import { Worker } from 'node:worker_threads';
import type { LogEvent } from '../../../src-shared/events.ts';
import type { RunId, Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import { entryPath } from '../../entry-path.ts';
import type { TerminalColors } from './screen-colors.ts';
import { ScreenFeed } from './screen-feed.ts';
import { History, type HistoryPage, type HistorySource, type HistoryWish } from './screen-history.ts';
import type { Details } from './screen-listen.ts';
import type { Fed, FromScreenWorker, ToScreenWorker } from './screen-protocol.ts';

/**
 * The logged events after `after`, in order, about `maxBytes` of them (at least one); other channels than `pty:stdout` and
 * `pty:resize` may be among them. Empty: there is none, or what there is is still on its way into the log.
 */
export type ReadOutput = (after: Seq, maxBytes: number) => Promise<readonly LogEvent[]>;

export interface ScreenEvents {
  /** Answers to the program's queries, to be written to it. */
  onReply(bytes: Uint8Array): void;
  /** Changed window title (cleaned; null: removed) or folder; a notice for the user. */
  onDetails(details: Readonly<Details>): void;
  /** A screen worth storing, each SCREEN_INTERVAL_BYTES of output: scrolling far up and restarts begin at the stored ones. */
  onScreen(screen: Screen): void;
  /** This terminal's screen cannot be kept any longer; snapshots are refused from now on. The session itself is not concerned. */
  onFailed(message: string): void;
}

export interface OpenScreen {
  /** The size that the terminal began with; `from` has its own. */
  readonly cols: number;
  readonly rows: number;
  /** Where to begin; null: an empty terminal before the first event. */
  readonly from: Screen | null;
  /** The log's last event. What lies between `from` and it is read from the log, and nothing in it is answered or announced. */
  readonly lastSeq: Seq;
  /** false where another machine runs the program: nothing is answered at all. */
  readonly answers: boolean;
  readonly readOutput: ReadOutput;
  readonly events: ScreenEvents;
}

export interface ScreenHandle {
  /** The bytes of event `seq`. They are copied; the caller keeps them. */
  write(seq: Seq, bytes: Uint8Array): void;
  resize(seq: Seq, cols: number, rows: number): void;
  /** Output written and not parsed yet. What exceeds UNPARSED_BYTES is not held but read back from the log when its turn comes. */
  readonly behindBytes: number;
  /** The screen after everything that was written before this call. */
  snapshot(options: { readonly scrollbackLines: number }): Promise<Screen>;
  /** The screen as far as it is parsed: at once also under flood. Events after its `seq` complete it. */
  latest(options: { readonly scrollbackLines: number }): Promise<Screen>;
  close(): void;
}

export interface Screens {
  open(runId: RunId, options: OpenScreen): ScreenHandle;
  /** Lines of a terminal's whole past. */
  history(source: HistorySource, page: HistoryWish, signal?: AbortSignal): Promise<HistoryPage>;
  setColors(colors: TerminalColors): void;
  stop(): Promise<void>;
}

export interface ScreensOptions {
  readonly colors: TerminalColors;
  /** The worker died and another one was started, or (the last time) was not. */
  readonly onProblem?: (message: string) => void;
}

/** A worker that dies so often within one minute is not started again. */
const MAX_DEATHS_PER_MINUTE = 5;
const MINUTE_MS = 60_000;

/** Starts the worker thread that keeps the screens of all terminals. */
export function startScreens(options: ScreensOptions): Screens {
  return new ScreenWorker(options);
}

interface Call {
  readonly resolve: (message: FromScreenWorker) => void;
  readonly reject: (error: Error) => void;
  /** The terminal that it is about. */
  readonly id: number | null;
}

class ScreenWorker implements Screens {
  private readonly onProblem: (message: string) => void;
  private colors: TerminalColors;
  private worker: Worker | null;
  private readonly feeds = new Map<number, ScreenFeed>();
  private readonly calls = new Map<number, Call>();
  private lastId = 0;
  private lastCall = 0;
  private deaths: number[] = [];
  private isStopped = false;
  /** Goes out at the end of this turn of the loop: waking the worker takes longer than showing a key's echo to whoever typed it. */
  private fed: Fed[] = [];
  private feeding: NodeJS.Immediate | null = null;
  private readonly pasts: History;

  constructor({ colors, onProblem = () => {} }: ScreensOptions) {
    this.colors = colors;
    this.onProblem = onProblem;
    this.worker = this.start();
    this.pasts = new History(
      (message) => this.call(message, null),
      (message) => this.post(message),
    );
  }

  open(runId: RunId, options: OpenScreen): ScreenHandle {
    const id = ++this.lastId;
    const feed = new ScreenFeed(runId, options, this.lineFor(id), () => void this.feeds.delete(id));
    if (this.worker === null) queueMicrotask(() => feed.fail('the screen worker does not run'));
    else this.feeds.set(id, feed);
    return feed;
  }

  history(source: HistorySource, page: HistoryWish, signal?: AbortSignal): Promise<HistoryPage> {
    return this.pasts.page(source, page, signal);
  }

  setColors(colors: TerminalColors): void {
    this.colors = colors;
    this.post({ type: 'colors', colors });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.pasts.stop();
    for (const feed of [...this.feeds.values()]) feed.close();
    this.rejectCalls(() => true, 'the screens are being stopped');
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(entryPath('screen-worker'));
    worker.on('message', (message: FromScreenWorker) => this.handle(message));
    let reason = 'it ended';
    worker.on('error', (error) => {
      reason = error.message;
    });
    worker.once('exit', () => {
      if (!this.isStopped) this.handleDeath(reason);
    });
    worker.postMessage({ type: 'colors', colors: this.colors } satisfies ToScreenWorker);
    // Alone it keeps no process running.
    worker.unref();
    return worker;
  }

  private handle(message: FromScreenWorker): void {
    if ('call' in message) {
      const call = this.calls.get(message.call);
      this.calls.delete(message.call);
      if (message.type === 'refused') call?.reject(new Error(message.message));
      else call?.resolve(message);
      return;
    }
    if (message.type === 'failed') this.rejectCalls((id) => id === message.id, message.message);
    this.feeds.get(message.id)?.handle(message);
  }

  private handleDeath(reason: string): void {
    const now = performance.now();
    this.deaths = [...this.deaths.filter((at) => now - at < MINUTE_MS), now];
    this.rejectCalls(() => true, `the screen worker died: ${reason}`);
    this.pasts.forget();
    this.fed = [];
    if (this.deaths.length > MAX_DEATHS_PER_MINUTE) {
      this.worker = null;
      this.onProblem(`the screen worker died ${this.deaths.length} times within a minute and is not started again: ${reason}`);
      for (const feed of [...this.feeds.values()]) feed.fail(`the screen worker died: ${reason}`);
      return;
    }
    this.onProblem(`the screen worker died and is started again: ${reason}`);
    this.worker = this.start();
    const feeds = [...this.feeds.values()];
    this.feeds.clear();
    for (const feed of feeds) {
      const id = ++this.lastId;
      this.feeds.set(id, feed);
      feed.moveTo(this.lineFor(id));
    }
  }

  private lineFor(id: number): ConstructorParameters<typeof ScreenFeed>[2] {
    return {
      id,
      post: (message) => this.post(message),
      feed: (event) => this.feed({ id, event }),
      call: async (message) => {
        const answer = await this.call(message, id);
        if (answer.type !== 'screen') throw new Error(`the screen worker answered with ${answer.type}`);
        return answer.screen;
      },
    };
  }

  private feed(fed: Fed): void {
    this.fed.push(fed);
    this.feeding ??= setImmediate(() => this.sendFed());
  }

  private sendFed(): void {
    if (this.feeding !== null) clearImmediate(this.feeding);
    this.feeding = null;
    if (this.fed.length === 0) return;
    const transfer = this.fed.flatMap(({ event }) => (event.kind === 'output' ? [event.bytes.buffer as ArrayBuffer] : []));
    this.worker?.postMessage({ type: 'feed', fed: this.fed } satisfies ToScreenWorker, transfer);
    this.fed = [];
  }

  private post(message: ToScreenWorker): void {
    this.sendFed();
    this.worker?.postMessage(message);
  }

  private call(message: Extract<ToScreenWorker, { call: number }>, id: number | null): Promise<FromScreenWorker> {
    if (this.worker === null || this.isStopped) return Promise.reject(new Error('the screen worker does not run'));
    const call = ++this.lastCall;
    return new Promise((resolve, reject) => {
      this.calls.set(call, { resolve, reject, id });
      this.post({ ...message, call });
    });
  }

  private rejectCalls(isConcerned: (id: number | null) => boolean, message: string): void {
    for (const [call, { id, reject }] of [...this.calls]) {
      if (!isConcerned(id)) continue;
      this.calls.delete(call);
      reject(new Error(message));
    }
  }
}
