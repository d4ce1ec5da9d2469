import { describe, expect, it } from 'vitest';
import { DEFAULT_DETACH_KEYS, DetachKeys, describeKeys, parseDetachKeys } from './detach-keys.ts';

const typed = (keys: string, ...pieces: string[]) => {
  const detach = new DetachKeys(parseDetachKeys(keys));
  let passed = '';
  for (const piece of pieces) {
    const taken = detach.take(Buffer.from(piece, 'latin1'));
    passed += Buffer.from(taken.keys).toString('latin1');
    if (taken.isDetached) return { passed, isDetached: true };
  }
  return { passed, isDetached: false };
};

describe('detach keys', () => {
  it('are read as they are written', () => {
    expect(describeKeys(parseDetachKeys(DEFAULT_DETACH_KEYS))).toBe('Ctrl-\\ d');
    expect([...parseDetachKeys('ctrl-p,Ctrl-Q')]).toEqual([0x10, 0x11]);
    expect([...parseDetachKeys('^],x')]).toEqual([0x1d, 0x78]);
  });

  it.each(['', 'd', 'ctrl-\\', 'ctrl-1,d', 'ctrl-ab,d', 'é,d'])('“%s” are none', (keys) => {
    expect(() => parseDetachKeys(keys)).toThrow('are no detach keys');
  });

  it.each([
    [['abc'], 'abc', false],
    [['\x1cd'], '', true],
    [['\x1c', 'd'], '', true],
    [['ab\x1cdcd'], 'ab', true],
    // Twice sends it once, and the next one begins anew.
    [['\x1c\x1c'], '\x1c', false],
    [['\x1c\x1cd'], '\x1cd', false],
    [['\x1c\x1c\x1cd'], '\x1c', true],
    // Anything else sends all of it.
    [['\x1cx', 'y'], '\x1cxy', false],
    [['\x1c'], '', false],
  ])('%j', (pieces, passed, isDetached) => {
    expect(typed(DEFAULT_DETACH_KEYS, ...pieces)).toEqual({ passed, isDetached });
  });

  it('may be more than two', () => {
    expect(typed('a,b,c', 'ab', 'c')).toEqual({ passed: '', isDetached: true });
    expect(typed('a,b,c', 'abx')).toEqual({ passed: 'abx', isDetached: false });
    expect(typed('a,b,c', 'ababc')).toEqual({ passed: 'ab', isDetached: true });
  });
});
