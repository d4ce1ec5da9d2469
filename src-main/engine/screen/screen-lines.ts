import type { IBuffer, IBufferCell, IBufferLine, IMarker } from '@xterm/headless';
import type { Screen } from '../../../src-shared/operations.ts';
import type { PastEvent } from './screen-protocol.ts';
import { cellsOf, type HeadlessTerminal, openTerminal, WORDS_PER_CELL, written } from './screen-xterm.ts';

/** Lines of a stretch of the past are collected as they leave the screen, before the scrollback forgets them. */
const SCROLLBACK = 5000;
/** So few lines can scroll in one write that none is forgotten. */
const MAX_LINES_PER_WRITE = 4000;
/** Rows held of one stretch; of a longer one the oldest are dropped, and made again when somebody pages so far. */
const MAX_ROWS = 200_000;

interface Row {
  readonly text: string;
  /** It goes on where the row before was full. */
  readonly isWrapped: boolean;
}

/** One stretch of a terminal's past, turned into whole lines: plain text with colours as SGR. */
export class PastLines {
  private readonly xterm: HeadlessTerminal;
  private readonly from: Screen | null;
  private readonly rows: Row[] = [];
  private gone = 0;
  private dropped = 0;
  /** The first row that has not been collected: the top of the screen when last looked. */
  private next: IMarker | undefined;
  private readonly cell: IBufferCell;
  private readonly buffer: IBuffer;

  constructor(size: { readonly cols: number; readonly rows: number }, from: Screen | null) {
    this.from = from;
    this.xterm = openTerminal(from ?? size, SCROLLBACK);
    this.buffer = this.xterm.terminal.buffer.normal;
    this.cell = this.buffer.getNullCell();
  }

  /** What scrolled off before the screen it begins with belongs to the stretch before. */
  async open(): Promise<void> {
    if (this.from !== null) await written(this.xterm.terminal, this.from.data);
    this.mark();
  }

  async feed(event: PastEvent): Promise<void> {
    const { terminal } = this.xterm;
    if (event.kind === 'resize') {
      terminal.resize(event.cols, event.rows);
      this.collect();
      return;
    }
    for (const piece of pieces(event.bytes, terminal.cols)) {
      await written(terminal, piece);
      this.collect();
    }
  }

  /** Lines that have left the screen. */
  get goneLines(): number {
    return this.gone;
  }

  /** The first of them that is still held. */
  get firstLine(): number {
    return this.dropped;
  }

  /** From `firstLine` on. `withScreen`: and those that are still on it, without the empty ones at its end. */
  lines(withScreen: boolean): readonly string[] {
    return joinedLines(withScreen ? [...this.rows, ...this.screenRows()] : this.rows);
  }

  dispose(): void {
    this.xterm.terminal.dispose();
  }

  private get top(): number {
    return this.buffer.baseY;
  }

  private collect(): void {
    const from = this.next === undefined || this.next.isDisposed ? this.top : this.next.line;
    // A terminal that grew has taken rows back onto its screen: they will leave it again.
    if (from > this.top) {
      this.rows.splice(Math.max(this.rows.length - (from - this.top), 0));
      this.gone = this.dropped + joinedLines(this.rows).length;
    }
    for (let y = from; y < this.top; y++) this.keep(this.row(y));
    if (this.rows.length > MAX_ROWS) this.dropOldest();
    this.mark();
  }

  private dropOldest(): void {
    const half = Math.floor(this.rows.length / 2);
    const firstKept = this.rows.findIndex((row, index) => index >= half && !row.isWrapped);
    this.dropped += joinedLines(this.rows.splice(0, Math.max(firstKept, 0))).length;
  }

  private keep(row: Row): void {
    if (!row.isWrapped || this.rows.length === 0) this.gone++;
    this.rows.push(row);
  }

  /** Markers belong to the normal buffer; while a full-screen program shows the other one nothing leaves this one. */
  private mark(): void {
    const { terminal } = this.xterm;
    if (terminal.buffer.active.type !== 'normal') return;
    this.next?.dispose();
    this.next = terminal.registerMarker(-this.buffer.cursorY);
  }

  private screenRows(): readonly Row[] {
    const rows = Array.from({ length: this.xterm.terminal.rows }, (_, y) => this.row(this.top + y));
    while (rows.at(-1)?.text === '') rows.pop();
    return rows;
  }

  private row(y: number): Row {
    const line = this.buffer.getLine(y);
    return line === undefined ? { text: '', isWrapped: false } : { text: lineText(line, this.cell), isWrapped: line.isWrapped };
  }
}

