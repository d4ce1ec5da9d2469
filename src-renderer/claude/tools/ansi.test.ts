import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnsi, stripAnsi } from './ansi.ts';

const pieces = (text: string) => parseAnsi(text).map(({ text: said, colour, isBold }) => [said, colour, isBold]);

describe('colours in output', () => {
  it('takes the sixteen colours and weight, and goes back to plain', () => {
    expect(pieces('a\u001b[31mb\u001b[1mc\u001b[0md\u001b[92me\u001b[39mf')).toEqual([
      ['a', null, false],
      ['b', '--ansi-red', false],
      ['c', '--ansi-red', true],
      ['d', null, false],
      ['e', '--ansi-green', false],
      ['f', null, false],
    ]);
  });

  it('gives other colours the nearest of the theme, so that they can be read in both', () => {
    expect(pieces('\u001b[38;5;196mred\u001b[38;2;10;200;20mgreen\u001b[38;5;240mgrey')).toEqual([
      ['red', '--ansi-red', false],
      ['green', '--ansi-green', false],
      ['grey', null, false],
    ]);
  });

  it('drops whatever else a program sends to a terminal', () => {
    expect(
      stripAnsi('\u001b]0;title\u0007a\u001b[2J\u001b[1;1Hb\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u0008\u0000c'),
    ).toBe('ablinkc');
    expect(stripAnsi('\u001bP1$r0m\u001b\\d\u001b(Be\u001b=f')).toBe('def');
  });

  it('shows what a progress bar wrote last', () => {
    expect(stripAnsi('10%\r20%\r30%\r\ndone\r\n')).toBe('30%\ndone\n');
  });

  it('leaves no control character, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\u001b', '[', ']', ';', 'm', '3', '1', '\r', '\n', '\u0007', '\u009b', 'a', '\\') }),
        (text) => {
          const shown = parseAnsi(text)
            .map((piece) => piece.text)
            .join('');
          expect(shown).toBe(stripAnsi(text));
          expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        },
      ),
    );
  });
});
