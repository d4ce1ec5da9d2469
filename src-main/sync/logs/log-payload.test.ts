import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { Epoch, Seq } from '../../../src-shared/ids.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import type { ChainedEvent, ChainedGap } from '../../store/store.ts';
import { decodeLog, encodeLog } from './log-payload.ts';

const RUN_ID = runIdOf(1);
const HASH = 'ab'.repeat(32);
const event = (seq: number, payload: string | Uint8Array): ChainedEvent => ({
  seq: Seq.parse(seq),
  epoch: Epoch.parse(1),
  ts: 1_750_000_000_000 + seq,
  channel: typeof payload === 'string' ? 'claude:message' : 'pty:stdout',
  type: 'ü',
  isJson: typeof payload === 'string',
  payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
});
const gap: ChainedGap = {
  fromSeq: Seq.parse(7),
  toSeq: Seq.parse(9),
  epoch: Epoch.parse(1),
  ts: -5,
  bytes: 77,
  reason: 'quota',
  hash: HASH,
};
const ITEMS = [event(5, '{"a":[1,null]}'), event(6, new Uint8Array(5_000).fill(7)), gap, event(10, 'null')];
const payload = () => encodeLog(5, { items: ITEMS, toSeq: Seq.parse(10), headHash: HASH });
const range = { runId: RUN_ID, from: 5, to: 10, known: 4 };

it('gives events and gaps back as they are stored, smaller on the way', async () => {
  const packed = await payload();
  expect(packed.byteLength).toBeLessThan(500);
  const { events, gaps, headHash } = await decodeLog(packed, range);
  expect(events.map(({ seq, payload: it }) => [seq, it])).toEqual([
    [5, { a: [1, null] }],
    [6, new Uint8Array(5_000).fill(7)],
    [10, null],
  ]);
  expect(gaps).toEqual([gap]);
  expect(headHash).toBe(HASH);
});

it('leaves out what is known already, also inside a gap', async () => {
  const { events, gaps } = await decodeLog(await payload(), { ...range, known: 8 });
  expect(events.map(({ seq }) => seq)).toEqual([10]);
  expect(gaps).toEqual([{ ...gap, fromSeq: 9 }]);
});

it('[replica-10] takes nothing of what is torn, mutated into another order, or grows beyond all bounds', async () => {
  const whole = await payload();
  await expect(decodeLog(whole, { ...range, to: 11 })).rejects.toThrow(/ends at 10/);
  await expect(decodeLog(whole, { ...range, from: 4 })).rejects.toThrow(/begins at 5/);
  for (let length = 0; length < whole.byteLength; length += 7) {
    await expect(decodeLog(whole.subarray(0, length), range)).rejects.toThrow();
  }
  const bomb = Buffer.concat([Buffer.from([1, 1]), deflateRawSync(Buffer.alloc(64 * 1024 * 1024))]);
  await expect(decodeLog(bomb, range)).rejects.toThrow();
  await expect(decodeLog(Buffer.concat([Buffer.from([2]), whole.subarray(1)]), range)).rejects.toThrow(/later version/);
});
