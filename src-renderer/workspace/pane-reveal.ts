import type { Seq } from '../../src-shared/ids.ts';

/** A place in a session's past that the user wants to see: found by search. */
export interface Place {
  readonly seq: Seq;
  /** The text that was found there. */
  readonly match: string;
}

/** How each pane brings a place into view, by pane id. */
const revealers = new Map<string, (place: Place) => void>();
/** Wished for before the pane was mounted. */
let awaited: { readonly paneId: string; readonly place: Place } | null = null;

export function addRevealer(paneId: string, reveal: (place: Place) => void): () => void {
  revealers.set(paneId, reveal);
  if (awaited?.paneId === paneId) {
    const { place } = awaited;
    awaited = null;
    reveal(place);
  }
  return () => {
    if (revealers.get(paneId) === reveal) revealers.delete(paneId);
  };
}

/** Brings a place into view, at once or as soon as its pane is there. The newest wish wins. */
export function revealPlace(paneId: string, place: Place): void {
  const reveal = revealers.get(paneId);
  awaited = reveal ? null : { paneId, place };
  reveal?.(place);
}
