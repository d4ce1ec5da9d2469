import { randomBytes as incompressible } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addMachine, renameMachine, revokeMachine, rotateKey } from '../../src-shared/membership-keys.ts';
import { CutMessage } from '../../src-shared/message-parts.ts';
import { mailboxOf } from '../../src-shared/pairing.ts';
import { CLOSE } from '../../src-shared/refusal.ts';
import {
  encodeRelayMessage,
  FOLLOW_WINDOW_BYTES,
  type FromRelay,
  MAX_PAGES_WAITING,
  RELAY_CLOSE,
  RELAY_SILENT_AFTER_MS,
  type ToRelay,
} from '../../src-shared/relay-protocol.ts';
import { randomBytes, sealReady, toHex } from '../../src-shared/seal.ts';
import type { SealedBatch } from '../../src-shared/sealed-batch.ts';
import { TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { wirePair } from '../../src-shared/wire.ts';
import type { Logger } from '../logger.ts';
import { RelayClient } from './relay.fixture.ts';
import { RELAY_LIMITS, Relay, type RelayLimits } from './relay.ts';
import { openSqliteStorage } from './storage/sqlite.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, close() {} };
const STREAM = 'ab'.repeat(16);
const DOCUMENT = 'cd'.repeat(16);

let folder: string;
let relay: Relay;
let nowMs = 0;

function openRelay(limits: Partial<RelayLimits> = {}): void {
  const storage = openSqliteStorage(join(folder, 'relay.db'));
  relay = new Relay({ storage, logger: SILENT, limits: { ...RELAY_LIMITS, ...limits }, nowMs: () => nowMs });
}

beforeEach(async () => {
  await sealReady;
  nowMs = 1_000_000;
  folder = mkdtempSync(join(tmpdir(), 'baton-relay-'));
  openRelay();
});
afterEach(() => {
  relay.close();
  rmSync(folder, { recursive: true, force: true });
});

function connect(): RelayClient {
  const [mine, its] = wirePair();
  relay.attach(its);
  return new RelayClient(mine);
}

const enter = (machine: TestMachine) => connect().enter(machine);

const seqs = (client: RelayClient, stream = STREAM) => client.batches(stream).map(({ position }) => position);

/** A message as its only part. */
function whole(message: ToRelay) {
  const bytes = encodeRelayMessage(message);
  return { from: 0, of: bytes.byteLength, bytes };
}

function positionOf(answer: FromRelay): number {
  if (answer.type !== 'stored') throw new Error(`not stored: ${JSON.stringify(answer)}`);
  return answer.position;
}

describe('who is let in', () => {
  it('[relay-1] lets in machines of the chain only, and does nothing for anybody else', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    await enter(a);
    await enter(b);
    const stranger = new TestMachine(9);
    const refused = await connect().prove(stranger, a.membership.workspace);
    expect(refused).toMatchObject({ type: 'refused', why: 'unknown-machine' });
    class Impostor extends TestMachine {
      override readonly machine = a.machine;
    }
    expect(await connect().prove(new Impostor(9), a.membership.workspace)).toMatchObject({ why: 'unknown-machine' });
    const unproven = connect();
    unproven.tell({ type: 'batch', ask: 1, frame: a.seal({ kind: 'log', stream: STREAM }).frame, release: null });
    expect(await unproven.closed()).toEqual(RELAY_CLOSE.notProven);
    expect(relay.workspace(a.membership.workspace)?.stream(STREAM)).toBeNull();
  });

  it('[relay-2] serves the first workspace that comes, and checks every entry of its chain', async () => {
    const [a] = (await testWorkspace('start')) as [TestMachine];
    const forged = a.entries.map((entry) => entry.slice());
    (forged[1] as Uint8Array)[0] = ((forged[1] as Uint8Array)[0] ?? 0) ^ 1;
    const client = connect();
    client.tell({ type: 'found', ask: 1, entries: forged });
    expect(await client.closed()).toEqual(RELAY_CLOSE.notProven);
    await enter(a);
    const [other] = (await testWorkspace()) as [TestMachine];
    expect(await connect().outcome({ type: 'found', entries: other.entries })).toBe('workspaces-full');
    expect(await connect().outcome({ type: 'found', entries: a.entries })).toBe('workspace-exists');
  });

  it('[relay-3] keeps one connection of a machine: the newest', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const first = await enter(a);
    const second = await enter(a);
    expect(await first.closed()).toEqual(RELAY_CLOSE.elsewhere);
    expect(await second.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('stored');
  });

  it('[relay-4] hands a new entry to everybody, refuses one that does not follow, and cuts who was revoked at once', async () => {
    const [a, b, c] = (await testWorkspace('start', 'view')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB, ofC] = [await enter(a), await enter(b), await enter(c)];
    const stale = rotateKey(b.membership, b, 2);
    const renamed = renameMachine(a.membership, a, a.keyring, { machine: a.machine, name: 'x' }, 1);
    expect(await ofA.outcome({ type: 'chain:append', entry: renamed })).toBe('done');
    const heard = await ofB.first('chain');
    expect(heard.entries.map(toHex)).toEqual([toHex(renamed)]);
    expect(await ofB.outcome({ type: 'chain:append', entry: stale })).toBe('entry-refused');
    a.apply(renamed);
    expect(await ofC.outcome({ type: 'chain:append', entry: rotateKey(a.membership, c, 3) })).toBe('entry-refused');
    const revoked = revokeMachine(a.membership, a, b.machine, 3);
    expect(await ofA.outcome({ type: 'chain:append', entry: revoked })).toBe('done');
    expect(await ofB.closed()).toEqual(RELAY_CLOSE.removed);
    const again = connect();
    await expect(again.prove(b)).rejects.toThrow(/removed/);
    const read = await ofC.ask({ type: 'chain:read', after: 3 });
    expect(read.type === 'chain' ? read.entries.map(toHex) : read).toEqual([toHex(renamed), toHex(revoked)]);
  });

  it('[relay-5] takes a machine with right to start to add others, and knows the new one at once', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const ofA = await enter(a);
    const b = new TestMachine(2);
    const entry = addMachine(a.membership, a, a.keyring, { ...b.newcomer, rights: 'type' }, 1);
    expect(await ofA.outcome({ type: 'chain:append', entry })).toBe('done');
    for (const each of [...a.entries, entry]) b.apply(each);
    await enter(b);
    const seen = await ofA.first('machine');
    expect(seen.seen).toEqual({ machine: b.machine, online: true, seenAtMs: nowMs });
  });
});

