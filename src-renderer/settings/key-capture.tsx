import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type BoundKey, type Chord, COMMANDS, type CommandId, chordLabel } from '../../src-shared/keymap.ts';
import { Button } from '../ui/button.tsx';
import { isMac } from '../ui/kbd.tsx';
import { chordOfStroke, conflictsWith } from './chords.ts';

/** Takes the next stroke as it is, says what it would clash with, and asks before it is given to the command. */
export function KeyCapture({
  command,
  bindings,
  onTaken,
  onLeave,
}: {
  command: CommandId;
  bindings: readonly BoundKey[];
  onTaken: (chord: Chord) => void;
  onLeave: () => void;
}) {
  const { t } = useTranslation();
  const [chord, setChord] = useState<Chord | null>(null);
  const field = useRef<HTMLDivElement>(null);
  useEffect(() => field.current?.focus(), []);
  const names =
    chord === null
      ? ''
      : conflictsWith(command, chord, bindings)
          .map((other) => COMMANDS[other].title)
          .join(', ');
  return (
    <div className="flex w-full flex-wrap items-center justify-end gap-2 pb-1">
      <div
        ref={field}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes strokes
        tabIndex={0}
        role="application"
        aria-label={t('shortcuts.press', { title: COMMANDS[command].title })}
        data-takes-keys
        className="flex h-7 min-w-40 items-center justify-center rounded-md border border-accent px-2 text-11"
        onKeyDown={(event) => {
          const struck = chordOfStroke(event.nativeEvent);
          const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey;
          // Tab and Escape alone leave, Enter alone takes what was struck.
          if (isPlain && event.key === 'Tab') return;
          event.preventDefault();
          event.stopPropagation();
          if (isPlain && event.key === 'Escape') onLeave();
          else if (isPlain && event.key === 'Enter' && chord !== null) onTaken(chord);
          else if (struck !== null) setChord(struck);
        }}
      >
        {chord === null ? <span className="text-faint">{t('shortcuts.pressHint')}</span> : chordLabel(chord, isMac)}
      </div>
      <Button size="sm" variant="primary" disabled={chord === null} onClick={() => chord && onTaken(chord)}>
        {t('shortcuts.take')}
      </Button>
      <Button size="sm" onClick={onLeave}>
        {t('cancel')}
      </Button>
      {names !== '' && (
        <p role="status" className="w-full text-right text-11 text-danger">
          {t('shortcuts.clash', { names })}
        </p>
      )}
    </div>
  );
}
