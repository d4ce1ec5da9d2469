import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as Y from 'yjs';
import { revokeMachine } from '../../src-shared/membership-keys.ts';
import { encodePeerFrame, type PeerDeed, type PeerWord } from '../../src-shared/peer-protocol.ts';
import { MAX_SESSIONS_OF_MACHINE } from '../../src-shared/replication.ts';
import { initialState } from '../../src-shared/session-state.ts';
import { sessionDocument, writeText } from '../../src-shared/workspace-documents.ts';
import { newClientId, pty, watch } from '../engine/engine.fixture.ts';
import { runIdOf } from '../store/store.fixture.ts';
import { encodePieces } from './documents/document-payload.ts';
import { HostileMember, logOf, MEMBERS_BEAT, packed, sessionOf } from './hostile-member.fixture.ts';
import { WITHIN } from './logs/replication.fixture.ts';

/** What a member of the workspace might think of that chance would not. */
let from: HostileMember;
afterEach(() => from.hostile.dispose());

const engineOf = () => from.hostile.here.engine;
const seqOf = (runId = from.theirs) => engineOf().sessions.get(runId)?.log.published.seq;

async function sayLog(seq: number, event: object = {}): Promise<void> {
  await from.say('log', from.streamOf('log', from.theirs), await logOf(seq, event));
}

async function answerTo(deed: PeerDeed): Promise<PeerWord | undefined> {
  const heard = await from.beatOfVictim();
  const frame = encodePeerFrame({ v: 1, beat: MEMBERS_BEAT, heard, body: deed });
  const answers = await from.answersTo(
    () => from.say('input', from.toVictim, frame),
    (words) => words.some(({ type }) => type === 'reply' || type === 'result' || type === 'keys-refused'),
  );
  return answers.map(({ word }) => word).find(({ type }) => type !== 'beat' && type !== 'logs');
}

describe('[replica-8] a member', () => {
  it('cannot end the following of a log by letting something pass in it', async () => {
    from = await HostileMember.start();
    await sayLog(1);
    await vi.waitFor(() => expect(seqOf()).toBe(1), WITHIN);
    for (const kind of ['live', 'input'] as const) {
      await from.say(kind, from.streamOf('log', from.theirs), new Uint8Array(10));
      await from.say(kind, from.streamOf('index', from.member.machine), new Uint8Array(10));
      await from.say(kind, from.streamOf('checkpoint', from.theirs), new Uint8Array(10));
    }
    await sayLog(2);
    await vi.waitFor(() => expect(seqOf()).toBe(2), WITHIN);
    expect(from.hostile.victim.problems).toBe(0);
  });

  it('names no session of a time that nobody can tell, nor more deleted ones than it may', async () => {
    from = await HostileMember.start();
    const { victim } = from.hostile;
    const [far, sane] = [8, 9].map(runIdOf) as [ReturnType<typeof runIdOf>, ReturnType<typeof runIdOf>];
    for (const createdTs of [9e15, -1e15, 253_402_300_800_000]) {
      await from.sayCard({ sessions: [{ ...sessionOf(far), createdTs }] });
    }
    await from.sayCard({ deleted: Array.from({ length: 1_001 }, (_, number) => runIdOf(number)) });
    await vi.waitFor(() => expect(victim.problems).toBe(4), WITHIN);
    await from.sayCard({ sessions: [sessionOf(sane)] });
    await vi.waitFor(() => expect(engineOf().sessions.has(sane)).toBe(true), WITHIN);
    expect(engineOf().sessions.has(far)).toBe(false);
    expect([...engineOf().sessions.values()].map((session) => session.summary().lastSeq)).toHaveLength(3);
  });

  it('[replica-19] names no more sessions than others have room for', async () => {
    from = await HostileMember.start();
    const { sessions } = engineOf();
    const many = Array.from({ length: MAX_SESSIONS_OF_MACHINE + 10 }, (_, number) => sessionOf(runIdOf(100 + number)));
    const create = vi.spyOn(engineOf().remote, 'create').mockResolvedValue();
    await from.sayCard({ sessions: many });
    await vi.waitFor(() => expect(from.hostile.victim.problems).toBe(1), WITHIN);
    await vi.waitFor(() => expect(create).toHaveBeenCalledTimes(MAX_SESSIONS_OF_MACHINE - 1), WITHIN);
    expect(sessions.size).toBe(2);
  });

  it('leaves no checkpoint that a machine cannot bear', async () => {
    from = await HostileMember.start();
    const state = initialState(pty('sh', []));
    const screen = { seq: 5, cols: 80, rows: 24, data: 'x' };
    const honest = { seq: 5, ts: 1, epoch: 1, hash: 'ab'.repeat(32), state, screen };
    const bad = [
      { ...honest, screen: { ...screen, cols: 1e9 } },
      { ...honest, screen: { ...screen, rows: 0 } },
      { ...honest, state: { ...state, cols: 1e9 } },
      { ...honest, ts: 9e15 },
      { ...honest, seq: 2 ** 53 },
    ];
    const stream = from.streamOf('checkpoint', from.theirs);
    for (const checkpoint of bad) await from.say('index', stream, packed(JSON.stringify(checkpoint)));
    await vi.waitFor(() => expect(from.hostile.victim.problems).toBe(bad.length), WITHIN);
    expect(from.hostile.victim.bugs).toEqual([]);
  });
});

