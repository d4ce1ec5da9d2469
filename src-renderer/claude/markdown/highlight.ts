import { useRef, useSyncExternalStore } from 'react';
import type { GrammarState, HighlighterCore, ThemedToken } from 'shiki/core';
import { languageOf, loadLanguage } from './languages.ts';

/** One coloured piece of a line. `colour` is a CSS variable of claude.css, so that a change of theme colours nothing anew. */
export interface Token {
  readonly text: string;
  readonly colour: string | null;
  readonly isItalic: boolean;
  readonly isBold: boolean;
}
export type TokenLines = readonly (readonly Token[])[];

/** Longer code is shown plain: colouring it would hold up typing. */
const COLOURED_CHARS = 60_000;
/** Longer lines are shown plain. Time is no bound: a busy machine would get half a line coloured, and keep it so. */
const MAX_LINE_CHARS = 2000;
/** Blocks that keep their colours while they are scrolled out and back in. */
const CACHE_LIMIT = 200;
const THEME = 'baton';
const ITALIC = 1;
const BOLD = 2;

/** Highlighter and languages are loaded when the first code is shown. */
let highlighter: HighlighterCore | null = null;
let loadingHighlighter: Promise<HighlighterCore> | null = null;
const ready = new Set<string>();
const loading = new Set<string>();
const listeners = new Set<() => void>();
const cache = new Map<string, TokenLines>();

async function makeHighlighter(): Promise<HighlighterCore> {
  const [{ createHighlighterCore, createCssVariablesTheme }, { createJavaScriptRegexEngine }] = await Promise.all([
    import('shiki/core'),
    import('shiki/engine/javascript'),
  ]);
  const theme = createCssVariablesTheme({ name: THEME, variablePrefix: '--code-', fontStyle: true });
  return createHighlighterCore({ engine: createJavaScriptRegexEngine({ forgiving: true }), themes: [theme], langs: [] });
}

async function load(language: string): Promise<void> {
  loadingHighlighter ??= makeHighlighter();
  highlighter = await loadingHighlighter;
  await highlighter.loadLanguage(...(await loadLanguage(language)));
  ready.add(language);
  for (const listener of listeners) listener();
}

function request(language: string): void {
  if (loading.has(language)) return;
  loading.add(language);
  load(language).catch((error: unknown) => {
    // Code without colours is still code; the next block of that language tries again.
    console.warn(`the colours of ${language} could not be loaded`, error);
    loading.delete(language);
  });
}

function tokenize(
  code: string,
  language: string,
  state: GrammarState | undefined,
): { lines: TokenLines; state: GrammarState | undefined } {
  if (highlighter === null) return { lines: [], state };
  const { tokens, grammarState } = highlighter.codeToTokens(code, {
    lang: language,
    theme: THEME,
    tokenizeMaxLineLength: MAX_LINE_CHARS,
    tokenizeTimeLimit: 0,
    ...(state === undefined ? {} : { grammarState: state }),
  });
  return { lines: tokens.map((line) => line.map(tokenOf)), state: grammarState };
}

function tokenOf({ content, color, fontStyle = 0 }: ThemedToken): Token {
  return {
    text: content,
    colour: color === undefined || color === 'var(--code-foreground)' ? null : color,
    isItalic: (fontStyle & ITALIC) !== 0,
    isBold: (fontStyle & BOLD) !== 0,
  };
}

/** Colours of `code`; null where it is shown plain: language unknown or not loaded yet, or too long. */
export function highlight(code: string, language: string): TokenLines | null {
  if (!ready.has(language) || code.length > COLOURED_CHARS) return null;
  const key = `${language}\n${code}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const { lines } = tokenize(code, language, undefined);
  cache.set(key, lines);
  const oldest = cache.keys().next();
  if (cache.size > CACHE_LIMIT && !oldest.done) cache.delete(oldest.value);
  return lines;
}

/**
 * Colours code while it is written: each line once, when it is whole; the line being written is plain. Colouring all of it with
 * every piece would take longer the more there is.
 */
export class GrowingHighlight {
  #language = '';
  #done = '';
  #lines: TokenLines = [];
  #state: GrammarState | undefined;

  colour(code: string, language: string): TokenLines | null {
    if (!ready.has(language) || code.length > COLOURED_CHARS) return null;
    if (language !== this.#language || !code.startsWith(this.#done)) {
      this.#language = language;
      this.#done = '';
      this.#lines = [];
      this.#state = undefined;
    }
    const whole = code.slice(0, code.lastIndexOf('\n') + 1);
    if (whole.length > this.#done.length) {
      const { lines, state } = tokenize(whole.slice(this.#done.length, -1), language, this.#state);
      this.#lines = [...this.#lines, ...lines];
      this.#state = state;
      this.#done = whole;
    }
    const rest = code.slice(whole.length);
    return [...this.#lines, rest === '' ? [] : [{ text: rest, colour: null, isItalic: false, isBold: false }]];
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Colours of `code` in the language that a fence or a file ending names; null while they are not there. */
export function useHighlight(code: string, name: string, isLive: boolean): TokenLines | null {
  const language = languageOf(name);
  const isReady = useSyncExternalStore(subscribe, () => language !== null && ready.has(language));
  const growing = useRef<GrowingHighlight>(null);
  if (language === null) return null;
  if (!isReady) request(language);
  if (!isLive) return highlight(code, language);
  growing.current ??= new GrowingHighlight();
  return growing.current.colour(code, language);
}
