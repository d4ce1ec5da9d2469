/** Sizes in CSS px, of the whole terminal in cells. */
export interface Box {
  readonly width: number;
  readonly height: number;
}
export interface Cells {
  readonly cols: number;
  readonly rows: number;
}

/** What the protocol allows. */
const LIMITS = { cols: [2, 1000], rows: [1, 1000] } as const;
/** Below this size nobody can read it: the rest is reached by scrolling. */
const LEAST_FONT_PX = 6;

/** How many cells of that size a box has room for. */
export function cellsIn(box: Box, cell: Box): Cells | null {
  if (cell.width <= 0 || cell.height <= 0 || box.width <= 0 || box.height <= 0) return null;
  const clamp = (value: number, [least, most]: readonly [number, number]) => Math.min(most, Math.max(least, Math.floor(value)));
  return { cols: clamp(box.width / cell.width, LIMITS.cols), rows: clamp(box.height / cell.height, LIMITS.rows) };
}

/**
 * The font size at which a terminal of somebody else's size fits into `room` cells' space; never larger than the wished one. Half
 * pixels, rounded down.
 */
export function fontToFit(wished: number, size: Cells, room: Cells): number {
  const share = Math.min(room.cols / size.cols, room.rows / size.rows);
  if (share >= 1) return wished;
  return Math.min(wished, Math.max(LEAST_FONT_PX, Math.floor(wished * share * 2) / 2));
}
