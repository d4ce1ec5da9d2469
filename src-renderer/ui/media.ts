import { useSyncExternalStore } from 'react';

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (changed) => {
      const list = matchMedia(query);
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    },
    () => matchMedia(query).matches,
  );
}

/** Touched, and small in one direction: one thing at a time fills it. The same words stand in theme.css. */
export const PHONE = '(pointer: coarse) and ((max-width: 699px) or (max-height: 499px))';
/** Too narrow for a sidebar beside the panes: it floats above them. */
export const NARROW = `(max-width: 699px), ${PHONE}`;

export function isPhone(): boolean {
  return matchMedia(PHONE).matches;
}
