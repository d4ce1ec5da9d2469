import type { Seq } from '../../src-shared/ids.ts';

/** One answer of `history.lines`. Positions are opaque: they lead to the neighbouring pages. */
export interface LinesPage {
  readonly lines: readonly string[];
  readonly firstLine: number;
  readonly lastLine: number;
  /** Nothing is older than this page. */
  readonly complete: boolean;
  /** Nothing is newer than this page. */
  readonly atEnd: boolean;
}

export type Wanted =
  | { readonly limit: number }
  | { readonly limit: number; readonly beforeLine: number }
  | { readonly limit: number; readonly afterLine: number }
  | { readonly limit: number; readonly atSeq: Seq };

export type FetchLines = (wanted: Wanted) => Promise<LinesPage>;

/** Lines asked for at a time. */
export const PAGE_LINES = 1000;
/** The most that can be asked for. */
const MOST_LINES_AT_ONCE = 5000;
/** Text that is kept here; beyond it the end that is further from the reader is given back, to be fetched again if need be. */
const MOST_CHARACTERS = 32_000_000;
/** Lines are counted from here, so that older ones can be put before them. */
const ORIGIN = 1_000_000_000;

/** What a list of the lines has to know. A new object after each change. */
export interface HistoryState {
  /** Of the first line that is here. Indexes stay with their lines, whatever is loaded. */
  readonly firstIndex: number;
  readonly count: number;
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  readonly loading: 'opening' | 'older' | 'newer' | null;
  readonly problem: unknown;
  /** Grows each time the lines are others, not only more. */
  readonly opening: number;
}

const NOTHING: HistoryState = {
  firstIndex: ORIGIN,
  count: 0,
  hasOlder: false,
  hasNewer: false,
  loading: null,
  problem: null,
  opening: 0,
};

/** A window into the lines of a terminal's whole past, which grows in both directions as it is read. */
export class HistoryPages {
  readonly #fetch: FetchLines;
  readonly #mostCharacters: number;
  readonly #listeners = new Set<() => void>();
  #pages: LinesPage[] = [];
  #state = NOTHING;

  constructor(fetch: FetchLines, mostCharacters = MOST_CHARACTERS) {
    this.#fetch = fetch;
    this.#mostCharacters = mostCharacters;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly state = (): HistoryState => this.#state;

  /** Shows the end of the past, at least so many lines of it. False: something else has been opened since. */
  openEnd(leastLines = 0): Promise<boolean> {
    return this.#open({ limit: Math.min(MOST_LINES_AT_ONCE, Math.max(PAGE_LINES, leastLines)) });
  }

  /** Shows what is around the output of that event. False: something else has been opened since. */
  openAt(atSeq: Seq): Promise<boolean> {
    return this.#open({ limit: PAGE_LINES, atSeq });
  }

  async #open(wanted: Wanted): Promise<boolean> {
    const opening = this.#state.opening + 1;
    this.#pages = [];
    this.#set({ ...NOTHING, opening, loading: 'opening' });
    return this.#load(opening, wanted, (page) => {
      this.#pages = [page];
      this.#set({ hasOlder: !page.complete, hasNewer: !page.atEnd, count: page.lines.length });
    });
  }

  async older(): Promise<void> {
    const first = this.#pages[0];
    if (first === undefined || !this.#state.hasOlder || this.#state.loading !== null) return;
    this.#set({ loading: 'older' });
    await this.#load(this.#state.opening, { limit: PAGE_LINES, beforeLine: first.firstLine }, (page) => {
      if (page.lines.length > 0) this.#pages.unshift(page);
      this.#set({
        firstIndex: this.#state.firstIndex - page.lines.length,
        count: this.#state.count + page.lines.length,
        hasOlder: !page.complete,
      });
      this.#giveBackNewest();
    });
  }

  async newer(): Promise<void> {
    const last = this.#pages.at(-1);
    if (last === undefined || !this.#state.hasNewer || this.#state.loading !== null) return;
    this.#set({ loading: 'newer' });
    await this.#load(this.#state.opening, { limit: PAGE_LINES, afterLine: last.lastLine }, (page) => {
      if (page.lines.length > 0) this.#pages.push(page);
      this.#set({ count: this.#state.count + page.lines.length, hasNewer: !page.atEnd });
      this.#giveBackOldest();
    });
  }

  /** The line of that index, with its colours. */
  line(index: number): string {
    let at = index - this.#state.firstIndex;
    for (const { lines } of this.#pages) {
      const line = at < 0 ? undefined : lines[at];
      if (line !== undefined) return line;
      at -= lines.length;
    }
    return '';
  }

  async #load(opening: number, wanted: Wanted, take: (page: LinesPage) => void): Promise<boolean> {
    try {
      const page = await this.#fetch(wanted);
      if (opening !== this.#state.opening) return false;
      this.#set({ loading: null, problem: null });
      take(page);
    } catch (problem) {
      if (opening !== this.#state.opening) return false;
      this.#set({ loading: null, problem });
    }
    return true;
  }

  #giveBackNewest(): void {
    while (this.#isTooMuch()) {
      const dropped = this.#pages.pop();
      this.#set({ count: this.#state.count - (dropped?.lines.length ?? 0), hasNewer: true });
    }
  }

  #giveBackOldest(): void {
    while (this.#isTooMuch()) {
      const lines = this.#pages.shift()?.lines.length ?? 0;
      const { firstIndex, count } = this.#state;
      this.#set({ firstIndex: firstIndex + lines, count: count - lines, hasOlder: true });
    }
  }

  #isTooMuch(): boolean {
    if (this.#pages.length < 2) return false;
    const characters = this.#pages.reduce((sum, { lines }) => lines.reduce((all, line) => all + line.length, sum), 0);
    return characters > this.#mostCharacters;
  }

  #set(change: Partial<HistoryState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
