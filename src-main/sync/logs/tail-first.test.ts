import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RunId } from '../../../src-shared/ids.ts';
import { revokeMachine } from '../../../src-shared/membership-keys.ts';
import type { SessionSummary } from '../../../src-shared/session.ts';
import { pty } from '../../engine/engine.fixture.ts';
import { type SyncedMachine, SyncedMachines } from '../sync.fixture.ts';
import { readCheckpoint } from './checkpoint.ts';
import { type Side, Sides, WITHIN } from './replication.fixture.ts';

let sides: Sides;
let a: Side;
let b: Side;

/** Machine b knows nothing yet: it begins when a test says so. */
beforeEach(async () => {
  sides = await Sides.start('start');
  [a, b] = [sides.at(0), sides.at(1)];
  await b.stop();
});
afterEach(() => sides.dispose());

const LONG = 'printf "the very first line\\n"; seq 1 300000; printf "\\033[31mthe end\\033[0m"; read x';

/** A terminal with two megabytes behind it, and its checkpoint at the relay. */
async function longSession(): Promise<RunId> {
  const runId = await a.here.create(pty('sh', ['-c', LONG]));
  await vi.waitFor(async () => {
    expect((await a.here.engine.session(runId).screen.latest())?.data).toContain('the end');
    expect(await readCheckpoint(a.machine, runId, a.machine.signer.machine)).not.toBeNull();
  }, WITHIN);
  return runId;
}

it('[replica-13] a long log is shown from its end at once, and its beginning is filled in behind', async () => {
  const runId = await longSession();
  const seen: SessionSummary[] = [];
  b.here.engine.onSession((summary) => seen.push(summary));
  await b.start();
  await b.hasAllOf(a, runId);
  expect(seen.find((summary) => summary.runId === runId)).toMatchObject({
    status: 'running',
    title: expect.any(String),
    remote: { historyComplete: false },
  });
  await vi.waitFor(() => {
    expect(b.here.engine.session(runId).summary().remote).toMatchObject({ connection: 'live', historyComplete: true });
  }, WITHIN);
  expect(await b.here.store.missing(runId)).toBeNull();
  expect(await b.here.store.verify(runId)).toEqual(await a.here.store.verify(runId));
  const screen = await b.here.engine.session(runId).screen.snapshot();
  expect(screen?.data).toContain('the end');
  expect(screen?.data).toContain('299999');
  const { hits } = await b.here.store.search({ query: 'the very first line', limit: 5 });
  expect(hits.map((hit) => hit.runId)).toContain(runId);
});

it('[replica-13] an engine that is started anew, and a relay that is killed, go on filling in where they stood', async () => {
  const runId = await longSession();
  await b.start();
  await vi.waitFor(() => expect(b.here.engine.sessions.has(runId)).toBe(true), WITHIN);
  await b.restart();
  await sides.synced.relay.kill();
  await sides.synced.relay.start();
  await sides.reconnected();
  await vi.waitFor(() => {
    expect(b.here.engine.session(runId).summary().remote).toMatchObject({ connection: 'live', historyComplete: true });
  }, WITHIN);
  await b.hasAllOf(a, runId);
});

it('[replica-14] what its host has drawn is kept, so that a terminal that nobody looked at here is opened from there', async () => {
  await b.start();
  const runId = await longSession();
  await b.hasAllOf(a, runId);
  await vi.waitFor(async () => {
    const screen = await b.here.store.screen(runId);
    expect(screen?.seq).toBeGreaterThan(0);
    expect(screen).toEqual((await readCheckpoint(b.machine, runId, a.machine.signer.machine))?.screen);
  }, WITHIN);
});

it('[replica-13] [replica-16] what a host sent under its former id is filled in too', { timeout: 120_000 }, async () => {
  await a.stop();
  const other = await SyncedMachines.start('start', 'start');
  const [reader, former, newcomer] = other.machines as [SyncedMachine, SyncedMachine, SyncedMachine];
  try {
    a.machine = former;
    b.machine = reader;
    await a.start();
    const runId = await a.here.create(pty('sh', ['-c', `${LONG}; seq 1 300000; printf "this is all"; read x`]));
    await vi.waitFor(async () => expect(await readCheckpoint(former, runId, former.signer.machine)).not.toBeNull(), WITHIN);
    await a.stop();
    const revoked = revokeMachine(reader.membership, reader.signer, former.signer.machine, 5_000);
    await reader.link.ask({ type: 'chain:append', entry: revoked });
    for (const machine of other.machines) machine.apply(revoked);
    a.machine = newcomer;
    await a.start();
    a.here.engine.session(runId).keys(null, new TextEncoder().encode('\n'));
    await vi.waitFor(async () => expect(await readCheckpoint(newcomer, runId, newcomer.signer.machine)).not.toBeNull(), WITHIN);
    await b.start();
    await vi.waitFor(() => {
      expect(b.here.engine.session(runId).summary().remote).toMatchObject({ connection: 'live', historyComplete: true });
    }, WITHIN);
    await b.hasAllOf(a, runId);
    expect(reader.problems).toEqual([]);
  } finally {
    await Promise.all([a.stop(), b.stop()]);
    await other.dispose();
  }
});