describe('streams', () => {
  it('[relay-6] stores in order and hands on to everybody who follows, what was before and what comes', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const sent = Array.from({ length: 6 }, (_, index) => a.seal({ kind: 'log', stream: STREAM }, `event ${index}`));
    for (const batch of sent.slice(0, 3)) await ofA.append(batch);
    ofB.follow(STREAM, 1);
    await ofB.first('caught-up', ({ position }) => position === 3);
    for (const batch of sent.slice(3)) await ofA.append(batch);
    await ofB.until(() => ofB.batches(STREAM).length === 5);
    expect(seqs(ofB)).toEqual([2, 3, 4, 5, 6]);
    expect(ofB.batches(STREAM).map(({ frame }) => toHex(frame))).toEqual(sent.slice(1).map(({ frame }) => toHex(frame)));
    ofB.tell({ type: 'unfollow', stream: STREAM });
    expect(await ofB.outcome({ type: 'stream:read', stream: STREAM })).toBe('stream');
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    expect(await ofB.outcome({ type: 'stream:read', stream: STREAM })).toBe('stream');
    expect(seqs(ofB)).toHaveLength(5);
  });

  it('[relay-24] forgets what is removed by whoever may, for good, and takes nothing more under its name', async () => {
    const [a, b, c] = (await testWorkspace('type', 'start')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB, ofC] = [await enter(a), await enter(b), await enter(c)];
    const name = (letter: string) => letter.repeat(32);
    const [log, shared, mine, never] = [name('1'), name('2'), name('3'), name('4')];
    await ofB.append(b.seal({ kind: 'log', stream: log }));
    for (const [of, machine] of [
      [ofA, a],
      [ofB, b],
    ] as const)
      await of.append(machine.seal({ kind: 'document', stream: shared }));
    await ofB.append(b.seal({ kind: 'index', stream: mine }));
    const used = () => relay.storage.usedBytes(a.membership.workspace);
    const full = used();
    // The log is B's, whatever rights others have; of the rest B is not the only writer, and may not start sessions.
    expect(await ofC.outcome({ type: 'streams:remove', streams: [shared, log] })).toBe('not-allowed');
    expect(await ofB.outcome({ type: 'streams:remove', streams: [log, shared] })).toBe('not-allowed');
    expect(used()).toBe(full);
    expect(await ofB.outcome({ type: 'streams:remove', streams: [log, mine, never] })).toBe('done');
    expect(await ofC.outcome({ type: 'streams:remove', streams: [shared] })).toBe('done');
    expect(used()).toBe(0);
    expect(await ofB.outcome({ type: 'batch', frame: b.seal({ kind: 'log', stream: log }).frame, release: null })).toBe(
      'removed',
    );
    expect(await ofA.outcome({ type: 'stream:read', stream: shared })).toBe('removed');
    // Who may not decide on what there is not leaves it as it is; who may keeps it from ever being.
    expect(await ofB.outcome({ type: 'stream:read', stream: never })).toBe('unknown-stream');
    expect(await ofA.outcome({ type: 'streams:remove', streams: [never, shared] })).toBe('done');
    const late = b.seal({ kind: 'document', stream: never });
    expect(await ofB.outcome({ type: 'batch', frame: late.frame, release: null })).toBe('removed');
  });

  it('[relay-23] gives a stream page by page beside what is followed', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const sent = Array.from({ length: 4 }, () => a.seal({ kind: 'log', stream: STREAM }, new Uint8Array(100_000)));
    for (const batch of sent) await ofA.append(batch);
    ofB.follow(STREAM, 4);
    await ofB.first('caught-up');
    const pages: number[][] = [];
    for (let after = 0; after < 4; ) {
      const page = await ofB.ask({ type: 'stream:page', stream: STREAM, after });
      if (page.type !== 'page') throw new Error(page.type);
      expect(page.batches.map(({ frame }) => toHex(frame))).toEqual(
        sent.slice(after, after + page.batches.length).map(({ frame }) => toHex(frame)),
      );
      pages.push(page.batches.map(({ position }) => position));
      after = pages.at(-1)?.at(-1) ?? 4;
    }
    expect(pages).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(await ofB.ask({ type: 'stream:page', stream: STREAM, after: 4 })).toMatchObject({ type: 'page', batches: [] });
    expect(ofB.batches(STREAM)).toEqual([]);
  });

  it('[relay-7] refuses gaps, replays, other bytes under the same counter, foreign senders and mixed kinds', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const [one, two, three] = [1, 2, 3].map(() => a.seal({ kind: 'log', stream: STREAM })) as [
      SealedBatch,
      SealedBatch,
      SealedBatch,
    ];
    expect(await ofA.appended(two)).toBe('gap');
    expect(await ofA.appended(one)).toBe('stored');
    expect(await ofA.appended(one)).toBe('stored');
    expect(await ofA.appended(three)).toBe('gap');
    expect(await ofA.appended(two)).toBe('stored');
    expect(await ofA.appended(one)).toBe('replayed');
    expect(await ofB.appended(three)).toBe('not-allowed');
    const other = a.seal({ kind: 'log', stream: STREAM, counter: 2, seqFrom: 2, previousHash: one.hash }, 'other');
    expect(await ofA.appended(other)).toBe('counter-reused');
    expect(await ofB.appended(b.seal({ kind: 'document', stream: STREAM }))).toBe('wrong-kind');
    const changed = three.frame.slice();
    changed[changed.byteLength - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(await ofA.appended({ frame: changed })).toBe('bad-signature');
    expect(await ofA.appended({ frame: new Uint8Array(500) })).toBe('malformed');
    const state = await ofA.ask({ type: 'stream:read', stream: STREAM });
    expect(state).toMatchObject({ epoch: 1, holder: a.machine, lastSeq: 2, own: [{ kind: 'log', counter: 2, hash: two.hash }] });
  });

  it('[relay-8] takes nothing that is sealed with a key that is over', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const ofA = await enter(a);
    const old = a.seal({ kind: 'document', stream: DOCUMENT });
    const rotated = rotateKey(b.membership, b, 1);
    const ofB = await enter(b);
    expect(await ofB.outcome({ type: 'chain:append', entry: rotated })).toBe('done');
    expect(await ofA.appended(old)).toBe('wrong-generation');
    a.apply(rotated);
    expect(await ofA.appended(a.seal({ kind: 'document', stream: DOCUMENT, previousHash: '0'.repeat(64) }))).toBe('stored');
  });

  it('[relay-9] swaps what a snapshot covers, for who comes later only', async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    ofB.follow(DOCUMENT);
    for (let count = 0; count < 4; count++) await ofA.append(a.seal({ kind: 'document', stream: DOCUMENT }));
    await ofB.until(() => ofB.batches(DOCUMENT).length === 4);
    const snapshot = b.seal({ kind: 'snapshot', stream: DOCUMENT, seqTo: 3 }, 'everything up to 3');
    expect(positionOf(await ofB.append(snapshot))).toBe(3);
    expect(await ofB.appended(b.seal({ kind: 'snapshot', stream: DOCUMENT, seqTo: 9 }))).toBe('gap');
    const last = a.seal({ kind: 'document', stream: DOCUMENT });
    expect(positionOf(await ofA.append(last))).toBe(5);
    const ofC = await enter(c);
    ofC.follow(DOCUMENT);
    await ofC.until(() => ofC.batches(DOCUMENT).length === 3);
    expect(seqs(ofC, DOCUMENT)).toEqual([3, 4, 5]);
    expect(toHex(ofC.batches(DOCUMENT)[0]?.frame ?? new Uint8Array())).toBe(toHex(snapshot.frame));
    await ofB.until(() => ofB.batches(DOCUMENT).length === 5);
    expect(seqs(ofB, DOCUMENT)).toEqual([1, 2, 3, 4, 5]);
  });

  it('[relay-9] keeps the newest index only', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    for (let count = 0; count < 3; count++) await ofA.append(a.seal({ kind: 'index', stream: DOCUMENT }, `index ${count}`));
    ofB.follow(DOCUMENT);
    await ofB.first('caught-up');
    expect(seqs(ofB, DOCUMENT)).toEqual([3]);
  });

  it('[relay-10] passes live text and input to whoever listens now, says to how many, and keeps nothing', async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const input = a.seal({ kind: 'input', stream: STREAM }, 'ls\n');
    expect(await ofA.append(input)).toMatchObject({ type: 'passed', receivers: 0 });
    ofB.follow(STREAM);
    await ofB.first('caught-up');
    expect(await ofA.append(a.seal({ kind: 'live', stream: STREAM }))).toMatchObject({ receivers: 1 });
    await ofB.until(() => ofB.batches(STREAM).length === 1);
    expect(ofB.batches(STREAM)[0]?.position).toBeNull();
    const ofC = await enter(c);
    ofC.follow(STREAM);
    await ofC.first('caught-up');
    expect(ofC.batches(STREAM)).toEqual([]);
  });

  it('[relay-11] sends no more than was given credit for, watched streams first, and lets no reader hold another up', async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB, ofC] = [await enter(a), await enter(b), await enter(c)];
    const payload = new Uint8Array(incompressible(100_000));
    for (let count = 0; count < 25; count++) await ofA.append(a.seal({ kind: 'log', stream: STREAM }, payload));
    await ofA.append(a.seal({ kind: 'log', stream: DOCUMENT }));
    ofB.isCrediting = false;
    ofB.follow(STREAM, 0, 'rest');
    await ofB.until(() => ofB.batches(STREAM).length >= 9);
    ofC.follow(STREAM, 0, 'rest');
    ofC.follow(DOCUMENT, 0, 'watch');
    await ofC.until(() => ofC.batches(STREAM).length === 25);
    const order = ofC.heard.flatMap((message) => (message.type === 'batch' ? [message.stream] : []));
    expect(order[0]).toBe(DOCUMENT);
    const onTheWay = () => ofB.batches(STREAM).reduce((sum, { frame }) => sum + frame.byteLength, 0);
    expect(onTheWay()).toBeLessThan(FOLLOW_WINDOW_BYTES + 120_000);
    // Answers and what passes do not wait for credit.
    expect(await ofB.outcome({ type: 'stream:read', stream: STREAM })).toBe('stream');
    expect(await ofA.append(a.seal({ kind: 'live', stream: STREAM }))).toMatchObject({ receivers: 2 });
    ofB.isCrediting = true;
    ofB.tell({ type: 'credit', bytes: onTheWay() });
    await ofB.until(() => seqs(ofB).filter((position) => position !== null).length === 25);
    expect(seqs(ofB).filter((position) => position !== null)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  it('[relay-25] sends a batch for which there is no room in parts, and what passes in between', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const frames = Array.from({ length: 2 }, () => a.seal({ kind: 'log', stream: STREAM }, new Uint8Array(700_000)));
    for (const frame of frames) await ofA.append(frame);
    ofB.isCrediting = false;
    ofB.follow(STREAM);
    await ofB.until(() => ofB.batches(STREAM).length === 1);
    expect(await ofA.append(a.seal({ kind: 'live', stream: STREAM }))).toMatchObject({ receivers: 1 });
    await ofB.until(() => ofB.batches(STREAM).length === 2);
    for (let given = 0; given < 700_000; given += 50_000) ofB.tell({ type: 'credit', bytes: 50_000 });
    await ofB.until(() => ofB.batches(STREAM).length === 3);
    expect(ofB.batches(STREAM).map(({ position }) => position)).toEqual([1, null, 2]);
    expect(Buffer.compare(ofB.batches(STREAM)[2]?.frame ?? new Uint8Array(), frames[1]?.frame ?? new Uint8Array())).toBe(0);
    expect((await ofB.first('caught-up')).position).toBe(2);
  });

  it('[relay-25] ends a batch that it has begun before others have their turn, however many follow', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const streams = Array.from({ length: 120 }, (_, index) => index.toString(16).padStart(32, '0'));
    for (const stream of streams) await ofA.append(a.seal({ kind: 'log', stream }, new Uint8Array(60_000)));
    ofB.isCrediting = false;
    for (const stream of streams) ofB.follow(stream);
    const arrived = () => streams.filter((stream) => ofB.batches(stream).length === 1).length;
    // Nobody who gives little at a time has to keep the beginnings of all of them.
    while (arrived() < streams.length) {
      ofB.tell({ type: 'credit', bytes: 20_000 });
      await ofB.ask({ type: 'stream:read', stream: STREAM });
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('[relay-23] [relay-25] sends a page as there is room, in parts, with answers in between, and not too many', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), connect()];
    await ofA.append(a.seal({ kind: 'index', stream: STREAM }, new Uint8Array(700_000)));
    ofB.isCrediting = false;
    await ofB.prove(b);
    const page = ofB.ask({ type: 'stream:page', stream: STREAM, after: 0 });
    const asked = Array.from({ length: MAX_PAGES_WAITING + 3 }, () =>
      ofB.outcome({ type: 'stream:page', stream: STREAM, after: 1 }),
    );
    expect((await Promise.all(asked.slice(-4))).every((outcome) => outcome === 'too-many')).toBe(true);
    for (let given = 0; given < 700_000; given += 50_000) {
      expect(ofB.heard.some(({ type }) => type === 'page')).toBe(false);
      ofB.tell({ type: 'credit', bytes: 50_000 });
      expect(await ofB.outcome({ type: 'stream:read', stream: STREAM })).toBe('stream');
    }
    ofB.isCrediting = true;
    ofB.tell({ type: 'credit', bytes: 100_000 });
    const answer = await page;
    expect(answer.type === 'page' && answer.batches.map(({ frame }) => frame.byteLength)).toHaveLength(1);
    expect(await Promise.all(asked.slice(0, -4))).toEqual(Array.from({ length: MAX_PAGES_WAITING - 1 }, () => 'page'));
  });

  it('[relay-25] drops what it has begun when it is not followed any more', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), connect()];
    await ofA.append(a.seal({ kind: 'document', stream: DOCUMENT }, new Uint8Array(700_000)));
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    ofB.isCrediting = false;
    await ofB.prove(b);
    ofB.tell({ type: 'credit', bytes: 50_000 });
    ofB.follow(DOCUMENT, 0, 'rest');
    ofB.follow(STREAM, 0, 'rest');
    await ofB.outcome({ type: 'stream:read', stream: STREAM });
    // What is followed is sent behind what is asked in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    ofB.tell({ type: 'unfollow', stream: DOCUMENT });
    expect(await ofB.first('dropped')).toEqual({ type: 'dropped', lane: 'rest' });
    ofB.tell({ type: 'credit', bytes: 10_000 });
    await ofB.until(() => ofB.batches(STREAM).length === 1);
    expect(ofB.batches(DOCUMENT)).toEqual([]);
  });

  it('[relay-11] gives a stream that nobody watches its turn, though what is watched never ends', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), connect()];
    for (let count = 0; count < 25; count++) await ofA.append(a.seal({ kind: 'log', stream: STREAM }, new Uint8Array(60_000)));
    await ofA.append(a.seal({ kind: 'document', stream: DOCUMENT }, new Uint8Array(60_000)));
    await ofB.prove(b);
    ofB.follow(DOCUMENT, 0, 'rest');
    ofB.follow(STREAM, 0, 'watch');
    ofB.tell({ type: 'credit', bytes: 20_000 });
    await ofB.until(() => ofB.batches(DOCUMENT).length === 1);
    const before = ofB.batches(STREAM).length;
    expect([before > 1, before < 15]).toEqual([true, true]);
  });

  it('[relay-27] takes batches in parts, one in each lane, and closes the wire for parts that do not follow or hold anything else', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const ofB = await enter(b);
    ofB.follow(STREAM);
    ofB.follow(DOCUMENT);
    const parts = (client: RelayClient, lane: 'watch' | 'rest', message: ToRelay) => {
      const cut = new CutMessage(encodeRelayMessage(message));
      return async () => {
        const answer = await client.outcome({ type: 'part', ...cut.next(lane, 30_000) });
        return cut.isSent ? 'sent' : answer;
      };
    };
    const batchOf = (ask: number, kind: 'log' | 'document', stream: string) => {
      const { frame } = a.seal({ kind, stream }, new Uint8Array(50_000));
      return { type: 'batch', ask, frame, release: null } as const;
    };
    const ofA = await enter(a);
    const [one, two] = [batchOf(1_001, 'log', STREAM), batchOf(1_002, 'document', DOCUMENT)];
    const [first, second] = [parts(ofA, 'watch', one), parts(ofA, 'rest', two)];
    expect([await first(), await second(), await first(), await second()]).toEqual(['done', 'done', 'sent', 'sent']);
    await ofA.first('stored', ({ ask }) => ask === 1_001);
    await ofA.first('stored', ({ ask }) => ask === 1_002);
    await ofB.until(() => ofB.batches(STREAM).length + ofB.batches(DOCUMENT).length === 2);
    expect(toHex(ofB.batches(STREAM)[0]?.frame ?? new Uint8Array())).toBe(toHex(one.frame));

    const torn = batchOf(1, 'log', STREAM);
    const lane = 'watch';
    const wrong: ToRelay[] = [
      { type: 'part', ask: 1, lane, from: 30_000, of: 60_000, bytes: new Uint8Array(30_000) },
      { type: 'part', ask: 1, lane, from: 0, of: 60_000, bytes: new Uint8Array(100) },
      { type: 'part', ask: 1, lane, from: 0, of: 2_000_000, bytes: new Uint8Array(30_000) },
      { type: 'part', ask: 1, lane, ...whole({ type: 'stream:read', ask: 2, stream: STREAM }) },
      { type: 'part', ask: 1, lane, ...whole({ type: 'part', ask: 2, lane, ...whole(torn) }) },
    ];
    for (const message of wrong) {
      const client = await enter(a);
      client.tell(message);
      expect(await client.closed()).toEqual(CLOSE.malformedFrame);
    }
    expect(seqs(await enter(b))).toEqual([]);
    expect(relay.workspace(a.membership.workspace)?.stream(STREAM)?.lastPosition).toBe(1);
  });

  it('[relay-28] tells who sends what is large and passes that it has, when whoever got it has room again', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), connect()];
    ofB.isCrediting = false;
    await ofB.prove(b);
    ofB.follow(STREAM);
    ofB.tell({ type: 'credit', bytes: 30_000 });
    const passing = (bytes: number) => ofA.append(a.seal({ kind: 'live', stream: STREAM }, new Uint8Array(bytes)));
    const told: string[] = [];
    const large = passing(60_000).then((answer) => void told.push(answer.type));
    // It is there without credit, and what is small is neither held up nor counted.
    await ofB.until(() => ofB.batches(STREAM).length === 1);
    expect(await passing(100)).toMatchObject({ type: 'passed', receivers: 1 });
    ofB.tell({ type: 'credit', bytes: 20_000 });
    await ofB.outcome({ type: 'stream:read', stream: STREAM });
    expect([told, ofB.batches(STREAM).length]).toEqual([[], 2]);
    ofB.tell({ type: 'credit', bytes: 40_000 });
    await large;
    // Who goes keeps nobody waiting; who never has room is passed no more after a while.
    ofB.tell({ type: 'credit', bytes: 1 });
    const waiting = Array.from({ length: 70 }, () => passing(60_000));
    expect(await waiting.at(-1)).toMatchObject({ type: 'passed', receivers: 0 });
    ofB.wire.close(CLOSE.shuttingDown);
    expect((await Promise.all(waiting)).every(({ type }) => type === 'passed')).toBe(true);
  });

  it('[relay-12] refuses what is more than the workspace may keep', async () => {
    relay.close();
    openRelay({ quotaBytes: 2_000 });
    const [a] = (await testWorkspace()) as [TestMachine];
    const ofA = await enter(a);
    const outcomes = [];
    for (let count = 0; count < 6; count++) outcomes.push(await ofA.appended(a.seal({ kind: 'log', stream: STREAM })));
    expect(outcomes.filter((outcome) => outcome === 'stored').length).toBe(5);
    expect(outcomes.at(-1)).toBe('quota');
  });
});

