import { ArrowDown, ArrowUp, CaseSensitive, History, Regex, WholeWord, X } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useKeyLabel } from '../navigation/keymap.ts';
import { IconButton } from '../ui/button.tsx';
import { Input } from '../ui/input.tsx';
import { Spinner } from '../ui/spinner.tsx';
import type { FindQuery } from './find.ts';

/** Of the places found, `index` counts from 0 in reading order; -1: too many to say which one it is. */
export interface FindResult {
  readonly index: number;
  readonly count: number;
  readonly hasMore: boolean;
  readonly isBusy: boolean;
  readonly problem: string | null;
}

export interface FindBarProps {
  readonly query: FindQuery;
  readonly result: FindResult | null;
  /** Where only plain text can be looked for. */
  readonly isPlainOnly: boolean;
  /** Grows with each wish to find: the field gets the focus. */
  readonly wish: number;
  readonly onQuery: (query: FindQuery) => void;
  readonly onStep: (direction: 'next' | 'previous') => void;
  /** Goes on looking further up than the live lines; null where that is being done. */
  readonly onFurther: (() => void) | null;
  readonly onClose: () => void;
}

const TOGGLES = [
  { key: 'isCaseSensitive', icon: CaseSensitive, label: 'find.case' },
  { key: 'isWholeWord', icon: WholeWord, label: 'find.word' },
  { key: 'isRegex', icon: Regex, label: 'find.regex' },
] as const;

/** Floats over the terminal's top right corner, so that nothing moves when it comes. */
export function FindBar({ query, result, isPlainOnly, wish, onQuery, onStep, onFurther, onClose }: FindBarProps) {
  const { t } = useTranslation('terminal');
  const field = useRef<HTMLInputElement>(null);
  const nextKey = useKeyLabel('find.next');
  const previousKey = useKeyLabel('find.previous');
  // biome-ignore lint/correctness/useExhaustiveDependencies: each wish focuses the field again
  useEffect(() => field.current?.select(), [wish]);
  const handleKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    // One looks from the end upwards: Enter goes on in that direction.
    onStep(event.shiftKey ? 'next' : 'previous');
  };
  return (
    <search
      data-context="find"
      aria-label={t('find.label')}
      className="absolute top-1.5 right-4 z-20 flex max-w-[calc(100%-24px)] flex-wrap items-center justify-end gap-0.5 rounded-md border border-line bg-raised p-1 font-sans text-13 text-text shadow-float"
    >
      <Input
        ref={field}
        className="min-w-24 w-52 max-w-full flex-1"
        aria-label={t('find.placeholder')}
        placeholder={t('find.placeholder')}
        aria-invalid={result?.problem != null || undefined}
        value={query.text}
        onChange={(event) => onQuery({ ...query, text: event.target.value })}
        onKeyDown={handleKey}
      />
      {!isPlainOnly &&
        TOGGLES.map(({ key, icon, label }) => (
          <IconButton
            key={key}
            icon={icon}
            label={t(label)}
            pressed={query[key]}
            onClick={() => onQuery({ ...query, [key]: !query[key] })}
          />
        ))}
      <Count text={query.text} result={result} />
      <IconButton
        icon={ArrowUp}
        label={t('find.previous')}
        shortcut={previousKey}
        disabled={query.text === ''}
        onClick={() => onStep('previous')}
      />
      <IconButton
        icon={ArrowDown}
        label={t('find.next')}
        shortcut={nextKey}
        disabled={query.text === ''}
        onClick={() => onStep('next')}
      />
      {onFurther && <IconButton icon={History} label={t('find.further')} disabled={query.text === ''} onClick={onFurther} />}
      <IconButton icon={X} label={t('find.close')} onClick={onClose} />
    </search>
  );
}

function Count({ text, result }: { text: string; result: FindResult | null }) {
  const { t } = useTranslation('terminal');
  if (result?.isBusy) return <Spinner label={t('find.searching')} />;
  return (
    <span
      role="status"
      className="min-w-16 truncate px-1 text-right text-11 text-dim tabular-nums"
      title={result?.problem ?? undefined}
    >
      {text !== '' && result && countText(result, t)}
    </span>
  );
}

function countText(
  { index, count, hasMore, problem }: FindResult,
  t: ReturnType<typeof useTranslation<'terminal'>>['t'],
): string {
  if (problem !== null) return problem;
  if (count === 0) return t('find.none');
  if (index < 0) return t(hasMore ? 'find.many' : 'find.some', { count });
  return t(hasMore ? 'find.countMany' : 'find.count', { index: index + 1, count });
}
