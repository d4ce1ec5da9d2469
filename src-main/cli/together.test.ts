import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { RunId } from '../../src-shared/ids.ts';
import { expectInvariants } from './invariants.fixture.ts';
import { type LinedMachine, type LoggedEvent, until, WorkspaceGround } from './workspace.fixture.ts';

const PATIENCE_MS = 180_000;
/** So often the relay is killed: more where it is asked for. */
const KILLS = Number(process.env.BATON_KILLS ?? 15);
let ground: WorkspaceGround;
afterEach(async ({ task }) => {
  try {
    // What failed for another reason is told as that.
    if (task.result?.state !== 'fail') await expectInvariants(ground.machines, ground.relay);
  } finally {
    await ground.dispose();
  }
}, PATIENCE_MS);

async function two(env?: Record<string, Record<string, string>>): Promise<[LinedMachine, LinedMachine]> {
  ground = await WorkspaceGround.start(['laptop', 'desktop'], env);
  const [laptop, desktop] = ground.machines;
  if (laptop === undefined || desktop === undefined) throw new Error('two machines were asked for');
  return [laptop, desktop];
}

/** Both have the session, and have it equally: dense from 1, the same bytes under the same numbers. */
async function alike(runId: string, a: LinedMachine, b: LinedMachine): Promise<readonly LoggedEvent[]> {
  return until('equal logs', async () => {
    const [here, there] = await Promise.all([a.log(runId), b.log(runId)]);
    if (here.length !== there.length || here.length === 0) return undefined;
    expect(there).toEqual(here);
    expect(here.map(({ seq }) => seq)).toEqual(here.map((_, index) => index + 1));
    return here;
  });
}

const appears = (on: LinedMachine, runId: string) =>
  until(`${runId} to appear`, async () => (await on.sessions()).find((session) => session.runId === runId));

/** Writes a line of its own each time, so that nothing that is lost, doubled or out of order can hide. */
const COUNT = 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i"; sleep 0.005; done; echo counted; read x';

const lines = (output: string) => output.split(/\r?\n/).filter((line) => line.startsWith('line '));
const ALL = Array.from({ length: 2_000 }, (_, index) => `line ${index + 1}`);

it('[together-1] a session is on every machine as it is on its own, and is driven from any of them', {
  timeout: PATIENCE_MS,
}, async () => {
  const [laptop, desktop] = await two();
  const runId = await laptop.start('read a; echo "got $a"; read b');
  expect(await appears(desktop, runId)).toMatchObject({ machine: 'laptop', title: 'test' });
  await desktop.ok(['send', runId, 'from-the-desktop']);
  await until('the answer', async () => (await desktop.output(runId)).includes('got from-the-desktop'));
  await alike(runId, laptop, desktop);

  const started = JSON.parse(
    await desktop.ok([
      'new',
      '--machine',
      'laptop',
      '--detach',
      '--title',
      'away',
      '--json',
      '--',
      'sh',
      '-c',
      'echo "home $HOME"; read x',
    ]),
  ) as { runId: string };
  await until('it runs on the laptop', async () => (await laptop.output(started.runId)).includes(`home ${laptop.home}`));
  await alike(started.runId, laptop, desktop);
  await desktop.ok(['close', started.runId]);
  await until(
    'its end',
    async () => (await laptop.sessions()).find((session) => session.runId === started.runId)?.status === 'ended',
  );
});

it('[together-2] what is written while the line is cut, half-open or slow arrives, once and in order', {
  timeout: PATIENCE_MS,
}, async () => {
  const [laptop, desktop] = await two();
  const runId = await laptop.start(COUNT);
  await appears(desktop, runId);
  laptop.line.cut();
  await desktop.until(({ machines }) => machines.some(({ name, online }) => name === 'laptop' && !online));
  laptop.line.mend();
  await desktop.until(({ machines }) => machines.some(({ name, online }) => name === 'laptop' && online));
  // Nobody is told: both ends find out by themselves.
  laptop.line.silence('both');
  await desktop.until(({ machines }) => machines.some(({ name, online }) => name === 'laptop' && !online));
  await laptop.until(({ relay }) => relay.state !== 'live');
  laptop.line.mend();
  await desktop.until(({ machines }) => machines.some(({ name, online }) => name === 'laptop' && online));
  desktop.line.slowDown(64_000);
  await until('all of it', async () => (await laptop.output(runId)).includes('counted'));
  desktop.line.mend();
  await alike(runId, laptop, desktop);
  expect(lines(await desktop.output(runId))).toEqual(ALL);
});

