import {
  type BoundKey,
  type Chord,
  COMMANDS,
  type CommandId,
  type Context,
  type KeyStroke,
  parseChord,
  sameChord,
} from '../../src-shared/keymap.ts';

/** A stroke as keybindings.json has it: `ctrl+shift+t`. */
export function writeChord({ ctrl, shift, alt, cmd, key }: Chord): string {
  return [ctrl && 'ctrl', alt && 'alt', shift && 'shift', cmd && 'cmd', key].filter(Boolean).join('+');
}

const domNames: Readonly<Record<string, string>> = {
  arrowleft: 'left',
  arrowright: 'right',
  arrowup: 'up',
  arrowdown: 'down',
  ' ': 'space',
};
const modifierKeys: ReadonlySet<string> = new Set(['control', 'shift', 'alt', 'meta', 'altgraph', 'capslock', 'dead']);

/** The chord that was struck; null while only modifiers are down, or for keys that cannot be bound. */
export function chordOfStroke(stroke: KeyStroke): Chord | null {
  const typed = stroke.key.toLowerCase();
  if (modifierKeys.has(typed)) return null;
  // Alt and Shift change what a letter or digit types; what is bound is the key.
  const physical = /^(?:Key([A-Z])|Digit(\d))$/.exec(stroke.code);
  const key = physical ? (physical[1] ?? physical[2] ?? typed).toLowerCase() : (domNames[typed] ?? typed);
  const chord: Chord = { ctrl: stroke.ctrlKey, shift: stroke.shiftKey, alt: stroke.altKey, cmd: stroke.metaKey, key };
  return parseChord(writeChord(chord));
}

/** Other commands that the same stroke would reach in the same context, or that it would hide there. */
export function conflictsWith(command: CommandId, chord: Chord, bindings: readonly BoundKey[]): readonly CommandId[] {
  const contexts = contextsOf(command, bindings);
  const others = bindings.filter(
    (bound) => bound.command !== command && sameChord(bound.chord, chord) && contexts.has(bound.when),
  );
  return [...new Set(others.map((bound) => bound.command))];
}

function contextsOf(command: CommandId, bindings: readonly BoundKey[]): ReadonlySet<Context> {
  const bound = bindings.filter((each) => each.command === command).map((each) => each.when);
  return new Set(bound.length > 0 ? bound : [COMMANDS[command].when]);
}
