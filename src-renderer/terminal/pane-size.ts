import type { Terminal } from '@xterm/xterm';
import { type Box, type Cells, cellsIn, fontToFit } from './geometry.ts';

/** While a pane is being dragged larger or smaller, its program is not asked to draw itself anew at each step. */
const REST_MS = 70;
/** Kept free at the right for xterm's scrollbar and the marks of what was found. */
export const SCROLLBAR_PX = 12;

export interface PaneSizeOptions {
  readonly terminal: Terminal;
  /** What the terminal may fill. */
  readonly frame: HTMLElement;
  /** xterm's parent, within the frame. */
  readonly host: HTMLElement;
  readonly onViewport: (cells: Cells) => void;
  /** The terminal is shown at a size that is not this pane's. */
  readonly onForeignSize: (isForeign: boolean) => void;
}

/**
 * The size of a pane in cells, and the terminal's place in it. The host decides a terminal's size by the client that drives; this
 * pane tells how much room it has, and shows whatever size it is given: smaller ones with a margin, larger ones in smaller type.
 */
export class PaneSize {
  readonly #options: PaneSizeOptions;
  readonly #observer: ResizeObserver;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #fontSize: number;
  /** A cell in the user's own font size. */
  #cell: Box | null = null;
  #isDriving = true;
  #announced: Cells | null = null;

  constructor(options: PaneSizeOptions) {
    this.#options = options;
    this.#fontSize = options.terminal.options.fontSize ?? 13;
    this.#observer = new ResizeObserver(() => this.#plan());
    this.#observer.observe(options.frame);
  }

  /** How many cells the pane has room for; null while it cannot be measured. */
  viewport(): Cells | null {
    const { frame } = this.#options;
    const style = getComputedStyle(frame);
    const px = (value: string) => Number.parseFloat(value) || 0;
    const box = {
      width: frame.clientWidth - px(style.paddingLeft) - px(style.paddingRight) - SCROLLBAR_PX,
      height: frame.clientHeight - px(style.paddingTop) - px(style.paddingBottom),
    };
    return this.#cell && cellsIn(box, this.#cell);
  }

  /** Of a row in the user's own font size, in px; null until it has been measured. */
  get cellHeight(): number | null {
    return this.#cell?.height ?? null;
  }

  setDriving(isDriving: boolean): void {
    this.#isDriving = isDriving;
    this.place();
  }

  /** The font has changed: a cell has another size. */
  setFontSize(fontSize: number): void {
    this.#fontSize = fontSize;
    this.#options.terminal.options.fontSize = fontSize;
    this.#cell = null;
    this.place();
    this.#announce();
  }

  /** To be called when the terminal has another size, is seen again, or was measured anew. */
  place(): void {
    const { terminal, host, onForeignSize } = this.#options;
    this.#measure();
    const room = this.viewport();
    if (room === null) return;
    const isForeign = !this.#isDriving && (room.cols !== terminal.cols || room.rows !== terminal.rows);
    const fontSize = isForeign ? fontToFit(this.#fontSize, terminal, room) : this.#fontSize;
    if (terminal.options.fontSize !== fontSize) terminal.options.fontSize = fontSize;
    const cell = isForeign ? this.#currentCell() : null;
    host.style.width = cell === null ? '' : `${Math.ceil(terminal.cols * cell.width) + SCROLLBAR_PX}px`;
    host.style.height = cell === null ? '' : `${Math.ceil(terminal.rows * cell.height)}px`;
    onForeignSize(isForeign);
  }

  dispose(): void {
    this.#observer.disconnect();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #measure(): void {
    if (this.#options.terminal.options.fontSize === this.#fontSize) this.#cell = this.#currentCell() ?? this.#cell;
  }

  /** What a cell measures now: xterm gives its screen the exact size of all of them. */
  #currentCell(): Box | null {
    const { terminal, host } = this.#options;
    const box = host.querySelector('.xterm-screen')?.getBoundingClientRect();
    if (box === undefined || box.width === 0 || box.height === 0) return null;
    return { width: box.width / terminal.cols, height: box.height / terminal.rows };
  }

  #plan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.place();
      this.#announce();
    }, REST_MS);
  }

  #announce(): void {
    const room = this.viewport();
    if (room === null || (room.cols === this.#announced?.cols && room.rows === this.#announced.rows)) return;
    this.#announced = room;
    this.#options.onViewport(room);
  }
}
