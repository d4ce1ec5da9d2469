import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newEvent } from '../../../src-shared/events.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import { revokeMachine } from '../../../src-shared/membership-keys.ts';
import { receiveBatch, writerOf } from '../../../src-shared/receive-batch.ts';
import { counterAt, newReplica, stateForLog, streamStateOf } from '../../../src-shared/replication.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import { ECHO, outputOf, pty, watch } from '../../engine/engine.fixture.ts';
import { standing as standingAtRelay } from '../link/standing.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import { seal } from '../sync-context.ts';
import { type Side, Sides, WITHIN } from './replication.fixture.ts';

let sides: Sides;
let a: Side;
let b: Side;

beforeEach(async () => {
  sides = await Sides.start('start');
  [a, b] = [sides.at(0), sides.at(1)];
});
afterEach(() => sides.dispose());

const standing = (side: Side, runId: RunId) => side.here.engine.sessions.get(runId)?.summary().remote?.connection;
const logHeader = (stream: string) =>
  ({ kind: 'log', stream, epoch: 1, seqFrom: 100, seqTo: 100, previousHash: NO_BATCH_HASH }) as const;
const says = (side: Side, runId: RunId, text: string) => side.here.engine.hosted.get(runId)?.output(Buffer.from(text));

it('[replica-1] a session of one machine is on the other, byte for byte, live, in lists and in its search', async () => {
  const runId = await a.here.create(pty('printf', ['hello %s\\r\\n', 'laptop']));
  await b.hasAllOf(a, runId);
  const watcher = watch(b.here.connect(), runId, { viewport: { cols: 80, rows: 24 } });
  await watcher.until(() => watcher.text.includes('hello laptop') && watcher.state?.status === 'ended');
  await b.hasAllOf(a, runId);
  expect(b.here.engine.session(runId).summary()).toMatchObject({
    machineId: a.machine.signer.machine,
    remote: { connection: 'live', historyComplete: true },
    status: 'ended',
  });
  expect(a.here.engine.session(runId).summary().remote).toBeNull();
  expect([b.here.engine.hosted.size, b.here.engine.sessions.size]).toEqual([0, 1]);
  await vi.waitFor(async () => {
    const { hits } = await b.here.store.search({ query: 'laptop', limit: 5 });
    expect(hits.map((hit) => hit.runId)).toEqual([runId]);
  }, WITHIN);
});

/** So often the relay is killed under load: more where it is asked for. */
const KILLS = Number(process.env.BATON_KILLS ?? 5);

it('[replica-1] while output floods, the relay is killed and each machine is started anew, nothing is lost or twice', {
  timeout: 60_000 + KILLS * 30_000,
}, async () => {
  const flood = `i=0; while [ $i -lt ${KILLS * 4_000} ]; do echo "line $i of a long output"; i=$((i+1)); done`;
  const runId = await a.here.create(pty('sh', ['-c', flood]));
  const { relay } = sides.synced;
  for (let round = 0; round < KILLS; round++) {
    const before = b.here.engine.sessions.get(runId)?.log.published.seq ?? 0;
    const isOver = () => a.here.engine.session(runId).log.published.state.status === 'ended';
    await vi.waitFor(() => {
      expect((b.here.engine.sessions.get(runId)?.log.published.seq ?? 0) > before || isOver()).toBe(true);
    }, WITHIN);
    await relay.kill();
    await relay.start();
    await sides.reconnected();
  }
  await b.restart();
  await vi.waitFor(() => expect(a.here.engine.session(runId).log.published.state.status).toBe('ended'), WITHIN);
  await b.hasAllOf(a, runId);
  await a.restart();
  await b.hasAllOf(a, runId);
  const events = await b.here.store.read({ runId, limit: 100_000, maxBytes: 1e9 });
  const lines = outputOf(events).toString().trimEnd().split('\r\n');
  expect(lines).toHaveLength(KILLS * 4_000);
  expect(lines.at(-1)).toBe(`line ${KILLS * 4_000 - 1} of a long output`);
});

it('[replica-17] a machine whose parts are stopped and started in the middle of everything goes on where it stood', async () => {
  const loop = 'i=0; while [ $i -lt 6000 ]; do echo "line $i"; i=$((i+1)); done';
  const runIds = [await b.here.create(pty('sh', ['-c', loop])), await b.here.create(pty('sh', ['-c', loop]))];
  // As when its relay has another address: the next ones begin at once.
  for (let round = 0; round < 15; round++) {
    await a.stop();
    await a.start();
  }
  for (const runId of runIds) {
    await vi.waitFor(() => expect(b.here.engine.session(runId).log.published.state.status).toBe('ended'), WITHIN);
    await a.hasAllOf(b, runId);
  }
  expect(a.notices).toEqual([]);
});