it('[together-3] a relay that is killed again and again, and one that loses its disk, cost nothing', {
  timeout: PATIENCE_MS + KILLS * 10_000,
}, async () => {
  const [laptop, desktop] = await two();
  const runId = await laptop.start(COUNT);
  await appears(desktop, runId);
  for (let kills = 0; kills < KILLS; kills++) {
    await ground.relay.kill();
    await ground.relay.start();
  }
  await ground.relay.kill();
  rmSync(ground.relay.folder, { recursive: true });
  await ground.relay.start();
  await until('all of it', async () => (await laptop.output(runId)).includes('counted'));
  await alike(runId, laptop, desktop);
  expect(lines(await desktop.output(runId))).toEqual(ALL);
});

it('[together-4] machines whose clocks are a day apart understand each other', { timeout: PATIENCE_MS }, async () => {
  const skew = join(import.meta.dirname, 'skewed-clock.cjs');
  const [laptop, desktop] = await two({ desktop: { NODE_OPTIONS: `--require ${skew}` } });
  const runId = await laptop.start('read a; echo "got $a"; read b');
  await appears(desktop, runId);
  await desktop.ok(['send', runId, 'tomorrow']);
  await until('the answer', async () => (await desktop.output(runId)).includes('got tomorrow'));
  await alike(runId, laptop, desktop);
  const there = await desktop.start('echo later; read x');
  await appears(laptop, there);
  const [first] = await alike(there, desktop, laptop);
  expect(first?.ts).toBeGreaterThan(Date.now() + 23 * 60 * 60 * 1_000);
});

it('[together-5] an engine that is killed and started again has everything, and goes on where it stood', {
  timeout: PATIENCE_MS,
}, async () => {
  const [laptop, desktop] = await two();
  const runId = await laptop.start(COUNT);
  await appears(desktop, runId);
  for (let kills = 0; kills < 3; kills++) {
    const { pid } = (await desktop.json(['server', 'status'])) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await desktop.ok(['server', 'start']);
  }
  await until('all of it', async () => (await laptop.output(runId)).includes('counted'));
  await alike(runId, laptop, desktop);
  expect(lines(await desktop.output(runId))).toEqual(ALL);
});

it('[together-6] nothing of what users write, see or call their things is readable at the relay, on the way, or in any log', {
  timeout: PATIENCE_MS,
}, async () => {
  const canary = 'canary-7f3a91';
  const [laptop, desktop] = await two({ laptop: { CANARY: `${canary}-environment` } });
  const frames: Buffer[] = [];
  for (const { line } of ground.machines) line.onFromRelay = (chunk) => frames.push(chunk);
  const runId = await laptop.start(`echo "${canary} $CANARY"; read a; echo "got $a"; read b`);
  await appears(desktop, runId);
  await desktop.ok(['send', runId, `${canary}-typed`]);
  await desktop.ok(['rename', runId, `${canary}-title`]);
  await desktop.client.call('draft.set', { runId: RunId.parse(runId), text: `${canary}-draft`, base: '' });
  await until('its title', async () => (await laptop.sessions()).some(({ title }) => title === `${canary}-title`));
  await until('its draft', async () => {
    const { text } = await laptop.client.call('draft.get', { runId: RunId.parse(runId) });
    return text === `${canary}-draft`;
  });
  await until('the answer', async () => (await desktop.output(runId)).includes(`got ${canary}-typed`));
  expect(await desktop.output(runId)).toContain(`${canary} ${canary}-environment`);

  const folders = [ground.relay.folder, ...ground.machines.map(({ folder }) => join(folder, 'logs'))];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
  expect(files.length).toBeGreaterThanOrEqual(3);
  expect(Buffer.concat(frames).byteLength).toBeGreaterThan(1_000);
  for (const bytes of [...files, ...frames, Buffer.concat(frames), Buffer.from(ground.relay.log)]) {
    expect(bytes.includes(canary)).toBe(false);
  }
});
