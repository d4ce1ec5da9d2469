import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newEvent } from '../../../src-shared/events.ts';
import { FIRST_EPOCH, RunId, Seq } from '../../../src-shared/ids.ts';
import { entryPath } from '../../entry-path.ts';
import { type ScreenHandle, type Screens, startScreens } from './screen.ts';

// The real worker, in a file that ends it when it is told a certain colour: once, or each time.
const paths = vi.hoisted(() => ({ worker: '' }));
vi.mock('../../entry-path.ts', async (original) => {
  const real = await original<typeof import('../../entry-path.ts')>();
  return { ...real, entryPath: (name: Parameters<typeof real.entryPath>[0]) => paths.worker || real.entryPath(name) };
});

const COLORS = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: [] };
const ONCE = '#dead01';
const ALWAYS = '#dead02';
const ALL = { scrollbackLines: 1000 };

let folder: string;
let screens: Screens;
let problems: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-screen-'));
  paths.worker = '';
  const real = entryPath('screen-worker');
  const worker = join(folder, 'worker.mjs');
  writeFileSync(
    worker,
    `import { parentPort } from 'node:worker_threads';
    import { existsSync, writeFileSync } from 'node:fs';
    await import(${JSON.stringify(real)});
    const marker = ${JSON.stringify(join(folder, 'died'))};
    parentPort.on('message', ({ colors }) => {
      const once = colors?.cursor === '${ONCE}' && !existsSync(marker);
      if (once) writeFileSync(marker, '');
      if (once || colors?.cursor === '${ALWAYS}') process.exit(7);
    });`,
  );
  paths.worker = worker;
  problems = [];
  screens = startScreens({ colors: COLORS, onProblem: (message) => problems.push(message) });
});
afterEach(async () => {
  await screens.stop();
  rmSync(folder, { recursive: true, force: true });
});

function open(outputs: string[], failures: string[], replies: string[]): ScreenHandle {
  const runId = RunId.parse(crypto.randomUUID());
  return screens.open(runId, {
    cols: 80,
    rows: 24,
    from: null,
    lastSeq: Seq.parse(0),
    answers: true,
    readOutput: async (after) =>
      outputs.slice(after).map((output, index) => ({
        ...newEvent('pty:stdout', 'data', Buffer.from(output)),
        runId,
        seq: Seq.parse(after + index + 1),
        epoch: FIRST_EPOCH,
        ts: 0,
      })),
    events: {
      onReply: (bytes) => void replies.push(Buffer.from(bytes).toString()),
      onDetails: () => {},
      onScreen: () => {},
      onFailed: (message) => void failures.push(message),
    },
  });
}

it('when the worker dies, another one goes on with every screen from the log, and answers nothing twice', async () => {
  const outputs = ['one\x1b[c ', 'two ', 'three '];
  const [failures, replies]: [string[], string[]] = [[], []];
  const handle = open(outputs, failures, replies);
  outputs.slice(0, 2).forEach((output, index) => {
    handle.write(Seq.parse(index + 1), Buffer.from(output));
  });
  await handle.snapshot(ALL);
  screens.setColors({ ...COLORS, cursor: ONCE });
  handle.write(Seq.parse(3), Buffer.from(outputs[2] ?? ''));
  await vi.waitFor(() => expect(problems).toEqual([expect.stringMatching(/^the screen worker died and is started again/)]));
  expect(existsSync(join(folder, 'died'))).toBe(true);
  expect(await handle.snapshot(ALL)).toMatchObject({ seq: 3, data: 'one two three ' });
  expect([failures, replies]).toEqual([[], ['\x1b[?1;2c']]);
});

it('a worker that dies again and again is given up, and every session is told', async () => {
  const failures: string[] = [];
  const handle = open([], failures, []);
  screens.setColors({ ...COLORS, cursor: ALWAYS });
  await vi.waitFor(() => expect(failures).toHaveLength(1), { timeout: 20_000 });
  expect(problems.at(-1)).toMatch(/died 6 times within a minute and is not started again/);
  await expect(handle.latest(ALL)).rejects.toThrow('the screen worker died');
  const late: string[] = [];
  open([], late, []);
  await vi.waitFor(() => expect(late).toEqual(['the screen worker does not run']));
});
