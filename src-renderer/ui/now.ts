import { useSyncExternalStore } from 'react';

/** Ages are shown in minutes, so one timer for the whole window steps them twice a minute. */
const stepMs = 30_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === null) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, stepMs);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

/** The time now, in ms, stepped every half minute. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
