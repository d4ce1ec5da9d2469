import { chordLabel, parseChord } from '../../src-shared/keymap.ts';
import { classes } from './classes.ts';

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys as this system's keyboard names them: "⇧⌘P", "Ctrl+Shift+P". What is no key stroke is shown as written. */
export function showKeys(keys: string): string {
  const chord = parseChord(keys);
  return chord === null ? keys : chordLabel(chord, isMac);
}

/** A shortcut beside the name of what it does; `of` as in keybindings.json ("ctrl+shift+t"). */
export function Keys({ of: keys, className }: { of: string; className?: string }) {
  return (
    <kbd className={classes('font-sans text-11 whitespace-nowrap text-faint tabular-nums', className)}>{showKeys(keys)}</kbd>
  );
}
