const WIDE =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
const ZERO = /^[\p{Mark}\p{Format}]/u;

/** Cells that a text takes in a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += ZERO.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** Cut to so many cells, with an ellipsis where something is missing. */
export function cut(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = '';
  let width = 0;
  for (const char of text) {
    width += widthOf(char);
    if (width > cells - 1) break;
    kept += char;
  }
  return `${kept}…`;
}

export interface Column<Row> {
  readonly head: string;
  readonly text: (row: Row) => string;
  /** Colours for a cell that has its width already. */
  readonly paint?: (cell: string, row: Row) => string;
  /** Gives way when the terminal is narrow. At most one column. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
const MIN_SHRUNK_CELLS = 8;

/** Rows under their heads. `maxWidth`: the terminal's columns; infinite where there is none, and nothing is cut. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  maxWidth: number,
  head = (text: string) => text,
): string {
  const cells = rows.map((row) => columns.map((column) => column.text(row)));
  const widths = columns.map((column, at) => Math.max(widthOf(column.head), ...cells.map((line) => widthOf(line[at] ?? ''))));
  const excess = widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - maxWidth;
  const shrunk = columns.findIndex((column) => column.shrinks);
  if (excess > 0 && shrunk >= 0) widths[shrunk] = Math.max(MIN_SHRUNK_CELLS, (widths[shrunk] ?? 0) - excess);
  const line = (texts: readonly string[], finish: (cell: string, at: number) => string) =>
    texts
      .map((text, at) => {
        const fitted = cut(text, widths[at] ?? 0);
        const isLast = at === texts.length - 1;
        return finish(fitted, at) + (isLast ? '' : ' '.repeat((widths[at] ?? 0) - widthOf(fitted)));
      })
      .join(GAP);
  const lines = [
    head(
      line(
        columns.map((column) => column.head),
        (cell) => cell,
      ),
    ),
  ];
  rows.forEach((row, at) => {
    lines.push(line(cells[at] ?? [], (cell, column) => columns[column]?.paint?.(cell, row) ?? cell));
  });
  return `${lines.join('\n')}\n`;
}

/** A time span as lists show it. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
