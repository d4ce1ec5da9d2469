import { expect, it } from 'vitest';
import { EventJsons } from './event-json.ts';
import { FIRST_EPOCH, RunId, Seq } from './ids.ts';

const runId = RunId.parse('01890000-0000-7000-8000-000000000001');
const event = (seq: number, channel: string, type: string, payload: unknown) => ({
  runId,
  seq: Seq.parse(seq),
  epoch: FIRST_EPOCH,
  ts: 1,
  channel,
  type,
  payload,
});
const output = (seq: number, ...bytes: number[]) => event(seq, 'pty:stdout', 'data', Uint8Array.from(bytes));
const exited = (seq: number) => event(seq, 'system:status', 'exited', { exitCode: 0, signal: null, reason: null });

it('shows output as text and leaves every other payload as it is', () => {
  const events = new EventJsons();
  expect(events.add(output(1, 0x61))).toEqual([event(1, 'pty:stdout', 'data', 'a')]);
  expect(events.add(exited(2))).toEqual([exited(2)]);
});

it('tells what is never completed with its own seq, before the program ends', () => {
  const events = new EventJsons();
  expect(events.add(output(1, 0x61, 0xe2)).map(({ payload }) => payload)).toEqual(['a']);
  expect(events.add(exited(2))).toEqual([event(1, 'pty:stdout', 'data', { base64: '4g==' }), exited(2)]);
  expect(events.end()).toEqual([]);
});

it('a copy goes on by itself', () => {
  const events = new EventJsons();
  events.add(output(1, 0xc3));
  const copy = events.copy();
  expect(copy.add(output(2, 0xa9))).toEqual([event(2, 'pty:stdout', 'data', 'é')]);
  expect(events.end()).toEqual([event(1, 'pty:stdout', 'data', { base64: 'ww==' })]);
});

it('whoever begins in the middle reads on as if from the start, after the last three bytes', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const pool = [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xff];
  for (let round = 0; round < 100; round++) {
    const all = Array.from({ length: 30 }, (_, at) =>
      output(at + 1, ...Array.from({ length: 1 + random(4) }, () => pool[random(pool.length)] ?? 0)),
    );
    const whole = new EventJsons();
    const expected = all.flatMap((each) => whole.add(each));
    for (let after = 0; after < all.length; after++) {
      const events = new EventJsons(all.slice(Math.max(0, after - 3), after));
      expect(all.slice(after).flatMap((each) => events.add(each))).toEqual(expected.slice(after));
    }
  }
});
