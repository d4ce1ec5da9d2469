import * as z from 'zod/mini';
import type { RunId } from '../../src-shared/ids.ts';

/** Where somebody was reading, kept so that it can be found again in a screen that has grown or was made anew. */
const Place = z.object({
  /** Rows between the top row that is seen and the end. */
  fromEnd: z.int().check(z.gte(0), z.lte(1_000_000)),
  /** What stood in that row and the ones below it. */
  texts: z.array(z.string().check(z.maxLength(1000))).check(z.maxLength(4)),
});
export type Place = z.infer<typeof Place>;
const Places = z.record(z.string(), Place);

const STORAGE_KEY = 'baton.terminal.places';
/** The sessions whose place is kept; the one that was written longest ago goes. */
const MOST_SESSIONS = 200;
const ROWS_TO_COMPARE = 4;

export interface Rows {
  /** How many there are. */
  readonly length: number;
  text(row: number): string;
}

/** `top`: the top row that is seen. null: the end is seen, so there is nothing to remember. */
export function placeOf(rows: Rows, top: number, isAtEnd: boolean): Place | null {
  if (isAtEnd) return null;
  const texts = Array.from({ length: Math.min(ROWS_TO_COMPARE, rows.length - top) }, (_, at) =>
    rows.text(top + at).slice(0, 1000),
  );
  return { fromEnd: rows.length - top, texts };
}

/** The row that is to be on top again: where the same text stands, the nearest such place going up from where it was. */
export function findPlace(rows: Rows, { fromEnd, texts }: Place): number | null {
  const expected = Math.max(0, rows.length - fromEnd);
  if (texts.every((text) => text === '')) return expected;
  const fits = (top: number) => texts.every((text, at) => top + at < rows.length && rows.text(top + at).slice(0, 1000) === text);
  // Output that came since has moved it up.
  for (let top = expected; top >= 0; top -= 1) if (fits(top)) return top;
  for (let top = expected + 1; top < rows.length; top += 1) if (fits(top)) return top;
  return null;
}

/** Survives a restart of the window; what cannot be kept or read is only a lost place. */
export function storePlace(runId: RunId, place: Place | null): void {
  const { [runId]: _, ...others } = readPlaces();
  if (place === null && _ === undefined) return;
  const kept = Object.entries(others).slice(-(MOST_SESSIONS - 1));
  const next = place === null ? kept : [...kept, [runId, place] as const];
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(Object.fromEntries(next)));
  } catch (error) {
    console.warn('where the terminal was scrolled to cannot be kept', error);
  }
}

export function storedPlace(runId: RunId): Place | null {
  return readPlaces()[runId] ?? null;
}

function readPlaces(): Record<string, Place> {
  try {
    const read = Places.safeParse(JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}'));
    return read.success ? read.data : {};
  } catch {
    return {};
  }
}
