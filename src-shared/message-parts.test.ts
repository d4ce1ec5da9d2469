import { expect, it } from 'vitest';
import { CutMessage, MessageParts } from './message-parts.ts';
import { type Lane, MAX_RELAY_FRAME_BYTES, type MessagePart, MIN_PART_BYTES } from './relay-protocol.ts';

const message = (bytes: number) => Uint8Array.from({ length: bytes }, (_, index) => index % 251);
const LARGE = message(3 * MIN_PART_BYTES + 5);
const part = (lane: Lane, from: number, bytes: number, of = LARGE.byteLength): MessagePart => {
  return { lane, from, of, bytes: LARGE.subarray(from, from + bytes) };
};

it('[relay-25] cuts messages as there is room, not into crumbs, and puts them together in each lane', () => {
  const [one, two] = [new CutMessage(LARGE), new CutMessage(message(MIN_PART_BYTES + 1))];
  const parts = new MessageParts();
  expect(parts.add(one.next('watch', 1))).toBe(null);
  expect(parts.add(two.next('rest', -5))).toBe(null);
  const last = two.next('rest', 1);
  expect([last.from, last.bytes.byteLength, two.isSent]).toEqual([MIN_PART_BYTES, 1, true]);
  expect(parts.add(last)).toEqual(message(MIN_PART_BYTES + 1));
  expect(parts.add(one.next('watch', 20_000))).toBe(null);
  expect(one.isSent).toBe(false);
  expect(parts.add(one.next('watch', 1_000_000))).toEqual(LARGE);
  expect(one.isSent).toBe(true);
});

it('[relay-25] gives up what was begun where another begins in its lane, or where it is dropped', () => {
  const parts = new MessageParts();
  expect(parts.add(part('watch', 0, 20_000))).toBe(null);
  expect(parts.add(part('watch', 0, MIN_PART_BYTES))).toBe(null);
  expect(parts.add(part('watch', MIN_PART_BYTES, LARGE.byteLength))).toEqual(LARGE);
  parts.add(part('rest', 0, 20_000));
  parts.drop('rest');
  expect(() => parts.add(part('rest', 20_000, LARGE.byteLength))).toThrow();
});

it('[relay-25] takes no part that does not follow, no crumbs, and nothing larger than a message', () => {
  const parts = new MessageParts();
  expect(() => parts.add(part('watch', MIN_PART_BYTES, 40_000))).toThrow();
  parts.add(part('watch', 0, 20_000));
  for (const wrong of [
    part('watch', 19_999, 40_000),
    part('watch', 20_001, 40_000),
    part('watch', 20_000, 40_000, 60_001),
    { ...part('watch', 20_000, 20_000), bytes: message(40_000) },
    part('watch', 20_000, MIN_PART_BYTES - 1),
    part('rest', 20_000, 40_000),
    part('rest', 0, MIN_PART_BYTES, MAX_RELAY_FRAME_BYTES + 1),
    part('rest', 0, 1),
  ]) {
    expect(() => parts.add(wrong)).toThrow();
  }
  parts.clear();
  expect(() => parts.add(part('watch', 20_000, 40_000))).toThrow();
});
