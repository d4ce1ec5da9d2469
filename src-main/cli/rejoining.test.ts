import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type LinedMachine, until, WorkspaceGround } from './workspace.fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let ground: WorkspaceGround;
let laptop: LinedMachine;
let desktop: LinedMachine;
beforeAll(async () => {
  ground = await WorkspaceGround.start(['laptop', 'desktop']);
  [laptop, desktop] = ground.machines as [LinedMachine, LinedMachine];
});
afterAll(() => ground.dispose());

it('[machine-13] [replica-16] a machine that left and is paired again is listed once, and its sessions go on where they were', async () => {
  const runId = await desktop.start('cat');
  await desktop.ok(['send', runId, 'before it left']);
  const shows = (text: string) =>
    until(`the laptop shows “${text}”`, async () => (await laptop.output(runId).catch(() => '')).includes(text));
  await shows('before it left');
  const [, before] = (await laptop.listed()).machines;
  await desktop.ok(['machines', 'leave', '--yes']);
  await desktop.ok(['send', runId, 'while it was alone']);
  await laptop.lets(desktop);
  const { machines } = await laptop.until(({ machines: all }) => all.length === 2 && all.every(({ online }) => online));
  expect(machines.map(({ name }) => name)).toEqual(['laptop', 'desktop']);
  expect(machines[1]?.machineId).not.toBe(before?.machineId);
  await shows('while it was alone');
  await desktop.ok(['send', runId, 'back again']);
  await shows('back again');
  // It is driven from there as before.
  await laptop.ok(['send', runId, 'from the laptop']);
  await until('the desktop has it', async () => (await desktop.output(runId)).includes('from the laptop'));
  await until('both have the same', async () => {
    const [here, there] = await Promise.all([laptop.log(runId), desktop.log(runId)]);
    return here.length === there.length && JSON.stringify(here) === JSON.stringify(there);
  });
  const epochs = (await laptop.log(runId)).map(({ epoch }) => epoch);
  expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
  expect(new Set(epochs)).toEqual(new Set([1, 2]));
  expect((await laptop.sessions()).filter((session) => session.runId === runId)).toMatchObject([
    { machine: 'desktop', machineId: machines[1]?.machineId },
  ]);
});
