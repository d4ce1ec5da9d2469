import { Check, ChevronDown } from 'lucide-react';
import { Select as Radix } from 'radix-ui';
import { classes } from './classes.ts';
import { Icon } from './icon.tsx';

export interface Option<V extends string> {
  readonly value: V;
  readonly label: string;
  /** A second, quieter line. */
  readonly description?: string | undefined;
}

export interface SelectProps<V extends string> {
  id?: string;
  label?: string;
  value: V;
  options: readonly Option<V>[];
  onChange: (value: V) => void;
  disabled?: boolean;
  className?: string;
  'aria-describedby'?: string | undefined;
}

/** One of a few. `label` where no <label> names it. */
export function Select<V extends string>({ id, label, value, options, onChange, disabled, className, ...aria }: SelectProps<V>) {
  // Radix takes '' for "nothing chosen", but '' is an ordinary value of some settings ("Claude's own default").
  const inside = (outside: string): string => (outside === '' ? '\u0000' : outside);
  const choose = (chosen: string): void => {
    const option = options.find((candidate) => inside(candidate.value) === chosen);
    if (option) onChange(option.value);
  };
  return (
    <Radix.Root value={inside(value)} onValueChange={choose} disabled={disabled ?? false}>
      <Radix.Trigger
        id={id}
        aria-label={label}
        {...aria}
        className={classes(
          'flex h-7 phone:h-11 w-full items-center gap-2 rounded-md border border-control-line/60 bg-field px-2 text-left text-13',
          'hover:border-control-line disabled:opacity-50',
          className,
        )}
      >
        <span className="min-w-0 flex-1 truncate">
          <Radix.Value>{options.find((option) => option.value === value)?.label ?? value}</Radix.Value>
        </span>
        <Icon of={ChevronDown} size={14} className="text-faint" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[var(--radix-select-content-available-height)] min-w-[var(--radix-select-trigger-width)] max-w-100 rounded-md border border-line bg-raised p-1 shadow-float animate-appear"
        >
          <Radix.Viewport>
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={inside(option.value)}
                className="flex items-start gap-2 rounded-sm px-2 py-1 text-13 outline-none data-[highlighted]:bg-selected"
              >
                <span className="min-w-0 flex-1">
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  {option.description && <span className="block text-11 text-faint">{option.description}</span>}
                </span>
                <Radix.ItemIndicator className="pt-0.5">
                  <Icon of={Check} size={14} />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
