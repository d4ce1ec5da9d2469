import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesFrame, FRAME_HEADER_BYTES, MalformedFrame, messageFrame, readFromPtyHost } from './pty-host-frames.ts';
import type { FromPtyHost } from './pty-host-protocol.ts';

function frameOf(message: FromPtyHost): Buffer {
  if (message.type !== 'output') return messageFrame(message);
  const { id, chunk, data } = message;
  return bytesFrame(id, chunk, data, Buffer.alloc(FRAME_HEADER_BYTES + data.length));
}

const id = fc.nat(0xffff_ffff);
const message: fc.Arbitrary<FromPtyHost> = fc.oneof(
  fc.record({
    type: fc.constant('output' as const),
    id,
    chunk: id,
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({ type: fc.constant('refused' as const), id, message: fc.string({ unit: 'binary' }) }),
  fc.record({ type: fc.constant('closed' as const), id }),
);

describe('frames of the pty host', () => {
  it('come out as they went in, however the socket cuts them', () => {
    fc.assert(
      fc.property(fc.array(message), fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (messages, cuts) => {
        const told: FromPtyHost[] = [];
        const frames = readFromPtyHost((received) => told.push(received));
        const bytes = Buffer.concat(messages.map(frameOf));
        // One piece of memory for all, as the link reads into.
        const read = Buffer.alloc(40);
        for (let at = 0; at < bytes.length; ) {
          const length = bytes.copy(read, 0, at, at + (cuts.next().value ?? 1));
          frames.push(read.subarray(0, length));
          at += length;
        }
        expect(told).toEqual(messages);
      }),
    );
  });

  it.each([
    ['an empty body', [0, 0, 0, 0, 0]],
    ['a body of half a gigabyte', [0xff, 0, 0, 0, 0]],
    ['an unknown form', [0, 0, 0, 1, 9]],
    ['what is no JSON', [0, 0, 0, 1, 0]],
  ])('are refused with %s', (_, start) => {
    const frames = readFromPtyHost(() => {});
    expect(() => frames.push(Buffer.concat([Buffer.from(start), Buffer.alloc(9, '{')]))).toThrow(MalformedFrame);
  });
});
