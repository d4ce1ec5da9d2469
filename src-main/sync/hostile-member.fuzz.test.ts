import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { type Beat, encodePeerFrame } from '../../src-shared/peer-protocol.ts';
import { initialState } from '../../src-shared/session-state.ts';
import { type Chance, FUZZ_WITHIN_MS, fuzz, mutatedBytes, mutatedMessage, mutatedValue } from '../../src-shared/sim/fuzz.ts';
import { sessionDocument, WORKSPACE_DOCUMENT, writeText } from '../../src-shared/workspace-documents.ts';
import { newClientId, pty, watch } from '../engine/engine.fixture.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { encodePieces } from './documents/document-payload.ts';
import { HostileMember, MEMBERS_BEAT, packed, sessionOf } from './hostile-member.fixture.ts';
import { WITHIN } from './logs/replication.fixture.ts';

let from: HostileMember;
beforeEach(async () => {
  from = await HostileMember.start();
});
afterEach(() => from.hostile.dispose());

/** Does so often what the member does; then nothing is otherwise than before, nothing was thrown, and everything works. */
async function attack(usual: number, one: (chance: Chance) => Promise<void>, prepare = async () => {}) {
  const state = () => from.hostile.victim.state([from.own]);
  await prepare();
  let before = await state();
  const check = async () => {
    const { victim, errors } = from.hostile;
    await from.settled();
    expect(victim.bugs).toEqual([]);
    expect(errors).toEqual([]);
    expect(await state()).toEqual(before);
    expect(victim.workspace.link.state.is).toBe('live');
  };
  const again = async () => {
    await renew();
    await prepare();
    before = await state();
  };
  await fuzz(usual, one, { check, renew: again });
}

async function renew() {
  await from.hostile.dispose();
  from = await HostileMember.start();
}

/** What a member asks for: as it is, nothing that is done. */
function deedsOf(inputId: string): object[] {
  const { own, theirs } = from;
  const wrong = 50;
  const prompt = { kind: 'prompt', inputId, content: { text: 'x', images: [] } };
  const updatedInput = { a: [1, { b: 2 }] };
  const answer = { kind: 'permission', inputId, requestId: 'x', decision: 'allow', reason: null, updatedInput };
  return [
    { type: 'command', runId: own, epoch: wrong, clientId: 'x', command: prompt },
    { type: 'command', runId: own, epoch: wrong, clientId: 'x', command: answer },
    { type: 'command', runId: theirs, epoch: 1, clientId: 'x', command: { kind: 'interrupt', inputId } },
    { type: 'keys', runId: own, epoch: wrong, clientId: null, data: new Uint8Array([3]) },
    { type: 'call', callId: inputId, operation: 'session.create', params: { spec: pty('sh', []), title: null } },
    { type: 'call', callId: inputId, operation: 'session.delete', params: { runId: theirs } },
    { type: 'call', callId: inputId, operation: 'settings.set', params: { changes: { 'machines.allow': 'start' } } },
  ];
}

const SCREEN = packed('x'.repeat(1e5));
function wordsOf(inputId: string): object[] {
  const { own, theirs } = from;
  const viewers = [{ clientId: newClientId(), name: 'x', viewport: { cols: 80, rows: 24 } }];
  return [
    { type: 'look', runId: theirs, viewers, driver: null },
    { type: 'result', runId: theirs, inputId, outcome: { ok: true, seq: 1 } },
    { type: 'reply', callId: inputId, outcome: { ok: true, result: { a: 1 } } },
    { type: 'logs', logs: [{ runId: theirs, since: 1, seq: 5, bytes: 1e9 }] },
    { type: 'screen-wanted', runId: own, after: 0 },
    { type: 'screen', runId: theirs, seq: 5, cols: 80, rows: 24, data: SCREEN },
    { type: 'expired', of: inputId },
    { type: 'part', id: inputId, from: 0, of: 5_000_000, bytes: new Uint8Array(64 * 1024) },
  ];
}

const LIVE = { messageId: 'x', block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text: 'x' };
const SHOWN = [
  { type: 'live', texts: [LIVE] },
  { type: 'viewers', driver: null, viewers: [{ clientId: newClientId(), name: 'x' }] },
];

