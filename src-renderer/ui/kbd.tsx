import type { ComponentProps } from 'react';
import { classes } from './classes.ts';

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** A shortcut beside the name of what it does, as this system's keyboard names it ("⇧⌘P", "Ctrl+Shift+P"). */
export function Kbd({ className, ...rest }: ComponentProps<'kbd'>) {
  return (
    <kbd {...rest} className={classes('font-sans text-11 whitespace-nowrap text-faint tabular-nums phone:hidden', className)} />
  );
}
