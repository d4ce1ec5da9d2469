import type { ReactNode } from 'react';
import { classes } from './classes.ts';

const tones = {
  plain: 'border-line text-dim',
  accent: 'border-transparent bg-accent-soft text-accent-text',
  danger: 'border-transparent bg-danger-soft text-danger',
  added: 'border-transparent bg-added-soft text-added',
};

/** A few words or a number beside a name. */
export function Badge({
  tone = 'plain',
  children,
  className,
}: {
  tone?: keyof typeof tones;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={classes(
        'inline-flex h-4 min-w-4 items-center justify-center rounded-sm border px-1 text-11 leading-none tabular-nums whitespace-nowrap',
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
