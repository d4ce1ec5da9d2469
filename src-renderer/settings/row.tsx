import { type ReactNode, useId } from 'react';
import { classes } from '../ui/classes.ts';

export interface RowIds {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
}

/** A setting: its name and help at the left, its control at the right (below, where the pane is narrow). */
export function Row({
  label,
  help,
  problem,
  isWide = false,
  children,
}: {
  label: string;
  help?: string | undefined;
  problem?: string | undefined;
  /** The control needs the whole width. */
  isWide?: boolean;
  children: (ids: RowIds) => ReactNode;
}) {
  const id = useId();
  const note = problem ?? help;
  return (
    <div className={classes('flex flex-wrap items-start gap-x-6 gap-y-1 py-2.5', isWide && 'flex-col')}>
      <div className="min-w-48 flex-1 pt-1">
        <label htmlFor={id}>{label}</label>
        {note && (
          <p id={`${id}-note`} className={classes('text-11', problem ? 'text-danger' : 'text-faint')}>
            {note}
          </p>
        )}
      </div>
      <div className={isWide ? 'w-full' : 'flex min-h-7 w-56 items-center'}>
        {children({ id, 'aria-describedby': note ? `${id}-note` : undefined })}
      </div>
    </div>
  );
}
