import { Switch as Radix } from 'radix-ui';

export function Switch({
  id,
  checked,
  onChange,
  label,
  disabled,
  ...aria
}: {
  id?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** Where no <label> names it. */
  label?: string;
  disabled?: boolean;
  'aria-describedby'?: string | undefined;
}) {
  return (
    <Radix.Root
      id={id}
      aria-label={label}
      {...aria}
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled ?? false}
      className="h-4 w-7 shrink-0 rounded-full border border-control-line bg-field p-px transition-colors duration-120 focus-visible:outline-offset-2 disabled:opacity-50 data-[state=checked]:border-accent-fill data-[state=checked]:bg-accent-fill"
    >
      <Radix.Thumb className="block size-3 rounded-full bg-control-line transition-transform duration-120 ease-out data-[state=checked]:translate-x-3 data-[state=checked]:bg-on-accent" />
    </Radix.Root>
  );
}