describe('leases', () => {
  it('[relay-13] gives the next epoch to one of those who ask at once, and refuses the old one from then on', async () => {
    const [a, b, c] = (await testWorkspace('start', 'start')) as [TestMachine, TestMachine, TestMachine];
    const [ofA, ofB, ofC] = [await enter(a), await enter(b), await enter(c)];
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    const take = (client: RelayClient, machine: TestMachine) =>
      client.outcome({ type: 'lease:take', stream: STREAM, epoch: 1, signature: client.leaseSignature(machine, STREAM, 2) });
    expect(await Promise.all([take(ofB, b), take(ofC, c)])).toEqual(['leased', 'epoch-taken']);
    expect(await ofA.first('lease')).toMatchObject({ stream: STREAM, epoch: 2, holder: b.machine });
    expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('fenced');
    const next = { kind: 'log', stream: STREAM, seqFrom: 2 } as const;
    expect(await ofC.appended(c.seal({ ...next, epoch: 2 }))).toBe('not-holder');
    expect(await ofB.appended(b.seal({ ...next, epoch: 3 }))).toBe('not-holder');
    expect(await ofB.appended(b.seal({ ...next, epoch: 2, counter: 9, previousHash: '0'.repeat(64) }))).toBe('stored');
  });

  it('[relay-13] takes no lease of a machine without the right, or signed for another connection', async () => {
    const [a, b] = (await testWorkspace('type')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    const take = (client: RelayClient, signature: Uint8Array) =>
      client.outcome({ type: 'lease:take', stream: STREAM, epoch: 1, signature });
    expect(await take(ofB, ofB.leaseSignature(b, STREAM, 2))).toBe('not-allowed');
    const old = ofA.leaseSignature(a, STREAM, 2);
    const again = await enter(a);
    expect(await take(again, old)).toBe('not-allowed');
    expect(await take(again, again.leaseSignature(a, STREAM, 2))).toBe('leased');
  });

  it('[relay-14] moves a session with its last batch, both or neither', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    const last = a.seal({ kind: 'log', stream: STREAM }, 'released');
    const release = (signature: Uint8Array) =>
      ofA.outcome({ type: 'batch', frame: last.frame, release: { to: b.machine, signature } });
    expect(await release(ofA.leaseSignature(a, STREAM, 3, b.machine))).toBe('not-allowed');
    expect(await ofA.ask({ type: 'stream:read', stream: STREAM })).toMatchObject({ epoch: 1, lastSeq: 1 });
    expect(await release(ofA.leaseSignature(a, STREAM, 2, b.machine))).toBe('stored');
    expect(await ofB.first('lease')).toMatchObject({ epoch: 2, holder: b.machine });
    // The answer was lost: the same once more.
    expect(await release(ofA.leaseSignature(a, STREAM, 2, b.machine))).toBe('stored');
    expect(await ofB.appended(b.seal({ kind: 'log', stream: STREAM, epoch: 2, seqFrom: 3 }))).toBe('stored');
    expect(await ofA.ask({ type: 'stream:read', stream: STREAM })).toMatchObject({ epoch: 2, holder: b.machine, lastSeq: 3 });
  });
});

