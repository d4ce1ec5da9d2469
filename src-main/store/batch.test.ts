import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchEncoder, type EventParts, eventAt, FORM_BYTES, OPERATION_BYTES } from './batch.ts';
import { json, numbered, output, runIdOf } from './store.fixture.ts';

const runId = runIdOf(1);

/** Reads a batch of one operation back. */
function readBack(bytes: Buffer) {
  const events = [];
  const parts: EventParts = { seq: 0, epoch: 0, ts: 0, prevAt: 0, labelAt: 0, labelEnd: 0, end: 0 };
  for (let at = OPERATION_BYTES; at < bytes.length; at = parts.end) {
    eventAt(bytes, at, parts);
    const typeAt = parts.labelAt + 2 + bytes.readUInt16BE(parts.labelAt);
    const payload = bytes.subarray(parts.labelEnd + 1, parts.end);
    events.push({
      runId,
      seq: parts.seq,
      epoch: parts.epoch,
      ts: parts.ts,
      channel: bytes.toString('utf8', parts.labelAt + 2, typeAt),
      type: bytes.toString('utf8', typeAt + 2, parts.labelEnd),
      payload: bytes[parts.labelEnd] === FORM_BYTES ? new Uint8Array(payload) : JSON.parse(payload.toString('utf8')),
    });
  }
  return events;
}

const newEvents = fc.array(
  fc.record({
    channel: fc.string({ unit: 'grapheme' }),
    type: fc.string({ unit: 'grapheme' }),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 20_000 }),
      fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text)),
      fc.string({ unit: 'grapheme', minLength: 4000, maxLength: 9000 }),
    ),
  }),
  { maxLength: 20 },
);

describe('BatchEncoder', () => {
  it('carries any events unchanged, whatever memory it is given to reuse', () => {
    const encoder = new BatchEncoder();
    fc.assert(
      fc.property(newEvents, fc.integer({ min: 1, max: 2 ** 31 }), (made, firstSeq) => {
        const events = numbered(runId, firstSeq, made);
        encoder.operation(7, events, 3);
        const bytes = encoder.take();
        expect([bytes.readUInt32BE(0), bytes.readUInt32BE(4), bytes.readUInt32BE(8)]).toEqual([7, events.length, 3]);
        expect(readBack(bytes)).toEqual(events);
        encoder.recycle(bytes.buffer);
      }),
      { numRuns: 40 },
    );
  });

  it('keeps times beyond 32 bits and before 1970', () => {
    const encoder = new BatchEncoder();
    const [event] = numbered(runId, 1, [json(null)]);
    if (event === undefined) throw new Error('one event');
    const times = [0, 1, 2 ** 32 - 1, 2 ** 32, 1_999_999_999_999, -1, -1_000_000_000_000];
    encoder.operation(
      1,
      times.map((ts) => ({ ...event, ts })),
      0,
    );
    expect(readBack(encoder.take()).map(({ ts }) => ts)).toEqual(times);
  });

  it('leaves the batch as it was when an event cannot be stored', () => {
    const encoder = new BatchEncoder();
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const good = numbered(runId, 1, [output('good')]);
    encoder.operation(1, good, 0);
    expect(() => encoder.operation(1, numbered(runId, 2, [output('half'), json(circular as never)]), 0)).toThrow(/not JSON/);
    expect(() => encoder.operation(1, numbered(runId, 2, [json(undefined as never)]), 0)).toThrow(/not JSON/);
    expect(() => encoder.operation(1, numbered(runId, 2 ** 32, [output('late')]), 0)).toThrow(/numbers go from 1/);
    expect(() => encoder.operation(1, numbered(runId, 2, [json(1, 'x'.repeat(70_000))]), 0)).toThrow(/longer than/);
    expect(readBack(encoder.take())).toEqual(good);
  });
});