it('[replica-11] an event that is larger than a batch comes in pieces, as it is, also when the relay dies on the way', async () => {
  const runId = await a.here.create(ECHO);
  const session = a.here.engine.hosted.get(runId);
  const base64 = randomBytes(1_200_000).toString('base64');
  await session?.append([newEvent('claude:message', 'message', { message: { type: 'picture', base64 } as never })]);
  await session?.append([{ channel: 'pty:stdout', type: 'data', payload: new Uint8Array(randomBytes(1_000_000)) }]);
  await sides.synced.relay.kill();
  await sides.synced.relay.start();
  await sides.reconnected();
  says(a, runId, 'behind it');
  await b.hasAllOf(a, runId);
  await sides.synced.relay.kill();
  rmSync(sides.synced.relay.folder, { recursive: true });
  mkdirSync(sides.synced.relay.folder);
  await sides.synced.relay.start();
  await sides.reconnected();
  says(a, runId, 'and on');
  await b.hasAllOf(a, runId);
  const events = await b.here.store.read({ runId, limit: 100, maxBytes: 1e9 });
  // Byte by byte they are compared by their hashes.
  expect(events.some(({ type }) => type === 'gap')).toBe(false);
  expect(events.some(({ payload }) => payload instanceof Uint8Array && payload.byteLength === 1_000_000)).toBe(true);
});

it('[replica-5] away from its host a replica is read and searched, after a restart too, and says that it is old', async () => {
  const runId = await a.here.create(ECHO);
  says(a, runId, 'said before the train');
  await b.hasAllOf(a, runId);
  await sides.synced.relay.kill();
  await vi.waitFor(() => expect(standing(b, runId)).toBe('away'), WITHIN);
  says(a, runId, 'said meanwhile');
  await b.restart();
  expect(b.here.engine.session(runId).summary().remote).toMatchObject({ connection: 'away', heardAt: expect.any(String) });
  expect(outputOf(await b.here.store.read({ runId, limit: 100, maxBytes: 1e6 })).toString()).toBe('said before the train');
  await expect(b.here.engine.session(runId).execute({ kind: 'close', inputId: runId as never }, 'c')).rejects.toThrow(
    /out of reach/,
  );
  await sides.synced.relay.start();
  await sides.reconnected();
  await b.hasAllOf(a, runId);
  await vi.waitFor(() => expect(standing(b, runId)).toBe('live'), WITHIN);
});

it('[replica-6] a relay that lost its disk gets every log and card again, and readers go on where they were', async () => {
  const runId = await a.here.create(ECHO);
  for (let n = 0; n < 20; n++) says(a, runId, `before ${n} `);
  await b.hasAllOf(a, runId);
  await sides.synced.relay.kill();
  says(a, runId, 'while it was gone ');
  rmSync(sides.synced.relay.folder, { recursive: true });
  mkdirSync(sides.synced.relay.folder);
  await sides.synced.relay.start();
  await sides.reconnected();
  says(a, runId, 'after');
  const other = await b.here.create(ECHO);
  await b.hasAllOf(a, runId);
  await a.hasAllOf(b, other);
});

it('[replica-3] what its host compacted before the relay had it comes as a gap', async () => {
  await sides.synced.relay.kill();
  const runId = await a.here.create(ECHO);
  for (let n = 0; n < 50; n++) says(a, runId, 'x'.repeat(1_000));
  await a.here.store.sync();
  await a.here.store.compactOutput(runId, 10_000);
  await sides.synced.relay.start();
  await sides.reconnected();
  await b.hasAllOf(a, runId);
  const events = await b.here.store.read({ runId, limit: 1_000, maxBytes: 1e9 });
  expect(events).toEqual(await a.here.store.read({ runId, limit: 1_000, maxBytes: 1e9 }));
  expect(events.some(({ type }) => type === 'gap')).toBe(true);
});

