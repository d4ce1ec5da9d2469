import { type RefObject, useCallback, useLayoutEffect, useRef, useState } from 'react';

/** Rows beyond each edge that are drawn as well, so that quick scrolling shows no blanks. */
const OVERSCAN_ROWS = 12;

export interface Windowed {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly onScroll: () => void;
  /** Rows from `first` up to but not including `end` are drawn. */
  readonly first: number;
  readonly end: number;
  /** Scrolls as little as it takes to show row `index`. */
  readonly reveal: (index: number) => void;
}

/** Which of many rows of one height are drawn: those one can see, and some more. */
export function useWindowed(rowCount: number, rowPx: number): Windowed {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ topPx: 0, heightPx: window.innerHeight });
  const measure = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const [topPx, heightPx] = [element.scrollTop, element.clientHeight || window.innerHeight];
    setView((before) => (before.topPx === topPx && before.heightPx === heightPx ? before : { topPx, heightPx }));
  }, []);
  useLayoutEffect(() => {
    if (!scroller.current) return;
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [measure]);
  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (!element) return;
      const top = index * rowPx;
      const bottom = top + rowPx;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
      measure();
    },
    [rowPx, measure],
  );
  return {
    scroller,
    onScroll: measure,
    first: Math.max(0, Math.floor(view.topPx / rowPx) - OVERSCAN_ROWS),
    end: Math.min(rowCount, Math.ceil((view.topPx + view.heightPx) / rowPx) + OVERSCAN_ROWS),
    reveal,
  };
}
