import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { revokeMachine } from '../../src-shared/membership-keys.ts';
import { CLOSE } from '../../src-shared/refusal.ts';
import { encodeRelayMessage, type ToRelay } from '../../src-shared/relay-protocol.ts';
import { randomBytes, sealReady } from '../../src-shared/seal.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { wirePair } from '../../src-shared/wire.ts';
import type { Logger } from '../logger.ts';
import { RelayClient } from './relay.fixture.ts';
import { Relay } from './relay.ts';
import { openSqliteStorage } from './storage/sqlite.ts';
import type { RelayStorage } from './storage/storage.ts';

const STREAM = 'ab'.repeat(16);
/** The whole of 100,000 where it is asked for; a part on every run. */
const MUTATIONS = Number(process.env.BATON_FUZZ_RUNS ?? 1_500);

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
  relay = new Relay({ storage, logger });
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

it('[relay-21] changes nothing for mutated messages, and closes nobody else for them', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const [ofA, ofB] = [await connect().enter(a), await connect().enter(b)];
  await ofA.append(a.seal({ kind: 'log', stream: STREAM }));
  const next = a.seal({ kind: 'log', stream: STREAM });
  const signature = new Uint8Array(64);
  const honest: ToRelay[] = [
    { type: 'batch', ask: 1, frame: next.frame, release: null },
    { type: 'batch', ask: 1, frame: next.frame, release: { to: b.machine, signature } },
    { type: 'chain:append', ask: 2, entry: revokeMachine(a.membership, a, b.machine, 1) },
    { type: 'lease:take', ask: 3, stream: STREAM, epoch: 1, signature: ofA.leaseSignature(a, STREAM, 2) },
    { type: 'found', ask: 4, entries: a.entries },
    { type: 'follow', stream: STREAM, after: 0, lane: 'watch' },
  ];
  const frames = honest.map(encodeRelayMessage);
  const before = stateOf(a);
  let sender = await connect().enter(a);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(frames.length - 1),
      fc.array(fc.tuple(fc.nat(3_000), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
      async (which, changes) => {
        const frame = (frames[which] as Uint8Array).slice();
        for (const [at, by] of changes) frame[at % frame.byteLength] = (frame[at % frame.byteLength] ?? 0) ^ by;
        // Which number asks, and in what lane, changes nothing of what is meant.
        if (isHarmless(frame, frames[which] as Uint8Array)) return;
        if (sender.closedWith !== null) sender = await connect().enter(a);
        sender.wire.send(frame);
        await Promise.resolve();
      },
    ),
    { numRuns: MUTATIONS },
  );
  if (sender.closedWith === null) await sender.outcome({ type: 'stream:read', stream: STREAM });
  expect(stateOf(a)).toEqual(before);
  expect(errors).toEqual([]);
  expect(ofB.closedWith).toBeNull();
  expect(await (await connect().enter(a)).appended(next)).toBe('stored');
}, 600_000);

/** A mutation that leaves a valid request as it was but for its number: the request is honest then. */
function isHarmless(mutated: Uint8Array, original: Uint8Array): boolean {
  const changed = [...mutated.keys()].filter((at) => mutated[at] !== original[at]);
  if (changed.length === 0) return true;
  const ask = Buffer.from(original).indexOf('ask');
  return ask >= 0 && changed.every((at) => at > ask + 2 && at <= ask + 5);
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