it('[replica-4] two histories: what was here stays, it is not followed any more, and the user is told', async () => {
  const runId = await a.here.create(ECHO);
  await b.hasAllOf(a, runId);
  const replica = b.here.engine.remote.all.get(runId)?.replica;
  await sides.synced.relay.kill();
  // What a set-back disk does: the replica has an event that its host's log has otherwise.
  const session = b.here.engine.session(runId);
  const seq = (session.log.published.seq + 1) as typeof session.log.published.seq;
  const invented = { runId, seq, epoch: session.epoch, ts: 1, ...newEvent('system:status', 'failed', { message: 'invented' }) };
  if (replica === undefined) throw new Error('there is no replica');
  await b.here.store.append({
    runId,
    events: [invented],
    durable: true,
    replica: { state: { ...replica, lastSeq: seq }, gaps: [], headHash: null },
  });
  await b.restart();
  says(a, runId, 'what really happened');
  says(a, runId, 'and more of it');
  await sides.synced.relay.start();
  await sides.reconnected();
  await vi.waitFor(() => expect(standing(b, runId)).toBe('forked'), WITHIN);
  expect(b.notices.join()).toMatch(/another history/);
  expect(
    (await b.here.store.read({ runId, after: (seq - 1) as typeof seq, limit: 10, maxBytes: 1e6 })).map(({ type }) => type),
  ).toEqual(['failed']);
  await b.restart();
  expect(standing(b, runId)).toBe('forked');
});

it('[replica-18] a session that its host cannot send says why for as long as it is so', async () => {
  const runId = await a.here.create(ECHO);
  await b.hasAllOf(a, runId);
  const unsent = () => a.here.engine.session(runId).summary().unsent;
  expect(unsent()).toBeNull();
  // As one that believes to be the host of it.
  const { link, keyring } = b.machine;
  const stream = keyring.streamName('log', runId);
  await link.ask({ type: 'lease:take', stream, epoch: 1, signature: link.signLease(stream, 2) });
  says(a, runId, 'what the others do not hear');
  await vi.waitFor(() => expect(unsent()).toMatch(/^Another machine/), WITHIN);
  expect(a.notices.join()).toMatch(/not sent to your other machines/);
  await a.stop();
  expect(unsent()).toBeNull();
});

it('[replica-18] a session whose log cannot be taken says so', async () => {
  const runId = await a.here.create(ECHO);
  await b.hasAllOf(a, runId);
  const stream = a.machine.keyring.streamName('log', runId);
  const atRelay = await standingAtRelay(a.machine, stream, 'log');
  if (atRelay === null) throw new Error('the relay does not know it');
  const { counter, hash: previousHash, lastSeq, epoch } = atRelay;
  const range = { epoch, seqFrom: lastSeq + 1, seqTo: lastSeq + 1 };
  const batch = seal(a.machine, { kind: 'log', stream, ...range, counter: counter + 1, previousHash }, randomBytes(64));
  await a.machine.link.ask({ type: 'batch', frame: batch.frame, release: null });
  await vi.waitFor(() => expect(standing(b, runId)).toBe('refused'), WITHIN);
});

it('[replica-7] a session that is deleted where it is hosted goes everywhere, also from a machine that was away then', async () => {
  const [one, two] = [await a.here.create(ECHO), await a.here.create(ECHO)];
  await b.hasAllOf(a, one);
  await b.hasAllOf(a, two);
  const remove = async (runId: RunId) => {
    await a.here.engine.hosted.get(runId)?.stop('closed');
    await a.here.engine.delete(runId);
  };
  await remove(one);
  await vi.waitFor(() => expect([...b.here.engine.sessions.keys()]).toEqual([two]), WITHIN);
  b.machine.link.stop();
  await remove(two);
  await b.restart();
  await vi.waitFor(() => expect(b.here.engine.sessions.size).toBe(0), WITHIN);
  expect(await b.here.store.listSessions()).toEqual([]);
});

it('[replica-8] a machine that was removed adds nothing any more; what it wrote before stays', async () => {
  const runId = await b.here.create(ECHO);
  says(b, runId, 'before');
  await a.hasAllOf(b, runId);
  const entry = revokeMachine(a.machine.membership, a.machine.signer, b.machine.signer.machine, 5_000);
  await sides.synced.apply(entry);
  await vi.waitFor(() => expect(standing(a, runId)).toBe('away'), WITHIN);
  says(b, runId, 'after');
  const still = await a.here.create(ECHO);
  says(a, still, 'goes on');
  await b.here.store.sync();
  expect(outputOf(await a.here.store.read({ runId, limit: 100, maxBytes: 1e6 })).toString()).toBe('before');
});

it('[replica-12] what is kept of a machine that is in no workspace with this one any more can be deleted here', async () => {
  const runId = await b.here.create(ECHO);
  await a.hasAllOf(b, runId);
  await expect(a.here.engine.delete(runId)).rejects.toThrow(/out of reach/);
  await sides.synced.apply(revokeMachine(a.machine.membership, a.machine.signer, b.machine.signer.machine, 5_000));
  await a.here.engine.delete(runId);
  expect(await a.here.store.listSessions()).toEqual([]);
  expect([a.here.engine.sessions.size, b.here.engine.sessions.size]).toEqual([0, 1]);
});

