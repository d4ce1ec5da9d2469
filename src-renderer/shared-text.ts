import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RunId } from '../src-shared/ids.ts';
import { changeBetween, mergeTexts, placeAfter } from '../src-shared/merge-text.ts';
import type { ResultOf } from '../src-shared/operations.ts';
import { call, onTextChanged } from './engine.ts';
import { useWindow } from './store.ts';

type TextNow = ResultOf<'draft.get'>;

/** What is typed leaves after so long, together: others see it grow. */
const gatherMs = 150;

/**
 * A text of a session that others may write at the same time, in other windows and on other machines. It is the session's, not the
 * window's: whoever opens it finds it. What is typed here while the engine is away waits, and nothing of it is lost by what comes from
 * others [doc-3].
 */
export function useSharedText(
  runId: RunId,
  name: 'draft' | 'notes',
  isVisible: boolean,
): [text: string, setText: (text: string) => void] {
  const [text, setText] = useState('');
  const kept = useRef<SharedText>(null);
  kept.current ??= new SharedText(runId, name, setText);
  const current = kept.current;
  useLayoutEffect(() => current.handleRendered(text), [current, text]);
  const isLive = useWindow((window) => window.connection.is === 'live');
  useEffect(() => {
    if (!isVisible || !isLive) return;
    current.read();
    // Only of sessions that are attached: the others are read when they are seen again.
    return onTextChanged((message) => {
      if (message.type === `${name}:changed` && message.runId === runId) current.hear(message);
    });
  }, [current, isVisible, isLive, name, runId]);
  useEffect(() => {
    const flush = () => current.flush();
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, [current]);
  return [text, useCallback((next: string) => current.write(next), [current])];
}

class SharedText {
  readonly #runId: RunId;
  readonly #name: 'draft' | 'notes';
  readonly #show: (text: string) => void;
  #shown = '';
  /** What the field holds, into which a key is typed: what has just come from others is not there before the next render. */
  #field = '';
  /** The engine's text, as it was heard of last: what is shown was made of it. */
  #base = '';
  #version = -1;
  #isSaving = false;
  /** The newest that came while the answer to this window's own change was on its way: that answer comes first. */
  #heard: TextNow | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(runId: RunId, name: 'draft' | 'notes', show: (text: string) => void) {
    this.#runId = runId;
    this.#name = name;
    this.#show = show;
  }

  /** Versions of an engine that has been started anew begin again. */
  read(): void {
    this.#version = -1;
    call(`${this.#name}.get`, { runId: this.#runId }).then(
      (now) => this.hear(now),
      // Nothing is lost that is not lost already: one types from an empty field, and what is typed is kept.
      (error: unknown) => console.warn(`the ${this.#name} could not be read`, error),
    );
  }

  hear(now: TextNow): void {
    if (this.#isSaving) {
      if (this.#heard === null || now.version > this.#heard.version) this.#heard = now;
    } else if (now.version > this.#version) this.#take(now, this.#base);
  }

  /** `base`: what the shown text was made of, and is in `now` already. */
  #take({ text, version }: TextNow, base: string): void {
    const merged = mergeTexts(base, this.#shown, text);
    this.#base = text;
    this.#version = version;
    if (merged !== this.#shown) {
      this.#shown = merged;
      this.#show(merged);
    }
    if (merged !== text) this.#plan();
  }

  handleRendered(text: string): void {
    this.#field = text;
  }

  write(text: string): void {
    this.#shown = mergeTexts(this.#field, text, this.#shown);
    // With the end of its event: it may be what was rendered before, and is not rendered again then.
    this.#field = this.#shown;
    this.#show(this.#shown);
    this.#plan();
  }

  #plan(): void {
    if (!this.#isSaving) this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isSaving && this.#shown !== this.#base) void this.#save();
  }

  async #save(): Promise<void> {
    const text = this.#shown;
    this.#isSaving = true;
    let isKept = false;
    try {
      const now = await call(`${this.#name}.set`, { runId: this.#runId, text, base: this.#base });
      this.#take(now, text);
      isKept = true;
    } catch (error) {
      // Written with the next key that is typed.
      console.warn(`the ${this.#name} could not be kept`, error);
    } finally {
      this.#isSaving = false;
    }
    const heard = this.#heard;
    this.#heard = null;
    if (heard !== null) this.hear(heard);
    if (isKept && this.#shown !== this.#base) this.#plan();
  }
}

/** The caret stays with the text that it stands in when somebody else changes it. */
export function useKeptCaret(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  const caret = useRef<readonly [start: number, end: number]>(null);
  const node = field.current;
  // What is typed here is in the field already; what others wrote is not there until this is rendered.
  if (node !== null && node.value !== text && document.activeElement === node) {
    const change = changeBetween(node.value, text);
    caret.current = [placeAfter(node.selectionStart, change, true), placeAfter(node.selectionEnd, change, true)];
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caret is lost whenever the text is another one
  useLayoutEffect(() => {
    const kept = caret.current;
    caret.current = null;
    if (kept !== null) field.current?.setSelectionRange(...kept);
  }, [text, field]);
}
