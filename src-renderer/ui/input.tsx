import type { ComponentProps } from 'react';
import { useId } from 'react';
import { classes } from './classes.ts';

const field =
  'w-full rounded-md border border-control-line/60 bg-field px-2 text-13 text-text select-text cursor-text ' +
  'hover:border-control-line disabled:opacity-50 aria-invalid:border-danger';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input spellCheck={false} autoComplete="off" {...rest} className={classes(field, 'h-7 phone:h-11', className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea spellCheck={false} {...rest} className={classes(field, 'min-h-16 py-1', className)} />;
}

/** A labelled field: label above, one line of help or of what is wrong below. */
export function Field({
  label,
  help,
  problem,
  children,
}: {
  label: string;
  help?: string | undefined;
  problem?: string | undefined;
  children: (ids: { id: string; 'aria-describedby': string | undefined; 'aria-invalid': boolean | undefined }) => React.ReactNode;
}) {
  const id = useId();
  const note = problem ?? help;
  return (
    <div className="flex flex-col gap-1 py-1.5">
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': note ? `${id}-note` : undefined, 'aria-invalid': problem ? true : undefined })}
      {note && (
        <p id={`${id}-note`} className={classes('text-11', problem ? 'text-danger' : 'text-faint')}>
          {note}
        </p>
      )}
    </div>
  );
}
