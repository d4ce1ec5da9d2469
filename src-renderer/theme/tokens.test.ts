import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');

function tokensOf(selector: string): Record<string, string> {
  const from = css.indexOf(`${selector} {`);
  if (from < 0) throw new Error(`tokens.css has no ${selector}`);
  const block = css.slice(from, css.indexOf('}', from));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function luminance(hex: string): number {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ['canvas', 'sunken', 'raised', 'hover', 'selected', 'user-turn'];
/** What stands on what, and the least contrast between them. */
const pairs: readonly (readonly [text: string, surface: string, least: number])[] = [
  ...surfaces.flatMap((surface) => ['text', 'text-dim', 'text-faint'].map((text) => [text, surface, 4.5] as const)),
  ...['canvas', 'sunken', 'raised'].flatMap((surface) =>
    ['accent-text', 'link', 'danger', 'added'].map((text) => [text, surface, 4.5] as const),
  ),
  ...['canvas', 'sunken', 'selected'].flatMap((surface) =>
    ['accent', 'working', 'danger', 'focus'].map((mark) => [mark, surface, 3] as const),
  ),
  ['control-line', 'canvas', 3],
  ['on-accent', 'accent-fill', 4.5],
  ['on-accent', 'accent-fill-hover', 4.5],
  ['on-danger', 'danger-fill', 4.5],
  ['accent-text', 'accent-soft', 4.5],
  ['danger', 'danger-soft', 4.5],
  ['added', 'added-soft', 4.5],
  ['text', 'added-soft', 4.5],
  ['text', 'removed-soft', 4.5],
  ['text', 'selection', 4.5],
];

describe.each([
  ['light', ':root'],
  ['dark', ':root[data-theme="dark"]'],
])('the %s theme', (_, selector) => {
  const tokens = tokensOf(selector);
  it.each(pairs)('%s on %s has a contrast of at least %d', (text, surface, least) => {
    const [above, below] = [tokens[text], tokens[surface]];
    if (above === undefined || below === undefined) throw new Error(`no token ${above === undefined ? text : surface}`);
    expect(contrast(above, below)).toBeGreaterThanOrEqual(least);
  });
});
