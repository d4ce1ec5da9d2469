import { type KeyboardEvent, useState } from 'react';

/** The keys ↑ and ↓ in an empty field: what was said before, newest first. Any other change of the text leaves the history. */
export function usePromptHistory(said: readonly string[], text: string, onText: (text: string) => void) {
  /** How many steps back; 0: not in the history. */
  const [back, setBack] = useState(0);
  const shown = back === 0 ? '' : said.at(-back);
  const isInHistory = back > 0 && text === shown;
  const go = (steps: number): boolean => {
    if (steps < 0 || steps > said.length) return false;
    setBack(steps);
    onText(steps === 0 ? '' : (said.at(-steps) ?? ''));
    return true;
  };
  return {
    reset: () => setBack(0),
    /** True: the key was taken. */
    handleKey: (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
      if (event.key === 'ArrowUp' && (text === '' || isInHistory)) return go(isInHistory ? back + 1 : 1);
      return event.key === 'ArrowDown' && isInHistory ? go(back - 1) : false;
    },
  };
}
