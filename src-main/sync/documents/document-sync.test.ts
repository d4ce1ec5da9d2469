import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { rotateKey } from '../../../src-shared/membership-keys.ts';
import { sessionDocument, setTitle } from '../../../src-shared/workspace-documents.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import { Desks, WITHIN } from './document-sync.fixture.ts';

let desks: Desks;
afterEach(() => desks.dispose());

/** A large document on a busy machine. */
const SLOWLY = { timeout: 120_000, interval: 100 };
const DOCUMENT = sessionDocument(runIdOf(1));

it('[doc-6] what one machine writes is on the others, and is stored when it counts as synced', async () => {
  desks = await Desks.start(2);
  const [a, b] = [desks.at(0), desks.at(1)];
  await a.documents.setTitle(runIdOf(1), 'ours');
  await a.write('begun on a');
  await vi.waitFor(() => expect(b.documents.title(runIdOf(1))).toBe('ours'), WITHIN);
  await vi.waitFor(async () => expect(await b.draft()).toBe('begun on a'), WITHIN);
  await b.write('begun on a, finished on b', 'begun on a');
  await vi.waitFor(async () => expect(await a.draft()).toBe('begun on a, finished on b'), WITHIN);
  await desks.areEqual();
  await a.synced();
  expect((await a.store.listDocuments()).map(({ unsent }) => unsent)).toEqual([false, false]);
});

it('[doc-6] a change that comes in the turn in which a machine has caught up is not left lying', async () => {
  desks = await Desks.start(2, 1);
  const [a, b] = [desks.at(0), desks.at(1)];
  await a.documents.setTitle(runIdOf(1), 'ours');
  await a.synced('workspace');
  // A socket hands over everything that lies in its buffer at once.
  const { link } = b.machine;
  const follow = link.follow.bind(link);
  link.follow = (stream, following) => {
    const buffered: (() => void)[] = [];
    return follow(stream, {
      ...following,
      onBatch: (frame, position) => new Promise((kept) => buffered.push(() => kept(following.onBatch(frame, position)))),
      onCaughtUp: (position) => {
        following.onCaughtUp?.(position);
        for (const handOver of buffered.splice(0)) handOver();
      },
    });
  };
  b.sync();
  await vi.waitFor(() => expect(b.documents.title(runIdOf(1))).toBe('ours'), WITHIN);
});

it('[doc-6] three machines that write apart are equal when they have met', async () => {
  desks = await Desks.start(3);
  const { relay } = desks.machines;
  await desks.at(0).write('one two three');
  await desks.areEqual();
  await relay.kill();
  await desks.at(0).write('zero one two three', 'one two three');
  await desks.at(1).write('one and two three', 'one two three');
  await desks.at(2).write('one two three four', 'one two three');
  for (const [index, desk] of desks.all.entries()) await desk.documents.setTitle(runIdOf(2), `named by ${index}`);
  await relay.start();
  for (const machine of desks.machines.machines) machine.link.retryNow();
  await desks.areEqual();
  await desks.areEqual('workspace');
  expect(await desks.at(1).draft()).toBe('zero one and two three four');
  expect(desks.at(0).documents.title(runIdOf(2))).toMatch(/^named by [012]$/);
});

it('[doc-1] who was away for long, and was started anew, has what came meanwhile and brings its own', async () => {
  desks = await Desks.start(2);
  const [a, b] = [desks.at(0), desks.at(1)];
  await a.write('begun');
  await desks.areEqual();
  await b.close();
  for (let n = 0; n < 200; n++) await a.write(`begun, ${'x'.repeat(n)}`);
  await a.documents.setText(runIdOf(2), 'notes', 'of another session', null);
  await b.open();
  expect(await b.draft()).toBe('begun');
  await b.write('first: begun', 'begun');
  await b.close();
  await b.open();
  b.sync();
  b.sessions.add(runIdOf(2));
  await desks.areEqual();
  expect(await a.draft()).toBe(`first: begun, ${'x'.repeat(199)}`);
  await vi.waitFor(async () => expect((await b.documents.text(runIdOf(2), 'notes')).text).toBe('of another session'), WITHIN);
});

