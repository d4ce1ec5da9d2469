import { describe, expect, it } from 'vitest';
import { type KeyStroke, parseChord, resolveKeymap } from '../../src-shared/keymap.ts';
import { chordOfStroke, conflictsWith, writeChord } from './chords.ts';

function stroke(key: string, code: string, over: Partial<KeyStroke> = {}): KeyStroke {
  return { key, code, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...over };
}

function chord(keys: string) {
  const parsed = parseChord(keys);
  if (parsed === null) throw new Error(keys);
  return parsed;
}

describe('a stroke that is to be bound', () => {
  it.each([
    [stroke('T', 'KeyT', { ctrlKey: true, shiftKey: true }), 'ctrl+shift+t'],
    [stroke('!', 'Digit1', { altKey: true, shiftKey: true }), 'alt+shift+1'],
    [stroke('ArrowLeft', 'ArrowLeft', { ctrlKey: true, altKey: true }), 'ctrl+alt+left'],
    [stroke('+', 'Equal', { ctrlKey: true }), 'ctrl++'],
    [stroke('F6', 'F6'), 'f6'],
  ])('is written as in keybindings.json: %#', (struck, keys) => {
    const taken = chordOfStroke(struck);
    expect(taken && writeChord(taken)).toBe(keys);
  });

  it('waits for more while only modifiers are down', () => {
    expect(chordOfStroke(stroke('Shift', 'ShiftLeft', { shiftKey: true }))).toBeNull();
    expect(chordOfStroke(stroke('Control', 'ControlLeft', { ctrlKey: true }))).toBeNull();
  });
});

describe('a conflict', () => {
  const { bindings } = resolveKeymap(false, [{ key: 'ctrl+shift+t', command: 'pane.zoom' }]);
  it('is another command with the same keys in the same context', () => {
    expect(conflictsWith('session.newTerminal', chord('ctrl+shift+t'), bindings)).toEqual(['pane.zoom']);
    expect(conflictsWith('session.newClaude', chord('ctrl+shift+n'), bindings)).toEqual([]);
  });

  it('is none in contexts that lie inside each other: the inner one goes first on purpose', () => {
    expect(conflictsWith('claude.interrupt', chord('escape'), bindings)).toEqual([]);
  });
});
