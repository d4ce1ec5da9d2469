import { mkdirSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Clock, SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import { liveMembers } from '../../../src-shared/membership.ts';
import { nameOf, renameMachine, revokeMachine } from '../../../src-shared/membership-keys.ts';
import { type TestMachine, testWorkspace } from '../../../src-shared/sim/workspace.ts';
import { RelayProcess } from '../../relay/relay.fixture.ts';
import { openSocketWire } from '../../socket-wire.ts';
import { PassCounter } from './pass-counter.ts';
import { Workspace } from './workspace.ts';

let relay: RelayProcess;
let opened: Workspace[] = [];
beforeEach(async () => {
  relay = new RelayProcess();
  await relay.start();
});
afterEach(async () => {
  await Promise.all(opened.map((workspace) => workspace.stop()));
  opened = [];
  await relay.dispose();
});

/** The chains of these tests were founded when this clock began. */
const YOUNG: Clock = { ...SYSTEM_CLOCK, nowMs: () => performance.now() };

interface Opened {
  readonly workspace: Workspace;
  readonly alarms: string[];
  kept: { readonly chain: readonly Uint8Array[]; readonly isForked: boolean } | null;
}

async function open(
  machine: TestMachine,
  {
    chain = machine.entries,
    isForked = false,
    clock = YOUNG,
  }: { chain?: readonly Uint8Array[]; isForked?: boolean; clock?: Clock } = {},
): Promise<Opened> {
  const alarms: string[] = [];
  const onProblem = (message: string, error?: unknown) => alarms.push(`${message} ${String(error)}`);
  const here: Opened = {
    alarms,
    kept: null,
    workspace: new Workspace({
      signer: machine,
      chain,
      relayKey: null,
      isForked,
      connect: () => openSocketWire(`ws://127.0.0.1:${relay.port}`),
      passCounter: await PassCounter.open(0, 0, async () => {}, onProblem),
      clock,
      keep: async (kept) => {
        here.kept = kept;
      },
      onAlarm: (message) => alarms.push(message),
      onProblem,
    }),
  };
  opened.push(here.workspace);
  return here;
}

const live = ({ workspace }: Opened) => vi.waitFor(() => expect(workspace.link.state.is).toBe('live'));

function rename({ workspace }: Opened, name: string): Promise<void> {
  const { signer, keyring } = workspace;
  return workspace.append((membership) => renameMachine(membership, signer, keyring, { machine: signer.machine, name }, 5_000));
}

const namesAt = ({ workspace }: Opened) => liveMembers(workspace.membership).map((member) => nameOf(member, workspace.keyring));

it('[machine-7] machines that write to the chain at once all succeed, and have the same chain', async () => {
  const machines = await testWorkspace('start', 'start');
  const all = await Promise.all(machines.map((machine) => open(machine)));
  await Promise.all(all.map(live));
  await Promise.all(all.map((each, at) => rename(each, `renamed ${at}`)));
  for (const each of all) {
    await vi.waitFor(() => expect(namesAt(each)).toEqual(['renamed 0', 'renamed 1', 'renamed 2']));
    expect(each.kept?.chain).toHaveLength(6);
    expect(each.alarms).toEqual([]);
  }
  expect(new Set(all.map(({ workspace }) => workspace.membership.head)).size).toBe(1);
});

it('[machine-4] brings what the relay lacks, and reads what is missing here', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const early = await open(a);
  await live(early);
  await rename(early, 'first');
  // This one was away: its chain ends before that.
  const late = await open(b);
  await vi.waitFor(() => expect(namesAt(late)[0]).toBe('first'));
  expect(late.kept?.chain).toHaveLength(3);
});

