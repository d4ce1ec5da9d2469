import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NewEvent } from '../../src-shared/events.ts';
import { type RunId, Seq } from '../../src-shared/ids.ts';
import { json, newSession, numbered, output, prompt, runIdOf, temporaryFolder } from './store.fixture.ts';
import { type ChainedEvent, type ChainedGap, type ChainedPage, openStore, type Store } from './store.ts';

const RUN_ID = runIdOf(1);
const END = Seq.parse(Number.MAX_SAFE_INTEGER);
let folders: ReturnType<typeof temporaryFolder>[];
let host: Store;
let replica: Store;

beforeEach(async () => {
  folders = [temporaryFolder(), temporaryFolder()];
  [host, replica] = (await Promise.all(folders.map(({ file }) => openStore({ file })))) as [Store, Store];
  await replica.createSession({ ...newSession(RUN_ID), replica: { at: 0 } }, { events: [], durable: false });
});

afterEach(async () => {
  await Promise.all([host.close(), replica.close()]);
  for (const folder of folders) folder.remove();
});

function page(store: Store, after = 0, maxBytes = 1e9): Promise<ChainedPage> {
  return store.readChained({ runId: RUN_ID, after: Seq.parse(after), upTo: END, maxBytes });
}

/** As it arrives on another machine: payloads read and written again. */
async function take({ items, headHash, toSeq }: ChainedPage): Promise<void> {
  const events = items.filter((item): item is ChainedEvent => 'seq' in item);
  const gaps = items.filter((item): item is ChainedGap => 'fromSeq' in item);
  await replica.append({
    runId: RUN_ID,
    events: events.map(({ isJson, payload, ...event }) => ({
      ...event,
      runId: RUN_ID,
      payload: isJson ? JSON.parse(Buffer.from(payload).toString()) : payload,
    })),
    durable: false,
    replica: { state: { at: toSeq }, gaps, headHash },
  });
}

function hosted(events: readonly NewEvent[]): Promise<void> {
  return host.createSession(newSession(RUN_ID), { events: numbered(RUN_ID, 1, events), durable: true });
}

const verdicts = () => Promise.all([host.verify(RUN_ID), replica.verify(RUN_ID)]);

it('[replica-1] a replica that got its events in pieces has the chain of its host, byte for byte', async () => {
  await hosted([prompt('ü \ud83d\ude00 "'), output('\x1b[1m'), json({ b: [1e300, -0.5], a: null, 7: 'x' }), output('end')]);
  for (let after = 0; ; ) {
    const next = await page(host, after, 1);
    if (next.items.length === 0) break;
    await take(next);
    after = next.toSeq;
  }
  const [ofHost, ofReplica] = await verdicts();
  expect(ofReplica).toEqual(ofHost);
  expect(ofReplica.ok).toBe(true);
  const bounds = { runId: RUN_ID, limit: 100, maxBytes: 1e9 };
  expect(await replica.read(bounds)).toEqual(await host.read(bounds));
  expect((await replica.listSessions()).map((row) => row.replica)).toEqual([{ at: 4 }]);
  expect((await host.listSessions()).map((row) => row.replica)).toEqual([null]);
});

it('[replica-3] runs that its host no longer has arrive as gaps, and the chain goes on behind them', async () => {
  const events = Array.from({ length: 40 }, (_, at) => (at % 5 === 3 ? json({ at }) : output(`line ${at} `.repeat(50))));
  await hosted(events);
  await host.compactOutput(RUN_ID, 2_000);
  await take(await page(host));
  const [ofHost, ofReplica] = await verdicts();
  expect(ofReplica).toEqual(ofHost);
  const bounds = { runId: RUN_ID, limit: 100, maxBytes: 1e9 };
  const read = await replica.read(bounds);
  expect(read).toEqual(await host.read(bounds));
  expect(read.some(({ type }) => type === 'gap')).toBe(true);
});

it('a replica that stands inside a run which is gone now gets what is left of it', async () => {
  await hosted(Array.from({ length: 20 }, (_, at) => output(`line ${at} `.repeat(50))));
  await take(await page(host, 0, 1_500));
  await host.compactOutput(RUN_ID, 1_000);
  const [row] = await replica.listSessions();
  await take(await page(host, row?.lastSeq));
  const [ofHost, ofReplica] = await verdicts();
  expect(ofReplica).toEqual(ofHost);
});

it('[replica-4] a log that comes to another hash than its host’s is refused as a whole', async () => {
  await hosted([output('one'), output('two')]);
  const { items, toSeq } = await page(host);
  await expect(take({ items, toSeq, headHash: 'ab'.repeat(32) })).rejects.toMatchObject({ code: 'forked' });
  expect((await replica.listSessions())[0]).toMatchObject({ lastSeq: 0, replica: { at: 0 } });
  expect((await page(replica)).items).toEqual([]);
  await take(await page(host));
  expect((await replica.listSessions())[0]).toMatchObject({ lastSeq: 2, replica: { at: 2 } });
});

it('a gap that does not follow is refused', async () => {
  const gap = {
    fromSeq: Seq.parse(2),
    toSeq: Seq.parse(9),
    epoch: newSession(RUN_ID).epoch,
    ts: 1,
    bytes: 1,
    reason: 'quota',
    hash: null,
  };
  await expect(take({ items: [gap], toSeq: Seq.parse(9), headHash: null })).rejects.toMatchObject({ code: 'not-continuing' });
});

it('where events lie and where a replica stands survive a restart together', async () => {
  await hosted([output('one'), output('two')]);
  await take(await page(host));
  await replica.close();
  replica = await openStore({ file: folders[1]?.file ?? '' });
  expect((await replica.listSessions())[0]).toMatchObject({ lastSeq: 2, replica: { at: 2 } });
  await replica.deleteSession(RUN_ID);
  expect(await replica.listSessions()).toEqual([]);
});

it('[replica-2] after a sync everything that was appended before is fsynced', async () => {
  await hosted([output('one')]);
  const runId: RunId = RUN_ID;
  void host.append({ runId, events: numbered(runId, 2, [output('two')]), durable: false });
  await host.sync();
  expect(host.durableSeq(runId)).toBe(2);
});
