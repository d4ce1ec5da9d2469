import { expect, it } from 'vitest';
import { bellLimiter } from './bell.ts';

it('lets one ring through and those right after it not', () => {
  let now = 1000;
  const mayRing = bellLimiter(() => now);
  expect(mayRing()).toBe(true);
  now += 399;
  expect(mayRing()).toBe(false);
  now += 1;
  expect(mayRing()).toBe(true);
});
