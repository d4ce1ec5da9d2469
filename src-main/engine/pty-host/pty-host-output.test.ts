import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BATCH_BYTES, BATCH_MS, cutCharacterBytes, OutputBatch, PROMPT_BYTES } from './pty-host-output.ts';
import { PTY_WINDOW_BYTES } from './pty-host-protocol.ts';

let sent: Buffer[];
let reading: boolean[];
let batch: OutputBatch;
beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  reading = [];
  batch = new OutputBatch({
    send: (bytes) => void sent.push(Buffer.from(bytes)),
    setReading: (isReading) => void reading.push(isReading),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const texts = () => sent.map((bytes) => bytes.toString('utf8'));
const sentBytes = () => sent.reduce((sum, bytes) => sum + bytes.length, 0);

describe('OutputBatch', () => {
  it('sends little at once, and joins much', () => {
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) batch.push(Buffer.from(text));
    expect(texts()).toEqual(['a', 'b', 'c', 'd']);
    vi.advanceTimersByTime(BATCH_MS);
    expect(texts()).toEqual(['a', 'b', 'c', 'd', 'ef']);
    batch.push(Buffer.alloc(PROMPT_BYTES, 'x'));
    batch.push(Buffer.from('y'));
    expect(sent.at(-1)?.length).toBe(PROMPT_BYTES);
    vi.advanceTimersByTime(BATCH_MS);
    expect(texts().at(-1)).toBe('y');
  });

  it('sends nothing at once in the middle of a flood, but again when it is over', () => {
    batch.push(Buffer.alloc(PROMPT_BYTES, 'x'));
    for (let interval = 0; interval < 10; interval++) {
      batch.push(Buffer.alloc(PROMPT_BYTES, 'x'));
      vi.advanceTimersByTime(BATCH_MS);
    }
    expect(sent).toHaveLength(11);
    batch.push(Buffer.from('more'));
    expect(sent).toHaveLength(11);
    vi.advanceTimersByTime(BATCH_MS * 3);
    expect(texts().at(-1)).toBe('more');
    batch.push(Buffer.from('a key'));
    expect(texts().at(-1)).toBe('a key');
  });

  it('sends keys at once that are echoed at any pace', () => {
    for (let key = 0; key < 20; key++) {
      batch.push(Buffer.from('k'));
      expect(sent).toHaveLength(key + 1);
      vi.advanceTimersByTime(1 + (key % 5));
    }
  });

  it('[wire-6] sends the last chunk of a burst without anything further, then is idle again', () => {
    batch.push(Buffer.alloc(PROMPT_BYTES, 'x'));
    batch.push(Buffer.from('last'));
    vi.advanceTimersByTime(BATCH_MS * 3);
    expect(texts().at(-1)).toBe('last');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends a full block without waiting', () => {
    batch.push(Buffer.alloc(PROMPT_BYTES, 'a'));
    batch.push(Buffer.alloc(BATCH_BYTES + 10, 'b'));
    expect(sent.map((bytes) => bytes.length)).toEqual([PROMPT_BYTES, BATCH_BYTES]);
  });

  it('holds back a cut character until its rest comes', () => {
    const snowman = Buffer.from('☃');
    batch.push(Buffer.concat([Buffer.from('a'), snowman.subarray(0, 2)]));
    expect(texts()).toEqual(['a']);
    batch.push(Buffer.concat([snowman.subarray(2), Buffer.from('b')]));
    vi.advanceTimersByTime(BATCH_MS);
    expect(texts()).toEqual(['a', '☃b']);
  });

  it('sends a cut character as it is when its rest does not come, and at the end', () => {
    batch.push(Buffer.from([0x61, 0xe2, 0x98]));
    vi.advanceTimersByTime(BATCH_MS * 4);
    expect(Buffer.concat(sent)).toEqual(Buffer.from([0x61, 0xe2, 0x98]));
    batch.push(Buffer.from([0x62, 0xe2]));
    batch.flush();
    expect(Buffer.concat(sent)).toEqual(Buffer.from([0x61, 0xe2, 0x98, 0x62, 0xe2]));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops reading when the window is full, and goes on when half of it is acknowledged', () => {
    while (reading.length === 0) batch.push(Buffer.alloc(BATCH_BYTES, 'x'));
    expect(reading).toEqual([false]);
    expect(sentBytes()).toBeGreaterThanOrEqual(PTY_WINDOW_BYTES);
    expect(sentBytes()).toBeLessThan(PTY_WINDOW_BYTES + 2 * BATCH_BYTES);
    batch.acknowledge(sentBytes() - PTY_WINDOW_BYTES / 2);
    expect(reading).toEqual([false]);
    batch.acknowledge(sentBytes() - PTY_WINDOW_BYTES / 2 + 1);
    expect(reading).toEqual([false, true]);
    batch.acknowledge(0);
    expect(reading).toEqual([false, true]);
  });

  it('stops reading while it is paused, whatever is acknowledged', () => {
    batch.setPaused(true);
    batch.push(Buffer.from('on its way'));
    batch.acknowledge(10);
    expect(reading).toEqual([false]);
    batch.setPaused(false);
    expect(reading).toEqual([false, true]);
  });

  it('[pty-1] sends exactly what was pushed, and cuts no character that comes whole', () => {
    const step = fc.oneof(
      fc.record({ push: fc.string({ unit: 'grapheme', maxLength: 200 }), pieces: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ waitMs: fc.integer({ min: 0, max: BATCH_MS }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        sent = [];
        const pushed: Buffer[] = [];
        const checked = new OutputBatch({ send: (bytes) => void sent.push(Buffer.from(bytes)), setReading: () => {} });
        for (const each of steps) {
          if ('waitMs' in each) {
            vi.advanceTimersByTime(each.waitMs);
            continue;
          }
          const bytes = Buffer.from(each.push, 'utf8');
          pushed.push(bytes);
          for (let piece = 0; piece < each.pieces; piece++) {
            const [from, to] = [piece, piece + 1].map((end) => Math.floor((bytes.length * end) / each.pieces));
            checked.push(bytes.subarray(from, to));
          }
        }
        checked.flush();
        expect(Buffer.concat(sent).equals(Buffer.concat(pushed))).toBe(true);
        expect(sent.every((bytes) => bytes.equals(Buffer.from(bytes.toString('utf8'), 'utf8')))).toBe(true);
      }),
    );
  });
});

describe('cutCharacterBytes', () => {
  it.each([
    ['nothing', [], 0],
    ['plain text', [0x61], 0],
    ['a whole character', [0xe2, 0x98, 0x83], 0],
    ['one byte of two', [0x61, 0xc3], 1],
    ['two bytes of three', [0xe2, 0x98], 2],
    ['three bytes of four', [0xf0, 0x9f, 0x98], 3],
    ['a whole character of four', [0xf0, 0x9f, 0x98, 0x80], 0],
    ['continuation bytes without a beginning', [0x80, 0x80, 0x80, 0x80], 0],
  ])('finds %s', (_, bytes, expected) => {
    expect(cutCharacterBytes(Uint8Array.from(bytes))).toBe(expected);
  });
});
