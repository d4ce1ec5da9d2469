import { renderHook, waitFor } from '@testing-library/react';
import { beforeAll, describe, expect, it } from 'vitest';
import { GrowingHighlight, highlight, type TokenLines, useHighlight } from './highlight.ts';

const code = 'const text = `a\n still a string\n`; // done\nexport const c: number = 1;\n';

const textOf = (lines: TokenLines | null) => lines?.map((line) => line.map((token) => token.text).join('')).join('\n');

/** The language is loaded when a block in it is first drawn. */
beforeAll(async () => {
  const { result } = renderHook(() => useHighlight(code, 'ts', false));
  await waitFor(() => expect(result.current).not.toBe(null));
});

describe('colours of code', () => {
  it('change nothing about the code', () => {
    expect(textOf(highlight(code, 'typescript'))).toBe(code);
  });

  it('are not given to code that is very long, nor to a language that is not loaded', () => {
    expect(highlight('x\n'.repeat(40_000), 'typescript')).toBe(null);
    expect(highlight('x', 'cobol')).toBe(null);
  });

  it('of code being written are those of the whole code, line by line', () => {
    const growing = new GrowingHighlight();
    let shown: TokenLines | null = null;
    for (let end = 0; end <= code.length; end += 3) {
      shown = growing.colour(code.slice(0, end), 'typescript');
      expect(textOf(shown)).toBe(code.slice(0, end));
    }
    shown = growing.colour(code, 'typescript');
    expect(shown).toEqual(highlight(code, 'typescript'));
  });

  it('begin anew when the code is another one', () => {
    const growing = new GrowingHighlight();
    growing.colour('const a = 1;\nconst', 'typescript');
    expect(textOf(growing.colour('let b = 2;\n', 'typescript'))).toBe('let b = 2;\n');
  });
});
