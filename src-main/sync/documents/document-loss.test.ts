import { afterEach, expect, it, vi } from 'vitest';
import { sessionDocument } from '../../../src-shared/workspace-documents.ts';
import { runIdOf } from '../../store/store.fixture.ts';
import { DocumentCheck } from './document-checks.ts';
import { Desks, WITHIN } from './document-sync.fixture.ts';

let desks: Desks;
afterEach(async () => {
  vi.restoreAllMocks();
  await desks.dispose();
});

vi.setConfig({ testTimeout: 120_000 });
const DOCUMENT = sessionDocument(runIdOf(1));

/** Changes that hold these words lie unread from now on, until what this returns is called. */
function holdChecks(words: string): () => void {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const check = DocumentCheck.prototype.check;
  vi.spyOn(DocumentCheck.prototype, 'check').mockImplementation(async function (this: DocumentCheck, updates) {
    if (Buffer.concat(updates).includes(words)) await released;
    return check.call(this, updates);
  });
  return release;
}

it('[doc-12] what came of another machine and was not read yet when the line was lost comes again', async () => {
  desks = await Desks.start(2);
  const [a, b] = [desks.at(0), desks.at(1)];
  await a.write('one two');
  await desks.areEqual();
  const { relay, machines } = desks.machines;
  const release = holdChecks('zero');
  await b.write('zero one two', 'one two');
  await b.synced(DOCUMENT);
  await a.write('one two three', 'one two');
  await a.synced(DOCUMENT);
  await relay.kill();
  await vi.waitFor(() => expect(a.machine.link.state.is).not.toBe('live'), WITHIN);
  release();
  await relay.start();
  for (const { link } of machines) link.retryNow();
  await desks.areEqual();
  expect(await a.draft()).toBe('zero one two three');
});

it('[doc-12] a snapshot holds whatever it takes the place of, also what its writer has not read yet', async () => {
  desks = await Desks.start(3, 2);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  const stream = a.machine.keyring.streamName('document', DOCUMENT);
  const stored = async () => {
    const answer = await a.machine.link.ask({ type: 'stream:read', stream });
    return answer.type === 'stream' ? answer.lastPosition : 0;
  };
  let text = 'y'.repeat(80_000);
  await a.write(text);
  await desks.areEqual(DOCUMENT, [a, b]);
  for (let n = await stored(); n < 63; n++) {
    await a.write(`${text}.`, text);
    await a.synced(DOCUMENT);
    text += '.';
  }
  await desks.areEqual(DOCUMENT, [a, b]);
  // What b writes reaches a right behind the answer to what a wrote.
  const { link } = a.machine;
  const release = holdChecks('and b');
  const ask = link.ask.bind(link);
  link.ask = async (request) => {
    const answer = await ask(request);
    if (request.type === 'batch') {
      await b.write(`and b, ${text}`, text);
      await b.synced(DOCUMENT);
      await vi.waitFor(async () => expect(await stored()).toBe(65), WITHIN);
      await ask({ type: 'stream:read', stream });
    }
    return answer;
  };
  await a.write(`${text}!`, text);
  await a.synced(DOCUMENT);
  link.ask = ask;
  release();
  c.sync();
  await desks.areEqual();
  expect(await c.draft()).toBe(`and b, ${text}!`);
});

it('[doc-6] a relay that was set back gets back what only one machine has, though others have written meanwhile', async () => {
  desks = await Desks.start(3, 1);
  const [a, b, c] = [desks.at(0), desks.at(1), desks.at(2)];
  const { relay, machines } = desks.machines;
  const retry = () => machines.map(({ link }) => link.retryNow());
  await a.write('one');
  await a.synced(DOCUMENT);
  await relay.backUp();
  retry();
  b.sync();
  await b.synced(DOCUMENT);
  await a.close();
  for (let n = 2; n < 6; n++) await b.write(`one ${n}`, n === 2 ? 'one' : `one ${n - 1}`);
  await b.synced(DOCUMENT);
  await b.close();
  await relay.setBack();
  retry();
  await a.open();
  a.sync();
  for (let n = 0; n < 8; n++) {
    await a.write(`${'x'.repeat(n + 1)} one`, n === 0 ? 'one' : `${'x'.repeat(n)} one`);
    await a.synced(DOCUMENT);
  }
  // It has written nothing since, and the stream is longer than it knew it.
  await b.open();
  b.sync();
  c.sync();
  await desks.areEqual();
  expect(await c.draft()).toBe(`${'x'.repeat(8)} one 5`);
});
