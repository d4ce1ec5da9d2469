import { type ReactNode, type Ref, useCallback, useImperativeHandle, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useStick } from './use-stick.ts';
import { firstRange, moveRange, rangeFor } from './visible-range.ts';

/** Nearer to an end of what is loaded than this, more is asked for. */
const NEAR_PX = 2000;

export interface ListStart {
  readonly index: number;
  /** How far the row is scrolled out at the top. */
  readonly offsetPx: number;
}

export interface WindowListProps<R extends { readonly key: string }> {
  readonly rows: readonly R[];
  readonly draw: (row: R) => ReactNode;
  /** About how high a row will be, px. */
  readonly estimate: (row: R) => number;
  /** Where to begin; null: at the end. Read once. */
  readonly start: ListStart | null;
  readonly label: string;
  readonly header: ReactNode;
  readonly onNearStart: () => void;
  readonly onNearEnd: () => void;
  /** The reader is at the end and is kept there. */
  readonly onAtEnd: (isAtEnd: boolean) => void;
  readonly ref: Ref<WindowListHandle>;
}

export interface WindowListHandle {
  readonly toEnd: () => void;
  readonly scroller: () => HTMLElement | null;
}

/**
 * A long list of rows of any height, of which only those near the view are drawn; the others are blank space as high as they
 * were, or are guessed to be. What the reader looks at stays where it is when rows above it turn out higher or lower, or are put
 * in front: the browser's own scroll anchoring sees to it, in the same frame. Who is at the end stays at the end.
 */
export function WindowList<R extends { readonly key: string }>(props: WindowListProps<R>) {
  const { rows, draw, estimate, start, label, header, onNearStart, onNearEnd, onAtEnd, ref } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const { isAtEnd, setScroller, onGrown, toEnd, release } = useStick(start === null);
  const measured = useRef(new Map<string, number>());
  const [known, setKnown] = useState(() => ({ rows, range: firstRange(rows.length, start?.index ?? null) }));
  let { range } = known;
  if (known.rows !== rows) {
    range = moveRange(range, known.rows, rows, isAtEnd);
    setKnown({ rows, range });
  }

  const heightOf = (row: R): number => measured.current.get(row.key) ?? estimate(row);
  const sum = (from: number, to: number): number => rows.slice(from, to).reduce((height, row) => height + heightOf(row), 0);

  const look = () => {
    const view = scroller.current;
    if (view === null || body.current === null) return;
    const topPx = view.scrollTop - body.current.offsetTop;
    const next = rangeFor(rows.map(heightOf), range, topPx, view.clientHeight);
    if (next.from !== range.from || next.to !== range.to) flushSync(() => setKnown({ rows, range: next }));
    if (topPx < NEAR_PX) onNearStart();
    if (view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_PX) onNearEnd();
  };
  const newest = useRef(look);
  useLayoutEffect(() => {
    newest.current = look;
  });

  useImperativeHandle(ref, () => ({ toEnd, scroller: () => scroller.current }), [toEnd]);
  useLayoutEffect(() => onAtEnd(isAtEnd), [isAtEnd, onAtEnd]);
  useStartPlace(scroller, start, rows);

  const observe = useMeasuring(measured, () => {
    onGrown();
    newest.current();
  });
  // Rows that came or went move the end, and may uncover what is not drawn.
  useLayoutEffect(() => {
    onGrown();
    forget(measured.current, rows);
    const frame = requestAnimationFrame(() => newest.current());
    return () => cancelAnimationFrame(frame);
  }, [rows, onGrown]);

  const setView = useCallback(
    (element: HTMLDivElement | null) => {
      scroller.current = element;
      setScroller(element);
    },
    [setScroller],
  );
  return (
    <section
      ref={setView}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by the keyboard
      tabIndex={0}
      onScroll={() => newest.current()}
      onClickCapture={(event) => {
        if (event.target instanceof Element && event.target.closest('[aria-expanded="false"]')) release();
      }}
      className="relative h-full overflow-y-auto [scrollbar-gutter:stable_both-edges]"
    >
      {header}
      <div ref={body}>
        <div style={{ height: sum(0, range.from) }} />
        {rows.slice(range.from, range.to).map((row) => (
          <div key={row.key} ref={observe} data-row={row.key} className="flow-root">
            {draw(row)}
          </div>
        ))}
        <div style={{ height: sum(range.to, rows.length) }} />
      </div>
      <div className="h-6" />
    </section>
  );
}

/** Puts the row to begin with where the reader left it, before anything is painted. */
function useStartPlace(
  scroller: { readonly current: HTMLElement | null },
  start: ListStart | null,
  rows: readonly { readonly key: string }[],
): void {
  const awaited = useRef(start);
  useLayoutEffect(() => {
    const view = scroller.current;
    const place = awaited.current;
    if (view === null || place === null) return;
    const key = rows[place.index]?.key;
    awaited.current = null;
    const row = [...view.querySelectorAll<HTMLElement>('[data-row]')].find((element) => element.dataset.row === key);
    if (row !== undefined) view.scrollTop += row.getBoundingClientRect().top - view.getBoundingClientRect().top + place.offsetPx;
  }, [scroller, rows]);
}

/** Keeps the heights of drawn rows. Returns what is to be each row's ref. */
function useMeasuring(
  measured: { readonly current: Map<string, number> },
  onChange: () => void,
): (element: HTMLElement | null) => () => void {
  const newest = useRef(onChange);
  useLayoutEffect(() => {
    newest.current = onChange;
  });
  const observer = useRef<ResizeObserver>(null);
  observer.current ??= new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (!(target instanceof HTMLElement) || target.dataset.row === undefined) continue;
      // A row that was taken off the page reports no height: it keeps the one it had.
      if (target.isConnected && target.offsetHeight > 0) measured.current.set(target.dataset.row, target.offsetHeight);
    }
    newest.current();
  });
  return useCallback((element: HTMLElement | null) => {
    if (element !== null) observer.current?.observe(element);
    return () => {
      if (element !== null) observer.current?.unobserve(element);
    };
  }, []);
}

/** Heights of rows that are no more are let go when they have become many. */
function forget(measured: Map<string, number>, rows: readonly { readonly key: string }[]): void {
  if (measured.size <= 2 * rows.length + 500) return;
  const present = new Set(rows.map((row) => row.key));
  for (const key of measured.keys()) if (!present.has(key)) measured.delete(key);
}
