import { expect, it } from 'vitest';
import { MAX_PEER_MESSAGE_BYTES, PEER_PART_BYTES, type PeerPart } from '../../../src-shared/peer-protocol.ts';
import { testMachineId } from '../../../src-shared/sim/workspace.ts';
import { cutIntoParts, PeerParts } from './peer-parts.ts';

const [evil, honest] = [testMachineId(1), testMachineId(2)];
const MOST = MAX_PEER_MESSAGE_BYTES / PEER_PART_BYTES;

it('[peer-5] parts that do not follow one another are no message', () => {
  const parts = new PeerParts();
  const [first, second] = cutIntoParts('0190c1de-0000-4000-8000-000000000002', new Uint8Array(PEER_PART_BYTES + 10)) as [
    PeerPart,
    PeerPart,
  ];
  const road = `live ${honest}` as const;
  expect(parts.add(road, second)).toBeNull();
  expect(parts.add(road, first)).toBeNull();
  expect(parts.add(`input ${honest}`, second)).toBeNull();
  expect(parts.add(road, { ...second, count: 3 })).toBeNull();
  expect(parts.add(road, { ...second, id: '0190c1de-0000-4000-8000-000000000003' })).toBeNull();
  expect(parts.add(road, second)).toHaveLength(PEER_PART_BYTES + 10);
  expect(parts.add(road, second)).toBeNull();
});

it('[peer-8] a machine that ends no message keeps none of others from being heard', () => {
  const parts = new PeerParts();
  const bytes = new Uint8Array(PEER_PART_BYTES);
  const id = '0190c1de-0000-4000-8000-000000000002';
  for (const road of [`live ${evil}`, `input ${evil}`] as const) {
    for (let index = 0; index < MOST - 1; index++) parts.add(road, { type: 'part', id, index, count: MOST, bytes });
  }
  const message = new Uint8Array(20 * PEER_PART_BYTES).fill(7);
  const joined = cutIntoParts(id, message).map((part) => parts.add(`input ${honest}`, part));
  expect(Buffer.from(joined.at(-1) ?? []).equals(message)).toBe(true);
});
