import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChange, changeBetween, mergeTexts, placeAfter } from './merge-text.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '(', '😀', '😁', 'é'), maxLength: 40 });

describe('[doc-3] texts that two have changed', () => {
  it('keep what each of them wrote, where it was written', () => {
    expect(mergeTexts('one three', 'one two three', 'one three four')).toBe('one two three four');
    expect(mergeTexts('one two three', 'two three', 'one two three!')).toBe('two three!');
    expect(mergeTexts('fix the bug', 'fix the old bug', 'fix the bug in x')).toBe('fix the old bug in x');
    expect(mergeTexts('', 'mine', 'theirs')).toBe('theirsmine');
  });

  it('keep what was typed into something that the other one removed', () => {
    expect(mergeTexts('a long line', 'a very long line', 'a')).toBe('avery ');
    expect(mergeTexts('sent', 'sent and more', '')).toBe(' and more');
  });

  it('keep out what was removed, wherever others have written meanwhile', () => {
    expect(mergeTexts('one two three', 'one three', 'zero one two three four')).toBe('zero one three four');
    const lines = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at)).join('');
    fc.assert(
      fc.property(fc.nat(25), fc.nat(10), fc.array(fc.nat(26), { maxLength: 8 }), (at, count, places) => {
        const taken = lines.slice(at, at + count);
        const theirs = places.reduce(
          (text, place, index) => applyChange(text, { at: place, removed: index % 2, inserted: 'X' }),
          lines,
        );
        const merged = mergeTexts(lines, lines.replace(taken, ''), theirs);
        expect(merged).toBe([...theirs].filter((character) => !taken.includes(character)).join(''));
      }),
    );
  });

  it('take a change once that was told twice', () => {
    expect(mergeTexts('hello', 'hello world', 'hello world')).toBe('hello world');
    expect(mergeTexts('hello', 'hello world', 'hello world, and you')).toBe('hello world, and you');
  });

  it('are either text where the other was not changed', () => {
    fc.assert(
      fc.property(text, text, (base, changed) => {
        expect(mergeTexts(base, changed, base)).toBe(changed);
        expect(mergeTexts(base, base, changed)).toBe(changed);
        expect(mergeTexts(base, changed, changed)).toBe(changed);
      }),
    );
  });

  it('lose nothing that was inserted', () => {
    fc.assert(
      fc.property(text, text, fc.nat(40), (base, theirs, at) => {
        const chars = [...base];
        const mine = [...chars.slice(0, at), '<typed>', ...chars.slice(at)].join('');
        const merged = mergeTexts(base, mine, theirs);
        expect(merged).toContain('<typed>');
        expect(merged.replace('<typed>', '')).toHaveLength(theirs.length);
      }),
    );
  });
});

it('a difference makes the one text of the other, and never half a character', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const change = changeBetween(before, after);
      expect(change === null ? before : applyChange(before, change)).toBe(after);
      expect(change?.inserted ?? '').not.toMatch(/\p{Surrogate}/u);
    }),
  );
});

it('a caret stays with the text that it stands in', () => {
  const change = changeBetween('say hello', 'please say hello');
  expect([0, 4, 9].map((place) => placeAfter(place, change))).toEqual([7, 11, 16]);
  expect(placeAfter(9, changeBetween('say hello', 'say hello, all'), true)).toBe(9);
  expect(placeAfter(6, changeBetween('one two three', 'one three'))).toBe(5);
});
