import { useCallback, useEffect, useRef, useState } from 'react';

/** The newest value, for callbacks that keep their identity. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

/** A callback that keeps its identity. */
export function useStable<A extends unknown[], R>(call: (...args: A) => R): (...args: A) => R {
  const latest = useLatest(call);
  return useCallback((...args: A) => latest.current(...args), [latest]);
}

/** Whether it has been true for `ms` on end: what flashes by is not shown. */
export function useLasting(isOn: boolean, ms: number): boolean {
  const [hasLasted, setLasted] = useState(false);
  useEffect(() => {
    if (!isOn) {
      setLasted(false);
      return;
    }
    const timer = setTimeout(() => setLasted(true), ms);
    return () => clearTimeout(timer);
  }, [isOn, ms]);
  return isOn && hasLasted;
}
