import { randomUUID } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import type { RunId } from '../../src-shared/ids.ts';
import { type Beat, encodePeerFrame, parsePeerFrame } from '../../src-shared/peer-protocol.ts';
import { EMPTY_STREAM, receiveBatch } from '../../src-shared/receive-batch.ts';
import { MAX_PAYLOAD_BYTES } from '../../src-shared/sealed-batch.ts';
import { initialState } from '../../src-shared/session-state.ts';
import {
  type Chance,
  encodeAnything,
  FUZZ_WITHIN_MS,
  fuzz,
  mutatedBytes,
  mutatedMessage,
  mutatedValue,
} from '../../src-shared/sim/fuzz.ts';
import type { TestMachine } from '../../src-shared/sim/workspace.ts';
import { sessionDocument, WORKSPACE_DOCUMENT, writeText } from '../../src-shared/workspace-documents.ts';
import { newClientId, pty, watch } from '../engine/engine.fixture.ts';
import type { RelayClient } from '../relay/relay.fixture.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { encodePieces } from './documents/document-payload.ts';
import { HostileGround } from './hostile.fixture.ts';
import { WITHIN } from './logs/replication.fixture.ts';

/** A member of the workspace with all rights, its own keys and no good intentions: everything that it says is sealed as it should be. */

let hostile: HostileGround;
let member: TestMachine;
let said: RelayClient;
/** Hosted by the machine that is attacked, and by the member. */
let own: RunId;
const theirs = runIdOf(7);

beforeEach(async () => {
  hostile = await HostileGround.start();
  member = hostile.member;
  said = await hostile.connect(member);
  own = await hostile.here.create(pty('cat', []));
  await hostile.here.documents.setText(own, 'draft', 'what was written here', null);
  const card = { sessions: [sessionOf(theirs)], deleted: [] };
  await say('index', streamOf('index', member.machine), packed(JSON.stringify({ ...aboutIt, ...card })));
  await vi.waitFor(() => expect(hostile.here.engine.remote.all.has(theirs)).toBe(true), WITHIN);
});
afterEach(() => hostile.dispose());

const aboutIt = { name: 'x', version: '0', platform: 'x', protocol: 1, state: 'up' };
const sessionOf = (runId: RunId) => ({ runId, spec: pty('sh', []), epoch: 1, createdTs: 1, branchOf: null });
const streamOf = (kind: Parameters<TestMachine['keyring']['streamName']>[0], id: string) => member.keyring.streamName(kind, id);
const packed = (text: string) => {
  const body = Buffer.from(text);
  const small = deflateRawSync(body, { level: 1 });
  return Uint8Array.from(Buffer.concat([Buffer.from([1, 1]), small]));
};

/** To the relay, and from there to whoever follows. */
async function say(kind: 'log' | 'document' | 'snapshot' | 'index' | 'live' | 'input', stream: string, payload: Uint8Array) {
  if (payload.byteLength > MAX_PAYLOAD_BYTES) return;
  if (said.closedWith !== null) said = await hostile.connect(member);
  const batch = member.seal({ kind, stream }, payload);
  const answer = await said.append(batch);
  if (answer.type === 'refused') throw new Error(`the relay does not pass it on: ${answer.why}`);
}

/** Does so often what the member does; then nothing is otherwise than before, nothing was thrown, and everything works. */
async function attack(usual: number, one: (chance: Chance) => Promise<void>) {
  const { victim } = hostile;
  const before = await victim.state([own]);
  await fuzz(usual, one);
  await settled();
  expect(victim.bugs).toEqual([]);
  expect(hostile.errors).toEqual([]);
  expect(await victim.state([own])).toEqual(before);
  expect(victim.workspace.link.state.is).toBe('live');
}