it(
  '[peer-5] whatever a member says in passing changes nothing that it does not say properly',
  async () => {
    const inputId = randomUUID();
    let heard: Beat;
    const prepare = async () => {
      heard = await from.beatOfVictim();
      const watcher = watch(from.hostile.here.connect(), from.theirs, { viewport: { cols: 80, rows: 24 } });
      await watcher.until(() => watcher.starts.length > 0);
    };
    const one = async (chance: Chance) => {
      const road = chance.below(5);
      const frame = (body: object) => mutatedMessage({ v: 1, beat: MEMBERS_BEAT, heard, body }, chance);
      if (road < 2) await from.say('input', from.toVictim, frame(chance.pick(deedsOf(inputId))));
      else if (road < 4) await from.say('live', from.toVictim, frame(chance.pick(wordsOf(inputId))));
      else await from.say('live', from.streamOf('live', from.theirs), mutatedMessage({ v: 1, body: chance.pick(SHOWN) }, chance));
    };
    await attack(500, one, prepare);
    // It is heard as before.
    const called = { type: 'call', callId: randomUUID(), operation: 'engine.status', params: {} } as const;
    const fresh = await from.beatOfVictim();
    const frame = encodePeerFrame({ v: 1, beat: MEMBERS_BEAT, heard: fresh, body: called });
    await from.answersTo(
      () => from.say('input', from.toVictim, frame),
      (words) => words.some((word) => word.type === 'reply' && word.outcome.ok),
    );
  },
  FUZZ_WITHIN_MS,
);

it(
  '[replica-8] no card, log or screen of a member touches what others host, whatever it holds',
  async () => {
    const screen = { seq: 1, cols: 80, rows: 24, data: 'x' };
    const checkpoint = { seq: 5, ts: 1, epoch: 1, hash: 'ab'.repeat(32), state: initialState(pty('sh', [])), screen };
    await attack(300, async (chance) => {
      const { own, theirs, member } = from;
      const sessions = [theirs, own, runIdOf(8)].map(sessionOf);
      const about = { name: 'x', version: '0', platform: 'x', protocol: 1, state: 'up' };
      const [stream, honest] = chance.pick([
        [from.streamOf('index', member.machine), { ...about, sessions, deleted: [own, runIdOf(9)] }],
        [from.streamOf('checkpoint', theirs), checkpoint],
        [from.streamOf('checkpoint', runIdOf(8)), checkpoint],
      ] as const);
      const payload = packed(jsonOf(mutatedValue(honest, chance)) ?? '{');
      await from.say('index', stream, chance.below(3) === 0 ? mutatedBytes(payload, chance) : payload);
    });
    await from.sayCard({ sessions: [sessionOf(runIdOf(20))] });
    await vi.waitFor(() => expect(from.hostile.here.engine.remote.all.has(runIdOf(20))).toBe(true), WITHIN);
  },
  FUZZ_WITHIN_MS,
);

it('[wire-10] cards that grow beyond all bounds when they are read are refused in a moment', async () => {
  const { victim } = from.hostile;
  const before = victim.problems;
  const bombs = [
    `{"sessions":[${'0,'.repeat(3_000_000)}0]}`,
    '['.repeat(3_000_000),
    JSON.stringify({ deleted: Array(250_000).fill({}) }),
  ];
  for (const bomb of bombs) await from.say('index', from.streamOf('index', from.member.machine), packed(bomb));
  await vi.waitFor(() => expect(victim.problems).toBe(before + bombs.length), WITHIN);
  expect(victim.bugs).toEqual([]);
});

it(
  '[doc-9] whatever a member writes to documents, they can be read and written',
  async () => {
    const title = new Y.Doc();
    title.getMap('titles').set(from.own, 'x');
    const notes = new Y.Doc();
    writeText(notes, 'notes', 'what the member notes', null);
    const check = async () => {
      await from.settled();
      expect(from.hostile.victim.bugs).toEqual([]);
    };
    const one = async (chance: Chance) => {
      const [name, doc] = chance.pick([
        [WORKSPACE_DOCUMENT, title],
        [sessionDocument(from.own), notes],
      ] as const);
      const update = Y.encodeStateAsUpdate(doc);
      const changed = chance.below(2) === 0 ? mutatedBytes(update, chance) : update;
      const [payload] = encodePieces(chance.pick(['update', 'snapshot']), changed, []);
      if (payload === undefined) throw new Error('an update is one piece');
      const stream = from.streamOf('document', name);
      await from.say('document', stream, chance.below(2) === 0 ? mutatedBytes(payload, chance) : payload);
    };
    await fuzz(300, one, { check, renew });
    const { documents } = from.hostile.here;
    const { text } = await documents.text(from.own, 'draft');
    await documents.setText(from.own, 'draft', `${text} and on`, text);
    expect((await documents.text(from.own, 'draft')).text).toContain(' and on');
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
