import { createContext, useContext, useSyncExternalStore } from 'react';

/**
 * Which rows are unfolded. Kept outside of the rows, because rows that are scrolled out of sight are taken off the page; and
 * outside of React's state, so that unfolding one draws only that one.
 */
export class Folds {
  readonly #chosen = new Map<string, boolean>();
  readonly #listeners = new Set<() => void>();
  #isVerbose = false;

  /** Everything unfolded, thinking and book-keeping too. */
  get isVerbose(): boolean {
    return this.#isVerbose;
  }

  setVerbose(isVerbose: boolean): void {
    this.#isVerbose = isVerbose;
    this.#chosen.clear();
    this.#tell();
  }

  isOpen(key: string, byDefault: boolean): boolean {
    return this.#chosen.get(key) ?? (byDefault || this.#isVerbose);
  }

  set(key: string, isOpen: boolean): void {
    this.#chosen.set(key, isOpen);
    this.#tell();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const Context = createContext<Folds>(new Folds());
export const FoldsProvider = Context.Provider;

export function useFold(key: string, byDefault = false): [isOpen: boolean, toggle: () => void] {
  const folds = useContext(Context);
  const isOpen = useSyncExternalStore(folds.subscribe, () => folds.isOpen(key, byDefault));
  return [isOpen, () => folds.set(key, !isOpen)];
}

export function useIsVerbose(folds: Folds): boolean {
  return useSyncExternalStore(folds.subscribe, () => folds.isVerbose);
}
