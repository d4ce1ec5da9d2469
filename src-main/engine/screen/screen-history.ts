import type { RunId, Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import type { ReadOutput } from './screen.ts';
import { pastEvent } from './screen-feed.ts';
import { type FromScreenWorker, type PastEvent, SCREEN_INTERVAL_BYTES, type ToScreenWorker } from './screen-protocol.ts';

export interface HistorySource {
  readonly runId: RunId;
  /** The size that the terminal began with. */
  readonly cols: number;
  readonly rows: number;
  readonly readOutput: ReadOutput;
  /** The last event that there is now. */
  lastSeq(): Seq;
  /** The newest stored screen at or before (default: newest of all). */
  screen(atOrBefore?: Seq): Promise<Screen | null>;
}

export interface HistoryPage {
  /** Whole lines (not wrapped), colours kept as SGR. */
  readonly lines: readonly string[];
  /** Position of the first of them: page backwards with it. Positions grow with time but are not dense. */
  readonly firstLine: number;
  /** Position of the last of them: page forwards with it. */
  readonly lastLine: number;
  /** There is nothing older. */
  readonly complete: boolean;
  /** There was nothing newer. */
  readonly atEnd: boolean;
}

/** The `limit` lines before a line, after a line, around the output of an event, or (none of these) the newest ones. */
export interface HistoryWish {
  readonly limit: number;
  readonly beforeLine?: number | undefined;
  readonly afterLine?: number | undefined;
  readonly atSeq?: Seq | undefined;
}

/**
 * A terminal's past is cut into stretches at its stored screens, and only the stretch that is asked for is turned into lines.
 * A line's position is the event of the screen that its stretch begins with, and its number within the stretch: it stays the
 * same however much comes after it.
 */
const LINES_PER_STRETCH = 2 ** 22;
/** Stretches kept ready in the worker, and for how long: paging goes on in the same one. */
const MAX_STRETCHES = 3;
const KEEP_MS = 60_000;
const PAGE_BYTES = SCREEN_INTERVAL_BYTES / 4;
/** One page comes out of at most so many stretches; a shorter page is no end. */
const MAX_STRETCHES_PER_PAGE = 8;

interface Stretch {
  readonly past: number;
  readonly runId: RunId;
  /** The screen it begins with; 0: the log's beginning. */
  readonly from: Seq;
  fedSeq: Seq;
  goneLines: number;
  /** The first line that the worker still holds. */
  firstLine: number;
}

type Call = (message: Extract<ToScreenWorker, { call: number }>) => Promise<FromScreenWorker>;

/** Where to read: before line `before` (null: from the end) of the stretch that begins at `from` and ends at `to` (null: now). */
interface Place {
  readonly from: Screen | null;
  readonly to: Seq | null;
  readonly before: number | null;
}

export class History {
  private readonly call: Call;
  private readonly post: (message: ToScreenWorker) => void;
  private stretches: Stretch[] = [];
  private lastPast = 0;
  private idle: NodeJS.Timeout | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(call: Call, post: (message: ToScreenWorker) => void) {
    this.call = call;
    this.post = post;
  }

  /** One page after the other: they share the stretches. */
  page(source: HistorySource, wanted: HistoryWish, signal?: AbortSignal): Promise<HistoryPage> {
    const page = this.queue.then(() => this.answer(asOfNow(source), wanted, signal));
    this.queue = page.catch(() => {});
    return page;
  }

  /** The worker is gone, and what it had with it. */
  forget(): void {
    this.stretches = [];
    if (this.idle !== null) clearTimeout(this.idle);
    this.idle = null;
  }

  stop(): void {
    this.forget();
  }

  private async answer(source: HistorySource, wanted: HistoryWish, signal: AbortSignal | undefined): Promise<HistoryPage> {
    const { afterLine, atSeq, limit } = wanted;
    if (afterLine !== undefined) return this.readAfter(source, positionOf(afterLine + 1), limit, signal);
    if (atSeq !== undefined) {
      const { from, line } = await this.endOf(source, atSeq, signal);
      return this.readAfter(source, { from, line: Math.max(line - Math.ceil(limit / 2), 0) }, limit, signal);
    }
    return this.readBefore(source, wanted, signal);
  }

  private async readBefore(
    source: HistorySource,
    { beforeLine, limit }: HistoryWish,
    signal: AbortSignal | undefined,
  ): Promise<HistoryPage> {
    let lines: readonly string[] = [];
    let firstLine = 0;
    let lastLine = 0;
    const atEnd = beforeLine === undefined;
    let place: Place | null = await this.placeOf(source, beforeLine);
    for (let read = 0; place !== null && lines.length < limit && read < MAX_STRETCHES_PER_PAGE; read++) {
      const stretch = await this.render(source, place, signal);
      const answer = await this.linesOf(stretch, place, limit - lines.length);
      if (lines.length === 0) lastLine = linePosition(stretch.from, answer.first + answer.lines.length - 1);
      lines = [...answer.lines, ...lines];
      firstLine = linePosition(stretch.from, answer.first);
      if (answer.first > 0) return { lines, firstLine, lastLine, complete: false, atEnd };
      place = await this.placeBefore(source, stretch.from);
    }
    return { lines, firstLine, lastLine, complete: place === null, atEnd };
  }

  /** The lines from line `line` of the stretch that begins at `from` on. */
  private async readAfter(
    source: HistorySource,
    { from, line }: Position,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<HistoryPage> {
    const lines: string[] = [];
    const firstLine = linePosition(from, line);
    let lastLine = firstLine - 1;
    let next: Position | null = { from, line };
    for (let read = 0; next !== null && lines.length < limit && read < MAX_STRETCHES_PER_PAGE; read++) {
      const wanted = limit - lines.length;
      const { from: begin, line: first }: Position = next;
      const screen = await screenAt(source, begin);
      // Compacted away since.
      if (screen === undefined) return { lines, firstLine, lastLine, complete: false, atEnd: true };
      const place: Place = { from: screen, to: await nextScreen(source, begin), before: first + wanted };
      const stretch = await this.render(source, place, signal, first);
      const answer = await this.linesOf(stretch, place, wanted);
      const taken = answer.lines.slice(Math.max(first - answer.first, 0));
      lines.push(...taken);
      if (taken.length > 0) lastLine = linePosition(begin, first + taken.length - 1);
      if (taken.length === wanted) break;
      next = place.to === null ? null : { from: place.to, line: 0 };
    }
    return { lines, firstLine, lastLine, complete: from === 0 && line === 0, atEnd: next === null };
  }

  /** The line after the last one that was there when event `seq` had been shown. */
  private async endOf(source: HistorySource, seq: Seq, signal: AbortSignal | undefined): Promise<Position> {
    const from = await source.screen(seq);
    const stretch = await this.render(source, { from, to: seq, before: null }, signal);
    const { first, lines } = await this.linesOf(stretch, { from, to: null, before: null }, 1);
    return { from: stretch.from, line: first + lines.length };
  }

  /** What is on the screen counts only at the end of all: else it is the next stretch's. */
  private async linesOf(stretch: Stretch, place: Place, limit: number) {
    const withScreen = place.to === null;
    const { past } = stretch;
    const answer = await this.call({ type: 'past-lines', call: 0, past, before: place.before, limit, withScreen });
    if (answer.type !== 'past-lines') throw new Error(`the screen worker answered with ${answer.type}`);
    return answer;
  }

  private async placeOf(source: HistorySource, beforeLine: number | undefined): Promise<Place | null> {
    if (beforeLine === undefined) return { from: await source.screen(), to: null, before: null };
    const { from, line } = positionOf(beforeLine);
    if (line === 0) return this.placeBefore(source, from);
    const screen = await screenAt(source, from);
    // Compacted away since, and with it everything before.
    return screen === undefined ? null : { from: screen, to: null, before: line };
  }

  /** The stretch that ends where `seq`'s begins; null: there is none. */
  private async placeBefore(source: HistorySource, seq: Seq): Promise<Place | null> {
    if (seq === 0) return null;
    return { from: await source.screen((seq - 1) as Seq), to: seq, before: null };
  }

  /** Turns as much of a stretch into lines as the place asks for; at least line `first` is still held. */
  private async render(
    source: HistorySource,
    place: Place,
    signal: AbortSignal | undefined,
    first = (place.before ?? 1) - 1,
  ): Promise<Stretch> {
    const { to, before } = place;
    const stretch = await this.stretchFrom(source, place, first);
    while (before === null || stretch.goneLines < before) {
      signal?.throwIfAborted();
      const events = await source.readOutput(stretch.fedSeq, PAGE_BYTES);
      const wanted = to === null ? events : events.filter((event) => event.seq <= to);
      const last = wanted.at(-1);
      if (last === undefined) break;
      const past = wanted.map(pastEvent).filter((event) => event !== null);
      await this.feed(stretch, past);
      stretch.fedSeq = last.seq;
      if (wanted.length < events.length) break;
    }
    return stretch;
  }

  /** A stretch that is there already, and has not gone beyond its end, or a new one. */
  private async stretchFrom(source: HistorySource, { from, to, before }: Place, first: number): Promise<Stretch> {
    const fromSeq = from?.seq ?? (0 as Seq);
    const { runId, cols, rows } = source;
    this.keepAwhile();
    const known = this.stretches.find(
      (stretch) =>
        stretch.runId === runId &&
        stretch.from === fromSeq &&
        (to === null || stretch.fedSeq <= to) &&
        (before === null || stretch.firstLine <= first),
    );
    if (known !== undefined) {
      this.stretches = [...this.stretches.filter((stretch) => stretch !== known), known];
      return known;
    }
    const stretch: Stretch = { past: ++this.lastPast, runId, from: fromSeq, fedSeq: fromSeq, goneLines: 0, firstLine: 0 };
    while (this.stretches.length >= MAX_STRETCHES) this.drop(this.stretches.shift());
    await this.call({ type: 'past-open', call: 0, past: stretch.past, cols, rows, from });
    this.stretches.push(stretch);
    return stretch;
  }

  private async feed(stretch: Stretch, events: readonly PastEvent[]): Promise<void> {
    const answer = await this.call({ type: 'past-feed', call: 0, past: stretch.past, events });
    if (answer.type !== 'past-fed') throw new Error(`the screen worker answered with ${answer.type}`);
    stretch.goneLines = answer.goneLines;
    stretch.firstLine = answer.firstLine;
  }

  private keepAwhile(): void {
    if (this.idle !== null) clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      for (const stretch of this.stretches) this.drop(stretch);
      this.forget();
    }, KEEP_MS);
    this.idle.unref();
  }

  private drop(stretch: Stretch | undefined): void {
    if (stretch !== undefined) this.post({ type: 'past-close', past: stretch.past });
  }
}

