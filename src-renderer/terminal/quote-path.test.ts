import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { quotePaths } from './quote-path.ts';

it('leaves plain paths alone and puts one blank between them', () => {
  expect(quotePaths(['/home/ada/a.txt', '/tmp/b-1'], 'linux')).toBe('/home/ada/a.txt /tmp/b-1');
});

it('quotes blanks, quotes and what a shell would expand', () => {
  expect(quotePaths(["/tmp/it's $HOME"], 'linux')).toBe("'/tmp/it'\\''s $HOME'");
  expect(quotePaths(['~/x'], 'linux')).toBe("'~/x'");
  expect(quotePaths(['C:\\Users\\Ada Lovelace\\x.txt'], 'win32')).toBe('"C:\\Users\\Ada Lovelace\\x.txt"');
});

it('gives a POSIX shell back exactly the path', () => {
  const paths = fc.array(
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((path) => !path.includes('\0')),
    { minLength: 1, maxLength: 4 },
  );
  void fc.assert(
    fc.property(paths, (given) => {
      const line = `printf '%s\\0' ${quotePaths(given, 'linux')}`;
      expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(given);
    }),
    { numRuns: 30 },
  );
});