describe('[replica-10] of the log of a member', () => {
  it.each([
    ['a time that nobody can tell', { ts: 9e15 }],
    ['a time before all', { ts: -1e15 }],
    [
      'values so deep that no client could read them',
      { isJson: true, payload: Buffer.from('['.repeat(2_500) + ']'.repeat(2_500)) },
    ],
    ['what is no JSON', { isJson: true, payload: Buffer.from('{') }],
  ])('nothing is kept with %s', async (_, event) => {
    from = await HostileMember.start();
    await sayLog(1, event);
    await vi.waitFor(() => expect(from.hostile.victim.problems).toBe(1), WITHIN);
    expect(seqOf()).toBe(0);
    expect(from.hostile.victim.bugs).toEqual([]);
    expect(engineOf().sessions.get(from.theirs)?.summary().lastSeq).toBe(0);
  });

  it('what is called like something that every object has is kept and means nothing, and no size is taken that has no room', async () => {
    from = await HostileMember.start();
    const json = (value: unknown) => ({ isJson: true, payload: Buffer.from(JSON.stringify(value)) });
    await sayLog(1, { channel: '__proto__', type: 'toString', ...json({}) });
    await sayLog(2, { channel: 'constructor', type: 'name', ...json({}) });
    await sayLog(3, { channel: 'pty:resize', type: 'resized', ...json({ cols: 1e9, rows: 1e9 }) });
    await vi.waitFor(() => expect(seqOf()).toBe(3), WITHIN);
    const watcher = watch(from.hostile.here.connect(), from.theirs, { viewport: { cols: 80, rows: 24 } });
    await watcher.until(() => watcher.state !== null);
    expect(watcher.state).toMatchObject({ cols: 80, rows: 24 });
    expect(from.hostile.victim.bugs).toEqual([]);
  });
});

describe('[drive-3] a machine that may only look', () => {
  it('types nothing, starts nothing, reads no files, removes nothing and changes nobody’s rights', async () => {
    from = await HostileMember.start('view');
    const { own } = from;
    const before = await from.hostile.victim.state([own]);
    const inputId = randomUUID();
    const heard = await from.beatOfVictim();
    const deeds = [
      { type: 'keys', runId: own, epoch: 1, clientId: null, data: Uint8Array.of(65) },
      { type: 'command', runId: own, epoch: 1, clientId: 'x', command: { kind: 'interrupt', inputId } },
      { type: 'call', callId: inputId, operation: 'session.create', params: { spec: pty('sh', []), title: null } },
      { type: 'call', callId: inputId, operation: 'files.complete', params: { runId: own, prefix: '/' } },
      { type: 'call', callId: inputId, operation: 'session.delete', params: { runId: own } },
    ] as unknown as PeerDeed[];
    for (const body of deeds) {
      const frame = encodePeerFrame({ v: 1, beat: MEMBERS_BEAT, heard, body });
      // The relay does not pass it on as a deed; sealed as a word it is none.
      await expect(from.say('input', from.toVictim, frame)).rejects.toThrow('not-allowed');
      await from.say('live', from.toVictim, frame);
    }
    const entry = revokeMachine(from.member.membership, from.member, from.hostile.third.machine, 5_000);
    expect(await from.said.outcome({ type: 'chain:append', entry })).toBe('entry-refused');
    expect(await from.said.outcome({ type: 'streams:remove', streams: [from.streamOf('log', own)] })).toBe('not-allowed');
    await from.settled();
    expect(await from.hostile.victim.state([own])).toEqual(before);
    expect(from.hostile.victim.bugs).toEqual([]);
  });
});

it('[drive-4] a machine with all rights changes no settings and no members of another, and asks for nothing else', async () => {
  from = await HostileMember.start();
  const before = await from.hostile.victim.state([from.own]);
  const heard = await from.beatOfVictim();
  const asked = [
    ['settings.set', { changes: { 'machines.allow': 'start' } }],
    ['machines.revoke', { machineId: from.hostile.third.machine }],
    ['session.list', {}],
    ['__proto__', {}],
  ];
  for (const [operation, params] of asked) {
    const deed = { type: 'call', callId: randomUUID(), operation, params } as unknown as PeerDeed;
    await from.say('input', from.toVictim, encodePeerFrame({ v: 1, beat: MEMBERS_BEAT, heard, body: deed }));
  }
  const unknown = { type: 'call', callId: randomUUID(), operation: 'session.delete', params: { runId: runIdOf(50) } };
  expect(await answerTo(unknown as unknown as PeerDeed)).toMatchObject({ type: 'reply', outcome: { ok: false } });
  expect(await from.hostile.victim.state([from.own])).toEqual(before);
});

