import type { Row } from './rows.ts';

/** Rows are numbered from here: high, so that any number of them can be put in front. */
export const FIRST_INDEX = 10_000_000;

/** The number of the first of `rows`, when the first of `before` had `index`: a row that is in both keeps its number. */
export function nextFirstIndex(before: readonly Pick<Row, 'key'>[], index: number, rows: readonly Pick<Row, 'key'>[]): number {
  const first = rows[0];
  // By far the most common: rows came at the end.
  if (first === undefined || first.key === before[0]?.key) return index;
  const places = new Map(rows.map((row, place) => [row.key, place]));
  for (const [place, row] of before.entries()) {
    const now = places.get(row.key);
    if (now !== undefined) return index + place - now;
  }
  return FIRST_INDEX;
}