describe('time and restarts', () => {
  it('[relay-15] goes on after a restart where it stood, and says when it was seen', async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    let ofA = await enter(a);
    await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
    await ofA.outcome({ type: 'lease:take', stream: STREAM, epoch: 1, signature: ofA.leaseSignature(a, STREAM, 2) });
    const before = await ofA.first('welcome');
    relay.close();
    openRelay();
    nowMs += 1_000;
    const ofB = await enter(b);
    const welcome = await ofB.first('welcome');
    expect(welcome.incarnation).toBe(before.incarnation);
    expect(welcome.machines).toContainEqual({ machine: a.machine, online: false, seenAtMs: nowMs - 1_000 });
    ofA = await enter(a);
    expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('fenced');
    ofB.follow(STREAM);
    await ofB.first('caught-up');
    expect(seqs(ofB)).toEqual([1]);
  });

  it('[relay-16] takes a workspace again that it has lost, with sessions at whatever epoch they are', async () => {
    const [a] = (await testWorkspace('start')) as [TestMachine];
    const before = await (await enter(a)).first('welcome');
    relay.close();
    rmSync(join(folder, 'relay.db'));
    openRelay();
    const ofA = await enter(a);
    expect((await ofA.first('welcome')).incarnation).not.toBe(before.incarnation);
    expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM, epoch: 7 }))).toBe('stored');
  });

  it('[relay-17] closes who is silent, who proves nothing, and nobody because it slept itself', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const stranger = connect();
    const ofA = await enter(a);
    const passes = (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        nowMs += 5_000;
        relay.look();
      }
    };
    passes(10_000);
    expect(await stranger.closed()).toEqual(RELAY_CLOSE.notProven);
    ofA.tell({ type: 'ping' });
    await ofA.first('pong');
    nowMs += 10 * RELAY_SILENT_AFTER_MS;
    relay.look();
    passes(RELAY_SILENT_AFTER_MS - 5_000);
    expect(ofA.closedWith).toBeNull();
    passes(5_000);
    expect(await ofA.closed()).toEqual(CLOSE.silent);
  });
});

