import type { Terminal } from '@xterm/xterm';

export interface KeyboardOptions {
  readonly terminal: Terminal;
  /** Where copying and pasting are plain Ctrl+C and Ctrl+V. */
  readonly isWindows: boolean;
  readonly onCopy: () => void;
  readonly onPaste: () => void;
}

/** What programs take for "a new line, but do not send yet": as Alt+Enter. xterm has no sequence of its own for it. */
export const SHIFT_ENTER = '\u001b\r';

/** Keys that mean something else here than in a plain xterm. Baton's own commands have been taken out before. */
export class Keyboard {
  readonly #options: KeyboardOptions;
  /** Tab moves the focus on, for those who have no other way out. */
  tabMovesFocus = false;

  constructor(options: KeyboardOptions) {
    this.#options = options;
    options.terminal.attachCustomKeyEventHandler((event) => this.#handle(event));
  }

  /** False: the terminal takes no notice of it. */
  #handle(event: KeyboardEvent): boolean {
    if (event.isComposing) return true;
    if (this.tabMovesFocus && event.key === 'Tab' && !event.ctrlKey && !event.altKey && !event.metaKey) return false;
    if (isShiftEnter(event)) {
      // Its keypress would type a plain Return.
      event.preventDefault();
      if (event.type === 'keydown') this.#options.terminal.input(SHIFT_ENTER);
      return false;
    }
    return this.#options.isWindows && event.type === 'keydown' ? !this.#handleWindowsHabit(event) : true;
  }

  #handleWindowsHabit(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || event.shiftKey || event.altKey || event.metaKey) return false;
    const { terminal, onCopy, onPaste } = this.#options;
    const key = event.key.toLowerCase();
    // Without a selection Ctrl+C is the program's.
    if (key === 'c' && terminal.hasSelection()) {
      onCopy();
      terminal.clearSelection();
    } else if (key === 'v') onPaste();
    else return false;
    event.preventDefault();
    return true;
  }
}

function isShiftEnter(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
}
