import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandHome } from './home-folder.ts';

it('puts the home folder where people write ~', () => {
  expect(expandHome('~')).toBe(homedir());
  expect(expandHome('')).toBe(homedir());
  expect(expandHome('~/code')).toBe(join(homedir(), 'code'));
});

it('leaves every other path as it is', () => {
  for (const path of ['/srv/~/x', '~ada', '/', 'relative', 'C:\\Users\\ada']) expect(expandHome(path)).toBe(path);
});
