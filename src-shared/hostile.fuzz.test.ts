import { beforeAll, expect, it } from 'vitest';
import { FIRST_EPOCH, InputId, RunId } from './ids.ts';
import { applyEntry } from './membership.ts';
import { renameMachine, revokeMachine, rotateKey } from './membership-keys.ts';
import {
  memberConfirms,
  memberReceives,
  memberWelcomes,
  type NewcomerState,
  newcomerReceives,
  startMember,
  startNewcomer,
} from './pairing.ts';
import { makeSecret } from './pairing-code.ts';
import { parsePeerFrame, parsePeerMessage, parseShow } from './peer-protocol.ts';
import { parseClientMessage, parseHostMessage } from './protocol.ts';
import { EMPTY_STREAM, receiveBatch } from './receive-batch.ts';
import { parseFromRelay, parseToRelay } from './relay-protocol.ts';
import { SIGNATURE_BYTES, sealReady } from './seal.ts';
import { BATCH_KINDS, type BatchKindName } from './sealed-batch.ts';
import { type Chance, encodeAnything, FUZZ_WITHIN_MS, fuzz, measured, mutatedBytes, mutatedMessage } from './sim/fuzz.ts';
import { TestMachine, testMachineId, testWorkspace } from './sim/workspace.ts';

beforeAll(() => sealReady);

const runId = RunId.parse('0190c1de-0000-7000-8000-000000000001');
const inputId = InputId.parse('0190c1de-0000-4000-8000-000000000002');
const hash = 'ab'.repeat(32);
const stream = 'ab'.repeat(16);
const machine = testMachineId(1);
const some = new Uint8Array(32).fill(7);
const signature = new Uint8Array(SIGNATURE_BYTES).fill(9);
const beat = { boot: 'ab'.repeat(16), atMs: 5 };
const permission = {
  kind: 'permission',
  inputId,
  requestId: 'x',
  decision: 'allow',
  reason: null,
  updatedInput: { a: [1, { b: 2 }] },
};
const bodies = [
  { type: 'command', runId, epoch: FIRST_EPOCH, clientId: 'x', command: permission },
  { type: 'keys', runId, epoch: FIRST_EPOCH, clientId: null, data: some },
  { type: 'call', callId: inputId, operation: 'session.create', params: { spec: { kind: 'echo' } } },
  { type: 'look', runId, viewers: [{ clientId: inputId, name: 'x', viewport: { cols: 80, rows: 24 } }], driver: null },
  { type: 'result', runId, inputId, outcome: { ok: false, refusal: { code: 'failed', message: 'x', hint: null } } },
  { type: 'part', id: inputId, from: 0, of: 40, bytes: some },
];

/** Every door that bytes of others come in by, with what honest ones say there. */
const DOORS: Record<string, { readonly parse: (bytes: Uint8Array) => unknown; readonly honest: readonly object[] }> = {
  'of the relay': {
    parse: parseToRelay,
    honest: [
      { type: 'prove', version: 1, workspace: hash, machine, nonce: some, signature },
      { type: 'found', ask: 1, entries: [some, some] },
      { type: 'batch', ask: 1, frame: some, release: { to: machine, signature } },
      { type: 'lease:take', ask: 1, stream, epoch: 1, signature },
      { type: 'mailbox:say', mailbox: stream, message: some },
      { type: 'part', ask: 1, lane: 'rest', from: 0, of: 40, bytes: some },
    ],
  },
  'to the relay': {
    parse: parseFromRelay,
    honest: [
      { type: 'welcome', signature, incarnation: 'x', height: 2, head: hash, machines: [{ machine, online: true, seenAtMs: 1 }] },
      { type: 'chain', ask: null, entries: [some], height: 2 },
      { type: 'stream', ask: 1, epoch: 1, holder: null, lastSeq: 1, lastPosition: 1, own: [{ kind: 'log', counter: 1, hash }] },
      { type: 'page', ask: 1, batches: [{ position: 1, frame: some }] },
      { type: 'batch', stream, position: 1, frame: some },
      { type: 'part', lane: 'watch', from: 0, of: 40, bytes: some },
      { type: 'dropped', lane: 'rest' },
    ],
  },
  'of the engine': {
    parse: parseClientMessage,
    honest: [
      { type: 'run:input', runId, epoch: FIRST_EPOCH, input: permission },
      { type: 'call', callId: 1, operation: 'layout.set', params: { layout: { a: [1, { b: 2 }] } } },
      { type: 'run:attach', runId, attachId: 1, after: 0, viewport: { cols: 80, rows: 24 } },
    ],
  },
  'to the engine': { parse: parseHostMessage, honest: [{ type: 'pong', sentAt: 1 }] },
  'between machines': {
    parse: parsePeerFrame,
    honest: bodies.map((body) => ({ v: 1, beat, heard: beat, body })),
  },
  'between machines, joined': { parse: parsePeerMessage, honest: bodies },
  'of what is shown': {
    parse: (bytes) => {
      const body = parseShow(bytes);
      return body === null ? null : { v: 1, body };
    },
    honest: [
      { v: 1, body: { type: 'viewers', driver: null, viewers: [{ clientId: inputId, name: 'x' }] } },
      {
        v: 1,
        body: {
          type: 'live',
          texts: [{ messageId: 'x', block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text: 'x' }],
        },
      },
    ],
  },
};

