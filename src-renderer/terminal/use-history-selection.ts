import { type MouseEvent as ReactMouseEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react';
import { placeAt } from './history-dom.ts';
import { isEmpty, lineAt, type Selection, selectedText, type TextPlace, wordAt } from './history-selection.ts';

/** Dragging beyond an edge scrolls: so many px a frame for each px beyond it, up to a page. */
const SCROLL_SHARE = 0.25;

export interface HistorySelection {
  readonly selection: Selection | null;
  /** What is selected; null: nothing. */
  readonly text: () => string | null;
  readonly set: (selection: Selection | null) => void;
  readonly handleMouseDown: (event: ReactMouseEvent) => void;
}

/** Selecting over lines of which only those that are seen are in the document. */
export function useHistorySelection(scroller: RefObject<HTMLElement | null>, textOf: (line: number) => string): HistorySelection {
  const [selection, set] = useState<Selection | null>(null);
  const newest = useRef(selection);
  newest.current = selection;
  const stopDrag = useRef<() => void>(undefined);
  useEffect(() => () => stopDrag.current?.(), []);

  const handleMouseDown = (event: ReactMouseEvent) => {
    const container = scroller.current;
    const place = container && event.button === 0 ? placeAt(container, event.clientX, event.clientY) : null;
    if (!container || !place || isOnScrollbar(container, event)) return;
    // The browser's own selection could only reach rows that are there.
    event.preventDefault();
    container.focus({ preventScroll: true });
    const began = beginning(event, place, newest.current, textOf);
    set(began);
    stopDrag.current?.();
    stopDrag.current = drag(container, (focus) => set({ anchor: began.anchor, focus }));
  };
  const text = useCallback(() => {
    const { current } = newest;
    return current === null || isEmpty(current) ? null : selectedText(current, textOf);
  }, [textOf]);
  return { selection, text, set, handleMouseDown };
}

function beginning(
  event: ReactMouseEvent,
  place: TextPlace,
  before: Selection | null,
  textOf: (line: number) => string,
): Selection {
  if (event.shiftKey && before) return { anchor: before.anchor, focus: place };
  if (event.detail === 2) return wordAt(place, textOf(place.line));
  if (event.detail >= 3) return lineAt(place, textOf(place.line));
  return { anchor: place, focus: place };
}

function isOnScrollbar(container: HTMLElement, event: ReactMouseEvent): boolean {
  return event.clientX > container.getBoundingClientRect().left + container.clientWidth;
}

/** Follows the pointer until the button is let go, scrolling at the edges. */
function drag(container: HTMLElement, onMove: (focus: TextPlace) => void): () => void {
  let at: { readonly x: number; readonly y: number } | null = null;
  let frame = 0;
  const follow = () => {
    const focus = at && placeAt(container, at.x, at.y);
    if (focus) onMove(focus);
  };
  const scroll = () => {
    const { top, bottom } = container.getBoundingClientRect();
    const beyond = at === null ? 0 : at.y < top ? at.y - top : at.y > bottom ? at.y - bottom : 0;
    if (beyond !== 0) {
      const limit = container.clientHeight;
      container.scrollTop += Math.max(-limit, Math.min(limit, beyond * SCROLL_SHARE));
      follow();
    }
    frame = requestAnimationFrame(scroll);
  };
  const move = (event: MouseEvent) => {
    at = { x: event.clientX, y: event.clientY };
    follow();
  };
  const stop = () => {
    cancelAnimationFrame(frame);
    window.removeEventListener('mousemove', move);
    window.removeEventListener('mouseup', stop);
  };
  window.addEventListener('mousemove', move);
  window.addEventListener('mouseup', stop);
  frame = requestAnimationFrame(scroll);
  return stop;
}
