import { useId } from 'react';
import { classes } from './classes.ts';

export interface RadioCard<V extends string> {
  readonly value: V;
  readonly label: string;
  readonly text: string;
}

/** One of a few, each with a sentence that says what it means. */
export function RadioCards<V extends string>({
  label,
  value,
  cards,
  onChange,
}: {
  label: string;
  value: V;
  cards: readonly RadioCard<V>[];
  onChange: (value: V) => void;
}) {
  const name = useId();
  return (
    <fieldset className="min-w-0 py-1.5">
      <legend className="pb-1 font-medium">{label}</legend>
      <div className="divide-y divide-line rounded-md border border-line">
        {cards.map((card) => (
          <label
            key={card.value}
            className={classes(
              'flex items-start gap-2 px-3 py-2 first:rounded-t-md last:rounded-b-md has-focus-visible:outline-2 has-focus-visible:outline-(--focus)',
              card.value === value ? 'bg-selected' : 'hover:bg-hover',
            )}
          >
            <input
              type="radio"
              name={name}
              value={card.value}
              checked={card.value === value}
              onChange={() => onChange(card.value)}
              aria-describedby={`${name}-${card.value}`}
              className="mt-0.5 size-4 shrink-0 accent-(--accent-fill) focus-visible:outline-none"
            />
            <span className="min-w-0 flex-1">
              {card.label}
              <span id={`${name}-${card.value}`} className="block text-11 text-faint">
                {card.text}
              </span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
