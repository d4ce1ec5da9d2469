import { expect, it } from 'vitest';
import { ageOf } from '../ui/relative-time.tsx';
import { windowTitle } from '../window-title.ts';
import { formatCost, formatTokens } from './figures.ts';

it.each([
  [0, '0'],
  [999, '999'],
  [1000, '1k'],
  [12_345, '12.3k'],
  [250_400, '250k'],
  [999_960, '1M'],
  [2_500_000, '2.5M'],
])('%d tokens are %s', (count, shown) => expect(formatTokens(count)).toBe(shown));

it.each([
  [0, '$0.00'],
  [0.004, '< $0.01'],
  [0.425, '$0.42'],
  [12, '$12.00'],
])('%d dollars are %s', (usd, shown) => expect(formatCost(usd)).toBe(shown));

it.each([
  [-5_000, 'now', 0],
  [59_000, 'now', 0],
  [60_000, 'minutes', 1],
  [3_599_000, 'minutes', 59],
  [26 * 3_600_000, 'days', 1],
  [15 * 86_400_000, 'weeks', 2],
  [800 * 86_400_000, 'years', 2],
])('%d ms ago is %s %d', (ago, unit, count) => expect(ageOf(1e12 - ago, 1e12)).toEqual({ unit, count }));

it.each([
  [0, null, 'Baton'],
  [0, 'zsh', 'zsh – Baton'],
  [2, 'zsh', '(2) zsh – Baton'],
])('with %d waiting and %s in front the window is called %s', (attention, title, shown) =>
  expect(windowTitle(attention, title)).toBe(shown),
);
