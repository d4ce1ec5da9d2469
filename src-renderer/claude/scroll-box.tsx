import type { ReactNode } from 'react';
import { classes } from '../ui/classes.ts';

/** What is wider than its place: scrolled sideways, with the keyboard too. No landmark: a conversation has hundreds of them. */
export function ScrollBox({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div
      role="group"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by the keyboard
      tabIndex={0}
      className={classes('overflow-x-auto', className)}
    >
      {children}
    </div>
  );
}
