import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunId } from '../../src-shared/ids.ts';
import type { LiveText } from '../../src-shared/protocol.ts';
import { DEFAULT_SETTINGS } from '../../src-shared/settings.ts';
import { type ClaudeGround, claudeGround, dependencies } from '../engine/adapters/claude.fixture.ts';
import { claudeAdapter } from '../engine/adapters/claude.ts';
import { type Ground, ground, newInputId, type TestClient, watch } from '../engine/engine.fixture.ts';
import { replication } from '../sync/logs/replication.ts';
import { type SyncedMachine, SyncedMachines } from '../sync/sync.fixture.ts';
import type { SyncPart } from '../sync/sync-context.ts';
import { RemoteDriving } from './remote-driving.ts';

vi.setConfig({ testTimeout: 60_000 });

/** The real Claude Code on one machine, and who talks to it on another: everything that goes between two machines but documents. */
let claude: ClaudeGround;
let synced: SyncedMachines;
let host: Ground;
let other: Ground;
let parts: SyncPart[];
let atHost: TestClient;
let atOther: TestClient;
beforeEach(async () => {
  claude = await claudeGround();
  synced = await SyncedMachines.start('type');
  host = await ground(undefined, { adapter: claudeAdapter(dependencies()), env: () => claude.env() });
  other = await ground();
  parts = [];
  for (const [index, here] of [host, other].entries()) parts.push(...(await takePart(here, synced.machines[index])));
  [atHost, atOther] = [host.connect(), other.connect()];
  await Promise.all([atHost.ready(), atOther.ready()]);
});
afterEach(async () => {
  for (const part of parts) await part.stop();
  await Promise.all([host.dispose(), other.dispose()]);
  await synced.dispose();
  await claude.dispose();
});

async function takePart({ engine, store }: Ground, machine: SyncedMachine | undefined): Promise<SyncPart[]> {
  if (machine === undefined) throw new Error('there is no such machine');
  const { onProblem } = machine;
  const name = `machine ${machine.signer.machine.slice(-2)}`;
  const about = () => ({ name, version: '0', platform: 'test' });
  const driving = new RemoteDriving({ store, engine: () => engine, settings: () => DEFAULT_SETTINGS, onProblem });
  const starts = [replication({ engine, store, about, onNotice: onProblem }), driving.start];
  return await Promise.all(starts.map((start) => start(machine, () => {})));
}

const prompt = (text: string) => ({ kind: 'prompt' as const, inputId: newInputId(), content: { text, images: [] } });

async function follow(client: TestClient, runId: RunId) {
  const seen = watch(client, runId);
  const texts: LiveText[] = [];
  Object.assign(seen, { onLive: (text: LiveText) => texts.push(text) });
  await seen.until(() => seen.state !== null);
  const turns = () => seen.events.filter(({ channel, type }) => channel === 'run:turn' && type === 'ended').length;
  return { seen, texts, turnsEnded: (count: number) => seen.until(() => turns() === count) };
}

it('[drive-2] [drive-6] a conversation with Claude is led from another machine, as it is written and with its permissions', async () => {
  const runId = await host.create(claude.spec());
  await expect.poll(() => other.engine.sessions.has(runId), { timeout: 20_000 }).toBe(true);
  const [here, there] = [await follow(atHost, runId), await follow(atOther, runId)];
  await expect.poll(() => host.engine.session(runId).viewers.size).toBe(2);
  await atOther.send(runId, prompt('slow 40'));
  await there.turnsEnded(1);
  // It came in pieces, while it was written.
  expect(there.texts.length).toBeGreaterThan(3);
  await atOther.send(runId, prompt('run: touch made'));
  await there.seen.until(() => there.seen.state?.permissions.length === 1);
  const requestId = there.seen.state?.permissions[0]?.asked.requestId ?? '';
  await atOther.send(runId, { kind: 'permission', inputId: newInputId(), requestId, decision: 'allow', reason: null });
  await Promise.all([here.turnsEnded(2), there.turnsEnded(2)]);
  expect(existsSync(join(claude.project, 'made'))).toBe(true);
  expect(there.seen.events.filter(({ seq }) => seq > 1)).toEqual(here.seen.events.filter(({ seq }) => seq > 1));
  for (const { problems } of [host, other, ...synced.machines]) expect(problems).toEqual([]);
});

it('[drive-2] a turn is interrupted from another machine, and what is queued stays', async () => {
  const runId = await host.create(claude.spec());
  await expect.poll(() => other.engine.sessions.has(runId), { timeout: 20_000 }).toBe(true);
  const there = await follow(atOther, runId);
  await atOther.send(runId, prompt('slow 2000'));
  await there.seen.until(() => there.seen.state?.turn !== null);
  await expect.poll(() => there.texts.length).toBeGreaterThan(0);
  await atOther.send(runId, prompt('and then this'));
  await atOther.send(runId, { kind: 'interrupt', inputId: newInputId() });
  await there.turnsEnded(2);
  const outcomes = there.seen.events.flatMap(({ channel, payload }) =>
    channel === 'run:turn' ? [(payload as { outcome: string }).outcome] : [],
  );
  expect(outcomes).toEqual(['interrupted', 'done']);
});