describe('mailboxes', () => {
  it('[relay-18] lets one guest talk to the machine that opened it, and ends with either', async () => {
    const [a] = (await testWorkspace()) as [TestMachine];
    const ofA = await enter(a);
    const mailbox = mailboxOf(randomBytes(16));
    expect(await ofA.outcome({ type: 'mailbox:open', mailbox })).toBe('done');
    const guest = connect();
    await guest.first('challenge');
    expect(await guest.outcome({ type: 'mailbox:join', mailbox })).toBe('done');
    await ofA.first('mailbox:joined');
    expect(await connect().outcome({ type: 'mailbox:join', mailbox })).toBe('mailbox-taken');
    guest.tell({ type: 'mailbox:say', mailbox, message: Uint8Array.of(1, 2) });
    expect((await ofA.first('mailbox:said')).message).toEqual(Uint8Array.of(1, 2));
    ofA.tell({ type: 'mailbox:say', mailbox, message: Uint8Array.of(3) });
    expect((await guest.first('mailbox:said')).message).toEqual(Uint8Array.of(3));
    guest.wire.close(CLOSE.shuttingDown);
    await ofA.first('mailbox:closed');
    expect(await connect().outcome({ type: 'mailbox:join', mailbox })).toBe('unknown-mailbox');
  });

  it('[relay-18] opens them for machines with all rights, for five minutes, and stops who guesses', async () => {
    const [a, b] = (await testWorkspace('type')) as [TestMachine, TestMachine];
    const [ofA, ofB] = [await enter(a), await enter(b)];
    const mailbox = mailboxOf(randomBytes(16));
    expect(await ofB.outcome({ type: 'mailbox:open', mailbox })).toBe('not-allowed');
    await ofA.outcome({ type: 'mailbox:open', mailbox });
    nowMs += 5 * 60_000;
    relay.mailboxes.expire(nowMs);
    await ofA.first('mailbox:closed');
    const guessing = connect();
    for (let count = 0; count < 3; count++) {
      expect(await guessing.outcome({ type: 'mailbox:join', mailbox: mailboxOf(randomBytes(16)) })).toBe('unknown-mailbox');
    }
    expect(await guessing.closed()).toEqual(RELAY_CLOSE.notProven);
  });
});
