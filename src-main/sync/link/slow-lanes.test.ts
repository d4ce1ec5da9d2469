import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SLOW_BYTES_PER_SECOND, TestLine } from '../line.fixture.ts';
import { Peers } from '../passing/peers.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';

const [LARGE, KEYS] = ['ab', 'cd'].map((byte) => byte.repeat(16)) as [string, string];
const WITHIN = { timeout: 20_000, interval: 5 };
/** What may come between a key and its arrival: what was on the way already. Each of the large things has several times as much. */
const MOST_IN_BETWEEN = 96 * 1024;

let synced: SyncedMachines;
let line: TestLine;
let far: SyncedMachine;
/** The one with the slow line. */
let slow: SyncedMachine;
beforeEach(async () => {
  synced = await SyncedMachines.start('start');
  [far, slow] = synced.machines as [SyncedMachine, SyncedMachine];
  line = new TestLine(() => synced.relay.port);
  slow.link.stop();
  slow.connect(await line.listen());
  await slow.live();
});
afterEach(async () => {
  await synced.dispose();
  await line.close();
});

/** Bytes that the line carried between a key that is typed while something large is on its way, and its arrival. */
async function inBetween(direction: 'to-relay' | 'from-relay', large: () => Promise<unknown>): Promise<number> {
  const [from, to] = direction === 'to-relay' ? [slow, far] : [far, slow];
  const came = new Promise<void>((resolve) => {
    to.link.follow(KEYS, { lane: 'watch', isPassing: true, cursor: () => 0, onBatch: () => resolve() });
  });
  // It is followed by then.
  await to.link.ask({ type: 'stream:read', stream: KEYS }).catch(() => {});
  line.slowDown(SLOW_BYTES_PER_SECOND);
  const before = line.carried[direction];
  const all = large();
  await vi.waitFor(() => expect(line.carried[direction] - before).toBeGreaterThan(10_000), WITHIN);
  const typed = line.carried[direction];
  from.link.pass(from.signer.seal({ kind: 'input', stream: KEYS }, 'y').frame);
  await came;
  const bytes = line.carried[direction] - typed;
  line.mend();
  await all;
  return bytes;
}

it.each([
  ['a page of history', 'log', [240_000, 240_000]],
  ['a checkpoint', 'index', [500_000]],
] as const)('[slow-3] a key does not wait for %s', async (_, kind, sizes) => {
  for (const size of sizes) await far.link.append(far.signer.seal({ kind, stream: LARGE }, randomBytes(size)).frame, 'rest');
  const page = () => slow.link.ask({ type: 'stream:page', stream: LARGE, after: 0 });
  expect(await inBetween('from-relay', page)).toBeLessThan(MOST_IN_BETWEEN);
});

it('[slow-3] a key does not wait for a document that is followed', async () => {
  const { frame } = far.signer.seal({ kind: 'document', stream: LARGE }, randomBytes(800_000));
  await far.link.append(frame, 'rest');
  const followed = () =>
    new Promise<void>((resolve) => {
      slow.link.follow(LARGE, { lane: 'rest', cursor: () => 0, onBatch: () => resolve() });
    });
  expect(await inBetween('from-relay', followed)).toBeLessThan(MOST_IN_BETWEEN);
});

it('[slow-3] a key does not wait for a checkpoint or a document on the way up', async () => {
  const { frame } = slow.signer.seal({ kind: 'document', stream: LARGE }, randomBytes(700_000));
  expect(await inBetween('to-relay', () => slow.link.append(frame, 'rest'))).toBeLessThan(MOST_IN_BETWEEN);
});

it.each(['from-relay', 'to-relay'] as const)(
  '[slow-3] a key does not wait for a large message between machines, %s',
  async (direction) => {
    const [from, to] = direction === 'to-relay' ? [slow, far] : [far, slow];
    const [sender, receiver] = [new Peers(from), new Peers(to)];
    const { machine } = to.signer;
    await vi.waitFor(() => expect(sender.isFresh(machine)).toBe(true), WITHIN);
    const params = { picture: randomBytes(500_000).toString('base64') };
    const call = { type: 'call', callId: randomUUID(), operation: 'engine.status', params } as const;
    expect(await inBetween(direction, () => sender.send(machine, call))).toBeLessThan(MOST_IN_BETWEEN);
    sender.stop();
    receiver.stop();
  },
);
