import { afterEach, expect, it, vi } from 'vitest';
import { encodeRelayMessage, type FromRelay, LANES, MAX_SEEN_MACHINES, MIN_PART_BYTES } from '../../src-shared/relay-protocol.ts';
import { measured } from '../../src-shared/sim/fuzz.ts';
import { testMachineId } from '../../src-shared/sim/workspace.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { HostileGround } from './hostile.fixture.ts';

/** What a relay might think of that chance would not: it says it between the words of an honest one. */
let hostile: HostileGround;
let wire: Wire;
/** Frames that the machine has sent. */
let sent: number;
afterEach(() => hostile.dispose());

async function start(): Promise<void> {
  sent = 0;
  hostile = await HostileGround.start((between) => {
    wire = between;
    const send = between.send.bind(between);
    between.send = (frame) => {
      sent += 1;
      send(frame);
    };
    return between;
  });
  await settled();
}

const say = (message: FromRelay) => wire.onFrame?.(encodeRelayMessage(message));
const linkOf = () => hostile.victim.workspace.link;

async function settled(): Promise<void> {
  await linkOf()
    .ask({ type: 'stream:read', stream: 'ab'.repeat(16) })
    .catch(() => {});
  await hostile.here.store.sync();
}

it('[link-11] a relay that names machines nobody knows makes this one greet none of them, and keep no more than there can be', async () => {
  await start();
  const before = sent;
  measured(() => {
    for (let machine = 10; machine < MAX_SEEN_MACHINES / 10; machine++) {
      say({ type: 'machine', seen: { machine: testMachineId(machine), online: true, seenAtMs: 1 } });
    }
  });
  expect(sent).toBe(before);
  const welcome = { ...linkOf().state } as { welcome?: { machines: unknown[] } };
  expect(welcome.welcome?.machines.length).toBeLessThanOrEqual(MAX_SEEN_MACHINES);
  expect(linkOf().state.is).toBe('live');
});

it('[link-11] a relay that says of a machine that it was there at no time is not understood', async () => {
  await start();
  say({ type: 'machine', seen: { machine: hostile.member.machine, online: false, seenAtMs: 9e15 } });
  await vi.waitFor(() => expect(linkOf().state.is).not.toBe('live'));
});

it('[link-12] a relay that sends more than it was given credit for is left', async () => {
  await start();
  const { third } = hostile;
  const stream = third.keyring.streamName('index', third.machine);
  const frame = new Uint8Array(1024 * 1024 - 1_000);
  for (let position = 1; position <= 3; position++) say({ type: 'batch', stream, position, frame });
  expect(linkOf().state.is).toBe('lost');
  linkOf().retryNow();
  await hostile.victim.live();
});

it('[link-11] parts of messages that never end, in each lane, take no more room than a message; what does not follow ends the connection', async () => {
  await start();
  const [of, bytes] = [1024 * 1024, new Uint8Array(MIN_PART_BYTES)];
  for (let count = 0; count < 100; count++) {
    for (const lane of LANES) say({ type: 'part', lane, from: 0, of, bytes });
  }
  for (const lane of LANES) say({ type: 'dropped', lane });
  expect(linkOf().state.is).toBe('live');
  const anything = encodeRelayMessage({ type: 'part', lane: 'rest', from: 0, of: 1, bytes: new Uint8Array(1) });
  const wrong: FromRelay[][] = [
    [{ type: 'part', lane: 'rest', from: bytes.byteLength, of, bytes }],
    [
      { type: 'part', lane: 'rest', from: 0, of, bytes },
      { type: 'part', lane: 'rest', from: bytes.byteLength - 1, of, bytes },
    ],
    [{ type: 'part', lane: 'rest', from: 0, of, bytes: new Uint8Array(1_000) }],
    [{ type: 'part', lane: 'rest', from: 0, of: 2 * of, bytes }],
    [{ type: 'part', lane: 'rest', from: 0, of: anything.byteLength, bytes: anything }],
  ];
  for (const messages of wrong) {
    for (const message of messages) say(message);
    await vi.waitFor(() => expect(linkOf().state.is).not.toBe('live'));
    linkOf().retryNow();
    await hostile.victim.live();
  }
});

it('[link-11] answers to what was never asked, and second ones, are nobody’s', async () => {
  await start();
  const before = await hostile.victim.state([]);
  const { head } = before;
  const signature = new Uint8Array(64);
  const answers: FromRelay[] = [
    { type: 'done', ask: 99_999 },
    { type: 'stored', ask: 99_999, position: Number.MAX_SAFE_INTEGER },
    { type: 'chain', ask: 99_999, entries: [], height: Number.MAX_SAFE_INTEGER },
    { type: 'leased', ask: Number.MAX_SAFE_INTEGER, epoch: 5 },
    { type: 'refused', ask: 1, why: 'removed' },
    { type: 'refused', ask: null, why: 'removed' },
    { type: 'caught-up', stream: 'ab'.repeat(16), position: Number.MAX_SAFE_INTEGER },
    { type: 'lease', stream: 'ab'.repeat(16), epoch: 9, holder: hostile.third.machine },
    { type: 'welcome', signature, incarnation: 'x', height: 9, head, machines: [] },
    { type: 'mailbox:joined', mailbox: 'ab'.repeat(16) },
    { type: 'mailbox:said', mailbox: 'ab'.repeat(16), message: new Uint8Array(20) },
    { type: 'mailbox:closed', mailbox: 'ab'.repeat(16) },
  ];
  for (const answer of [...answers, ...answers]) say(answer);
  await settled();
  expect(await hostile.victim.state([])).toEqual(before);
  expect(hostile.victim.bugs).toEqual([]);
  expect(linkOf().state.is).toBe('live');
});
