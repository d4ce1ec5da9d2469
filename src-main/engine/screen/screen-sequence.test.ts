import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sequenceEnd, unfinishedSequence } from './screen-sequence.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const text = (of: Uint8Array) => Buffer.from(of).toString('latin1');
const NONE = bytes('');

describe('sequenceEnd', () => {
  it.each([
    ['a colour', '\x1b[31mred', 5],
    ['a private mode', '\x1b[?25lx', 6],
    ['an intermediate', '\x1b(0x', 3],
    ['a single letter', '\x1bMx', 2],
    ['a title ended by BEL', '\x1b]0;title\x07x', 10],
    ['a title ended by ST, which is a sequence of its own', '\x1b]0;title\x1b\\x', 9],
    ['a device string', '\x1bPq#0\x1b\\', 5],
    ['one that another interrupts', '\x1b[3\x1b[31m', 3],
    ['one that is cancelled', '\x1b[3\x18x', 4],
  ])('finds the end of %s', (_, sequence, end) => {
    expect(sequenceEnd(bytes(sequence), 0)).toBe(end);
  });

  it.each(['\x1b', '\x1b[', '\x1b[31', '\x1b]0;title', '\x1bPq#0', '\x1b_app', '\x1b('])('finds none of %j', (sequence) => {
    expect(sequenceEnd(bytes(sequence), 0)).toBe(-1);
  });
});

describe('unfinishedSequence', () => {
  it('is empty where nothing is open', () => {
    expect(text(unfinishedSequence(NONE, bytes('plain \x1b[31mred')))).toBe('');
    expect(text(unfinishedSequence(bytes('\x1b[3'), bytes('1mred')))).toBe('');
  });

  it('is what the parser still has in hand', () => {
    expect(text(unfinishedSequence(NONE, bytes('plain\x1b[3')))).toBe('\x1b[3');
    expect(text(unfinishedSequence(bytes('\x1b]0;'), bytes('title')))).toBe('\x1b]0;title');
    expect(text(unfinishedSequence(bytes('\x1b]0;title'), bytes('\x1b')))).toBe('\x1b');
  });

  it('keeps no more than the beginning of a very long one, until it ends', () => {
    const open = unfinishedSequence(NONE, bytes(`\x1bPq${'#'.repeat(100_000)}`));
    expect(text(open)).toBe('\x1bP');
    expect(text(unfinishedSequence(open, bytes('##\x1b\\after')))).toBe('');
  });

  it('does not depend on how the output was cut', () => {
    const piece = fc.constantFrom(
      'text',
      '\x1b[31m',
      '\x1b]0;t\x07',
      '\x1b]8;;u\x1b\\',
      '\x1b(0',
      '\x1bP1$q\x1b\\',
      '\x1b[?2',
      '\x1b]7;x',
      'é',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 6 }), (pieces, cuts) => {
        const whole = bytes(pieces.join(''));
        const at = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b);
        let open: Uint8Array = NONE;
        let from = 0;
        for (const to of at) {
          open = unfinishedSequence(open, whole.subarray(from, to));
          from = to;
        }
        expect(text(open)).toBe(text(unfinishedSequence(NONE, whole)));
      }),
    );
  });
});
