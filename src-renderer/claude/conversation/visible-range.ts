/** Rows from `from` up to, not including, `to`. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** Drawn above and below what is seen: the wheel must not get ahead of the drawing. */
export const OVERDRAW_PX = 1200;
/** When less than this is left of it, more is drawn. */
const REFILL_PX = 500;
/** Drawn before anything is measured. */
const FIRST_ROWS = 40;

/** The rows that lie between two heights of the whole list. */
export function rowsBetween(heights: readonly number[], topPx: number, bottomPx: number): RowRange {
  let from = 0;
  let above = 0;
  while (from < heights.length - 1 && above + (heights[from] ?? 0) <= topPx) above += heights[from++] ?? 0;
  let to = from;
  let reached = above;
  while (to < heights.length && reached < bottomPx) reached += heights[to++] ?? 0;
  return { from, to: Math.max(to, Math.min(from + 1, heights.length)) };
}

/** What should be drawn around the window from `topPx`, `viewPx` high; `drawn` itself as long as it covers enough. */
export function rangeFor(heights: readonly number[], drawn: RowRange, topPx: number, viewPx: number): RowRange {
  if (viewPx <= 0) return drawn;
  const least = rowsBetween(heights, topPx - REFILL_PX, topPx + viewPx + REFILL_PX);
  if (drawn.from <= least.from && drawn.to >= least.to && drawn.to - drawn.from <= 4 * (least.to - least.from) + FIRST_ROWS)
    return drawn;
  return rowsBetween(heights, topPx - OVERDRAW_PX, topPx + viewPx + OVERDRAW_PX);
}

/** What is drawn at first: the end, or around the row to begin with. */
export function firstRange(count: number, start: number | null): RowRange {
  if (start === null) return { from: Math.max(0, count - FIRST_ROWS), to: count };
  return { from: Math.max(0, start - FIRST_ROWS / 2), to: Math.min(count, start + FIRST_ROWS) };
}

/**
 * The same rows after the list has changed: rows put in front or taken away move the range, rows added at the end of a range that
 * reached the end (`growsAtEnd`) belong to it.
 */
export function moveRange(
  range: RowRange,
  before: readonly { readonly key: string }[],
  rows: readonly { readonly key: string }[],
  growsAtEnd: boolean,
): RowRange {
  const count = rows.length;
  const places = new Map(rows.map((row, index) => [row.key, index]));
  const find = (from: number, to: number, step: 1 | -1): number | undefined => {
    for (let at = from; step === 1 ? at < to : at >= to; at += step) {
      const row = before[at];
      const place = row === undefined ? undefined : places.get(row.key);
      if (place !== undefined) return place;
    }
    return undefined;
  };
  const first = find(range.from, range.to, 1);
  const last = find(range.to - 1, range.from, -1);
  if (first === undefined || last === undefined)
    return firstRange(count, growsAtEnd ? null : Math.min(range.from, Math.max(0, count - 1)));
  return { from: first, to: growsAtEnd && range.to === before.length ? count : last + 1 };
}