it('[replica-12] a host that left its workspace and is somebody else in another one is followed again', async () => {
  const runId = await b.here.create(ECHO);
  says(b, runId, 'in the old workspace ');
  await a.hasAllOf(b, runId);
  await Promise.all([a.stop(), b.stop()]);
  const other = await SyncedMachines.start('start', 'start');
  try {
    const [founder, former, newcomer] = other.machines as [SyncedMachine, SyncedMachine, SyncedMachine];
    await other.apply(revokeMachine(founder.membership, founder.signer, former.signer.machine, 5_000));
    a.machine = founder;
    b.machine = newcomer;
    await Promise.all([a.start(), b.start()]);
    says(b, runId, 'in the new one');
    await a.hasAllOf(b, runId);
    expect(a.here.engine.session(runId).summary().machineId).toBe(newcomer.signer.machine);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
    await other.dispose();
  }
});

it('[replica-16] a host that comes back to its workspace under another id goes on with its logs; its former keys write nothing more', async () => {
  const other = await SyncedMachines.start('start', 'start');
  const [founder, former, newcomer] = other.machines as [SyncedMachine, SyncedMachine, SyncedMachine];
  const [one, two] = [await b.here.create(ECHO), await b.here.create(ECHO)];
  await Promise.all([a.stop(), b.stop()]);
  try {
    a.machine = founder;
    b.machine = former;
    await Promise.all([a.start(), b.start()]);
    says(b, one, 'as the former ');
    says(b, two, 'also ');
    for (const runId of [one, two]) await a.hasAllOf(b, runId);
    // It sends something that the other does not get before it leaves.
    await a.stop();
    founder.link.stop();
    says(b, one, 'unheard ');
    const stream = former.keyring.streamName('log', one);
    await vi.waitFor(async () => {
      const { seq } = b.here.engine.session(one).log.published;
      expect(await former.link.ask({ type: 'stream:read', stream })).toMatchObject({ lastSeq: seq });
    }, WITHIN);
    await b.stop();
    says(b, one, 'alone ');
    const revoked = revokeMachine(newcomer.membership, newcomer.signer, former.signer.machine, 5_000);
    const late = seal(former, { ...logHeader(stream), counter: 2 ** 52 }, new Uint8Array(10));
    await newcomer.link.ask({ type: 'chain:append', entry: revoked });
    for (const machine of other.machines) machine.apply(revoked);
    b.machine = newcomer;
    await b.start();
    founder.connect();
    await founder.live();
    await a.start();
    says(b, one, 'as the newcomer');
    for (const runId of [one, two]) await a.hasAllOf(b, runId);
    const events = await a.here.store.read({ runId: one, limit: 100, maxBytes: 1e6 });
    expect(outputOf(events).toString()).toBe('as the former unheard alone as the newcomer');
    expect(events.map(({ epoch }) => epoch)).toEqual([...events.map(({ epoch }) => epoch)].sort());
    expect(events.find(({ epoch }) => epoch === 2)).toMatchObject({ channel: 'system:status', type: 'hosted' });
    expect(b.here.engine.session(one).epoch).toBe(2);
    expect(a.here.engine.session(one).summary()).toMatchObject({ epoch: 2, machineId: newcomer.signer.machine });
    expect([...a.notices, ...b.notices]).toEqual([]);
    // Whoever has the former keys is not let in, and what they sealed is refused wherever it comes from.
    former.connect();
    await vi.waitFor(() => expect(former.link.state).toMatchObject({ is: 'refused' }), WITHIN);
    const state = streamStateOf(a.here.engine.remote.all.get(one)?.replica ?? newReplica(former.signer.machine, '', 1));
    const followed = stateForLog(state, late.header, writerOf(late.header));
    expect(receiveBatch(late.frame, { membership: founder.membership, keyring: founder.keyring, state: followed })).toMatchObject(
      {
        is: 'refused',
        why: 'fenced',
      },
    );
    // After a restart it goes on in its epoch.
    await b.stop();
    b.here = await b.here.crash();
    await b.start();
    says(b, one, ' again');
    await a.hasAllOf(b, one);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
    await other.dispose();
  }
});

/** So many sessions of one machine: more where it is asked for. */
const SESSIONS = Number(process.env.BATON_SESSIONS ?? 300);

