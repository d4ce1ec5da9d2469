import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Clock, SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import type { PairingState } from '../../../src-shared/machines.ts';
import { PAIRING_MS } from '../../../src-shared/pairing.ts';
import { secretOf } from '../../../src-shared/pairing-code.ts';
import { TestMachine, testWorkspace } from '../../../src-shared/sim/workspace.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { RelayProcess } from '../../relay/relay.fixture.ts';
import { openSocketWire } from '../../socket-wire.ts';
import { PairingJoin } from './pairing-join.ts';
import { PairingOffer } from './pairing-offer.ts';
import { PassCounter } from './pass-counter.ts';
import { Workspace } from './workspace.ts';

/** A member's clock that the test can put forward. */
class ForwardClock implements Clock {
  readonly random = SYSTEM_CLOCK.random;
  readonly #timers = new Map<() => void, number>();
  #forwardMs = 0;

  nowMs(): number {
    return Math.floor(performance.now()) + this.#forwardMs;
  }
  setTimer(run: () => void, delayMs: number): () => void {
    const once = () => {
      this.#timers.delete(once);
      cancel();
      run();
    };
    const cancel = SYSTEM_CLOCK.setTimer(once, delayMs);
    this.#timers.set(once, this.nowMs() + delayMs);
    return () => {
      this.#timers.delete(once);
      cancel();
    };
  }
  forward(ms: number): void {
    this.#forwardMs += ms;
    for (const [run, atMs] of [...this.#timers]) if (atMs <= this.nowMs()) run();
  }
}

let relay: RelayProcess;
let clock: ForwardClock;
let workspace: Workspace;
let joins: PairingJoin[] = [];
beforeEach(async () => {
  relay = new RelayProcess();
  await relay.start();
  clock = new ForwardClock();
  const [founder] = (await testWorkspace()) as [TestMachine];
  workspace = new Workspace({
    signer: founder,
    chain: founder.entries,
    relayKey: null,
    isForked: false,
    connect,
    passCounter: await PassCounter.open(0, 0, async () => {}, fail),
    clock,
    keep: async () => {},
    onAlarm: fail,
    onProblem: fail,
  });
  await isLive();
});
afterEach(async () => {
  for (const join of joins) join.cancel();
  joins = [];
  await workspace.stop();
  await relay.dispose();
});

const fail = (message: string): never => {
  throw new Error(message);
};
const connect = (): Promise<Wire> => openSocketWire(`ws://127.0.0.1:${relay.port}`);
const isLive = () => vi.waitFor(() => expect(workspace.link.state.is).toBe('live'), { timeout: 10_000 });

interface Told {
  state: PairingState;
}

async function offer(): Promise<{ offer: PairingOffer; told: Told }> {
  const told: Told = { state: { is: 'none' } };
  const made = new PairingOffer({
    workspace,
    rights: 'type',
    joinTextOf: (code) => code,
    onState: (state) => {
      told.state = state;
    },
  });
  await made.open();
  return { offer: made, told };
}

function join(code: string, number = 9): { join: PairingJoin; told: Told } {
  const told: Told = { state: { is: 'none' } };
  const secret = secretOf(code);
  if (secret === null) throw new Error('no code');
  const made = new PairingJoin({
    secret,
    signer: new TestMachine(number),
    name: `newcomer ${number}`,
    connect,
    clock: SYSTEM_CLOCK,
    onState: (state) => {
      told.state = state;
    },
    onJoined: async () => {},
    onProblem: fail,
  });
  joins.push(made);
  void made.start();
  return { join: made, told };
}

const is = (told: Told, wanted: PairingState['is']) => vi.waitFor(() => expect(told.state).toMatchObject({ is: wanted }));

it('[pair-4] a code that is five minutes old lets nobody in, however far it had come', async () => {
  const unused = await offer();
  clock.forward(PAIRING_MS);
  expect(unused.told.state).toMatchObject({ is: 'failed', reason: expect.stringContaining('expired') });
  const late = join(unused.offer.code);
  await is(late.told, 'failed');

  const slow = await offer();
  const newcomer = join(slow.offer.code);
  await is(slow.told, 'compare');
  await is(newcomer.told, 'compare');
  clock.forward(PAIRING_MS);
  await expect(slow.offer.confirm(null)).rejects.toThrow('No machine waits');
  await is(newcomer.told, 'failed');
  expect(workspace.membership.members.size).toBe(1);
});

it('[pair-4] holds the door open over a restart of the relay, as long as nobody has come', async () => {
  const { offer: made, told } = await offer();
  await relay.kill();
  await vi.waitFor(() => expect(workspace.link.state.is).not.toBe('live'));
  await relay.start();
  await isLive();
  // The door is opened behind the greeting.
  await vi.waitFor(async () => {
    const { told: newcomer } = join(made.code);
    await vi.waitFor(() => expect(['compare', 'failed']).toContain(newcomer.state.is));
    expect(newcomer.state.is).toBe('compare');
  }, 10_000);
  await is(told, 'compare');
  await made.confirm(null);
  expect(told.state).toMatchObject({ is: 'done', machine: { name: 'newcomer 9' } });
  expect(workspace.membership.members.size).toBe(2);
});

it('[pair-5] is told when the other one goes away while the digits are compared', async () => {
  const { offer: made, told } = await offer();
  const newcomer = join(made.code);
  await is(told, 'compare');
  newcomer.join.cancel();
  await is(told, 'failed');
  expect(newcomer.join.hasRevealed).toBe(true);
  await expect(made.confirm(null)).rejects.toThrow('No machine waits');
  // And the other way round.
  const second = await offer();
  const guest = join(second.offer.code);
  await is(guest.told, 'compare');
  second.offer.cancel();
  await is(guest.told, 'failed');
  expect(second.told.state).toEqual({ is: 'none' });
});

it('[pair-4] serves the first who comes only', async () => {
  const { offer: made, told } = await offer();
  const first = join(made.code, 8);
  await is(first.told, 'compare');
  const second = join(made.code, 9);
  await is(second.told, 'failed');
  await is(told, 'compare');
  expect(told.state).toMatchObject({ machine: { name: 'newcomer 8' } });
  await made.confirm(first.told.state.is === 'compare' ? first.told.state.digits : '');
  await is(first.told, 'done');
});
