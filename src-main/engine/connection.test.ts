import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ClientId, MachineId, RunId } from '../../src-shared/ids.ts';
import {
  type ClientMessage,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseHostMessage,
} from '../../src-shared/protocol.ts';
import type { CloseReason } from '../../src-shared/refusal.ts';
import { type Wire, wirePair } from '../../src-shared/wire.ts';
import { Connection } from './connection.ts';

const clientId = ClientId.parse('00000000-0000-4000-8000-00000000000c');
const hello: ClientMessage = { type: 'client:hello', protocol: PROTOCOL_VERSION, clientId, kind: 'test', name: 'tests' };

let near: Wire;
let heard: HostMessage[];
let closed: CloseReason | null;
let problems: string[];
let deliver: (() => void)[];
let answer: () => Promise<{ sessions: [] }>;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
  heard = [];
  problems = [];
  closed = null;
  deliver = [];
  answer = async () => ({ sessions: [] });
  const [ours, theirs] = wirePair((work) => void deliver.push(work));
  near = ours;
  near.onFrame = (frame) => heard.push(parseHostMessage(frame));
  near.onClose = (why) => {
    closed = why;
  };
  new Connection(
    theirs,
    {
      store: { read: async () => [], readBack: async () => [] },
      operations: { 'session.list': () => answer() },
      welcome: () => ({
        type: 'welcome',
        protocol: PROTOCOL_VERSION,
        machineId: MachineId.parse('00000000-0000-4000-8000-00000000000a'),
        machine: 'here',
        engineVersion: '0',
        platform: 'linux',
        sessions: [],
        reconnect: null,
      }),
      session: () => {
        throw new Error('a bug');
      },
      handleHello: () => {},
      handleClosed: () => {},
      onProblem: (message) => problems.push(message),
    },
    { isLocal: true, road: 'socket' },
  );
});
afterEach(() => {
  vi.useRealTimers();
});

/** Delivers every frame on its way, and those that are sent meanwhile. */
async function travel(): Promise<void> {
  for (let idle = 0; idle < 3; idle++) {
    for (const work of deliver.splice(0)) work();
    await new Promise((resolve) => setImmediate(resolve));
    if (deliver.length > 0) idle = 0;
  }
}
async function say(...messages: ClientMessage[]): Promise<void> {
  for (const message of messages) near.send(encodeMessage(message));
  await travel();
}
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    vi.advanceTimersByTime(1_000);
    await travel();
  }
}
const heardTypes = () => heard.map(({ type }) => type);

it('[wire-9] asks a silent client, and closes its wire after 25 s without any answer', async () => {
  await say(hello);
  await pass(20_000);
  expect(heardTypes()).toContain('ping');
  expect(closed).toBeNull();
  await pass(10_000);
  expect(closed).toMatchObject({ code: 4502 });
});

it('[wire-9] keeps a client that only answers: the timers of a hidden page are slow', async () => {
  await say(hello);
  for (let second = 0; second < 120; second += 5) {
    await pass(5_000);
    if (heardTypes().at(-1) === 'ping') {
      await say({ type: 'pong', sentAt: 0 });
      heard.length = 0;
    }
  }
  expect(closed).toBeNull();
});

it('[wire-9] does not blame the client for its own sleep', async () => {
  await say(hello);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
  await pass(5_000);
  expect(closed).toBeNull();
});

it('[wire-9] closes a wire on which nobody says hello', async () => {
  await pass(31_000);
  expect(closed).toMatchObject({ code: 4502 });
  expect(heard).toEqual([]);
});

it('[wire-4] [engine-3] an operation that fails is answered with the reason', async () => {
  answer = () => Promise.reject(new Error('the disk is full'));
  await say(hello, { type: 'call', callId: 1, operation: 'session.list', params: {} });
  expect(heard.at(-1)).toMatchObject({
    type: 'reply',
    outcome: { ok: false, refusal: { code: 'failed', message: expect.stringContaining('the disk is full') } },
  });
  expect(problems).toHaveLength(1);
  expect(closed).toBeNull();
});

it('[engine-3] a bug takes down the wire whose message met it, and is told', async () => {
  const runId = RunId.parse('00000000-0000-4000-8000-000000000001');
  await say(hello, { type: 'run:attach', runId, attachId: 1, after: null, viewport: null });
  expect(closed).toMatchObject({ code: 4503 });
  expect(problems).toEqual(['a run:attach message failed']);
});

it('carries out a bounded number of calls at the same time', async () => {
  answer = () => new Promise(() => {});
  await say(hello);
  for (let callId = 1; callId <= 1_001; callId++) {
    near.send(encodeMessage({ type: 'call', callId, operation: 'session.list', params: {} }));
  }
  await travel();
  expect(heard.filter(({ type }) => type === 'reply')).toMatchObject([
    { callId: 1_001, outcome: { ok: false, refusal: { code: 'queue-full' } } },
  ]);
});