it('[replica-9] hundreds of sessions are found, and all of them come', { timeout: 30_000 + SESSIONS * 100 }, async () => {
  const all = await Promise.all(Array.from({ length: SESSIONS }, () => a.here.create(ECHO)));
  for (const runId of all) says(a, runId, `this is ${runId}`);
  await vi.waitFor(() => expect(b.here.engine.sessions.size).toBe(all.length), WITHIN);
  for (const runId of all) await b.hasAllOf(a, runId);
});

it('[machine-12] a machine that is put to sleep is asleep for the others, whatever happens on it, until it wakes', async () => {
  const { machine } = a.machine.signer;
  const isSaid = (state: string) => vi.waitFor(() => expect(b.part.about?.(machine)?.state).toBe(state), WITHIN);
  await isSaid('up');
  await a.part.sleep?.();
  await isSaid('asleep');
  // A last thing happens, as it does: that alone wakes nobody.
  await b.hasAllOf(a, await a.here.create(ECHO));
  expect(b.part.about?.(machine)?.state).toBe('asleep');
  a.part.wake?.();
  await isSaid('up');
  // Woken without being told, by what it does: it connects.
  await a.part.sleep?.();
  await isSaid('asleep');
  await sides.synced.relay.kill();
  await sides.synced.relay.start();
  await sides.reconnected();
  await isSaid('up');
});

it('[replica-15] nothing of a deleted session stays at the relay, also when it was deleted without one, and before a restart', async () => {
  const runId = await a.here.create(ECHO);
  const picture = new Uint8Array(randomBytes(1_000_000));
  await a.here.engine.hosted.get(runId)?.append([{ channel: 'pty:stdout', type: 'data', payload: picture }]);
  const { seq } = a.here.engine.session(runId).log.published;
  await b.hasAllOf(a, runId);
  const { keyring } = a.machine;
  const streams = [
    keyring.streamName('log', runId),
    keyring.streamName('checkpoint', runId),
    keyring.streamName('piece', `${runId}:${seq}`),
    keyring.streamName('document', `session:${runId}`),
  ];
  const stands = (stream: string) =>
    b.machine.link.ask({ type: 'stream:read', stream }).then(
      ({ type }) => type,
      ({ why }: { why: string }) => why,
    );
  expect(await Promise.all(streams.map(stands))).toMatchObject(['stream', expect.anything(), 'stream', expect.anything()]);
  const { relay } = sides.synced;
  await relay.kill();
  await a.here.engine.hosted.get(runId)?.stop('closed');
  await a.here.engine.delete(runId);
  await a.restart();
  await relay.start();
  await sides.reconnected();
  await vi.waitFor(() => expect(b.here.engine.sessions.has(runId)).toBe(false), WITHIN);
  await vi.waitFor(async () => expect(new Set(await Promise.all(streams.map(stands)))).toEqual(new Set(['removed'])), WITHIN);
  // A machine that has not heard of it brings nothing back.
  const late = {
    kind: 'document',
    stream: streams[3] ?? '',
    epoch: 0,
    seqFrom: 0,
    seqTo: 0,
    counter: 1,
    previousHash: NO_BATCH_HASH,
  } as const;
  const { frame } = seal(b.machine, late, new Uint8Array(10));
  await expect(b.machine.link.ask({ type: 'batch', frame, release: null })).rejects.toMatchObject({ why: 'removed' });
});

it('[machine-15] a machine that was set back to a backup, with the relay beside it, is heard as before', async () => {
  const { relay } = sides.synced;
  await relay.backUp();
  await sides.reconnected();
  const round = await a.here.store.getFact('replication.round');
  for (const _life of [1, 2]) {
    await a.stop();
    await a.start();
    const runId = await a.here.create(ECHO);
    await vi.waitFor(() => expect(b.here.engine.sessions.has(runId)).toBe(true), WITHIN);
  }
  await a.stop();
  await a.here.store.setFact('replication.round', round);
  await relay.setBack();
  await sides.reconnected();
  const known = Number(await b.here.store.getFact(`replication.card:${a.machine.signer.machine}`).then(counterOf));
  // A backup is older than what it takes the place of.
  await vi.waitFor(() => expect(counterAt(Date.now())).toBeGreaterThan(known), WITHIN);
  await a.start();
  const runId = await a.here.create(ECHO);
  says(a, runId, 'here again');
  await vi.waitFor(() => expect(b.here.engine.sessions.has(runId)).toBe(true), WITHIN);
  await b.hasAllOf(a, runId);
});

const counterOf = (card: unknown) => (typeof card === 'object' && card !== null && 'counter' in card ? card.counter : null);
