import type { LucideIcon } from 'lucide-react';
import { classes } from './classes.ts';

/** The one size and stroke of icons. Decoration: whoever uses one names the control in text. */
export function Icon({ of: Shape, size = 16, className }: { of: LucideIcon; size?: 12 | 14 | 16 | 20; className?: string }) {
  return <Shape aria-hidden size={size} strokeWidth={1.5} className={classes('shrink-0', className)} />;
}