/** A line of the stretch that begins with the screen of event `from`. */
interface Position {
  readonly from: Seq;
  readonly line: number;
}

/** Without what comes meanwhile: a program that writes faster than its past is read would keep a page from ever being done. */
function asOfNow(source: HistorySource): HistorySource {
  const last = source.lastSeq();
  const readOutput: ReadOutput = async (after, maxBytes) =>
    (await source.readOutput(after, maxBytes)).filter(({ seq }) => seq <= last);
  return { ...source, readOutput };
}

function linePosition(from: Seq, line: number): number {
  return from * LINES_PER_STRETCH + line;
}

function positionOf(position: number): Position {
  return { from: Math.floor(position / LINES_PER_STRETCH) as Seq, line: position % LINES_PER_STRETCH };
}

/** The screen that a stretch begins with (null: the log begins it); undefined: it is there no longer. */
async function screenAt(source: HistorySource, from: Seq): Promise<Screen | null | undefined> {
  if (from === 0) return null;
  const screen = await source.screen(from);
  return screen?.seq === from ? screen : undefined;
}

/** The event of the first stored screen after `seq`, where a stretch that begins there ends; null: there is none. */
async function nextScreen(source: HistorySource, seq: Seq): Promise<Seq | null> {
  const newest = await source.screen();
  if (newest === null || newest.seq <= seq) return null;
  let before: number = seq;
  let found: Seq = newest.seq;
  while (before + 1 < found) {
    const middle = Math.floor((before + found) / 2) as Seq;
    const screen = await source.screen(middle);
    if (screen !== null && screen.seq > seq) found = screen.seq;
    else before = middle;
  }
  return found;
}
