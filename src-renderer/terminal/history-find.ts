import type { Seq } from '../../src-shared/ids.ts';
import type { ResultOf } from '../../src-shared/operations.ts';
import type { HistoryPages } from './history-pages.ts';
import { plainText } from './sgr.ts';

type SearchResult = ResultOf<'history.search'>;
type Hit = SearchResult['hits'][number];

/** A found place among the lines that are here. */
export interface FoundPlace {
  readonly line: number;
  readonly offset: number;
  readonly length: number;
}

export interface HistoryFindState {
  readonly text: string;
  /** Of the place that is shown, the newest one is 0; -1 while none is. */
  readonly index: number;
  readonly count: number;
  /** There are more than have been counted. */
  readonly hasMore: boolean;
  readonly isBusy: boolean;
  /** The lines around a found place are being fetched. */
  readonly isGoing: boolean;
  readonly here: FoundPlace | null;
  readonly problem: unknown;
}

export const NOTHING_FOUND: HistoryFindState = {
  text: '',
  index: -1,
  count: 0,
  hasMore: false,
  isBusy: false,
  isGoing: false,
  here: null,
  problem: null,
};

export interface HistoryFindOptions {
  readonly pages: HistoryPages;
  readonly search: (query: string, cursor: string | null) => Promise<SearchResult>;
  readonly onChange: (state: HistoryFindState) => void;
}

/** Finding in a terminal's whole past: the engine knows where, and the lines around the place are fetched when one goes there. */
export class HistoryFind {
  readonly #options: HistoryFindOptions;
  #state = NOTHING_FOUND;
  #hits: Hit[] = [];
  #cursor: string | null = null;
  #generation = 0;

  constructor(options: HistoryFindOptions) {
    this.#options = options;
  }

  /** Looks for a text and shows the newest place. */
  async begin(text: string): Promise<void> {
    const generation = ++this.#generation;
    this.#hits = [];
    this.#cursor = null;
    this.#set({ ...NOTHING_FOUND, text, isBusy: text !== '' });
    if (text === '') return;
    if (await this.#more(generation)) await this.#show(generation, 0);
  }

  /** To the next older place, or back to a newer one. Stays where there is no further one. */
  async step(direction: 'older' | 'newer'): Promise<void> {
    if (this.#state.isBusy) return;
    const generation = ++this.#generation;
    const index = this.#state.index + (direction === 'older' ? 1 : -1);
    if (index < 0) return;
    if (index >= this.#hits.length && (this.#cursor === null || !(await this.#more(generation)))) return;
    await this.#show(generation, index);
  }

  /** Goes to a place that was found elsewhere. False: what it is near to is shown, but not the text itself. */
  async reveal(seq: Seq, match: string): Promise<boolean> {
    const generation = ++this.#generation;
    this.#set({ ...NOTHING_FOUND, text: match });
    return this.#open(generation, { seq, before: '', match, after: '' });
  }

  clear(): void {
    this.#generation += 1;
    this.#set(NOTHING_FOUND);
  }

  /** False: something else is looked for by now, or it failed. */
  async #more(generation: number): Promise<boolean> {
    this.#set({ isBusy: true });
    try {
      const { hits, cursor } = await this.#options.search(this.#state.text, this.#cursor);
      if (generation !== this.#generation) return false;
      this.#hits = [...this.#hits, ...hits];
      this.#cursor = cursor;
      this.#set({ count: this.#hits.length, hasMore: cursor !== null, isBusy: false, problem: null });
      return hits.length > 0;
    } catch (problem) {
      if (generation === this.#generation) this.#set({ isBusy: false, problem });
      return false;
    }
  }

  async #show(generation: number, index: number): Promise<void> {
    const hit = this.#hits[index];
    if (hit === undefined) return;
    this.#set({ index });
    await this.#open(generation, hit);
  }

  async #open(generation: number, hit: Pick<Hit, 'seq' | 'before' | 'match' | 'after'>): Promise<boolean> {
    const { pages } = this.#options;
    this.#set({ isBusy: true, isGoing: true });
    const isNewest = await pages.openAt(hit.seq);
    if (generation !== this.#generation) return true;
    if (!isNewest) {
      this.#set({ isBusy: false, isGoing: false });
      return true;
    }
    const here = locate(pages, hit);
    this.#set({ here, isBusy: false, isGoing: false });
    return here !== null;
  }

  #set(change: Partial<HistoryFindState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onChange(this.#state);
  }
}

/** Of this many characters before and after, those that agree decide between several places. */
const CONTEXT = 40;

/** Where a hit is among the lines: the place whose surroundings agree most, of equal ones the one nearest to the middle. */
export function locate(
  pages: Pick<HistoryPages, 'state' | 'line'>,
  { before, match, after }: Pick<Hit, 'before' | 'match' | 'after'>,
): FoundPlace | null {
  const { firstIndex, count } = pages.state();
  const middle = firstIndex + count / 2;
  const wanted = match.toLowerCase();
  if (wanted === '') return null;
  let best: (FoundPlace & { readonly score: number }) | null = null;
  for (let line = firstIndex; line < firstIndex + count; line += 1) {
    const text = plainText(pages.line(line)).toLowerCase();
    for (let offset = text.indexOf(wanted); offset >= 0; offset = text.indexOf(wanted, offset + 1)) {
      const behind = offset + wanted.length;
      const agreeing = sameEnd(text.slice(0, offset), before.toLowerCase()) + sameStart(text.slice(behind), after.toLowerCase());
      // Nearness only decides between places that agree equally well.
      const score = agreeing - Math.abs(line - middle) / (count + 1);
      if (best === null || score > best.score) best = { line, offset, length: match.length, score };
    }
  }
  return best && { line: best.line, offset: best.offset, length: best.length };
}

function sameStart(a: string, b: string): number {
  let same = 0;
  while (same < CONTEXT && same < a.length && a[same] === b[same]) same += 1;
  return same;
}

function sameEnd(a: string, b: string): number {
  let same = 0;
  while (same < CONTEXT && same < a.length && same < b.length && a[a.length - 1 - same] === b[b.length - 1 - same]) same += 1;
  return same;
}
