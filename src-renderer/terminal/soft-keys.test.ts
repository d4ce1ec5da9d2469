import { describe, expect, it } from 'vitest';
import { controlOf, SoftKeys, sequenceOf } from './soft-keys.ts';

function keysOf(isApplication = false) {
  const sent: string[] = [];
  const modes = { applicationCursorKeysMode: isApplication } as ConstructorParameters<typeof SoftKeys>[0]['modes'];
  return { sent, keys: new SoftKeys({ modes, input: (data) => void sent.push(data) }) };
}

describe('the row of keys on a phone', () => {
  it('sends what the keys of a keyboard send', () => {
    const { sent, keys } = keysOf();
    for (const key of ['escape', 'tab', 'up', 'left', 'pipe'] as const) keys.press(key);
    expect(sent).toEqual(['\u001b', '\t', '\u001b[A', '\u001b[D', '|']);
  });

  it('sends cursor keys in the form that the program has asked for', () => {
    const { sent, keys } = keysOf(true);
    keys.press('down');
    expect(sent).toEqual(['\u001bOB']);
    expect(sequenceOf('down', { isCtrl: true, isApplication: true })).toBe('\u001b[1;5B');
  });

  it('keeps Ctrl down for one character, whichever keyboard it comes from', () => {
    const { sent, keys } = keysOf();
    keys.toggleCtrl();
    expect(keys.applied('c')).toBe('\u0003');
    expect(keys.applied('c')).toBe('c');
    keys.toggleCtrl();
    keys.press('right');
    keys.press('right');
    expect(sent).toEqual(['\u001b[1;5C', '\u001b[C']);
  });

  it('leaves alone what is longer than a character: a paste is not a stroke', () => {
    const { keys } = keysOf();
    keys.toggleCtrl();
    expect(keys.applied('cd /')).toBe('cd /');
    expect(keys.ui.getState().isCtrl).toBe(true);
  });

  it.each([
    ['a', '\u0001'],
    ['Z', '\u001a'],
    ['[', '\u001b'],
    ['\\', '\u001c'],
    [' ', '\u0000'],
    ['?', '\u007f'],
    ['1', '1'],
  ])('takes Ctrl with %j for %j', (character, control) => {
    expect(controlOf(character)).toBe(control);
  });
});
