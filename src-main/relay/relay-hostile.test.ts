import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CLOSE } from '../../src-shared/refusal.ts';
import { RELAY_CLOSE } from '../../src-shared/relay-protocol.ts';
import { randomBytes, sealReady } from '../../src-shared/seal.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { wirePair } from '../../src-shared/wire.ts';
import type { Logger } from '../logger.ts';
import { MAX_FOLLOWS } from './follows.ts';
import { RelayClient } from './relay.fixture.ts';
import { RELAY_LIMITS, Relay } from './relay.ts';
import { openSqliteStorage } from './storage/sqlite.ts';
import type { RelayStorage } from './storage/storage.ts';

const STREAM = 'ab'.repeat(16);

let folder: string;
let relay: Relay;
let storage: RelayStorage;
/** Errors that the relay logged: bugs, or its disk. */
let errors: string[];

beforeEach(async () => {
  await sealReady;
  folder = mkdtempSync(join(tmpdir(), 'baton-relay-'));
  storage = openSqliteStorage(join(folder, 'relay.db'));
  errors = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (event) => void errors.push(event), close() {} };
  relay = new Relay({ storage, logger, limits: { ...RELAY_LIMITS, connections: 50 } });
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

/** Everything that the relay has of a workspace. */
function stateOf(machine: TestMachine) {
  const workspace = machine.membership.workspace;
  return {
    chain: storage.chain(workspace).map((entry) => Buffer.from(entry).toString('hex')),
    stream: storage.stream(workspace, STREAM),
    batches: storage.read(workspace, STREAM, 0, 1e9).map(({ position, frame }) => [position, Buffer.from(frame).toString('hex')]),
    used: storage.usedBytes(workspace),
  };
}

it('[relay-21] closes a wire for garbage and nothing else', async () => {
  const [a] = (await testWorkspace()) as [TestMachine];
  const ofA = await connect().enter(a);
  const before = stateOf(a);
  for (let length = 0; length < 400; length += 7) {
    const stranger = connect();
    stranger.wire.send(randomBytes(length));
    await stranger.closed();
  }
  const huge = connect();
  huge.wire.send(new Uint8Array(2 * 1024 * 1024));
  await huge.closed();
  expect(stateOf(a)).toEqual(before);
  expect(errors).toEqual([]);
  expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('stored');
});

it('[relay-22] tells whoever asked when its disk fails, forgets what it did not write, and goes on when the disk does', async () => {
  const [a] = (await testWorkspace()) as [TestMachine];
  const ofA = await connect().enter(a);
  await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
  const append = storage.append.bind(storage);
  storage.append = () => {
    throw new Error('the disk is full');
  };
  const next = [1, 2].map(() => a.seal({ kind: 'log', stream: STREAM }));
  expect(await Promise.all(next.map((batch) => ofA.appended(batch)))).toEqual(['storage-failed', 'storage-failed']);
  expect(errors).toHaveLength(1);
  storage.append = append;
  expect(await ofA.ask({ type: 'stream:read', stream: STREAM })).toMatchObject({ lastSeq: 1 });
  expect(await Promise.all(next.map((batch) => ofA.appended(batch)))).toEqual(['stored', 'stored']);
});

it('[relay-22] closes who follows what cannot be read, and serves the others', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const [ofA, ofB] = [await connect().enter(a), await connect().enter(b)];
  await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
  const read = storage.read.bind(storage);
  storage.read = () => {
    throw new Error('the disk is broken');
  };
  ofB.follow(STREAM);
  expect(await ofB.closed()).toEqual(CLOSE.failed);
  expect(errors).toEqual(['a stream could not be read']);
  expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('stored');
  storage.read = read;
  const again = await connect().enter(b);
  again.follow(STREAM);
  await again.until(() => again.batches(STREAM).length === 2);
});

it('[relay-26] lets members in however many strangers are at the door, and cuts no member for them', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const ofA = await connect().enter(a);
  const strangers = Array.from({ length: 200 }, () => connect());
  const ofB = await connect().enter(b);
  expect(ofA.closedWith).toBeNull();
  expect(strangers.filter(({ closedWith }) => closedWith === null)).toHaveLength(48);
  expect(await ofB.appended(b.seal({ kind: 'log', stream: STREAM }))).toBe('stored');
});

it('[relay-26] checks one wrong proof on a connection, and no second', async () => {
  const [a] = (await testWorkspace()) as [TestMachine];
  await connect().enter(a);
  const [stranger] = (await testWorkspace()) as [TestMachine];
  const forger = connect();
  expect(await forger.prove(stranger, a.membership.workspace)).toMatchObject({ why: 'unknown-machine' });
  expect(await forger.closed()).toEqual(RELAY_CLOSE.notProven);
});

it('[relay-21] serves the others while a member follows as many streams as it may, gives endless credit and asks beyond all numbers', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const [ofA, ofB] = [await connect().enter(a), await connect().enter(b)];
  for (let stream = 0; stream <= MAX_FOLLOWS; stream++)
    ofB.follow(stream.toString(16).padStart(32, '0'), Number.MAX_SAFE_INTEGER);
  await ofB.until(() => ofB.heard.some((message) => message.type === 'refused' && message.why === 'too-many'));
  ofB.tell({ type: 'credit', bytes: Number.MAX_SAFE_INTEGER });
  ofB.tell({ type: 'credit', bytes: Number.MAX_SAFE_INTEGER });
  await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
  expect(await ofB.ask({ type: 'stream:page', stream: STREAM, after: Number.MAX_SAFE_INTEGER })).toMatchObject({ batches: [] });
  expect(await ofB.appended(b.seal({ kind: 'log', stream: STREAM, seqFrom: Number.MAX_SAFE_INTEGER }))).toBe('not-holder');
  expect(await ofB.appended(b.seal({ kind: 'snapshot', stream: 'cd'.repeat(16), seqTo: Number.MAX_SAFE_INTEGER }))).toBe('gap');
  expect(await ofA.appended(a.seal({ kind: 'log', stream: STREAM }))).toBe('stored');
  expect(errors).toEqual([]);
});
