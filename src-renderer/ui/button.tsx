import type { LucideIcon } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { classes } from './classes.ts';
import { Icon } from './icon.tsx';
import { Spinner } from './spinner.tsx';
import { Tooltip } from './tooltip.tsx';

const variants = {
  /** The one main action of a view. */
  primary: 'bg-accent-fill text-on-accent font-medium hover:not-disabled:bg-accent-fill-hover',
  secondary: 'border border-line-strong bg-canvas text-text hover:not-disabled:bg-hover',
  quiet: 'text-dim hover:not-disabled:bg-hover hover:not-disabled:text-text',
  danger: 'bg-danger-fill text-on-danger font-medium hover:not-disabled:opacity-90',
};

export interface ButtonProps extends ComponentProps<'button'> {
  variant?: keyof typeof variants;
  size?: 'md' | 'sm';
  icon?: LucideIcon;
  /** Shown inside, at the right end, for sighted users: the shortcut. */
  trailing?: ReactNode;
  /** Shows that the action is under way and ignores further presses. */
  busy?: boolean;
}

export function Button({
  variant = 'secondary',
  size = 'md',
  icon,
  trailing,
  busy = false,
  className,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      aria-busy={busy || undefined}
      {...rest}
      disabled={rest.disabled || busy}
      className={classes(
        'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md whitespace-nowrap transition-colors duration-120',
        'disabled:opacity-50 focus-visible:outline-offset-2',
        size === 'md' ? 'h-7 px-3 text-13 phone:h-11' : 'h-6 px-2 text-11 phone:h-9',
        variants[variant],
        className,
      )}
    >
      {busy ? <Spinner /> : icon && <Icon of={icon} />}
      {children}
      {trailing}
    </button>
  );
}

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'aria-label'> {
  icon: LucideIcon;
  /** Accessible name, and the tooltip's text. */
  label: string;
  /** Shown in the tooltip. */
  shortcut?: string | undefined;
  pressed?: boolean;
}

export function IconButton({ icon, label, shortcut, pressed, className, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label} shortcut={shortcut}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={pressed}
        {...rest}
        className={classes(
          'inline-flex size-6 phone:size-10 shrink-0 items-center justify-center rounded-sm text-dim transition-colors duration-120',
          'hover:not-disabled:bg-hover hover:not-disabled:text-text disabled:opacity-40 aria-pressed:text-accent-text',
          'data-[state=open]:bg-hover data-[state=open]:text-text',
          className,
        )}
      >
        <Icon of={icon} />
      </button>
    </Tooltip>
  );
}