/** A row and those that it was wrapped into are one line. */
function joinedLines(rows: readonly Row[]): readonly string[] {
  const lines: string[] = [];
  for (const { text, isWrapped } of rows) {
    const last = lines.length - 1;
    if (isWrapped && last >= 0) lines[last] += text;
    else lines.push(text);
  }
  return lines;
}

/** Cuts output so that each piece scrolls few enough lines. */
function* pieces(bytes: Uint8Array, cols: number): Iterable<Uint8Array> {
  let from = 0;
  while (from < bytes.length) {
    let to = from;
    let lines = 0;
    // Each line feed scrolls one line, each full row one more.
    while (to < bytes.length && lines + (to - from) / cols < MAX_LINES_PER_WRITE) {
      const feed = bytes.indexOf(0x0a, to);
      const end = feed < 0 ? bytes.length : feed + 1;
      to = Math.min(end, from + (MAX_LINES_PER_WRITE - lines) * cols);
      lines++;
    }
    yield bytes.subarray(from, to);
    from = to;
  }
}

const RESET = '\x1b[0m';

/** What a cell's first word holds beside its width. */
const CONTENT_MASK = 0x3fffff;
const SPACE = 0x20;

/** A row's text with SGR where its looks change; spaces where nothing was written, and none of them at its end. */
function lineText(line: IBufferLine, cell: IBufferCell): string {
  const cells = cellsOf(line);
  const end = usedCells(cells);
  let text = '';
  let isStyled = false;
  for (let from = 0; from < end; ) {
    const to = endOfRun(cells, from, end);
    const style = isPlain(cells, from) ? '' : styleOf(line.getCell(from, cell) ?? cell);
    if (isStyled) text += RESET;
    text += style + textOf(line, cells, from, to);
    isStyled = style !== '';
    from = to;
  }
  return isStyled ? text + RESET : text;
}

const codes = Buffer.alloc(1024);

/** xterm puts texts together character by character, into strings that take 30 times their length. Most lines are Latin-1. */
function textOf(line: IBufferLine, cells: Uint32Array, from: number, to: number): string {
  for (let x = from; x < to; x++) {
    const content = (cells[x * WORDS_PER_CELL] ?? 0) & CONTENT_MASK;
    if (content > 0xff || x - from >= codes.length) return line.translateToString(false, from, to);
    codes[x - from] = content === 0 ? SPACE : content;
  }
  return codes.toString('latin1', 0, to - from);
}

function usedCells(cells: Uint32Array): number {
  let end = cells.length / WORDS_PER_CELL;
  while (end > 0 && isPlain(cells, end - 1) && ((cells[(end - 1) * WORDS_PER_CELL] ?? 0) & CONTENT_MASK) === 0) end--;
  return end;
}

function isPlain(cells: Uint32Array, x: number): boolean {
  return cells[x * WORDS_PER_CELL + 1] === 0 && cells[x * WORDS_PER_CELL + 2] === 0;
}

/** Where the looks change. */
function endOfRun(cells: Uint32Array, from: number, end: number): number {
  const foreground = cells[from * WORDS_PER_CELL + 1];
  const background = cells[from * WORDS_PER_CELL + 2];
  let to = from + 1;
  while (to < end && cells[to * WORDS_PER_CELL + 1] === foreground && cells[to * WORDS_PER_CELL + 2] === background) to++;
  return to;
}

function styleOf(cell: IBufferCell): string {
  const codes: (number | string)[] = [];
  if (cell.isBold()) codes.push(1);
  if (cell.isDim()) codes.push(2);
  if (cell.isItalic()) codes.push(3);
  if (cell.isUnderline()) codes.push(4);
  if (cell.isBlink()) codes.push(5);
  if (cell.isInverse()) codes.push(7);
  if (cell.isInvisible()) codes.push(8);
  if (cell.isStrikethrough()) codes.push(9);
  if (cell.isOverline()) codes.push(53);
  if (!cell.isFgDefault()) codes.push(colorCode(cell.isFgRGB(), cell.getFgColor(), 30));
  if (!cell.isBgDefault()) codes.push(colorCode(cell.isBgRGB(), cell.getBgColor(), 40));
  return codes.length === 0 ? '' : `\x1b[${codes.join(';')}m`;
}

function colorCode(isRgb: boolean, color: number, base: 30 | 40): string {
  if (isRgb) return `${base + 8};2;${(color >> 16) & 255};${(color >> 8) & 255};${color & 255}`;
  if (color < 8) return `${base + color}`;
  return color < 16 ? `${base + 60 + color - 8}` : `${base + 8};5;${color}`;
}
