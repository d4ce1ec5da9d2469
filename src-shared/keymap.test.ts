import { describe, expect, it } from 'vitest';
import {
  COMMAND_IDS,
  COMMANDS,
  chordAccelerator,
  chordLabel,
  defaultKeys,
  type KeyStroke,
  matchesChord,
  parseChord,
  resolveKeymap,
} from './keymap.ts';

const stroke = (key: string, code: string, held = ''): KeyStroke => ({
  key,
  code,
  ctrlKey: held.includes('c'),
  shiftKey: held.includes('s'),
  altKey: held.includes('a'),
  metaKey: held.includes('m'),
});

const chord = (keys: string) => {
  const parsed = parseChord(keys);
  if (parsed === null) throw new Error(`not a chord: ${keys}`);
  return parsed;
};

describe('the table', () => {
  it.each([true, false])('gives no stroke to two commands that can be meant at once (mac: %s)', (isMac) => {
    const taken = new Map<string, string>();
    for (const command of COMMAND_IDS) {
      for (const keys of defaultKeys(command, isMac)) {
        const where = `${JSON.stringify(chord(keys))} in ${COMMANDS[command].when}`;
        expect(taken.get(where), `${command} and another command on ${keys}`).toBeUndefined();
        taken.set(where, command);
        const everywhere = `${JSON.stringify(chord(keys))} in always`;
        if (COMMANDS[command].when !== 'always') expect(taken.get(everywhere), `${command} on ${keys}`).toBeUndefined();
      }
    }
  });

  it('leaves plain Ctrl+letter to the program in the terminal outside macOS', () => {
    for (const { chord: keys, command, when } of resolveKeymap(false, []).bindings) {
      // Ctrl+M types the same as Return.
      const isShells = keys.ctrl && !keys.shift && !keys.alt && /^[a-ln-z]$/.test(keys.key);
      if (when === 'always' || when === 'terminal') expect(isShells, command).toBe(false);
    }
  });

  it('writes every stroke for people and for menus', () => {
    expect(chordLabel(chord('cmd+shift+p'), true)).toBe('⇧⌘P');
    expect(chordLabel(chord('ctrl+alt+left'), false)).toBe('Ctrl+Alt+Left');
    expect(chordAccelerator(chord('ctrl++'))).toBe('Control+Plus');
    expect(chordAccelerator(chord('cmd+shift+enter'))).toBe('Shift+Command+Enter');
  });
});

describe('parseChord', () => {
  it.each(['', 'ctrl+', 'ctrl+foo', 'hyper+a', 'ctrl+ctrl+a', 'f25', 'ctrl+k ctrl+s'])('refuses "%s"', (keys) => {
    expect(parseChord(keys)).toBeNull();
  });

  it('reads the plus key', () => {
    expect(parseChord('+')).toMatchObject({ key: '+', ctrl: false });
    expect(parseChord('Ctrl++')).toMatchObject({ key: '+', ctrl: true });
  });
});

describe('matchesChord', () => {
  it('knows a key whatever Shift and Alt make of it', () => {
    expect(matchesChord(chord('ctrl+shift+t'), stroke('T', 'KeyT', 'cs'))).toBe(true);
    expect(matchesChord(chord('cmd+shift+['), stroke('{', 'BracketLeft', 'ms'))).toBe(true);
    expect(matchesChord(chord('alt+p'), stroke('π', 'KeyP', 'a'))).toBe(true);
    expect(matchesChord(chord('alt+1'), stroke('¡', 'Digit1', 'a'))).toBe(true);
    expect(matchesChord(chord('ctrl++'), stroke('+', 'Equal', 'cs'))).toBe(true);
    expect(matchesChord(chord('ctrl+alt+left'), stroke('ArrowLeft', 'ArrowLeft', 'ca'))).toBe(true);
  });

  it('takes the letter that was typed, not its place, on another layout', () => {
    expect(matchesChord(chord('ctrl+shift+a'), stroke('A', 'KeyQ', 'cs'))).toBe(true);
    expect(matchesChord(chord('ctrl+shift+q'), stroke('A', 'KeyQ', 'cs'))).toBe(false);
  });

  it('knows a letter by its place where the layout types no Latin letters', () => {
    expect(matchesChord(chord('ctrl+shift+t'), stroke('Е', 'KeyT', 'cs'))).toBe(true);
  });

  it('minds every modifier', () => {
    expect(matchesChord(chord('f3'), stroke('F3', 'F3', 's'))).toBe(false);
    expect(matchesChord(chord('ctrl+shift+t'), stroke('T', 'KeyT', 'csa'))).toBe(false);
    expect(matchesChord(chord('1'), stroke('1', 'Digit1', 'c'))).toBe(false);
  });
});

describe('resolveKeymap', () => {
  const commandsOn = (keys: KeyStroke, rows: Parameters<typeof resolveKeymap>[1]) =>
    resolveKeymap(false, rows)
      .bindings.filter((bound) => matchesChord(bound.chord, keys))
      .map((bound) => bound.command);
  const ctrlShiftT = stroke('T', 'KeyT', 'cs');

  it('adds a row of the user behind the defaults, where it wins', () => {
    expect(commandsOn(ctrlShiftT, [{ key: 'ctrl+shift+t', command: 'go.palette' }])).toEqual([
      'session.newTerminal',
      'go.palette',
    ]);
  });

  it('takes keys away with -command', () => {
    expect(commandsOn(ctrlShiftT, [{ key: 'ctrl+shift+t', command: '-session.newTerminal' }])).toEqual([]);
  });

  it('names rows that it cannot use and keeps the others', () => {
    const rows = [
      { key: 'ctrl+shift+foo', command: 'go.palette' },
      { key: 'f9', command: 'go.nowhere' },
      { key: 'f9', command: 'go.session' },
    ];
    expect(resolveKeymap(false, rows).problems).toEqual([
      'go.palette: "ctrl+shift+foo" is not a key stroke.',
      'f9: there is no command "go.nowhere".',
    ]);
    expect(commandsOn(stroke('F9', 'F9'), rows)).toEqual(['go.session']);
  });
});
