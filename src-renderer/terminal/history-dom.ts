import { partOf, type Selection, type TextPlace } from './history-selection.ts';

/** Rows carry the index of their line. */
const ROW = '[data-line]';

/** The place under a point of the window; null: no line is there. */
export function placeAt(container: HTMLElement, x: number, y: number): TextPlace | null {
  const row = rowAt(container, y);
  const line = Number(row?.dataset.line);
  if (!row || Number.isNaN(line)) return null;
  const box = row.getBoundingClientRect();
  // Beside or below the text of a row is its end.
  const caret = document.caretRangeFromPoint(
    Math.min(Math.max(x, box.left), box.right - 1),
    Math.min(Math.max(y, box.top), box.bottom - 1),
  );
  if (!caret || !row.contains(caret.startContainer)) return { line, offset: x <= box.left ? 0 : (row.textContent?.length ?? 0) };
  const before = document.createRange();
  before.setStart(row, 0);
  before.setEnd(caret.startContainer, caret.startOffset);
  return { line, offset: before.toString().length };
}

/** The row at that height; above the first or below the last one, these. */
function rowAt(container: HTMLElement, y: number): HTMLElement | null {
  const rows = [...container.querySelectorAll<HTMLElement>(ROW)];
  return rows.find((row) => y < row.getBoundingClientRect().bottom) ?? rows.at(-1) ?? null;
}

/** A stretch of a row as a DOM range. */
export function rangeIn(row: HTMLElement, from: number, to: number): Range | null {
  const range = document.createRange();
  const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
  let at = 0;
  let isStarted = false;
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const length = node.textContent?.length ?? 0;
    if (!isStarted && from <= at + length) {
      range.setStart(node, from - at);
      isStarted = true;
    }
    if (isStarted && to <= at + length) {
      range.setEnd(node, to - at);
      return range;
    }
    at += length;
  }
  return null;
}

/** Names of the highlights in terminal.css. */
export type HighlightName = 'terminal-selection' | 'terminal-found' | 'terminal-found-here';

/** Paints stretches of the rows that are there now. Several panes share a name: each adds and removes its own ranges. */
export class Painter {
  readonly #ranges = new Map<HighlightName, Range[]>();

  paint(name: HighlightName, ranges: readonly Range[]): void {
    const highlight = highlightOf(name);
    for (const range of this.#ranges.get(name) ?? []) highlight.delete(range);
    for (const range of ranges) highlight.add(range);
    this.#ranges.set(name, [...ranges]);
  }

  dispose(): void {
    for (const name of this.#ranges.keys()) this.paint(name, []);
  }
}

function highlightOf(name: HighlightName): Highlight {
  const existing = CSS.highlights.get(name);
  if (existing) return existing;
  const made = new Highlight();
  CSS.highlights.set(name, made);
  return made;
}

export function rowsOf(container: HTMLElement): readonly { readonly row: HTMLElement; readonly line: number }[] {
  return [...container.querySelectorAll<HTMLElement>(ROW)].map((row) => ({ row, line: Number(row.dataset.line) }));
}

export function selectionRanges(container: HTMLElement, selection: Selection): readonly Range[] {
  return rowsOf(container).flatMap(({ row, line }) => {
    const part = partOf(selection, line, row.textContent?.length ?? 0);
    const range = part && rangeIn(row, part[0], part[1]);
    return range ? [range] : [];
  });
}