/** What it was sent is done with. */
async function settled(): Promise<void> {
  const { link } = hostile.victim.workspace;
  for (let turn = 0; turn < 3; turn++) {
    await link.ask({ type: 'stream:read', stream: streamOf('index', member.machine) });
    await hostile.here.store.sync();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** As the member last heard it from the machine. */
async function beatOfVictim(): Promise<Beat> {
  said.isForgetful = false;
  const stream = streamOf('input', member.machine);
  said.follow(stream);
  await said.ask({ type: 'stream:read', stream: streamOf('index', member.machine) });
  await say('live', streamOf('input', hostile.victim.workspace.signer.machine), word({ type: 'beat', wantsAnswer: true }, null));
  const beat = await said.until(() => {
    const { membership, keyring } = member;
    for (const { frame } of said.batches(stream).toReversed()) {
      const received = receiveBatch(frame, { membership, keyring, state: EMPTY_STREAM });
      const parsed = received.is === 'opened' ? parsePeerFrame(received.payload) : null;
      if (parsed !== null) return parsed.beat;
    }
    return undefined;
  });
  said.isForgetful = true;
  return beat;
}

const beat: Beat = { boot: 'ab'.repeat(16), atMs: 5 };
const word = (body: object, heard: Beat | null) => encodeAnything({ v: 1, beat, heard, body });

it(
  '[peer-5] whatever a member says in passing changes nothing that it does not say properly',
  async () => {
    const heard = await beatOfVictim();
    const wrong = 50;
    const inputId = randomUUID();
    const look = { viewers: [{ clientId: newClientId(), name: 'x', viewport: { cols: 80, rows: 24 } }], driver: null };
    const prompt = { kind: 'prompt', inputId, content: { text: 'x', images: [] } };
    const answer = {
      kind: 'permission',
      inputId,
      requestId: 'x',
      decision: 'allow',
      reason: null,
      updatedInput: { a: [1, { b: 2 }] },
    };
    const deeds = [
      { type: 'command', runId: own, epoch: wrong, clientId: 'x', command: prompt },
      { type: 'command', runId: own, epoch: wrong, clientId: 'x', command: answer },
      { type: 'command', runId: theirs, epoch: 1, clientId: 'x', command: { kind: 'interrupt', inputId } },
      { type: 'keys', runId: own, epoch: wrong, clientId: null, data: new Uint8Array([3]) },
      { type: 'call', callId: inputId, operation: 'session.create', params: { spec: pty('sh', []), title: null } },
      { type: 'call', callId: inputId, operation: 'session.delete', params: { runId: theirs } },
      { type: 'call', callId: inputId, operation: 'settings.set', params: { changes: { 'machines.allow': 'start' } } },
    ];
    const words = [
      { type: 'look', runId: theirs, ...look },
      { type: 'result', runId: theirs, inputId, outcome: { ok: true, seq: 1 } },
      { type: 'reply', callId: inputId, outcome: { ok: true, result: { a: 1 } } },
      { type: 'logs', logs: [{ runId: theirs, since: 1, seq: 5, bytes: 1e9 }] },
      { type: 'screen-wanted', runId: own, after: 0 },
      { type: 'screen', runId: theirs, seq: 5, cols: 80, rows: 24, data: packed('x'.repeat(1e5)) },
      { type: 'expired', of: inputId },
      { type: 'part', id: inputId, index: 0, count: 900, bytes: new Uint8Array(64 * 1024) },
    ];
    const client = hostile.here.connect();
    const watcher = watch(client, theirs, { viewport: { cols: 80, rows: 24 } });
    await watcher.until(() => watcher.starts.length > 0);
    const shown = [
      {
        type: 'live',
        texts: [{ messageId: 'x', block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text: 'x' }],
      },
      { type: 'viewers', driver: null, viewers: [{ clientId: newClientId(), name: 'x' }] },
    ];
    const victim = hostile.victim.workspace.signer.machine;
    await attack(500, async (chance) => {
      const road = chance.below(5);
      if (road < 2)
        await say('input', streamOf('input', victim), mutatedMessage({ v: 1, beat, heard, body: chance.pick(deeds) }, chance));
      else if (road < 4)
        await say('live', streamOf('input', victim), mutatedMessage({ v: 1, beat, heard, body: chance.pick(words) }, chance));
      else await say('live', streamOf('live', theirs), mutatedMessage({ v: 1, body: chance.pick(shown) }, chance));
    });
    // It is heard as before.
    const called = { type: 'call', callId: randomUUID(), operation: 'engine.status', params: {} } as const;
    const answers = said.batches(streamOf('input', member.machine)).length;
    const fresh = await beatOfVictim();
    await say('input', streamOf('input', victim), encodePeerFrame({ v: 1, beat, heard: fresh, body: called }));
    await said.until(() => said.batches(streamOf('input', member.machine)).length > answers);
  },
  FUZZ_WITHIN_MS,
);

it(
  '[replica-8] no card, log or screen of a member touches what others host, whatever it holds',
  async () => {
    const screen = { seq: 1, cols: 80, rows: 24, data: 'x' };
    const spec = pty('sh', []);
    const card = { ...aboutIt, sessions: [sessionOf(theirs), sessionOf(own), sessionOf(runIdOf(8))], deleted: [own, runIdOf(9)] };
    const checkpoint = { seq: 5, ts: 1, epoch: 1, hash: 'ab'.repeat(32), state: initialState(spec), screen };
    await attack(300, async (chance) => {
      const [stream, honest] = chance.pick([
        [streamOf('index', member.machine), card],
        [streamOf('checkpoint', theirs), checkpoint],
        [streamOf('checkpoint', runIdOf(8)), checkpoint],
      ] as const);
      const text = jsonOf(mutatedValue(honest, chance)) ?? '{';
      const payload = packed(text);
      await say('index', stream, chance.below(3) === 0 ? mutatedBytes(payload, chance) : payload);
    });
    await say(
      'index',
      streamOf('index', member.machine),
      packed(JSON.stringify({ ...aboutIt, sessions: [sessionOf(runIdOf(20))], deleted: [] })),
    );
    await vi.waitFor(() => expect(hostile.here.engine.remote.all.has(runIdOf(20))).toBe(true), WITHIN);
  },
  FUZZ_WITHIN_MS,
);

it('[wire-10] cards that grow beyond all bounds when they are read are refused in a moment', async () => {
  const { victim } = hostile;
  const before = victim.problems;
  const bombs = [
    `{"sessions":[${'0,'.repeat(3_000_000)}0]}`,
    '['.repeat(3_000_000),
    JSON.stringify({ deleted: Array(250_000).fill({}) }),
  ];
  for (const bomb of bombs) await say('index', streamOf('index', member.machine), packed(bomb));
  await vi.waitFor(() => expect(victim.problems).toBe(before + bombs.length), WITHIN);
  expect(victim.bugs).toEqual([]);
});

it(
  '[doc-9] whatever a member writes to documents, they can be read and written',
  async () => {
    const updates = [sessionDocument(own), WORKSPACE_DOCUMENT].map((name) => {
      const doc = new Y.Doc();
      if (name === WORKSPACE_DOCUMENT) doc.getMap('titles').set(own, 'x');
      else writeText(doc, 'notes', 'what the member notes', null);
      return [name, Y.encodeStateAsUpdate(doc)] as const;
    });
    const { victim, here } = hostile;
    await fuzz(300, async (chance) => {
      const [name, update] = chance.pick(updates);
      const [payload] = encodePieces(
        chance.pick(['update', 'snapshot']),
        chance.below(2) === 0 ? mutatedBytes(update, chance) : update,
        [],
      );
      if (payload === undefined) throw new Error('an update is one piece');
      await say('document', streamOf('document', name), chance.below(2) === 0 ? mutatedBytes(payload, chance) : payload);
    });
    await settled();
    expect(victim.bugs).toEqual([]);
    const { text } = await here.documents.text(own, 'draft');
    await here.documents.setText(own, 'draft', `${text} and on`, text);
    expect((await here.documents.text(own, 'draft')).text).toContain(' and on');
  },
  FUZZ_WITHIN_MS,
);

/** Undefined for what JSON cannot say. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
