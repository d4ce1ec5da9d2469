import { describe, expect, it } from 'vitest';
import { type OutputText, OutputTexts } from './output-text.ts';

const bytesOf = (text: OutputText) => (typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.base64, 'base64'));

describe('OutputTexts', () => {
  it('holds back a character that is cut, whatever its length and wherever', () => {
    const whole = Buffer.from('aé€😀z');
    for (let at = 0; at <= whole.length; at++) {
      const texts = new OutputTexts();
      const pieces = [texts.take(whole.subarray(0, at)), texts.take(whole.subarray(at))];
      expect(pieces.every((piece) => typeof piece === 'string')).toBe(true);
      expect(pieces.join('')).toBe('aé€😀z');
      expect(texts.rest()).toBeNull();
    }
  });

  it('completes a character byte by byte', () => {
    const texts = new OutputTexts();
    expect([...Buffer.from('😀')].map((byte) => texts.take(Uint8Array.of(byte)))).toEqual(['', '', '', '😀']);
  });

  it.each([[[0xff]], [[0x61, 0xc3, 0x28]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0x80]], [[0xf5, 0x80]]])(
    '%j is not UTF-8',
    (bytes) => {
      const texts = new OutputTexts();
      expect(texts.take(Uint8Array.from(bytes))).toEqual({ base64: Buffer.from(bytes).toString('base64') });
    },
  );

  it('keeps a byte order mark', () => {
    expect(new OutputTexts().take(Buffer.from('\ufeffa'))).toBe('\ufeffa');
  });

  it('gives what was held when it turns out to be none, and at the end', () => {
    const texts = new OutputTexts();
    expect(texts.take(Uint8Array.of(0x61, 0xe2, 0x82))).toBe('a');
    expect(texts.take(Uint8Array.of(0x62))).toEqual({ base64: Buffer.of(0xe2, 0x82, 0x62).toString('base64') });
    expect(texts.take(Uint8Array.of(0xf0))).toBe('');
    expect(texts.rest()).toEqual({ base64: '8A==' });
  });

  it('holds back what may be completed even behind what is not UTF-8', () => {
    const texts = new OutputTexts();
    expect(texts.take(Uint8Array.of(0xff, 0xc3))).toEqual({ base64: '/w==' });
    expect(texts.take(Uint8Array.of(0xa9))).toBe('é');
  });

  it('loses no byte of any bytes in any pieces', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    for (let round = 0; round < 300; round++) {
      const whole = Buffer.from(
        Array.from({ length: random(40) }, () => [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xff][random(9)] ?? 0),
      );
      const texts = new OutputTexts();
      const parts: Buffer[] = [];
      for (let at = 0; at < whole.length; ) {
        const to = at + 1 + random(5);
        parts.push(bytesOf(texts.take(whole.subarray(at, to))));
        at = to;
      }
      const rest = texts.rest();
      if (rest !== null) parts.push(bytesOf(rest));
      expect(Buffer.concat(parts)).toEqual(whole);
    }
  });
});
