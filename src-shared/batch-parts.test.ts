import { expect, it } from 'vitest';
import { BatchParts } from './batch-parts.ts';
import { MAX_BATCH_BYTES } from './sealed-batch.ts';

const [ONE, TWO] = ['1'.repeat(32), '2'.repeat(32)] as [string, string];
const part = (stream: string, from: number, bytes: number[], of = 4) => {
  return { type: 'part', stream, position: 1, from, of, bytes: Uint8Array.from(bytes) } as const;
};

it('[relay-25] puts batches together whose parts come among those of others, and begins anew where a follow does', () => {
  const parts = new BatchParts();
  expect(parts.add(part(ONE, 0, [1, 2]))).toBe(null);
  expect(parts.add(part(TWO, 0, [7]))).toBe(null);
  expect(parts.add(part(ONE, 0, [1]))).toBe(null);
  expect(parts.add(part(TWO, 1, [8, 9, 10]))).toEqual(Uint8Array.of(7, 8, 9, 10));
  expect(parts.add(part(ONE, 1, [2, 3, 4]))).toEqual(Uint8Array.of(1, 2, 3, 4));
});

it('[relay-25] takes no part that does not follow, and no more at a time than a relay sends', () => {
  const parts = new BatchParts();
  expect(() => parts.add(part(ONE, 2, [3, 4]))).toThrow();
  parts.add(part(ONE, 0, [1, 2]));
  for (const wrong of [part(ONE, 1, [2]), part(ONE, 3, [4]), part(ONE, 2, [3, 4, 5]), part(ONE, 2, [3], 5)]) {
    expect(() => parts.add(wrong)).toThrow();
  }
  expect(() => parts.add(part(TWO, 0, [1], MAX_BATCH_BYTES + 1))).toThrow();
  const begin = () => {
    for (let stream = 0; stream < 100; stream++) parts.add(part(String(stream).padStart(32, '0'), 0, [1]));
  };
  expect(begin).toThrow();
  parts.clear();
  expect(() => parts.add(part(ONE, 2, [3, 4]))).toThrow();
});
