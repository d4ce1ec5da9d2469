import type { Terminal } from '@xterm/xterm';
import type { StoreApi } from 'zustand';
import { createStore } from 'zustand/vanilla';

/** Keys that the keyboard on a screen has not. */
export const SOFT_KEYS = ['escape', 'tab', 'left', 'down', 'up', 'right', 'dash', 'slash', 'pipe', 'tilde'] as const;
export type SoftKey = (typeof SOFT_KEYS)[number];

const ARROWS: Partial<Record<SoftKey, string>> = { up: 'A', down: 'B', right: 'C', left: 'D' };
const CHARACTERS: Partial<Record<SoftKey, string>> = {
  escape: '\u001b',
  tab: '\t',
  dash: '-',
  slash: '/',
  pipe: '|',
  tilde: '~',
};

/** What a key sends. `isApplication`: the program has asked for the other form of cursor keys. */
export function sequenceOf(key: SoftKey, { isCtrl, isApplication }: { isCtrl: boolean; isApplication: boolean }): string {
  const arrow = ARROWS[key];
  if (arrow !== undefined) return isCtrl ? `\u001b[1;5${arrow}` : isApplication ? `\u001bO${arrow}` : `\u001b[${arrow}`;
  const character = CHARACTERS[key] ?? '';
  return isCtrl ? controlOf(character) : character;
}

/** The control character of a character, as Ctrl with it sends; itself, where there is none. */
export function controlOf(character: string): string {
  const upper = character.toUpperCase();
  if (/^[@A-Z[\\\]^_]$/.test(upper)) return String.fromCharCode(upper.charCodeAt(0) - 64);
  if (character === ' ') return '\u0000';
  return character === '?' ? '\u007f' : character === '/' || character === '-' ? '\u001f' : character;
}

/** The row of keys below a terminal on a phone. Ctrl stays down for the next character, from this row or the keyboard. */
export class SoftKeys {
  readonly ui: StoreApi<{ readonly isCtrl: boolean }> = createStore(() => ({ isCtrl: false }));
  readonly #terminal: Pick<Terminal, 'input' | 'modes'>;

  constructor(terminal: Pick<Terminal, 'input' | 'modes'>) {
    this.#terminal = terminal;
  }

  toggleCtrl(): void {
    this.ui.setState(({ isCtrl }) => ({ isCtrl: !isCtrl }));
  }

  press(key: SoftKey): void {
    const { isCtrl } = this.ui.getState();
    this.ui.setState({ isCtrl: false });
    this.#terminal.input(sequenceOf(key, { isCtrl, isApplication: this.#terminal.modes.applicationCursorKeysMode }));
  }

  /** What was typed, with Ctrl where that is down. */
  applied(typed: string): string {
    if (!this.ui.getState().isCtrl || typed.length !== 1) return typed;
    this.ui.setState({ isCtrl: false });
    return controlOf(typed);
  }
}