it.each(Object.entries(DOORS))(
  '[wire-10] the door %s lets in what can be said again, and stumbles over nothing',
  async (_, { parse, honest }) => {
    await fuzz(500, (chance) => {
      let message: unknown = null;
      try {
        message = parse(mutatedMessage(chance.pick(honest), chance));
      } catch (error) {
        // Those that throw say so in a few words; none has run out of stack, or met what it took for bytes.
        if (!(error instanceof Error) || /call stack|incompatible/.test(error.message) || error.message.length > 2_000)
          throw error;
      }
      if (message !== null) expect(parse(encodeAnything(message))).toEqual(message);
    });
  },
  FUZZ_WITHIN_MS,
);

it('[wire-10] as much as fits into a frame takes a moment to refuse, however it is made', () => {
  const count = 900_000;
  const keys = Object.fromEntries(Array.from({ length: 150_000 }, (_, n) => [n.toString(36), null]));
  const deep = Buffer.concat([Buffer.alloc(2 * count, Buffer.from([117, 1])), Buffer.from([126])]);
  const bombs = [
    encodeAnything({ type: 'found', ask: 1, entries: Array(count).fill(null) }),
    encodeAnything({ type: 'found', ask: 1, entries: [], ...keys }),
    encodeAnything({ type: 'look', viewers: Array(count / 2).fill({}) }),
    Uint8Array.from(deep),
  ];
  for (const { parse } of Object.values(DOORS).filter((door) => door.parse !== parseHostMessage)) {
    for (const bomb of bombs) expect(measured(() => doorOf(parse)(bomb)).result).toBeNull();
  }
});

const doorOf = (parse: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) => {
  try {
    return parse(bytes);
  } catch {
    return null;
  }
};

it.each(Object.keys(BATCH_KINDS) as BatchKindName[])(
  '[seal-9] nothing of a mutated batch of kind %s is taken, and every honest one after it',
  async (kind) => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const first = a.seal({ kind, stream });
    const next = a.seal({ kind, stream }, 'x'.repeat(500));
    const { membership, keyring } = b;
    const opened = receiveBatch(first.frame, { membership, keyring, state: EMPTY_STREAM });
    if (opened.is !== 'opened') throw new Error(opened.is);
    const { state } = opened;
    const before = structuredClone({ state, membership });
    // The signature of some kinds is for the relay: whoever has the key of the workspace is believed.
    const covered = BATCH_KINDS[kind].isVerifiedByReaders ? 0 : SIGNATURE_BYTES;
    await fuzz(2_000, (chance) => {
      const { frame } = chance.pick([first, next]);
      const inner = mutatedBytes(frame.subarray(0, frame.byteLength - covered), chance);
      const mutated = Uint8Array.from(Buffer.concat([inner, frame.subarray(frame.byteLength - covered)]));
      const { is } = receiveBatch(mutated, { membership, keyring, state });
      if (is === 'opened') throw new Error('it was taken');
    });
    expect({ state, membership }).toEqual(before);
    expect(receiveBatch(next.frame, { membership, keyring, state }).is).toBe('opened');
  },
  FUZZ_WITHIN_MS,
);

it(
  '[member-9] no mutated entry changes who is a member',
  async () => {
    const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
    const entries = [
      rotateKey(a.membership, a, 3_000),
      revokeMachine(a.membership, a, b.machine, 3_000),
      renameMachine(a.membership, b, b.keyring, { machine: b.machine, name: 'x' }, 3_000),
      ...a.entries,
    ];
    const before = structuredClone(a.membership);
    await fuzz(3_000, (chance) => {
      const applied = applyEntry(a.membership, mutatedBytes(chance.pick(entries), chance));
      if (applied.is !== 'refused') throw new Error(applied.is);
    });
    expect(a.membership).toEqual(before);
  },
  FUZZ_WITHIN_MS,
);

it(
  '[pair-6] no message of a pairing that was mutated leads to equal digits or to a workspace',
  async () => {
    const newcomer = new TestMachine(5).newcomer;
    const welcome = { workspace: hash, chainHead: hash, relayKey: hash, rights: 'type' } as const;
    await fuzz(300, (chance) => {
      const secret = makeSecret();
      const at = chance.below(4);
      const carry = carryMutated(chance, at);
      const started = startNewcomer(secret, newcomer, 0);
      const answered = memberReceives(startMember(secret, 0), carry(started.send), 1);
      const revealed = newcomerReceives(started.state, carry(answered.send), 2);
      const shown = memberReceives(answered.state, carry(revealed.send), 3);
      const both = [shown.state, revealed.state].map((state) => (state.is === 'comparing' ? state.digits : null));
      if (at < 3) expect(both[0] !== null && both[0] === both[1]).toBe(false);
      if (shown.state.is !== 'comparing') return;
      const confirmed = memberWelcomes(memberConfirms(shown.state, 'type', 4), welcome);
      const end: NewcomerState = newcomerReceives(revealed.state, carry(confirmed.send), 5).state;
      expect(end.is).not.toBe('joined');
    });
  },
  FUZZ_WITHIN_MS,
);

/** What was to be the `at`th message is another one. */
function carryMutated(chance: Chance, at: number): (message: Uint8Array | null) => Uint8Array {
  let said = 0;
  return (message) => {
    if (message === null) return chance.bytes(chance.below(100));
    return said++ === at ? mutatedBytes(message, chance) : message;
  };
}
