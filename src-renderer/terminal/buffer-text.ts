import type { IBuffer, IBufferRange } from '@xterm/xterm';

/** Rows of one line that are followed upwards and downwards: enough for any link. */
const MOST_ROWS = 32;

/** A line of output as it was written, however many rows it takes, with the place of each of its characters. */
export interface LogicalLine {
  readonly text: string;
  /** Cells of the text's units `from` up to `to` (not included), as xterm counts them. */
  rangeOf(from: number, to: number): IBufferRange;
}

/** The line that the row `y` (from 0) belongs to. */
export function logicalLineAt(buffer: IBuffer, y: number): LogicalLine {
  let first = y;
  while (first > 0 && y - first < MOST_ROWS && buffer.getLine(first)?.isWrapped) first -= 1;
  let text = '';
  /** Of each UTF-16 unit: its cell, and the cell after its character. Counted from 1, as in xterm's ranges. */
  const places: { readonly x: number; readonly y: number; readonly endX: number }[] = [];
  const cell = buffer.getNullCell();
  for (let row = first; row - first < 2 * MOST_ROWS; row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined || (row > first && !line.isWrapped)) break;
    for (let column = 0; column < line.length; column += 1) {
      const width = line.getCell(column, cell)?.getWidth() ?? 0;
      if (width === 0) continue;
      const characters = cell.getChars() || ' ';
      text += characters;
      for (let unit = 0; unit < characters.length; unit += 1) places.push({ x: column + 1, y: row + 1, endX: column + width });
    }
  }
  return {
    text,
    rangeOf: (from, to) => {
      const start = places[from];
      const end = places[to - 1];
      if (start === undefined || end === undefined)
        throw new Error(`a line of ${places.length} units has no range ${from}-${to}`);
      return { start: { x: start.x, y: start.y }, end: { x: end.endX, y: end.y } };
    },
  };
}

/** The rows `from` up to `to` (not included) as text: rows of one line joined, empty last lines left out. */
export function textOfRows(buffer: IBuffer, from: number, to: number): string {
  const lines: string[] = [];
  for (let row = Math.max(0, from); row < Math.min(to, buffer.length); row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined) break;
    const continues = buffer.getLine(row + 1)?.isWrapped === true && row + 1 < to;
    const text = line.translateToString(!continues);
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  while (lines.at(-1) === '') lines.pop();
  return lines.join('\n');
}

/** How many lines (not rows) there are from the row `from` through the last one that holds anything. */
export function countLines(buffer: IBuffer, from: number): number {
  let last = buffer.baseY + buffer.cursorY;
  for (let row = buffer.length - 1; row > last; row -= 1) if (buffer.getLine(row)?.translateToString(true) !== '') last = row;
  let lines = 0;
  for (let row = from; row <= last; row += 1) if (row === from || !buffer.getLine(row)?.isWrapped) lines += 1;
  return lines;
}
