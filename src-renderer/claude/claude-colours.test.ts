import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const css = `${read('../theme/tokens.css')}\n${read('claude.css')}`;

/** Values of a theme's blocks, the later ones over the earlier. */
function values(selector: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, body = ''] of css.matchAll(new RegExp(`(?:^|\\n)${selector} \\{([^}]*)\\}`, 'g')))
    for (const [, name = '', value = ''] of body.matchAll(/(--[\w-]+):\s*([^;]+);/g)) found.set(name, value.trim());
  return found;
}

const light = values(':root');
const dark = new Map([...light, ...values(':root\\[data-theme="dark"\\]')]);

function colourOf(theme: Map<string, string>, name: string): string {
  const value = theme.get(name) ?? '';
  const other = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  return other === undefined ? value : colourOf(theme, other);
}

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
])('colours of code and output, %s', (_, theme) => {
  const names = [...theme.keys()].filter((name) => /^--(code-(token|foreground)|ansi)/.test(name));

  it.each(names)('%s can be read on the ground of code', (name) => {
    expect(contrast(colourOf(theme, name), colourOf(theme, '--sunken'))).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ['--diff-added-word', '--text'],
    ['--diff-removed-word', '--text'],
    ['--added-soft', '--added'],
    ['--removed-soft', '--danger'],
  ])('on %s the lines of a diff can be read', (ground, text) => {
    expect(contrast(colourOf(theme, ground), colourOf(theme, text))).toBeGreaterThanOrEqual(4.5);
  });
});
