import { describe, expect, it } from 'vitest';
import { cleanName, cleanText } from './clean-text.ts';

describe('cleanText', () => {
  it.each([
    ['keeps ordinary text', 'vim — äöü 日本語 😀', 'vim — äöü 日本語 😀'],
    ['removes control characters', 'a\u0000b\u001bc\u007fd\u0085e\nf', 'abcdef'],
    ['removes what turns the direction of writing', 'a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
    ['removes what is invisible', 'a\u200bb\u200dc\ufeffd\u00ade\u2060f\u3164g\u{e0041}h', 'abcdefgh'],
    ['removes half characters', 'a\ud800b', 'ab'],
    ['removes blanks around it', '  a b  ', 'a b'],
  ])('[pty-8] %s', (_, text, cleaned) => {
    expect(cleanText(text)).toBe(cleaned);
  });

  it('[member-10] leaves a name alone that is clean, wherever it was cut', () => {
    const once = cleanName(` ${'x'.repeat(63)} and\u200b more`);
    expect(once).toBe('x'.repeat(63));
    expect(cleanName(once)).toBe(once);
  });

  it('[pty-8] cuts at 256 characters, not in the middle of one', () => {
    expect(cleanText('😀'.repeat(300))).toBe('😀'.repeat(256));
  });
});
