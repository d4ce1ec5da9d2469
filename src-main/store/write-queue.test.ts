import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Batch } from './messages.ts';
import { numbered, output, runIdOf } from './store.fixture.ts';
import { StoreError } from './store-error.ts';
import { type CommitListener, MAX_PENDING_BYTES, WriteQueue } from './write-queue.ts';

let posted: Batch[];
let queue: WriteQueue;
let seq = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
  posted = [];
  queue = new WriteQueue((batch) => posted.push(batch));
});

afterEach(() => {
  vi.useRealTimers();
});

function write(bytes: number, durable = false, listener: CommitListener | null = null): Promise<void> {
  const events = numbered(runIdOf(1), ++seq, [output('x'.repeat(bytes))]);
  return queue.write({ key: 1, events, extra: null, durable, listener });
}

/** How many operations a batch holds. */
function count({ bytes }: Batch): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let operations = 0;
  for (let at = 0; at < buffer.length; at += 16 + buffer.readUInt32BE(at + 12)) operations++;
  return operations;
}

function commit(batch: Batch | undefined, failures = new Map()): void {
  if (batch === undefined) throw new Error('no such batch');
  queue.handleCommitted({ batchId: batch.id, failures, isSynced: false }, new ArrayBuffer(0));
}

const turn = () => vi.advanceTimersByTime(0);
const sizes = () => posted.map(count);

it('sends what is asked for in one turn together, and at once if somebody waits for it', () => {
  void write(10);
  void write(10);
  turn();
  expect(posted).toEqual([]);
  void write(10, true);
  turn();
  expect(sizes()).toEqual([3]);
  expect(posted[0]?.durable).toBe(true);
});

it('lets small output wait a moment for company, but not large output', () => {
  void write(10);
  vi.advanceTimersByTime(9);
  void write(10);
  expect(posted).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sizes()).toEqual([2]);
  void write(70_000);
  turn();
  expect(sizes()).toEqual([2, 1]);
});

it('gives the writer two batches, and gathers everything else meanwhile', async () => {
  const first = write(10, true);
  turn();
  void write(10, true);
  turn();
  const gathered = [write(10, true), write(10), write(10, true)];
  turn();
  expect(sizes()).toEqual([1, 1]);
  commit(posted[0]);
  await first;
  turn();
  expect(sizes()).toEqual([1, 1, 3]);
  commit(posted[1]);
  commit(posted[2]);
  await Promise.all(gathered);
  expect(queue.pendingBytes).toBe(0);
});

it('bounds a batch, so that a durable write does not wait behind megabytes in one transaction', () => {
  for (let n = 0; n < 50; n++) void write(100_000);
  void write(10, true);
  turn();
  expect(posted).toHaveLength(2);
  for (const batch of posted) {
    commit(batch);
    turn();
  }
  expect(sizes()).toEqual([11, 11, 11, 11, 7]);
  expect(posted.map(({ durable }) => durable)).toEqual([false, false, false, false, true]);
  expect(posted.every(({ bytes }) => bytes.length < 1_300_000)).toBe(true);
});

it('rejects what the writer refused, and only that', async () => {
  const told: number[] = [];
  const listener = { handleCommitted: (lastSeq: number) => told.push(lastSeq) };
  const good = write(1, true, listener);
  const goodSeq = seq;
  const bad = write(1, true, listener);
  turn();
  commit(posted[0], new Map([[1, { code: 'disk-full', message: 'full' }]]));
  await good;
  await expect(bad).rejects.toEqual(new StoreError('disk-full', 'full'));
  expect(told).toEqual([goodSeq]);
});

describe('what waits', () => {
  it('is counted in bytes until it is committed, and refused beyond the bound', async () => {
    const written = write(1_000_000);
    expect(queue.pendingBytes).toBeGreaterThan(1_000_000);
    turn();
    commit(posted[0]);
    await written;
    expect(queue.pendingBytes).toBe(0);
    const chunk = 128 * 1024 * 1024;
    for (let bytes = 0; bytes < MAX_PENDING_BYTES; bytes += chunk) void write(chunk);
    await expect(write(1)).rejects.toThrow(/^Cannot append: 256 MB are waiting to be written/);
  });

  it('is refused with the reason when the writer is gone', async () => {
    const waiting = [write(1, true), write(1)];
    turn();
    waiting.push(write(1));
    queue.end(new StoreError('failed', 'gone'));
    for (const promise of [...waiting, write(1)]) await expect(promise).rejects.toThrow('gone');
    await queue.drained();
  });

  it('is sent without delay when the log is closed', async () => {
    void write(1);
    const drained = queue.drained();
    turn();
    expect(posted).toHaveLength(1);
    commit(posted[0]);
    await drained;
  });
});
