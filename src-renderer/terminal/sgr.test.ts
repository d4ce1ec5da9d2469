import { describe, expect, it } from 'vitest';
import { terminalPalette } from '../../src-shared/terminal-palettes.ts';
import { contrast, indexedColour, parseHex, readableOn } from './colours.ts';
import { cssOf, parseSgr, plainText } from './sgr.ts';

const palette = terminalPalette('baton', 'dark', {});

describe('parseSgr', () => {
  it('cuts a line where its looks change', () => {
    expect(parseSgr('a\u001b[1;31mb\u001b[0mc')).toEqual([
      { text: 'a', style: {} },
      { text: 'b', style: { isBold: true, foreground: 1 } },
      { text: 'c', style: {} },
    ]);
  });

  it.each([
    ['94', { foreground: 12 }],
    ['103', { background: 11 }],
    ['38;5;208', { foreground: 208 }],
    ['48;2;1;2;3', { background: [1, 2, 3] }],
    ['4;38;2;9;8;7;3', { isUnderlined: true, foreground: [9, 8, 7], isItalic: true }],
    ['7;9;53', { isInverse: true, isStruck: true, isOverlined: true }],
    ['', {}],
    ['999', {}],
  ])('reads %s', (codes, style) => {
    expect(parseSgr(`\u001b[${codes}mx`)).toEqual([{ text: 'x', style }]);
  });

  it('takes looks back one by one', () => {
    const [, second] = parseSgr('\u001b[1;4;31;44ma\u001b[22;24;39;49mb');
    expect(cssOf(second?.style ?? {}, palette)).toEqual({});
  });

  it('gives the text alone', () => {
    expect(plainText('\u001b[1mab\u001b[0m c')).toBe('ab c');
  });
});

describe('cssOf', () => {
  it('uses the palette', () => {
    expect(cssOf({ foreground: 2 }, palette)).toEqual({ color: palette.ansi[2] });
    expect(cssOf({ isBold: true, isDim: true }, palette)).toEqual({ fontWeight: 700, opacity: 0.7 });
  });

  it('swaps colours that are inverse', () => {
    const css = cssOf({ isInverse: true }, palette);
    expect(css.backgroundColor).toBe(palette.foreground);
    expect(css.color).toBe(palette.background);
  });

  it('keeps text readable on whatever background', () => {
    const css = cssOf({ foreground: [20, 20, 20], background: [30, 30, 30] }, palette);
    const [front, back] = [parseHex(css.color ?? ''), parseHex(css.backgroundColor ?? '')];
    expect(front && back && contrast(front, back)).toBeGreaterThanOrEqual(4.5);
  });
});

describe('colours', () => {
  it('knows the fixed part of the palette', () => {
    expect(indexedColour(16)).toEqual([0, 0, 0]);
    expect(indexedColour(208)).toEqual([255, 135, 0]);
    expect(indexedColour(255)).toEqual([238, 238, 238]);
  });
  it('measures contrast as WCAG does', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(readableOn([0, 0, 0], [200, 200, 200], 4.5)).toEqual([200, 200, 200]);
  });
});