it('[doc-8] a relay that lost its disk gets everything again, from whoever has it', async () => {
  desks = await Desks.start(3, 2);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  const { relay } = desks.machines;
  await a.write('from a');
  await desks.areEqual(DOCUMENT, [a, b]);
  await b.write('from a and b', 'from a');
  await desks.areEqual(DOCUMENT, [a, b]);
  await a.close();
  await relay.kill();
  rmSync(relay.folder, { recursive: true });
  mkdirSync(relay.folder);
  await relay.start();
  for (const machine of desks.machines.machines) machine.link.retryNow();
  c.sync();
  await vi.waitFor(async () => expect(await c.draft()).toBe('from a and b'), WITHIN);
  await a.open();
  a.sync();
  await a.write('from a and b, again', 'from a and b');
  await desks.areEqual();
  expect(await c.draft()).toBe('from a and b, again');
});

it('[doc-6] a relay that was set back gets what it lost, also from who did not see it come back', async () => {
  desks = await Desks.start(3, 2);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  const { relay, machines } = desks.machines;
  const retry = () => machines.map(({ link }) => link.retryNow());
  await a.write('one');
  await desks.areEqual(DOCUMENT, [a, b]);
  await relay.backUp();
  retry();
  await b.write('zero one', 'one');
  for (let n = 2; n < 6; n++) await a.write(`one ${n}`, n === 2 ? 'one' : `one ${n - 1}`);
  await desks.areEqual(DOCUMENT, [a, b]);
  await b.close();
  await relay.setBack();
  retry();
  // By the time that b comes the stream is longer than it knew it, and holds other batches.
  for (let n = 6; n < 16; n++) {
    await a.write(`zero one ${n}`, `zero one ${n - 1}`);
    await desks.areEqual(DOCUMENT, [a]);
  }
  await b.open();
  b.sync();
  await b.write('zero one 15, and b', 'zero one 15');
  c.sync();
  await desks.areEqual();
  // Where b's words stand among a's depends on what of them b had when it wrote; nothing of either is lost or doubled.
  const draft = await c.draft();
  expect(draft).toMatch(/^zero one /);
  expect(draft).toContain(', and b');
  expect([...draft].sort()).toEqual([...'zero one 15, and b'].sort());
});

it('[doc-7] of many updates one snapshot is left, and a newcomer needs no more', async () => {
  desks = await Desks.start(3, 2);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  let text = '';
  for (let n = 0; n < 260; n++) {
    const writer = n % 5 === 0 ? b : a;
    const next = `${text}${n} ${'y'.repeat(400)}\n`;
    await writer.write(next, text);
    text = next;
    if (n % 5 === 4 || n % 5 === 0) await desks.areEqual(DOCUMENT, [a, b]);
  }
  const stream = a.machine.keyring.streamName('document', DOCUMENT);
  const stored = await a.machine.link.ask({ type: 'stream:read', stream });
  const received: number[] = [];
  await new Promise<void>((resolve) => {
    const end = c.machine.link.follow(stream, {
      lane: 'rest',
      cursor: () => 0,
      onBatch: (_frame, position) => void received.push(position ?? 0),
      onCaughtUp: () => {
        end();
        resolve();
      },
    });
  });
  expect(stored.type === 'stream' && stored.lastPosition).toBeGreaterThan(100);
  expect(received.length).toBeLessThan(100);
  c.sync();
  await vi.waitFor(async () => expect(await c.draft()).toBe(text), WITHIN);
  await c.write(`${text}and c`, text);
  await desks.areEqual();
  expect([a, b, c].flatMap(({ problems, machine }) => [...problems, ...machine.problems])).toEqual([]);
});

it('goes on under another key', async () => {
  desks = await Desks.start(2);
  const [a, b] = [desks.at(0), desks.at(1)];
  await a.write('before');
  await desks.areEqual();
  await desks.machines.apply(rotateKey(a.machine.membership, a.machine.signer, 1));
  await a.write('before and after', 'before');
  await b.write('at b: before', 'before');
  await desks.areEqual();
  expect(await a.draft()).toBe('at b: before and after');
});

it('a document of 100,000 titles comes over, and small changes of it stay small', async () => {
  desks = await Desks.start(3, 2);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  a.documents.workspace.doc.transact(() => {
    for (let n = 0; n < 100_000; n++) setTitle(a.documents.workspace.doc, runIdOf(n), `session number ${n}`);
  });
  await vi.waitFor(() => expect(b.documents.title(runIdOf(99_999))).toBe('session number 99999'), SLOWLY);
  await a.documents.setTitle(runIdOf(5), 'mine');
  await vi.waitFor(() => expect(b.documents.title(runIdOf(5))).toBe('mine'), WITHIN);
  c.sync();
  await vi.waitFor(() => expect(c.documents.title(runIdOf(5))).toBe('mine'), SLOWLY);
  await desks.areEqual('workspace');
}, 300_000);
