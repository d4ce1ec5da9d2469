import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunId } from '../../src-shared/ids.ts';
import { type LinedMachine, until, WorkspaceGround } from './workspace.fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Two engines and a relay; everything by the command line. */
let ground: WorkspaceGround;
let laptop: LinedMachine;
let desktop: LinedMachine;
const ids: Record<string, string> = {};
beforeAll(async () => {
  ground = await WorkspaceGround.start(['laptop', 'desktop']);
  [laptop, desktop] = ground.machines as [LinedMachine, LinedMachine];
  const { machines } = await laptop.until(({ machines: all }) => all.length === 2 && all.every(({ online }) => online));
  for (const { name, machineId } of machines) ids[name] = machineId;
});
afterAll(() => ground.dispose());

interface Followed {
  readonly runId: string;
  readonly followers: readonly string[];
  readonly followed: boolean;
}

const at = async (machine: LinedMachine, runId: string) =>
  ((await machine.sessions()) as unknown as readonly Followed[]).find((session) => session.runId === runId);

/** The names of those that follow a session, as a machine shows it. */
async function followers(machine: LinedMachine, runId: string): Promise<string> {
  const found = (await at(machine, runId))?.followers ?? ['?'];
  return found
    .map((id) => Object.keys(ids).find((name) => ids[name] === id) ?? id)
    .sort()
    .join(' ');
}

async function bothShow(runId: RunId, expected: string): Promise<void> {
  for (const machine of ground.machines) {
    await until(`${expected || 'nobody'} follows`, async () => (await followers(machine, runId)) === expected);
  }
}

describe('following a session', () => {
  it('[follow-1] is done by every machine, unless its settings say no', async () => {
    const runId = (await laptop.start('read line')) as RunId;
    await bothShow(runId, 'desktop laptop');
    for (const machine of ground.machines) await machine.ok(['config', 'set', 'machines.followOthers', 'false']);
    await bothShow(runId, 'laptop');
  });

  it('[follow-1] is what its host does; others do when they were told to, from either side, and both show it', async () => {
    const runId = (await laptop.start('read line')) as RunId;
    await bothShow(runId, 'laptop');
    expect(await at(desktop, runId)).toMatchObject({ followed: false });
    await desktop.ok(['follow', runId]);
    await bothShow(runId, 'desktop laptop');
    expect(await at(desktop, runId)).toMatchObject({ followed: true });
    expect(await laptop.ok(['server', 'session', runId])).toMatch(/followers\s+laptop, desktop/);
    // [follow-3] the laptop decides for the desktop, and for itself.
    await laptop.ok(['unfollow', runId, '--machine', 'desktop']);
    await bothShow(runId, 'laptop');
    await laptop.ok(['unfollow', runId]);
    await bothShow(runId, '');
    await laptop.ok(['follow', runId]);
    const unknown = await laptop.run(['follow', runId, '--machine', 'nobody']);
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining('There is no machine')]);
  });

  it('[follow-2] comes with working on it, and with starting it from here', async () => {
    const runId = (await laptop.start('cat')) as RunId;
    await until('it is here', () => at(desktop, runId));
    await desktop.ok(['send', runId, 'hello']);
    await bothShow(runId, 'desktop laptop');
    const { runId: started } = (await desktop.json(['new', '--machine', 'laptop', '--json', '--', 'cat'])) as { runId: RunId };
    await bothShow(started, 'desktop laptop');
    // Who has had enough of it stays out, whatever is typed.
    await desktop.ok(['unfollow', runId]);
    await desktop.ok(['send', runId, 'again']);
    await bothShow(runId, 'laptop');
  });

  it('[follow-3] is chosen without a connection too, and outlives restarts', async () => {
    const runId = (await laptop.start('read line')) as RunId;
    await bothShow(runId, 'laptop');
    laptop.line.cut();
    await laptop.ok(['follow', runId, '--machine', 'desktop']);
    await laptop.restart();
    expect(await followers(laptop, runId)).toBe('desktop laptop');
    expect(await followers(desktop, runId)).toBe('laptop');
    laptop.line.mend();
    await bothShow(runId, 'desktop laptop');
    await desktop.restart();
    await bothShow(runId, 'desktop laptop');
  });
});
