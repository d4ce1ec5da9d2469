import { afterClose } from '../ui/after-close.tsx';

/** How each pane takes the keyboard: a terminal focuses its input, a conversation its composer. By pane id. */
const takers = new Map<string, () => void>();
/** A pane that was to get the focus before it was mounted. */
let awaited: string | null = null;

/** A pane says how it takes the focus. Returns what takes that back. */
export function addFocusTaker(paneId: string, takeFocus: () => void): () => void {
  takers.set(paneId, takeFocus);
  if (awaited === paneId) focusPane(paneId);
  return () => {
    if (takers.get(paneId) === takeFocus) takers.delete(paneId);
  };
}

export function canTakeFocus(paneId: string): boolean {
  return takers.has(paneId);
}

/** Gives a pane the keyboard, at once or as soon as it is there. The newest wish wins. */
export function focusPane(paneId: string): void {
  awaited = paneId;
  afterClose(() => {
    const takeFocus = awaited === paneId ? takers.get(paneId) : undefined;
    if (takeFocus === undefined) return;
    awaited = null;
    takeFocus();
  });
}
