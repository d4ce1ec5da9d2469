import { useCallback, useEffect, useRef, useState } from 'react';

/** Nearer to the end than this counts as at the end. */
const END_PX = 40;

export interface Stick {
  /** The reader is at the end and stays there while it grows. */
  readonly isAtEnd: boolean;
  readonly setScroller: (element: HTMLElement | null) => void;
  /** The content's height has changed. */
  readonly onGrown: () => void;
  /** Goes to the end and stays there. */
  readonly toEnd: () => void;
  /** What is about to grow was unfolded by the reader, who wants to see its beginning. */
  readonly release: () => void;
}

/**
 * Keeps a reader who is at the end at the end, whatever grows: text that is written, pictures that load, the composer. Only the
 * reader leaves it, by scrolling up; where the reader is elsewhere nothing is scrolled at all.
 */
export function useStick(startsAtEnd: boolean): Stick {
  const [isAtEnd, setAtEnd] = useState(startsAtEnd);
  const sticks = useRef(startsAtEnd);
  const scroller = useRef<HTMLElement | null>(null);
  const last = useRef({ top: 0, height: 0 });
  const [element, setElement] = useState<HTMLElement | null>(null);

  const stick = useCallback((next: boolean) => {
    sticks.current = next;
    setAtEnd(next);
  }, []);
  const pull = useCallback(() => {
    const { current } = scroller;
    if (current === null) return;
    const top = current.scrollHeight - current.clientHeight;
    if (sticks.current && Math.abs(current.scrollTop - top) > 1) current.scrollTop = top;
    else if (!sticks.current) stick(top - current.scrollTop <= END_PX);
  }, [stick]);

  useEffect(() => {
    if (element === null) return;
    const onScroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      const before = last.current;
      last.current = { top: scrollTop, height: scrollHeight };
      if (scrollHeight - scrollTop - clientHeight <= END_PX) stick(true);
      // Content that shrinks moves the reader up too; that is not leaving.
      else if (scrollTop < before.top - 1 && scrollHeight >= before.height) stick(false);
      else pull();
    };
    const observer = new ResizeObserver(pull);
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [element, pull, stick]);

  const setScroller = useCallback((next: HTMLElement | null) => {
    scroller.current = next;
    setElement(next);
  }, []);
  const toEnd = useCallback(() => {
    stick(true);
    pull();
  }, [pull, stick]);
  const release = useCallback(() => {
    sticks.current = false;
  }, []);
  return { isAtEnd, setScroller, onGrown: pull, toEnd, release };
}
