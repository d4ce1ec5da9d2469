import { type KnownEvent, type LogEvent, readEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';

/** A terminal emulator that parses later than it is given output. */
export interface OutputSink {
  write(data: Uint8Array | string, handleParsed: () => void): void;
  /** Only called when everything written before has been parsed: reflowing while output waits shows lines twice or never. */
  resize(cols: number, rows: number): void;
  /** An empty terminal in its initial state. Only called when everything written before has been parsed. */
  reset(): void;
}

/** Something that happened to the session between two pieces of its output. */
export type Turning = Extract<KnownEvent, { channel: 'system:status' }>;

export interface OutputQueueOptions {
  readonly sink: OutputSink;
  /** So many more bytes of the log have been parsed: the host may send on [wire-5]. */
  readonly onParsed: (bytes: number) => void;
  /** Called in its place in the output. */
  readonly onTurning: (turning: Turning, event: LogEvent) => void;
  /** After a new beginning, everything that had happened by then is there. */
  readonly onCaughtUp: () => void;
}

/** Telling the host of every parsed piece would double the messages; telling it late would hold output back. */
const ACK_AT_BYTES = 32 * 1024;

type Step =
  | { readonly is: 'write'; readonly data: Uint8Array | string; readonly seq: Seq; readonly bytes: number }
  | { readonly is: 'quiet'; readonly run: () => void };

/**
 * A session's events on their way into a terminal, in their order: output at once, everything else when what came before has been
 * parsed. What is on its way is bounded by the host, which waits for `onParsed` [wire-5].
 */
export class OutputQueue {
  readonly #options: OutputQueueOptions;
  #waiting: Step[] = [];
  /** Seqs of what has been given to the terminal and is not parsed yet. */
  #parsing: Seq[] = [];
  /** Output that belongs to an earlier attachment is not acknowledged to this one. */
  #attachment = 0;
  #beginning = 0;
  #unacked = 0;
  #isAckPlanned = false;
  #replayedThrough: Seq = NO_SEQ;
  #isCaughtUp = true;

  constructor(options: OutputQueueOptions) {
    this.#options = options;
  }

  /** What is being parsed happens now: it is not a repetition of what a viewer may have seen (and heard) before. */
  get isLive(): boolean {
    const seq = this.#parsing[0];
    return seq !== undefined && seq > this.#replayedThrough;
  }

  /** Shows `screen` (null: an empty terminal) in place of everything. The events after `after` and through `lastSeq` are repetitions. */
  start({ screen, after, lastSeq }: { readonly screen: Screen | null; readonly after: Seq; readonly lastSeq: Seq }): void {
    this.forgetUnparsed();
    this.#beginning += 1;
    this.#waiting = [];
    this.#replayedThrough = lastSeq;
    this.#isCaughtUp = false;
    const { sink } = this.#options;
    this.#whenQuiet(() => {
      sink.reset();
      if (screen !== null) sink.resize(screen.cols, screen.rows);
    });
    if (screen !== null && screen.data !== '') {
      this.#waiting.push({ is: 'write', data: screen.data, seq: screen.seq, bytes: 0 });
    }
    this.#noteCaughtUp(after);
    this.#drain();
  }

  push(events: readonly LogEvent[]): void {
    for (const event of events) {
      this.#add(event);
      this.#noteCaughtUp(event.seq);
    }
    this.#drain();
  }

  /** The attachment has changed: output of the one before is parsed, but no longer counted. */
  forgetUnparsed(): void {
    this.#attachment += 1;
    this.#unacked = 0;
  }

  #add(event: LogEvent): void {
    const { seq, payload } = event;
    if (event.channel === 'pty:stdout') {
      // Writing nothing would call back out of turn.
      if (payload instanceof Uint8Array && payload.byteLength > 0)
        this.#waiting.push({ is: 'write', data: payload, seq, bytes: payload.byteLength });
      return;
    }
    if (event.channel !== 'pty:resize' && event.channel !== 'system:status') return;
    const known = readEvent(event);
    if (known?.channel === 'pty:resize') {
      const { cols, rows } = known.payload;
      this.#whenQuiet(() => this.#options.sink.resize(cols, rows));
    } else if (known?.channel === 'system:status') this.#whenQuiet(() => this.#options.onTurning(known, event));
  }

  #noteCaughtUp(seq: Seq): void {
    if (this.#isCaughtUp || seq < this.#replayedThrough) return;
    this.#isCaughtUp = true;
    this.#whenQuiet(this.#options.onCaughtUp);
  }

  #whenQuiet(run: () => void): void {
    this.#waiting.push({ is: 'quiet', run });
  }

  #drain(): void {
    const beginning = this.#beginning;
    while (beginning === this.#beginning) {
      const step = this.#waiting[0];
      if (step === undefined || (step.is === 'quiet' && this.#parsing.length > 0)) return;
      this.#waiting.shift();
      if (step.is === 'write') this.#write(step);
      else step.run();
    }
  }

  #write({ data, seq, bytes }: Extract<Step, { is: 'write' }>): void {
    const attachment = this.#attachment;
    this.#parsing.push(seq);
    this.#options.sink.write(data, () => {
      this.#parsing.shift();
      if (attachment === this.#attachment && bytes > 0) this.#count(bytes);
      if (this.#parsing.length === 0) this.#drain();
    });
  }

  #count(bytes: number): void {
    this.#unacked += bytes;
    if (this.#unacked >= ACK_AT_BYTES) this.#ack();
    else if (!this.#isAckPlanned) {
      this.#isAckPlanned = true;
      // After everything that the terminal parses in one go.
      queueMicrotask(() => {
        this.#isAckPlanned = false;
        this.#ack();
      });
    }
  }

  #ack(): void {
    const bytes = this.#unacked;
    this.#unacked = 0;
    if (bytes > 0) this.#options.onParsed(bytes);
  }
}