it('[machine-3] stops at once when it reads of its own removal, and stays out after a restart', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const stays = await open(a);
  const leaves = await open(b);
  await Promise.all([stays, leaves].map(live));
  await stays.workspace.append((membership) => revokeMachine(membership, a, b.machine, 5_000));
  await vi.waitFor(() => expect(['stopped', 'refused']).toContain(leaves.workspace.link.state.is));
  expect(stays.workspace.membership.generation).toBe(2);
  expect(leaves.workspace.keyring.has(2)).toBe(false);
  const again = await open(b, { chain: stays.workspace.chain });
  expect([again.workspace.isRemoved, again.workspace.link.state.is]).toEqual([true, 'stopped']);
  await expect(rename(again, 'back')).rejects.toThrow('was removed');
});

it('[machine-6] takes nothing more from a chain that forks, tells the user, and remembers it', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const change = (name: string) => renameMachine(a.membership, a, a.keyring, { machine: a.machine, name }, 5_000);
  const [one, other] = [change('one'), change('other')];
  // The relay has one history, this machine another.
  const first = await open(a, { chain: [...a.entries, one] });
  await live(first);
  const second = await open(b, { chain: [...b.entries, other] });
  await vi.waitFor(() => expect(second.alarms).toEqual([expect.stringContaining('two histories')]));
  expect(second.workspace.link.state.is).toBe('stopped');
  expect(second.kept?.isForked).toBe(true);
  await expect(rename(second, 'more')).rejects.toThrow('two histories');
  const again = await open(b, { chain: second.kept?.chain ?? [], isForked: true });
  expect(again.workspace.excluded).toContain('two histories');
});

const WEEK_MS = 7 * 24 * 60 * 60_000;
/** It stands still, and what is to be done in a minute is done at once. */
const clockAt = (nowMs: number): Clock => ({
  ...SYSTEM_CLOCK,
  nowMs: () => nowMs,
  setTimer: (run, delayMs) => SYSTEM_CLOCK.setTimer(run, delayMs / 200),
});

it('[machine-8] changes the key after a week, once, whichever machine sees it', async () => {
  const machines = await testWorkspace('start', 'type');
  const early = await open(machines[0] as TestMachine, { clock: clockAt(WEEK_MS) });
  await live(early);
  expect(early.workspace.membership.generation).toBe(1);
  await early.workspace.stop();
  const all = await Promise.all(machines.map((machine) => open(machine, { clock: clockAt(WEEK_MS + 2_000) })));
  for (const each of all) {
    await vi.waitFor(() => expect(each.workspace.membership.generation).toBe(2), { timeout: 10_000 });
    expect(each.workspace.keyring.has(2)).toBe(true);
    expect(each.alarms).toEqual([]);
  }
});

it('[machine-14] no two histories come of it that a relay lost entries which the first to come does not know', async () => {
  const [a, b] = (await testWorkspace('start')) as [TestMachine, TestMachine];
  const knows = await open(a);
  await live(knows);
  await rename(knows, 'first');
  await knows.workspace.stop();
  await relay.kill();
  rmSync(relay.folder, { recursive: true });
  mkdirSync(relay.folder);
  await relay.start();
  // The key is old, and this one has not heard of the new name.
  const looks: (() => void)[] = [];
  const clock = clockAt(WEEK_MS + 2_000);
  const late = await open(b, {
    clock: {
      ...clock,
      setTimer: (run, delayMs) => {
        if (delayMs <= 5_000) return clock.setTimer(run, delayMs);
        looks.push(run);
        return () => {};
      },
    },
  });
  await live(late);
  await vi.waitFor(() => expect(looks).not.toEqual([]));
  for (const look of looks.splice(0)) look();
  await late.workspace.link.ask({ type: 'chain:read', after: 0 });
  expect(late.workspace.membership.height).toBe(2);
  const again = await open(a, { chain: knows.workspace.chain });
  await vi.waitFor(() => expect(namesAt(late)[0]).toBe('first'));
  for (const look of looks.splice(0)) look();
  for (const { workspace } of [late, again]) {
    await vi.waitFor(() => expect([workspace.membership.generation, workspace.excluded]).toEqual([2, null]));
  }
});
