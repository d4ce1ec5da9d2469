import type { LogEvent } from '../../../src-shared/events.ts';
import { readEvent } from '../../../src-shared/events.ts';
import type { RunId, Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { OpenScreen, ScreenHandle } from './screen.ts';
import { type FromScreenWorker, type PastEvent, type ToScreenWorker, UNPARSED_BYTES } from './screen-protocol.ts';

/** Read from the log in one go, and how soon again when an event that was written is not in it yet. */
const PAGE_BYTES = 1024 * 1024;
const NOT_YET_MS = 10;

/** A terminal's line to the worker. */
export interface WorkerLine {
  /** The worker's name for this terminal in its present life. */
  readonly id: number;
  post(message: ToScreenWorker): void;
  /** The event's bytes are given away: nothing else may lie in their memory. */
  feed(event: PastEvent): void;
  call(message: Extract<ToScreenWorker, { type: 'screen' }>): Promise<Screen>;
}

/**
 * Main's side of one terminal's screen. Events go to the worker as they are written, until it holds so much unparsed that the
 * rest is left to the log and read back when there is room: memory stays bounded, and the screen misses nothing.
 */
export class ScreenFeed implements ScreenHandle {
  private readonly runId: RunId;
  private readonly options: OpenScreen;
  private line: WorkerLine;
  private readonly release: () => void;
  /** The newest screen that a new worker could begin with. */
  private base: Screen | null;
  private fedSeq: Seq;
  private headSeq: Seq;
  private parsedSeq: Seq;
  private unparsedBytes = 0;
  /** Written, but left to the log. */
  private owedBytes = 0;
  private isClosed = false;
  private failure: string | null = null;
  private catchingUp: Promise<void> | null = null;
  private onRoom: (() => void) | null = null;

  constructor(runId: RunId, options: OpenScreen, line: WorkerLine, release: () => void) {
    this.runId = runId;
    this.options = options;
    this.line = line;
    this.release = release;
    // A screen of events that the log has lost (a crash between the two) is of no use.
    this.base = options.from !== null && options.from.seq <= options.lastSeq ? options.from : null;
    this.headSeq = options.lastSeq;
    this.fedSeq = this.parsedSeq = this.base?.seq ?? (0 as Seq);
    this.begin(options.lastSeq);
  }

  get behindBytes(): number {
    return this.unparsedBytes + this.owedBytes;
  }

  write(seq: Seq, bytes: Uint8Array): void {
    if (!this.isNew(seq)) return;
    if (this.canFeed()) this.feed({ kind: 'output', seq, bytes });
    else this.owe(bytes.length);
  }

  resize(seq: Seq, cols: number, rows: number): void {
    if (!this.isNew(seq)) return;
    if (this.canFeed()) this.feed({ kind: 'resize', seq, cols, rows });
    else this.owe(0);
  }

  async snapshot({ scrollbackLines }: { readonly scrollbackLines: number }): Promise<Screen> {
    await this.catchingUp;
    return this.take(scrollbackLines, false);
  }

  latest({ scrollbackLines }: { readonly scrollbackLines: number }): Promise<Screen> {
    return this.take(scrollbackLines, true);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.line.post({ type: 'close', id: this.line.id });
    this.onRoom?.();
    this.release();
  }

  /** What the worker says about this terminal. */
  handle(message: Extract<FromScreenWorker, { id: number }>): void {
    if (this.isClosed) return;
    const { events } = this.options;
    switch (message.type) {
      case 'parsed':
        this.parsedSeq = message.seq;
        this.unparsedBytes -= message.bytes;
        if (this.unparsedBytes < UNPARSED_BYTES / 2) this.onRoom?.();
        break;
      case 'reply':
        events.onReply(Buffer.from(message.text, 'latin1'));
        break;
      case 'details':
        events.onDetails(message.details);
        break;
      case 'store':
        this.base = message.screen;
        events.onScreen(message.screen);
        break;
      case 'failed':
        this.fail(message.message);
        break;
    }
  }

  /** A new worker, because the old one has died: it begins with the newest screen and gets the rest from the log. */
  moveTo(line: WorkerLine): void {
    const answered = this.parsedSeq;
    this.line = line;
    this.owedBytes += this.unparsedBytes;
    this.unparsedBytes = 0;
    this.fedSeq = this.parsedSeq = this.base?.seq ?? (0 as Seq);
    this.onRoom?.();
    this.begin(answered);
  }

  /** No screen of this terminal will be kept any longer. */
  fail(message: string): void {
    this.failure = message;
    this.close();
    this.options.events.onFailed(message);
  }

  private begin(pastSeq: Seq): void {
    const { cols, rows, answers } = this.options;
    this.line.post({ type: 'open', id: this.line.id, cols, rows, from: this.base, pastSeq, answers });
    if (this.fedSeq < this.headSeq) this.catchUp();
  }

  private take(scrollbackLines: number, now: boolean): Promise<Screen> {
    if (this.isClosed)
      return Promise.reject(
        new RefusalError(
          'failed',
          `The screen of session ${this.runId} is not kept: ${this.failure ?? 'it was closed'}.`,
          'Attach again; if that fails too, the history still shows its output.',
        ),
      );
    return this.line.call({ type: 'screen', id: this.line.id, call: 0, scrollbackLines, now });
  }

  /** Receiving an event twice (from the log and from the session) is receiving it once. */
  private isNew(seq: Seq): boolean {
    if (this.isClosed || seq <= this.headSeq) return false;
    this.headSeq = seq;
    return seq > this.fedSeq;
  }

  private canFeed(): boolean {
    return this.catchingUp === null && this.unparsedBytes < UNPARSED_BYTES;
  }

  private owe(bytes: number): void {
    this.owedBytes += bytes;
    this.catchUp();
  }

  private feed(event: PastEvent): void {
    this.fedSeq = event.seq;
    if (event.kind === 'resize') {
      this.line.feed(event);
      return;
    }
    this.unparsedBytes += event.bytes.length;
    // A copy of exactly these bytes, handed over: posting a view would copy all that lies around it. (A Buffer's slice is a view.)
    this.line.feed({ ...event, bytes: new Uint8Array(event.bytes) });
  }

  private catchUp(): void {
    this.catchingUp ??= this.readFromLog()
      .catch((error: unknown) => this.fail(`the log could not be read: ${error instanceof Error ? error.message : error}`))
      .finally(() => {
        this.catchingUp = null;
        // Written while the last answer was on its way.
        if (!this.isClosed && this.fedSeq < this.headSeq) this.catchUp();
      });
  }

  private async readFromLog(): Promise<void> {
    while (!this.isClosed && this.fedSeq < this.headSeq) {
      if (this.unparsedBytes >= UNPARSED_BYTES / 2) await this.room();
      const line = this.line;
      const events = await this.options.readOutput(this.fedSeq, PAGE_BYTES);
      if (this.isClosed || line !== this.line) continue;
      if (events.length === 0) await this.nothingThere();
      for (const event of events) this.feedLogged(event);
    }
    this.owedBytes = 0;
  }

  /** Events beyond the last one written here come again through `write`: they are known by then. */
  private feedLogged(event: LogEvent): void {
    const past = pastEvent(event);
    if (past === null) {
      this.fedSeq = event.seq;
      return;
    }
    if (past.kind === 'output') this.owedBytes = Math.max(this.owedBytes - past.bytes.length, 0);
    this.feed(past);
  }

  /** Of what was there at the beginning that is the end; what was written since is on its way into the log. */
  private async nothingThere(): Promise<void> {
    if (this.headSeq === this.options.lastSeq) this.fedSeq = this.headSeq;
    else await new Promise((resolve) => setTimeout(resolve, NOT_YET_MS));
  }

  private room(): Promise<void> {
    return new Promise((resolve) => {
      this.onRoom = () => {
        this.onRoom = null;
        resolve();
      };
    });
  }
}

/** What an event does to a terminal; null: nothing. */
export function pastEvent(event: LogEvent): PastEvent | null {
  const { seq } = event;
  const known = readEvent(event);
  if (known?.channel === 'pty:stdout') return { kind: 'output', seq, bytes: known.payload };
  return known?.channel === 'pty:resize' ? { kind: 'resize', seq, cols: known.payload.cols, rows: known.payload.rows } : null;
}
