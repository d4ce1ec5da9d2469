import {
  type BoundKey,
  type Chord,
  CONTEXTS,
  type CommandId,
  type Context,
  chordLabel,
  type Keybinding,
  type KeyStroke,
  matchesChord,
  resolveKeymap,
} from '../../src-shared/keymap.ts';
import { useWindow } from '../store.ts';
import { isMac } from '../ui/kbd.tsx';

let resolvedFrom: readonly Keybinding[] | null = null;
let resolved: ReturnType<typeof resolveKeymap> = { bindings: [], problems: [] };

/** The keys in force in this window: defaults changed by keybindings.json. */
export function currentKeymap(rows: readonly Keybinding[] = useWindow.getState().keybindings): ReturnType<typeof resolveKeymap> {
  if (rows !== resolvedFrom) {
    resolved = resolveKeymap(isMac, rows);
    resolvedFrom = rows;
  }
  return resolved;
}

/** The contexts around an element, innermost first; `always` comes last. */
export function contextsAt(element: Element | null): readonly Context[] {
  const found: Context[] = [];
  for (let at = element?.closest('[data-context]') ?? null; at; at = at.parentElement?.closest('[data-context]') ?? null) {
    const name = CONTEXTS.find((context) => context === at?.getAttribute('data-context'));
    if (name && !found.includes(name)) found.push(name);
  }
  return [...found, 'always'];
}

/** What a stroke means there: the innermost context first, in it the last binding, passing over commands that cannot run now. */
export function commandFor(
  stroke: KeyStroke,
  contexts: readonly Context[],
  bindings: readonly BoundKey[],
  canRun: (command: CommandId) => boolean,
): CommandId | null {
  for (const context of contexts) {
    const bound = bindings.findLast((each) => each.when === context && matchesChord(each.chord, stroke) && canRun(each.command));
    if (bound) return bound.command;
  }
  return null;
}

/** The strokes of a command, the one it was given last first. */
export function chordsOf(command: CommandId, bindings: readonly BoundKey[]): readonly Chord[] {
  return bindings.filter((bound) => bound.command === command).map((bound) => bound.chord);
}

/** The key that is shown beside a command: the first of its own defaults, or what the user gave it. */
export function keyLabel(command: CommandId, rows?: readonly Keybinding[]): string | undefined {
  const chord = chordsOf(command, currentKeymap(rows).bindings)[0];
  return chord && chordLabel(chord, isMac);
}

export function useKeyLabel(command: CommandId): string | undefined {
  return keyLabel(
    command,
    useWindow((window) => window.keybindings),
  );
}
