import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { joinWords, splitWords } from './words.ts';

it.each([
  ['', []],
  ['  ls   -la ', ['ls', '-la']],
  ['git commit -m "two words"', ['git', 'commit', '-m', 'two words']],
  ['echo \'a "b" \\c\'', ['echo', 'a "b" \\c']],
  ['a\\ b "c\\"d" ""', ['a b', 'c"d', '']],
  ['un"closed to the end', ['unclosed to the end']],
  ['x=\'1\'"2"3', ['x=123']],
])('splits %j as a shell would', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

it('reads back every list of words that it wrote', () => {
  // Its property is not asynchronous, so there is no promise to wait for.
  void fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitWords(joinWords(words))).toEqual(words);
    }),
  );
});