it('[seal-7] a machine that was removed says nothing more with its old keys', async () => {
  from = await HostileMember.start();
  await sayLog(1);
  await vi.waitFor(() => expect(seqOf()).toBe(1), WITHIN);
  const { third, member, victim } = from.hostile;
  const entry = revokeMachine(third.membership, third, member.machine, 5_000);
  await (await from.hostile.connect(third)).ask({ type: 'chain:append', entry });
  await vi.waitFor(() => expect(victim.workspace.membership.members.get(member.machine)?.revokedHeight).not.toBeNull(), WITHIN);
  const before = await victim.state([from.own]);
  await expect(sayLog(2)).rejects.toThrow();
  await expect(from.hostile.connect(member)).rejects.toThrow();
  expect(seqOf()).toBe(1);
  expect(await victim.state([from.own])).toEqual(before);
});

it('[peer-2] what passed once passes no second time, also after the machine has begun anew', async () => {
  from = await HostileMember.start();
  const heard = await from.beatOfVictim();
  const keys = { type: 'keys', runId: from.own, epoch: 1, clientId: null, data: Buffer.from('once\n') } as unknown as PeerDeed;
  const payload = encodePeerFrame({ v: 1, beat: MEMBERS_BEAT, heard, body: keys });
  const batch = from.member.seal({ kind: 'input', stream: from.toVictim }, payload);
  await from.said.append(batch);
  await vi.waitFor(() => expect(seqOf(from.own)).toBeGreaterThan(1), WITHIN);
  await from.settled();
  const after = seqOf(from.own);
  for (let again = 0; again < 3; again++) await from.said.append(batch);
  await from.settled();
  expect(seqOf(from.own)).toBe(after);
  await from.hostile.victim.stop();
  await from.hostile.enter();
  await from.said.append(batch);
  await from.settled();
  expect(seqOf(from.own)).toBe(after);
});

it('[peer-6] of texts that are never ended, a machine keeps no more than there can be', async () => {
  from = await HostileMember.start();
  const watcher = watch(from.hostile.here.connect(), from.theirs, { viewport: { cols: 80, rows: 24 } });
  await watcher.until(() => watcher.state !== null);
  const live = { block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text: 'x' };
  const stream = from.streamOf('live', from.theirs);
  for (let round = 0; round < 2; round++) {
    const texts = Array.from({ length: 1_000 }, (_, at) => ({ ...live, messageId: `${round}-${at}` }));
    await from.say('live', stream, from.shown({ type: 'live', texts }));
  }
  const session = engineOf().remote.all.get(from.theirs);
  await vi.waitFor(() => expect(session?.liveTexts().length).toBeGreaterThan(0), WITHIN);
  await from.settled();
  expect(session?.liveTexts()).toHaveLength(256);
});

describe('[doc-9] a member', () => {
  const notesUpdate = (text: string) => {
    const doc = new Y.Doc();
    writeText(doc, 'notes', text, null);
    return Y.encodeStateAsUpdate(doc);
  };

  it('that begins a snapshot and never ends it holds nobody up', async () => {
    from = await HostileMember.start();
    const { documents } = from.hostile.here;
    const stream = from.streamOf('document', sessionDocument(from.own));
    const heard = async (text: string) => {
      await vi.waitFor(async () => expect((await documents.text(from.own, 'notes')).text).toContain(text), WITHIN);
    };
    const say = async (text: string) => {
      for (const piece of encodePieces('update', notesUpdate(text))) await from.say('document', stream, piece);
    };
    await say('before');
    await heard('before');
    const [first] = encodePieces('snapshot', new Uint8Array(1_000_000));
    if (first === undefined) throw new Error('a snapshot has a first piece');
    await from.say('document', stream, first);
    await say('behind');
    await heard('behind');
    expect(from.hostile.victim.bugs).toEqual([]);
  });

  it('puts no documents into documents', async () => {
    from = await HostileMember.start();
    const doc = new Y.Doc();
    for (let at = 0; at < 100; at++) doc.getMap('of a later version').set(String(at), new Y.Doc());
    const stream = from.streamOf('document', sessionDocument(from.own));
    for (const piece of encodePieces('update', Y.encodeStateAsUpdate(doc))) await from.say('document', stream, piece);
    await vi.waitFor(() => expect(from.hostile.victim.problems).toBe(1), WITHIN);
    expect((await from.hostile.here.documents.load(sessionDocument(from.own))).doc.subdocs.size).toBe(0);
  });
});

it('[drive-5] of those who look, there are as many as there can be', async () => {
  from = await HostileMember.start();
  const viewers = Array.from({ length: 201 }, () => ({ clientId: newClientId(), name: 'x', viewport: null }));
  const look = (some: object[]) => from.word({ type: 'look', runId: from.own, viewers: some, driver: null }, null);
  await from.say('live', from.toVictim, look(viewers));
  await from.settled();
  expect(engineOf().session(from.own).viewers.size).toBe(0);
  await from.say('live', from.toVictim, look(viewers.slice(1)));
  await vi.waitFor(() => expect(engineOf().session(from.own).viewers.size).toBe(200), WITHIN);
});
