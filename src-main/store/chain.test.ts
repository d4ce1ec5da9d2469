import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { chainHash, hashOfStored, hashToHex, NO_HASH } from './chain.ts';

it('[seq-5] hashes the previous hash, the numbers, channel, type, form and payload in the documented layout', () => {
  const previous = Buffer.alloc(32, 0xab);
  // seq 258, epoch 3, ts 2^32 + 5, channel "ch", type "t", JSON text "{}"
  const record = Buffer.from(
    '0000000000000102' + '00000003' + '0000000100000005' + '0002' + '6368' + '0001' + '74' + '00' + '7b7d',
    'hex',
  );
  const expected = createHash('sha256').update(previous).update(record).digest('hex');
  const event = { seq: 258, epoch: 3, ts: 2 ** 32 + 5, channel: 'ch', type: 't', payload: '{}' };
  expect(hashToHex(hashOfStored(previous.toString('latin1'), event))).toBe(expected);
  expect(hashToHex(chainHash(Buffer.concat([previous, record])))).toBe(expected);
});

it('[seq-5] tells text from the same bytes, and begins with 32 zero bytes', () => {
  const event = { seq: 1, epoch: 1, ts: 0, channel: 'c', type: 't' };
  const text = hashOfStored(NO_HASH, { ...event, payload: '{}' });
  expect(hashOfStored(NO_HASH, { ...event, payload: Buffer.from('{}') })).not.toBe(text);
  expect(Buffer.from(NO_HASH, 'latin1')).toEqual(Buffer.alloc(32));
});
