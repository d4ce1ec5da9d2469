import type { Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import { ScreenColors, type TerminalColors } from './screen-colors.ts';
import { planForward } from './screen-forward.ts';
import { type Details, listen } from './screen-listen.ts';
import { type PastEvent, SCREEN_INTERVAL_BYTES, SCREEN_SCROLLBACK_LINES } from './screen-protocol.ts';
import { unfinishedSequence } from './screen-sequence.ts';
import { type HeadlessTerminal, hiddenState, openTerminal, written } from './screen-xterm.ts';

/** Parsed in one go; then others have their turn. */
const STEP_BYTES = 256 * 1024;
/** A step larger than this is a flood: the next one waits, so that most of it can be skipped. */
const FLOOD_BYTES = 32 * 1024;
const FLOOD_PAUSE_MS = 30;
/** A flood waits no longer once so much has come. */
const FLOOD_ENOUGH_BYTES = 2 * 1024 * 1024;
/** A program that asks and does not read the answers gets no more of them in one step. */
const MAX_REPLY_CHARACTERS = 16 * 1024;

export interface TerminalEvents {
  onParsed(seq: Seq, bytes: number): void;
  onReply(text: string): void;
  onDetails(details: Details): void;
  onStore(screen: Screen): void;
}

export interface OpenTerminal {
  readonly cols: number;
  readonly rows: number;
  readonly from: Screen | null;
  readonly pastSeq: Seq;
  readonly answers: boolean;
  readonly colors: TerminalColors;
}

type Work = PastEvent | { readonly kind: 'call'; readonly run: () => void };
type Output = Extract<PastEvent, { kind: 'output' }>;

/** One terminal in the worker: what is still to be parsed, and the screen after what is. */
export class ScreenTerminal {
  private readonly xterm: HeadlessTerminal;
  private readonly colors: ScreenColors;
  private readonly options: OpenTerminal;
  private readonly events: TerminalEvents;
  private queue: Work[] = [];
  private queuedBytes = 0;
  private hasCall = false;
  private seq: Seq;
  private unfinished: Uint8Array = new Uint8Array(0);
  /** Until so many bytes more are parsed, skipping has been found impossible. */
  private unskippableBytes = 0;
  private unstoredBytes = 0;
  private isFlood = false;
  private isLive = false;
  private replyCharacters = 0;
  private details: Details = {};
  private wake: () => void = () => {};

  constructor(options: OpenTerminal, events: TerminalEvents) {
    this.options = options;
    this.events = events;
    this.seq = options.from?.seq ?? (0 as Seq);
    this.colors = new ScreenColors(options.colors);
    this.xterm = openTerminal(options.from ?? options, SCREEN_SCROLLBACK_LINES);
    listen(this.xterm.terminal, this.colors, {
      onReply: (text) => this.reply(text),
      onDetails: (details) => {
        if (this.isLive) Object.assign(this.details, details);
      },
    });
  }

  get hasWork(): boolean {
    return this.queue.length > 0;
  }

  /** Shows the stored screen that it begins with. Once, before anything else. */
  async restore(): Promise<void> {
    if (this.options.from !== null) await written(this.xterm.terminal, this.options.from.data);
  }

  feed(event: PastEvent): void {
    this.queue.push(event);
    if (event.kind === 'output') this.queuedBytes += event.bytes.length;
    if (this.queuedBytes >= FLOOD_ENOUGH_BYTES) this.wake();
  }

  /** Runs when everything fed before is parsed. */
  afterQueue(run: () => void): void {
    this.queue.push({ kind: 'call', run });
    this.hasCall = true;
    this.wake();
  }

  setColors(colors: TerminalColors): void {
    this.colors.setTheme(colors);
  }

  /** Between two steps of a flood. */
  async pause(): Promise<void> {
    if (!this.isFlood || this.hasCall || this.queuedBytes >= FLOOD_ENOUGH_BYTES) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLOOD_PAUSE_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => {};
  }

  /** Does the next piece of work. Nobody else may parse meanwhile. */
  async step(): Promise<void> {
    const next = this.queue[0];
    if (next === undefined) return;
    if (next.kind === 'output') {
      await this.parseStep();
    } else {
      this.queue.shift();
      if (next.kind === 'call') this.call(next.run);
      else this.resize(next);
    }
    this.offer();
  }

  /** What is shown now, in bytes that make an empty terminal of this size show the same. Only between steps. */
  screen(scrollbackLines: number): Screen {
    const { terminal, serializer } = this.xterm;
    const data =
      serializer.serialize({ scrollback: scrollbackLines }) +
      this.colors.serialize() +
      serializeHidden(this.xterm) +
      Buffer.from(this.unfinished).toString('utf8');
    return { seq: this.seq, cols: terminal.cols, rows: terminal.rows, data };
  }

  dispose(): void {
    this.queue = [];
    this.wake();
    this.xterm.terminal.dispose();
  }

  private call(run: () => void): void {
    this.hasCall = this.queue.some(({ kind }) => kind === 'call');
    run();
  }

  private resize({ seq, cols, rows }: Extract<PastEvent, { kind: 'resize' }>): void {
    this.xterm.terminal.resize(cols, rows);
    this.seq = seq;
    this.events.onParsed(seq, 0);
  }

  private async parseStep(): Promise<void> {
    const run = this.outputRun();
    const [first] = run;
    if (first === undefined) return;
    this.isLive = !this.isPast(first);
    this.replyCharacters = 0;
    const total = bytesOf(run);
    if (total > STEP_BYTES && this.unskippableBytes <= 0) {
      if (await this.skip(run)) return;
    }
    const taken = firstBytes(run, this.unskippableBytes > 0 ? Math.min(STEP_BYTES, this.unskippableBytes) : STEP_BYTES);
    const bytes = joined(taken);
    await written(this.xterm.terminal, bytes);
    this.unskippableBytes = Math.max(this.unskippableBytes - bytes.length, 0);
    this.finish(taken, bytes);
  }

  /** Parses all of it by its traces and its end alone, where that gives the same screen. */
  private async skip(run: readonly Output[]): Promise<boolean> {
    // A sequence that began before is over after the first event, or there is nothing to gain.
    this.unskippableBytes = this.unfinished.length > 0 ? bytesOf(run.slice(0, 1)) : bytesOf(run);
    if (!this.canSkip()) return false;
    const bytes = joined(run);
    const plan = planForward(bytes, this.xterm.terminal.rows + SCREEN_SCROLLBACK_LINES);
    if (plan.kind === 'parse') {
      this.unskippableBytes = plan.bytes;
      return false;
    }
    this.unskippableBytes = 0;
    await written(this.xterm.terminal, plan.controls);
    await written(this.xterm.terminal, bytes.subarray(plan.skipTo));
    this.finish(run, bytes);
    return true;
  }

  private finish(outputs: readonly Output[], bytes: Uint8Array): void {
    this.queue.splice(0, outputs.length);
    this.queuedBytes -= bytes.length;
    this.unfinished = unfinishedSequence(this.unfinished, bytes);
    this.seq = outputs.at(-1)?.seq ?? this.seq;
    this.isFlood = bytes.length >= FLOOD_BYTES;
    this.unstoredBytes += bytes.length;
    this.events.onParsed(this.seq, bytes.length);
    if (Object.keys(this.details).length > 0) this.events.onDetails(this.details);
    this.details = {};
  }

  /** The outputs at the queue's head; nothing of the past together with the present. */
  private outputRun(): readonly Output[] {
    const run: Output[] = [];
    for (const work of this.queue) {
      if (work.kind !== 'output' || (run[0] !== undefined && this.isPast(work) !== this.isPast(run[0]))) break;
      run.push(work);
    }
    return run;
  }

  private isPast(output: Output): boolean {
    return output.seq <= this.options.pastSeq;
  }

  private canSkip(): boolean {
    const { terminal } = this.xterm;
    const { scrollTop, scrollBottom } = hiddenState(terminal);
    const scrollsWhole = scrollTop === 0 && scrollBottom === terminal.rows - 1;
    return this.unfinished.length === 0 && terminal.buffer.active.type === 'normal' && scrollsWhole;
  }

  private reply(text: string): void {
    if (!this.isLive || !this.options.answers || this.replyCharacters > MAX_REPLY_CHARACTERS) return;
    this.replyCharacters += text.length;
    this.events.onReply(text);
  }

  private offer(): void {
    if (this.unstoredBytes < SCREEN_INTERVAL_BYTES) return;
    this.unstoredBytes = 0;
    this.events.onStore(this.screen(SCREEN_SCROLLBACK_LINES));
  }
}

function joined(outputs: readonly Output[]): Uint8Array {
  const [first] = outputs;
  return first !== undefined && outputs.length === 1 ? first.bytes : Buffer.concat(outputs.map((output) => output.bytes));
}

function bytesOf(outputs: readonly Output[]): number {
  return outputs.reduce((sum, output) => sum + output.bytes.length, 0);
}

/** The first outputs, at least one, up to about so many bytes. */
function firstBytes(outputs: readonly Output[], bytes: number): readonly Output[] {
  let sum = 0;
  const count = outputs.findIndex((output) => {
    sum += output.bytes.length;
    return sum >= bytes;
  });
  return count < 0 ? outputs : outputs.slice(0, count + 1);
}

/** What the serializer leaves out. */
function serializeHidden({ terminal }: HeadlessTerminal): string {
  const state = hiddenState(terminal);
  const { cursorX, cursorY } = terminal.buffer.active;
  const scrollsWhole = state.scrollTop === 0 && state.scrollBottom === terminal.rows - 1;
  const row = state.isOriginMode ? cursorY - state.scrollTop : cursorY;
  const encodings: Readonly<Record<string, string>> = { SGR: '\x1b[?1006h', SGR_PIXELS: '\x1b[?1016h' };
  return [
    scrollsWhole ? '' : `\x1b[${state.scrollTop + 1};${state.scrollBottom + 1}r`,
    // Setting the region, or origin mode, has sent the cursor home.
    scrollsWhole && !state.isOriginMode ? '' : `\x1b[${row + 1};${cursorX + 1}H`,
    encodings[state.mouseEncoding] ?? '',
    state.cursorShape === null ? '' : `\x1b[${state.cursorShape} q`,
    state.isLineDrawing ? '\x1b(0' : '',
    state.isCursorHidden ? '\x1b[?25l' : '',
  ].join('');
}
