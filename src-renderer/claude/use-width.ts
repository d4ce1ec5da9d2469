import { useLayoutEffect, useRef, useState } from 'react';

/** Whether an element is at least `least` px wide; false until it has been measured. */
export function useIsWide<E extends HTMLElement>(least: number): [ref: React.RefObject<E | null>, isWide: boolean] {
  const ref = useRef<E>(null);
  const [isWide, setWide] = useState(false);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const measure = () => setWide(element.clientWidth >= least);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [least]);
  return [ref, isWide];
}
