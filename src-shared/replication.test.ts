import { describe, expect, it } from 'vitest';
import { MachineId } from './ids.ts';
import { EMPTY_STREAM, orderOf, type StreamState, writerOf } from './receive-batch.ts';
import {
  counterFloor,
  laneStart,
  newReplica,
  nextRound,
  reactionTo,
  stateForLog,
  streamStateOf,
  withStream,
} from './replication.ts';
import { type BatchHeader, NO_BATCH_HASH } from './sealed-batch.ts';

const HOST = MachineId.parse('00000000-0000-7000-8000-000000000001');
const hash = (n: number) => n.toString(16).padStart(64, '0');
const header = (counter: number, seqFrom: number, seqTo: number, previousHash: string): BatchHeader => ({
  kind: 'log',
  generation: 1,
  epoch: 1,
  seqFrom,
  seqTo,
  counter,
  machine: HOST,
  stream: 'ab'.repeat(16),
  previousHash,
  chainHead: hash(0),
});
const atRelay = { epoch: 1, isHeldByUs: true, isHolderGone: false, lastSeq: 5, lastPosition: 5, counter: 3, hash: hash(3) };

describe('where a publisher goes on', () => {
  it('behind what the relay has, from the beginning where it has nothing', () => {
    expect(laneStart(null, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'send', after: 0 });
    expect(laneStart(atRelay, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'send', after: 5 });
  });

  it('nowhere where another machine holds the session, or this one was set back', () => {
    const other = { ...atRelay, isHeldByUs: false };
    expect(laneStart({ ...other, epoch: 2 }, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'stop', why: 'taken-over' });
    expect(laneStart({ ...atRelay, isHeldByUs: false }, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'stop', why: 'taken-over' });
    expect(laneStart(atRelay, { epoch: 1, durableSeq: 4 })).toEqual({ is: 'stop', why: 'set-back' });
  });

  it('[replica-16] takes over what a machine held that is gone, and begins the epoch that it got before anything is sent', () => {
    const gone = { ...atRelay, isHeldByUs: false, isHolderGone: true };
    expect(laneStart(gone, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'take', from: 1 });
    expect(laneStart(gone, { epoch: 1, durableSeq: 4 })).toEqual({ is: 'stop', why: 'set-back' });
    expect(laneStart({ ...atRelay, epoch: 2 }, { epoch: 1, durableSeq: 9 })).toEqual({ is: 'begin', epoch: 2 });
    expect(laneStart({ ...atRelay, epoch: 2 }, { epoch: 2, durableSeq: 9 })).toEqual({ is: 'send', after: 5 });
    // The relay was set back to before it was asked.
    expect(laneStart(atRelay, { epoch: 3, durableSeq: 9 })).toEqual({ is: 'take', from: 1 });
  });

  it('with counters above those of every earlier life', () => {
    expect(counterFloor({ counter: 3 }, { counter: 0 }, 0)).toBe(3);
    const later = counterFloor({ counter: 1023 }, { counter: 0 }, 1);
    expect(later).toBe(1024);
    expect(counterFloor({ counter: later + 7 }, { counter: later }, 1)).toBe(later + 7);
    // Also of those that an old copy of its data does not know, and after a clock that was set back.
    expect([nextRound(0, 5_000_000), nextRound(5_000_000, 3_000)]).toEqual([5_000_000, 5_001_000]);
    expect(Number.isSafeInteger(counterFloor({ counter: 0 }, { counter: 0 }, nextRound(0, 1e15)) + 2 ** 40)).toBe(true);
    // A relay that was set back.
    expect(counterFloor({ counter: later + 2 }, { counter: later + 7 }, 1)).toBe(later + 7);
  });

  it('asks again where the relay stands elsewhere, waits where it cannot store, stops where it is not the holder', () => {
    expect([reactionTo('gap'), reactionTo('quota'), reactionTo('wrong-generation'), reactionTo('fenced')]).toEqual([
      'look-again',
      'wait-and-look',
      'wait-for-chain',
      'stop',
    ]);
    expect(reactionTo('counter-reused')).toBe('stop');
  });
});

describe('[replica-6] a log that was cut anew', () => {
  const take = (state: StreamState, batch: BatchHeader, own: string) =>
    orderOf({ header: batch, hash: own }, stateForLog(state, batch, writerOf(batch)), 'reader');
  const at = (counter: number, lastSeq: number): StreamState => ({
    epoch: 1,
    holder: HOST,
    lastSeq,
    writers: new Map([[writerOf({ kind: 'log', machine: HOST }), { counter, hash: hash(counter) }]]),
  });

  it('goes on by its events, whatever batches were missed', () => {
    expect(take(at(3, 5), header(2 ** 32 + 1, 4, 8, NO_BATCH_HASH), hash(77))).toMatchObject({
      is: 'next',
      state: { lastSeq: 8 },
    });
  });

  it('leaves out no event, and takes no counter twice', () => {
    expect(take(at(3, 5), header(2 ** 32 + 1, 7, 8, NO_BATCH_HASH), hash(77))).toEqual({ is: 'refused', why: 'gap' });
    expect(take(at(3, 5), header(2, 6, 8, NO_BATCH_HASH), hash(77))).toEqual({ is: 'refused', why: 'replayed' });
    expect(take(at(3, 5), header(3, 6, 8, NO_BATCH_HASH), hash(77))).toEqual({ is: 'refused', why: 'counter-reused' });
  });
});

it('what is kept of a stream is what comes back', () => {
  const state = {
    ...EMPTY_STREAM,
    epoch: 2,
    holder: HOST,
    lastSeq: 9,
    writers: new Map([['log x', { counter: 4, hash: hash(4) }]]),
  };
  expect(streamStateOf(withStream(newReplica(HOST, 'laptop', 1), state, 1_000))).toEqual(state);
});
