import { SearchAddon } from '@xterm/addon-search';
import type { IDisposable, Terminal } from '@xterm/xterm';
import { findColours } from './theme.ts';

/** What is looked for, and how. */
export interface FindQuery {
  readonly text: string;
  readonly isRegex: boolean;
  readonly isCaseSensitive: boolean;
  readonly isWholeWord: boolean;
}

export const NO_QUERY: FindQuery = { text: '', isRegex: false, isCaseSensitive: false, isWholeWord: false };

/** Found places that are marked and counted. */
export const FIND_LIMIT = 1000;

/** What is wrong with a regular expression, in the engine's own words; null: nothing. */
export function regexProblem({ text, isRegex }: FindQuery): string | null {
  if (!isRegex) return null;
  try {
    new RegExp(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error);
  }
}

/** Finding in the live lines of a terminal. */
export class TerminalFind {
  readonly #addon = new SearchAddon({ highlightLimit: FIND_LIMIT });
  readonly #terminal: Terminal;
  readonly #listener: IDisposable;
  #theme: 'light' | 'dark';
  #shown: FindQuery | null = null;

  constructor(
    terminal: Terminal,
    theme: 'light' | 'dark',
    onFound: (found: { readonly index: number; readonly count: number } | null) => void,
  ) {
    this.#terminal = terminal;
    this.#theme = theme;
    terminal.loadAddon(this.#addon);
    this.#listener = this.#addon.onDidChangeResults(({ resultIndex, resultCount }) =>
      onFound({ index: resultIndex, count: resultCount }),
    );
  }

  setTheme(theme: 'light' | 'dark'): void {
    if (theme === this.#theme) return;
    this.#theme = theme;
    // What is marked keeps the colours that it was marked with.
    if (this.#shown !== null) this.go(this.#shown, 'typing');
  }

  /** `typing`: the query grows, so the place found before stays if it still fits. */
  go(query: FindQuery, direction: 'next' | 'previous' | 'typing'): void {
    if (query.text === '' || regexProblem(query) !== null) {
      this.clear();
      return;
    }
    this.#shown = query;
    const options = {
      regex: query.isRegex,
      caseSensitive: query.isCaseSensitive,
      wholeWord: query.isWholeWord,
      decorations: findColours(this.#theme),
    };
    // The add-on does not notice that the same text is looked for in another way.
    if (direction === 'typing') this.#addon.clearDecorations();
    // The newest is the likeliest: one looks upwards from the end.
    if (direction === 'next') this.#addon.findNext(query.text, options);
    else this.#addon.findPrevious(query.text, { ...options, incremental: direction === 'typing' });
  }

  clear(): void {
    this.#shown = null;
    this.#addon.clearDecorations();
    this.#terminal.clearSelection();
  }

  dispose(): void {
    this.#listener.dispose();
    this.#addon.dispose();
  }
}
