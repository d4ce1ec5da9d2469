import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import type { ReadOutput } from './screen.ts';
import { pastEvent } from './screen-feed.ts';
import { type FromScreenWorker, type PastEvent, SCREEN_INTERVAL_BYTES, type ToScreenWorker } from './screen-protocol.ts';

export interface HistorySource {
  readonly runId: RunId;
  /** The size that the terminal began with. */
  readonly cols: number;
  readonly rows: number;
  readonly readOutput: ReadOutput;
  /** The newest stored screen at or before (default: newest of all). */
  screen(atOrBefore?: Seq): Promise<Screen | null>;
}

export interface HistoryPage {
  /** Whole lines (not wrapped), colours kept as SGR. */
  readonly lines: readonly string[];
  /** Position of the first of them: page backwards with it. Positions grow with time but are not dense. */
  readonly firstLine: number;
  /** There is nothing older. */
  readonly complete: boolean;
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
  page(
    source: HistorySource,
    wanted: { readonly beforeLine?: number | undefined; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<HistoryPage> {
    const page = this.queue.then(() => this.read(source, wanted, signal));
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

  private async read(
    source: HistorySource,
    { beforeLine, limit }: { readonly beforeLine?: number | undefined; readonly limit: number },
    signal: AbortSignal | undefined,
  ): Promise<HistoryPage> {
    let lines: readonly string[] = [];
    let firstLine = 0;
    let place: Place | null = await this.placeOf(source, beforeLine);
    for (let read = 0; place !== null && lines.length < limit && read < MAX_STRETCHES_PER_PAGE; read++) {
      const stretch = await this.render(source, place, signal);
      const answer = await this.call({
        type: 'past-lines',
        call: 0,
        past: stretch.past,
        before: place.before,
        limit: limit - lines.length,
        withScreen: place.to === null,
      });
      if (answer.type !== 'past-lines') throw new Error(`the screen worker answered with ${answer.type}`);
      lines = [...answer.lines, ...lines];
      firstLine = stretch.from * LINES_PER_STRETCH + answer.first;
      if (answer.first > 0) return { lines, firstLine, complete: false };
      place = await this.placeBefore(source, stretch.from);
    }
    return { lines, firstLine, complete: place === null };
  }

  private async placeOf(source: HistorySource, beforeLine: number | undefined): Promise<Place | null> {
    if (beforeLine === undefined) return { from: await source.screen(), to: null, before: null };
    const from = Math.floor(beforeLine / LINES_PER_STRETCH) as Seq;
    const before = beforeLine % LINES_PER_STRETCH;
    if (before === 0) return this.placeBefore(source, from);
    if (from === 0) return { from: null, to: null, before };
    const screen = await source.screen(from);
    // Compacted away since, and with it everything before.
    return screen?.seq === from ? { from: screen, to: null, before } : null;
  }

  /** The stretch that ends where `seq`'s begins; null: there is none. */
  private async placeBefore(source: HistorySource, seq: Seq): Promise<Place | null> {
    if (seq === 0) return null;
    return { from: await source.screen((seq - 1) as Seq), to: seq, before: null };
  }

  /** Turns as much of a stretch into lines as the place asks for. */
  private async render(source: HistorySource, { from, to, before }: Place, signal: AbortSignal | undefined): Promise<Stretch> {
    const stretch = await this.stretchFrom(source, { from, to, before });
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
  private async stretchFrom(source: HistorySource, { from, to, before }: Place): Promise<Stretch> {
    const fromSeq = from?.seq ?? (0 as Seq);
    const { runId, cols, rows } = source;
    this.keepAwhile();
    const known = this.stretches.find(
      (stretch) =>
        stretch.runId === runId &&
        stretch.from === fromSeq &&
        (to === null || stretch.fedSeq <= to) &&
        (before === null || stretch.firstLine < before),
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
