import { afterAll, beforeAll, expect, it } from 'vitest';
import { EMPTY_STREAM, receiveBatch } from '../../src-shared/receive-batch.ts';
import { NO_BATCH_HASH } from '../../src-shared/sealed-batch.ts';
import { SyncedMachines } from './sync.fixture.ts';
import { seal } from './sync-context.ts';

let synced: SyncedMachines;
beforeAll(async () => {
  synced = await SyncedMachines.start('start');
});
afterAll(() => synced.dispose());

it('[seal-6] what a machine seals reaches another one of its workspace, and opens there', async () => {
  const [a, b] = synced.machines;
  if (a === undefined || b === undefined) throw new Error('two machines were asked for');
  const stream = a.keyring.streamName('log', 'run');
  const received = new Promise<Uint8Array>((resolve) =>
    b.link.follow(stream, { lane: 'watch', cursor: () => 0, onBatch: (frame) => resolve(frame) }),
  );
  const header = { kind: 'log', stream, epoch: 1, seqFrom: 1, seqTo: 1, counter: 1, previousHash: NO_BATCH_HASH } as const;
  const batch = seal(a, header, new TextEncoder().encode('hello'));
  await a.link.ask({ type: 'batch', frame: batch.frame, release: null });
  const opened = receiveBatch(await received, { membership: b.membership, keyring: b.keyring, state: EMPTY_STREAM });
  expect(opened.is === 'opened' && new TextDecoder().decode(opened.payload)).toBe('hello');
});
