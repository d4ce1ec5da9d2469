import { useCallback, useEffect, useRef, useState } from 'react';
import type { RunId } from '../../../src-shared/ids.ts';
import { call } from '../../engine.ts';

/** Typing is written down when it has rested this long. */
const restMs = 300;

/**
 * The unsent prompt of a session. It is the session's, not the window's: whoever opens it finds it. One write at a time; while the
 * engine is away the newest text waits.
 */
export function useDraft(runId: RunId, isVisible: boolean): [text: string, setText: (text: string) => void] {
  const [text, setText] = useState('');
  const draft = useRef<Draft>(null);
  draft.current ??= new Draft(runId);
  const current = draft.current;
  useEffect(() => {
    if (isVisible) current.read(setText);
  }, [current, isVisible]);
  useEffect(() => {
    const flush = () => current.flush();
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, [current]);
  const change = useCallback(
    (next: string) => {
      setText(next);
      current.write(next);
    },
    [current],
  );
  return [text, change];
}

class Draft {
  readonly #runId: RunId;
  /** Not written yet; null: what is shown is what is stored. */
  #unsaved: string | null = null;
  #isSaving = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(runId: RunId) {
    this.#runId = runId;
  }

  /** Takes the stored draft, unless something has been typed meanwhile. */
  read(take: (text: string) => void): void {
    if (this.#unsaved !== null) return;
    call('draft.get', { runId: this.#runId }).then(
      ({ text }) => {
        if (this.#unsaved === null && !this.#isSaving) take(text);
      },
      // Nothing is lost that is not lost already: one types from an empty field, and what is typed is kept.
      (error: unknown) => console.warn('the draft could not be read', error),
    );
  }

  write(text: string): void {
    this.#unsaved = text;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), restMs);
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#isSaving && this.#unsaved !== null) void this.#save();
  }

  async #save(): Promise<void> {
    this.#isSaving = true;
    try {
      while (this.#unsaved !== null) {
        const text = this.#unsaved;
        this.#unsaved = null;
        await call('draft.set', { runId: this.#runId, text });
      }
    } catch (error) {
      // Written with the next key that is typed.
      console.warn('the draft could not be kept', error);
    } finally {
      this.#isSaving = false;
    }
  }
}
