import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BEHIND_BYTES } from '../../src-shared/backlog.ts';
import type { RunId } from '../../src-shared/ids.ts';
import type { RemoteStanding } from '../../src-shared/session.ts';
import { DEFAULT_SETTINGS } from '../../src-shared/settings.ts';
import {
  type Ground,
  ground,
  newInputId,
  outputOf,
  pty,
  type TestClient,
  type Watcher,
  watch,
} from '../engine/engine.fixture.ts';
import { FLOOD, SLOW_BYTES_PER_SECOND, TestLine } from '../sync/line.fixture.ts';
import { replication } from '../sync/logs/replication.ts';
import { type SyncedMachine, SyncedMachines } from '../sync/sync.fixture.ts';
import type { SyncPart } from '../sync/sync-context.ts';
import { RemoteDriving } from './remote-driving.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A terminal on one machine is looked at on another, each with a line of its own to their relay. */
let synced: SyncedMachines;
let lines: TestLine[];
let grounds: Ground[];
let parts: SyncPart[];
let atHost: TestClient;
let atOther: TestClient;
beforeEach(async () => {
  synced = await SyncedMachines.start('start');
  lines = [];
  grounds = [];
  parts = [];
  for (const machine of synced.machines) await join(machine);
  [atHost, atOther] = grounds.map((it) => it.connect()) as [TestClient, TestClient];
  await Promise.all([atHost.ready(), atOther.ready()]);
});
afterEach(async () => {
  for (const part of parts) await part.stop();
  await Promise.all(grounds.map((it) => it.dispose()));
  await synced.dispose();
  for (const line of lines) await line.close();
});

async function join(machine: SyncedMachine): Promise<void> {
  const line = new TestLine(() => synced.relay.port);
  lines.push(line);
  machine.link.stop();
  machine.connect(await line.listen());
  await machine.live();
  const here = await ground();
  grounds.push(here);
  const { engine, store } = here;
  const { onProblem } = machine;
  const about = () => ({ name: 'a machine', version: '0', platform: 'test' });
  const driving = new RemoteDriving({ store, engine: () => engine, settings: () => DEFAULT_SETTINGS, onProblem });
  for (const start of [replication({ engine, store, about, onNotice: onProblem }), driving.start]) {
    parts.push(await start(machine, () => {}));
  }
}

async function flooding(): Promise<RunId> {
  const params = { inputId: newInputId(), spec: pty('/bin/sh', ['-c', FLOOD]), title: null };
  const { runId } = (await atHost.call('session.create', params)).session;
  await vi.waitFor(() => expect(atOther.sessions.get(runId)?.remote?.connection).toBe('live'), { timeout: 30_000 });
  return runId;
}

const WITHIN = { timeout: 30_000, interval: 50 };
const standing = (runId: RunId): RemoteStanding | null => atOther.sessions.get(runId)?.remote ?? null;
const screenOf = (watcher: Watcher): string => watcher.starts.at(-1)?.screen ?? '';
const shownSeq = (watcher: Watcher): number => watcher.starts.at(-1)?.after ?? 0;
const sessionAt = (side: number, runId: RunId) => (grounds[side] as Ground).engine.session(runId);
const logAt = (side: number, runId: RunId): number => sessionAt(side, runId).log.published.seq;
const type = (watcher: Watcher, text: string) => watcher.attachment?.keys(new TextEncoder().encode(text));

it.each([
  ['its host', 0],
  ['the one who looks', 1],
])(
  '[slow-1] [slow-2] [slow-3] a terminal whose log is behind on the line of %s is shown as it is, and interrupted',
  async (_, slow) => {
    const runId = await flooding();
    const seen = watch(atOther, runId, { viewport: { cols: 80, rows: 24 } });
    await seen.until(() => seen.text.length > 0);
    lines[slow]?.slowDown(SLOW_BYTES_PER_SECOND);
    await vi.waitFor(() => expect(standing(runId)?.behindBytes).toBeGreaterThan(2 * BEHIND_BYTES), { timeout: 60_000 });
    expect(standing(runId)?.connection).toBe('behind');
    // Screens come, each further on than the log that is here.
    const before = seen.starts.length;
    await seen.until(() => seen.starts.length > before + 1 && shownSeq(seen) > logAt(1, runId));

    type(seen, '\x03');
    await seen.until(() => screenOf(seen).includes('stopped-here'));
    expect(logAt(1, runId)).toBeLessThan(shownSeq(seen));
    expect(standing(runId)?.behindBytes).toBeGreaterThan(BEHIND_BYTES);
    type(seen, 'typed-meanwhile\n');
    await seen.until(() => screenOf(seen).includes('typed-meanwhile'));
    // Who comes now sees the same, and who has seen more than the log here is not taken for a stranger's.
    const another = watch((grounds[1] as Ground).connect(), runId);
    await another.until(() => screenOf(another).includes('typed-meanwhile'));
    expect(logAt(1, runId)).toBeLessThan(shownSeq(another));

    // The line is quick again: the log comes, and is shown in place of the screens.
    lines[slow]?.mend();
    await vi.waitFor(() => expect(logAt(1, runId)).toBe(logAt(0, runId)), { timeout: 60_000 });
    // With the lines above the screen, which no screen on the way has.
    await seen.until(() => screenOf(seen).split('\n').length > 500);
    type(seen, 'after-all\n');
    await seen.until(() => outputOf(seen.events).includes('after-all'));
    const first = shownSeq(seen) + 1;
    expect(seen.events.map(({ seq }) => seq)).toEqual(seen.events.map((_event, index) => first + index));
    await vi.waitFor(() => expect(standing(runId)).toMatchObject({ connection: 'live', behindBytes: null }));
    // What was typed last was shown before its log came.
    await vi.waitFor(async () => {
      const screens = await Promise.all([0, 1].map((side) => sessionAt(side, runId).screen.snapshot()));
      expect(screens[1]).toEqual(screens[0]);
    }, WITHIN);
    const [theirs, mine] = await Promise.all(grounds.map(({ store }) => store.verify(runId)));
    expect(mine).toEqual(theirs);
    expect(synced.machines.flatMap(({ problems }) => problems)).toEqual([]);
  },
);

it('[slow-1] how far a session is behind is known though nobody looks at it, and no screens are sent for it', async () => {
  const runId = await flooding();
  lines[1]?.slowDown(SLOW_BYTES_PER_SECOND);
  await vi.waitFor(() => expect(standing(runId)?.behindBytes).toBeGreaterThan(BEHIND_BYTES), { timeout: 60_000 });
  expect(standing(runId)?.connection).toBe('behind');
  expect(sessionAt(1, runId).ahead()).toBe(null);
  await atHost.send(runId, { kind: 'interrupt', inputId: newInputId() });
  lines[1]?.mend();
  await vi.waitFor(() => expect(standing(runId)).toMatchObject({ connection: 'live', behindBytes: null }), { timeout: 60_000 });
});
