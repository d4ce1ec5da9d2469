import { expect, it } from 'vitest';
import {
  MAX_PEER_MESSAGE_BYTES,
  MAX_PEER_PART_BYTES,
  MIN_PEER_PART_BYTES,
  type PeerPart,
} from '../../../src-shared/peer-protocol.ts';
import { testMachineId } from '../../../src-shared/sim/workspace.ts';
import { PeerPartSize, PeerParts } from './peer-parts.ts';

const [evil, honest] = [testMachineId(1), testMachineId(2)];
const ID = '0190c1de-0000-4000-8000-000000000002';

function cut(message: Uint8Array, partBytes: number): PeerPart[] {
  const count = Math.ceil(message.byteLength / partBytes);
  const of = message.byteLength;
  return Array.from({ length: count }, (_, index) => {
    const from = index * partBytes;
    return { type: 'part', id: ID, from, of, bytes: message.subarray(from, from + partBytes) };
  });
}

it('[peer-5] parts that do not follow one another, and crumbs, are no message', () => {
  const parts = new PeerParts();
  const bytes = MIN_PEER_PART_BYTES + 10;
  const [first, second] = cut(new Uint8Array(bytes), MIN_PEER_PART_BYTES) as [PeerPart, PeerPart];
  const road = `live ${honest}` as const;
  expect(parts.add(road, second)).toBeNull();
  expect(parts.add(road, first)).toBeNull();
  expect(parts.add(`input ${honest}`, second)).toBeNull();
  expect(parts.add(road, { ...second, of: bytes + 1 })).toBeNull();
  expect(parts.add(road, { ...second, from: second.from - 1 })).toBeNull();
  expect(parts.add(road, { ...second, bytes: second.bytes.subarray(1) })).toBeNull();
  expect(parts.add(road, { ...second, bytes: first.bytes })).toBeNull();
  expect(parts.add(road, { ...second, id: '0190c1de-0000-4000-8000-000000000003' })).toBeNull();
  expect(parts.add(road, second)).toHaveLength(bytes);
  expect(parts.add(road, second)).toBeNull();
});

it('[peer-8] a machine that ends no message keeps none of others from being heard', () => {
  const parts = new PeerParts();
  const bytes = new Uint8Array(MAX_PEER_PART_BYTES);
  const of = MAX_PEER_MESSAGE_BYTES;
  for (const road of [`live ${evil}`, `input ${evil}`] as const) {
    for (let from = 0; from + bytes.byteLength < of; from += bytes.byteLength)
      parts.add(road, { type: 'part', id: ID, from, of, bytes });
  }
  const message = new Uint8Array(20 * MAX_PEER_PART_BYTES).fill(7);
  const joined = cut(message, MAX_PEER_PART_BYTES).map((part) => parts.add(`input ${honest}`, part));
  expect(Buffer.from(joined.at(-1) ?? []).equals(message)).toBe(true);
});

it('[slow-3] parts become as large as the line carries in a moment, and small again when it does not', () => {
  const size = new PeerPartSize();
  for (let count = 0; count < 10; count++) size.passed(size.bytes, 20);
  expect(size.bytes).toBe(MAX_PEER_PART_BYTES);
  size.passed(size.bytes, 2_000);
  expect(size.bytes).toBe(MIN_PEER_PART_BYTES);
});
