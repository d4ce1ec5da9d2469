import { describe, expect, it } from 'vitest';
import { isEmpty, lineAt, partOf, type Selection, selectedText, wordAt } from './history-selection.ts';

const lines = ['first line', '', 'third one'];
const text = (line: number) => lines[line] ?? '';
const select = (a: [number, number], b: [number, number]): Selection => ({
  anchor: { line: a[0], offset: a[1] },
  focus: { line: b[0], offset: b[1] },
});

describe('a selection over lines', () => {
  it.each([
    [select([0, 6], [2, 5]), 'line\n\nthird'],
    [select([2, 5], [0, 6]), 'line\n\nthird'],
    [select([0, 0], [0, 5]), 'first'],
    [select([1, 0], [2, 0]), '\n'],
  ])('gives its text whichever end moved', (selection, expected) => {
    expect(selectedText(selection, text)).toBe(expected);
  });

  it('knows its part of each line', () => {
    const selection = select([0, 6], [2, 5]);
    expect([0, 1, 2, 3].map((line) => partOf(selection, line, text(line).length))).toEqual([[6, 10], [0, 0], [0, 5], null]);
    expect(partOf(select([0, 3], [0, 3]), 0, 10)).toBeNull();
    expect(isEmpty(select([0, 3], [0, 3]))).toBe(true);
  });
});

describe('double and triple click', () => {
  it('takes the word, paths whole', () => {
    const line = 'see (/tmp/a-b.txt) now';
    expect(selectedText(wordAt({ line: 0, offset: 8 }, line), () => line)).toBe('/tmp/a-b.txt');
    expect(selectedText(wordAt({ line: 0, offset: 4 }, line), () => line)).toBe('(');
  });
  it('takes the line', () => {
    expect(selectedText(lineAt({ line: 2, offset: 4 }, text(2)), text)).toBe('third one');
  });
});
