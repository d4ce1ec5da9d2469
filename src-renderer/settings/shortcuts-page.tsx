import { Plus, RotateCcw, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  type BoundKey,
  type Chord,
  COMMAND_IDS,
  COMMANDS,
  type CommandId,
  chordLabel,
  defaultKeys,
  parseChord,
  sameChord,
} from '../../src-shared/keymap.ts';
import { call } from '../engine.ts';
import { currentKeymap } from '../navigation/keymap.ts';
import { useWindow } from '../store.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { isMac } from '../ui/kbd.tsx';
import { showFailure } from '../ui/toasts.tsx';
import type { PageProps } from '../workspace/pane.tsx';
import { conflictsWith, writeChord } from './chords.ts';
import { KeyCapture } from './key-capture.tsx';
import { PageFrame } from './page-frame.tsx';

/** Every command with its keys: searched by name or by key, changed in place, conflicts shown before they are made. */
export function ShortcutsPage({ visible }: PageProps) {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  const rows = useWindow((window) => window.keybindings);
  const { bindings, problems } = currentKeymap(rows);
  const categories = useMemo(() => matching(query, bindings), [query, bindings]);
  return (
    <PageFrame page="shortcuts" visible={visible} label={t('shortcuts.hint')} query={query} onQuery={setQuery}>
      <div className="mx-auto max-w-170 px-4 pt-2 pb-16">
        {problems.length > 0 && (
          <div className="pt-4">
            <ErrorNotice title={t('shortcuts.problems', { count: problems.length })} text={problems.join(' ')} />
          </div>
        )}
        {categories.map(({ category, commands }) => (
          <section key={category} aria-label={category} className="pt-6">
            <h2 className="pb-1 text-15 font-semibold">{category}</h2>
            <ul className="divide-y divide-line">
              {commands.map((command) => (
                <CommandRow key={command} command={command} bindings={bindings} />
              ))}
            </ul>
          </section>
        ))}
        {categories.length === 0 && <p className="py-8 text-center text-faint">{t('shortcuts.none')}</p>}
      </div>
    </PageFrame>
  );
}

function matching(query: string, bindings: readonly BoundKey[]) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const commands = COMMAND_IDS.filter((command) => {
    const keys = bindings.filter((bound) => bound.command === command).map((bound) => chordLabel(bound.chord, isMac));
    const text = [COMMANDS[command].title, COMMANDS[command].category, ...keys].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const categories = [...new Set(commands.map((command) => COMMANDS[command].category))];
  return categories.map((category) => ({
    category,
    commands: commands.filter((command) => COMMANDS[command].category === category),
  }));
}

function CommandRow({ command, bindings }: { command: CommandId; bindings: readonly BoundKey[] }) {
  const { t } = useTranslation();
  const [isTaking, setTaking] = useState(false);
  const chords = bindings.filter((bound) => bound.command === command).map((bound) => bound.chord);
  const { title } = COMMANDS[command];
  const give = (keys: readonly Chord[] | null) => {
    setTaking(false);
    call('keybindings.set', { command, keys: keys?.map(writeChord) ?? null }).then(
      ({ bindings: rows }) => useWindow.setState({ keybindings: rows }),
      (error: unknown) => showFailure(t('shortcuts.notSaved'), error),
    );
  };
  return (
    <li className="group flex min-h-9 flex-wrap items-center gap-2 py-1">
      <span className="min-w-40 flex-1">{title}</span>
      <span className="flex flex-wrap items-center justify-end gap-1.5">
        {chords.map((chord) => (
          <Stroke
            key={writeChord(chord)}
            command={command}
            chord={chord}
            bindings={bindings}
            onRemove={() => give(chords.filter((other) => other !== chord))}
          />
        ))}
        {!isTaking && <IconButton icon={Plus} label={t('shortcuts.add', { title })} onClick={() => setTaking(true)} />}
        {!isTaking && isChanged(command, chords) && (
          <IconButton icon={RotateCcw} label={t('shortcuts.reset', { title })} onClick={() => give(null)} />
        )}
      </span>
      {isTaking && (
        <KeyCapture
          command={command}
          bindings={bindings}
          onTaken={(chord) => give([...chords, chord])}
          onLeave={() => setTaking(false)}
        />
      )}
    </li>
  );
}

function isChanged(command: CommandId, chords: readonly Chord[]): boolean {
  const usual = defaultKeys(command, isMac).flatMap((keys) => parseChord(keys) ?? []);
  return usual.length !== chords.length || usual.some((chord) => !chords.some((other) => sameChord(other, chord)));
}

function Stroke({
  command,
  chord,
  bindings,
  onRemove,
}: {
  command: CommandId;
  chord: Chord;
  bindings: readonly BoundKey[];
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const label = chordLabel(chord, isMac);
  const conflicts = conflictsWith(command, chord, bindings);
  const names = conflicts.map((other) => COMMANDS[other].title).join(', ');
  return (
    <span
      className="flex h-6 items-center rounded-sm border border-line pl-2"
      title={names && t('shortcuts.alsoBound', { names })}
    >
      <kbd className={`font-sans text-11 ${conflicts.length > 0 ? 'text-danger' : ''}`}>{label}</kbd>
      {conflicts.length > 0 && <span className="sr-only">{t('shortcuts.alsoBound', { names })}</span>}
      <Button
        variant="quiet"
        size="sm"
        className="h-5 px-1"
        icon={X}
        aria-label={t('shortcuts.remove', { keys: label, title: COMMANDS[command].title })}
        onClick={onRemove}
      />
    </span>
  );
}
