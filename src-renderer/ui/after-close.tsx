import { useEffect } from 'react';

/** Dialogs and menus that are open now. */
let openCount = 0;
let waiting: (() => void)[] = [];

/**
 * Runs `act` when nothing floats any more: a dialog or menu that closes gives the focus back to where it was, and would take it
 * from whatever `act` gave it to.
 */
export function afterClose(act: () => void): void {
  if (openCount === 0) act();
  else waiting.push(act);
}

/** Stands inside whatever floats and holds the focus. */
export function Floating() {
  useEffect(() => {
    openCount++;
    return () => {
      openCount--;
      // Radix gives the focus back in a timer that it has set by now.
      if (openCount === 0 && waiting.length > 0) setTimeout(flush);
    };
  }, []);
  return null;
}

function flush(): void {
  const acts = waiting;
  waiting = [];
  for (const act of acts) afterClose(act);
}
