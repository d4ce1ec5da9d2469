import { classes } from '../ui/classes.ts';

/** The one mark of another machine, wherever its sessions are listed. */
export function MachineBadge({ name, isAway }: { name: string; isAway: boolean }) {
  return (
    <span
      className={classes(
        'max-w-20 shrink-0 truncate rounded-sm border px-1 text-11 leading-4',
        isAway ? 'border-dashed border-line-strong text-faint' : 'border-line text-dim',
      )}
    >
      {name}
    </span>
  );
}
