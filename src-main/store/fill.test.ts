import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LogEvent } from '../../src-shared/events.ts';
import { FIRST_EPOCH, Seq } from '../../src-shared/ids.ts';
import { json, newSession, numbered, output, runIdOf, temporaryFolder } from './store.fixture.ts';
import { openStore, type Store } from './store.ts';

const RUN = runIdOf(1);
const EVENTS: readonly LogEvent[] = numbered(
  RUN,
  1,
  Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? json({ index }) : output(`line ${index}\n`))),
);
const CUT = 12;

const folders = [temporaryFolder(), temporaryFolder()] as const;
let host: Store;
let replica: Store;

/** The replica has the log from behind event CUT on. */
beforeEach(async () => {
  host = await openStore({ file: folders[0].file });
  replica = await openStore({ file: folders[1].file });
  await host.createSession(newSession(RUN), { events: EVENTS.slice(0, CUT), durable: true });
  const head = await host.verify(RUN);
  if (!head.ok) throw new Error(head.message);
  await host.append({ runId: RUN, events: EVENTS.slice(CUT), durable: true });
  const { seq, ts, epoch } = EVENTS[CUT - 1] as LogEvent;
  await replica.createSession(newSession(RUN), {
    behind: { seq, ts, epoch, hash: head.headHash },
    events: EVENTS.slice(CUT),
    durable: true,
  });
});
afterEach(async () => {
  await Promise.all([host.close(), replica.close()]);
  for (const folder of folders) folder.remove();
});

const all = { runId: RUN, limit: 1_000, maxBytes: 1_000_000 };

it('[seq-10] a log that begins at its end goes on, says what is missing, and becomes the same when that is filled in', async () => {
  expect(replica.durableSeq(RUN)).toBe(20);
  expect(await replica.missing(RUN)).toEqual({ fromSeq: 1, toSeq: CUT });
  const [gap, first] = await replica.read(all);
  expect(gap).toMatchObject({ seq: CUT, type: 'gap', payload: { fromSeq: 1, toSeq: CUT } });
  expect(first).toEqual(EVENTS[CUT]);

  await replica.fill(RUN, EVENTS.slice(0, 5));
  expect(await replica.missing(RUN)).toEqual({ fromSeq: 6, toSeq: CUT });
  await replica.append({ runId: RUN, events: numbered(RUN, 21, [output('meanwhile\n')]), durable: true });
  await host.append({ runId: RUN, events: numbered(RUN, 21, [output('meanwhile\n')]), durable: true });
  await replica.fill(RUN, EVENTS.slice(5, CUT));
  expect(await replica.missing(RUN)).toBeNull();
  expect(await replica.read(all)).toEqual(await host.read(all));
  expect(await replica.verify(RUN)).toEqual(await host.verify(RUN));
  expect(await replica.outputBytes()).toEqual(await host.outputBytes());
});

it('[seq-10] what has another history, or does not begin where something is missing, is refused and changes nothing', async () => {
  await replica.fill(RUN, EVENTS.slice(0, 3));
  const before = await replica.read(all);
  const forged = EVENTS.slice(3, CUT).map((event, index) => (index === 4 ? { ...event, ts: event.ts + 1 } : event));
  await expect(replica.fill(RUN, forged)).rejects.toMatchObject({ code: 'forked' });
  await expect(replica.fill(RUN, EVENTS.slice(4, 6))).rejects.toMatchObject({ code: 'not-continuing' });
  await expect(replica.fill(RUN, EVENTS.slice(3, CUT + 2))).rejects.toMatchObject({ code: 'not-continuing' });
  expect(await replica.read(all)).toEqual(before);
  await replica.fill(RUN, EVENTS.slice(3, CUT));
  await expect(replica.fill(RUN, EVENTS.slice(0, 1))).rejects.toMatchObject({ code: 'not-continuing' });
});

it('[seq-10] what its host has given up meanwhile is filled in as a run that is gone', async () => {
  const head = await host.verify(RUN);
  await replica.fill(RUN, EVENTS.slice(0, 2));
  const lost = { fromSeq: Seq.parse(3), toSeq: Seq.parse(CUT), ts: 5, epoch: FIRST_EPOCH, bytes: 70, reason: 'quota' };
  await expect(replica.fill(RUN, { ...lost, hash: '00'.repeat(32) })).rejects.toMatchObject({ code: 'forked' });
  await replica.fill(RUN, { ...lost, hash: await hashOfCut() });
  expect(await replica.missing(RUN)).toBeNull();
  expect((await replica.read(all))[2]).toMatchObject({ seq: CUT, payload: { fromSeq: 3, toSeq: CUT, reason: 'quota' } });
  expect(await replica.verify(RUN)).toEqual(head);
});

async function hashOfCut(): Promise<string> {
  const folder = temporaryFolder();
  const store = await openStore({ file: folder.file });
  await store.createSession(newSession(RUN), { events: EVENTS.slice(0, CUT), durable: true });
  const head = await store.verify(RUN);
  await store.close();
  folder.remove();
  if (!head.ok) throw new Error(head.message);
  return head.headHash;
}
