import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { revokeMachine, rotateKey } from '../../src-shared/membership-keys.ts';
import { CutMessage } from '../../src-shared/message-parts.ts';
import { encodeRelayMessage, MIN_PART_BYTES, type ToRelay } from '../../src-shared/relay-protocol.ts';
import { sealReady, toHex } from '../../src-shared/seal.ts';
import { type Chance, encodeAnything, FUZZ_WITHIN_MS, fuzz, mutatedBytes, mutatedMessage } from '../../src-shared/sim/fuzz.ts';
import { type TestMachine, testWorkspace } from '../../src-shared/sim/workspace.ts';
import { wirePair } from '../../src-shared/wire.ts';
import type { Logger } from '../logger.ts';
import { RelayClient } from './relay.fixture.ts';
import { Relay } from './relay.ts';
import { openSqliteStorage } from './storage/sqlite.ts';
import type { RelayStorage } from './storage/storage.ts';

const STREAM = 'ab'.repeat(16);
const MAILBOX = 'cd'.repeat(16);

let folder: string;
let relay: Relay;
let storage: RelayStorage;
let errors: string[];
let a: TestMachine;
let b: TestMachine;
let stranger: TestMachine;

beforeEach(async () => {
  await sealReady;
  folder = mkdtempSync(join(tmpdir(), 'baton-relay-'));
  storage = openSqliteStorage(join(folder, 'relay.db'));
  errors = [];
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (event) => void errors.push(event), close() {} };
  relay = new Relay({ storage, logger });
  [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  [stranger] = (await testWorkspace()) as [TestMachine];
});
afterEach(() => {
  relay.close();
  rmSync(folder, { recursive: true, force: true });
});

function connect(): RelayClient {
  const [mine, its] = wirePair();
  relay.attach(its);
  const client = new RelayClient(mine);
  // What thousands of frames are answered is not kept.
  client.isForgetful = true;
  return client;
}

/** Everything that the relay has of the workspace, on its disk and in memory. */
function state() {
  const { workspace } = a.membership;
  const live = relay.workspace(workspace);
  return {
    workspaces: storage.workspaces(),
    chain: storage.chain(workspace).map(toHex),
    head: live?.membership.head,
    stream: storage.stream(workspace, STREAM),
    batches: storage.read(workspace, STREAM, 0, 1e9).map(({ position, frame }) => [position, toHex(frame)]),
    used: storage.usedBytes(workspace),
  };
}

function partsOf(message: ToRelay): ToRelay[] {
  const cut = new CutMessage(encodeRelayMessage(message));
  const parts: ToRelay[] = [];
  while (!cut.isSent) parts.push({ type: 'part', ask: 7, ...cut.next('rest', MIN_PART_BYTES) });
  return parts;
}

/** What is done already may be said again, in whatever variation: it is not done twice. */
async function spent(ofA: RelayClient): Promise<ToRelay[]> {
  const first = a.seal({ kind: 'log', stream: STREAM });
  const signature = ofA.leaseSignature(a, STREAM, 1);
  await ofA.append(first);
  const large = a.seal({ kind: 'log', stream: STREAM }, new Uint8Array(40_000));
  await ofA.append(large);
  return [
    { type: 'batch', ask: 1, frame: first.frame, release: null },
    { type: 'batch', ask: 1, frame: first.frame, release: { to: b.machine, signature } },
    { type: 'chain:append', ask: 2, entry: a.entries[1] as Uint8Array },
    { type: 'lease:take', ask: 3, stream: STREAM, epoch: 0, signature },
    { type: 'found', ask: 4, entries: a.entries },
    { type: 'follow', stream: STREAM, after: 0, lane: 'watch' },
    { type: 'streams:remove', ask: 6, streams: ['f'.repeat(32)] },
    { type: 'stream:page', ask: 5, stream: STREAM, after: 0 },
    { type: 'mailbox:say', mailbox: MAILBOX, message: new Uint8Array(20) },
    { type: 'credit', bytes: 1000 },
    ...partsOf({ type: 'batch', ask: 1, frame: large.frame, release: null }),
    { type: 'prove', version: 1, workspace: a.membership.workspace, machine: a.machine, nonce: new Uint8Array(32), signature },
  ];
}

/** What is new, with a change somewhere in what its author has signed. */
function forged(chance: Chance): ToRelay {
  const change = (bytes: Uint8Array) => mutatedBytes(bytes, chance);
  switch (chance.below(4)) {
    case 0:
      return { type: 'chain:append', ask: 1, entry: change(revokeMachine(a.membership, a, b.machine, 1)) };
    case 1:
      return { type: 'chain:append', ask: 1, entry: change(rotateKey(a.membership, a, 1)) };
    case 2:
      return { type: 'found', ask: 1, entries: stranger.entries.map(change) };
    default:
      return { type: 'batch', ask: 1, frame: change(next.frame), release: null };
  }
}
let next: { readonly frame: Uint8Array };

it(
  '[relay-21] mutated messages of a member change nothing, and close no wire but their own',
  async () => {
    const [ofA, ofB] = [await connect().enter(a), await connect().enter(b)];
    const honest = await spent(ofA);
    next = a.seal({ kind: 'log', stream: STREAM });
    const before = state();
    let sender = await connect().enter(a);
    await fuzz(1_000, async (chance) => {
      if (sender.closedWith !== null) sender = await connect().enter(a);
      const frame = chance.below(2) === 0 ? mutatedMessage(chance.pick(honest), chance) : encodeAnything(forged(chance));
      sender.wire.send(frame);
      // Others live on, however long this goes.
      if (chance.below(500) === 0) ofB.tell({ type: 'ping' });
      // What it takes is committed at the end of this turn.
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(state()).toEqual(before);
    expect(errors).toEqual([]);
    expect(ofB.closedWith).toBeNull();
    expect(await (await connect().enter(a)).appended(next)).toBe('stored');
  },
  FUZZ_WITHIN_MS,
);

it(
  '[relay-21] strangers change nothing, whatever they say',
  async () => {
    const ofA = await connect().enter(a);
    const honest = await spent(ofA);
    next = a.seal({ kind: 'log', stream: STREAM });
    const before = state();
    let sender = connect();
    await fuzz(1_000, async (chance) => {
      if (chance.below(500) === 0) ofA.tell({ type: 'ping' });
      if (sender.closedWith !== null) sender = connect();
      const said = chance.below(4);
      if (said === 0) sender.wire.send(chance.bytes(chance.below(300)));
      else if (said === 1) sender.wire.send(encodeRelayMessage(forged(chance)));
      else if (said === 2) sender.tell(chance.pick(honest.filter(({ type }) => type !== 'found')));
      else sender.wire.send(mutatedMessage(chance.pick(honest), chance));
      await new Promise((resolve) => setImmediate(resolve));
    });
    expect(state()).toEqual(before);
    expect(errors).toEqual([]);
    expect(ofA.closedWith).toBeNull();
    expect(await ofA.appended(next)).toBe('stored');
  },
  FUZZ_WITHIN_MS,
);
