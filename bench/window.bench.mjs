// The window: how long from start until it can be used, and what memory it takes, beside an empty Electron app in the same run; and
// what further terminals cost. Rounds alternate between the two, and medians are compared, because the machine is never quiet.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron } from '@playwright/test';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ROUNDS = 5;
const SESSION_COUNTS = [1, 10, 50];
const SETTLED_WITHIN = 0.01;
const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];

const folder = await mkdtemp(join(tmpdir(), 'baton-bench-window-'));
try {
  const results = [...(await starts()), ...(await terminals())];
  process.stdout.write(`${JSON.stringify({ name: 'window', results }, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function starts() {
  const empty = join(folder, 'empty');
  await writeEmptyApp(empty);
  const home = join(folder, 'home');
  // The usual start: the very first one also asks for a name and looks for Claude Code.
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'settings.json'), JSON.stringify({ 'machine.name': 'bench' }));
  const times = { baton: [], empty: [] };
  const memory = { baton: [], empty: [] };
  // The first start of each fills caches and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, app, env] of [
      ['empty', empty, {}],
      ['baton', root, { BATON_HOME: home }],
    ]) {
      const { startMs, pssMb } = await startOnce(app, env, name === 'baton' ? '[aria-label="New terminal"]:enabled' : '#ready');
      if (round === 0) continue;
      times[name].push(startMs);
      memory[name].push(pssMb);
    }
  }
  return [
    figure('start to usable window', 'ms', median(times.baton), median(times.empty), 1.5),
    figure('idle memory (PSS)', 'MB', median(memory.baton), median(memory.empty), 1.3),
  ];
}

async function startOnce(app, env, readySelector) {
  const began = performance.now();
  const running = await launch(app, env);
  const page = await running.firstWindow();
  await page.waitForSelector(readySelector, { state: 'visible' });
  const startMs = performance.now() - began;
  const pssMb = await settledPss(running.process().pid);
  await end(running);
  return { startMs, pssMb };
}

/** Memory of the app and its own processes, the shells apart, with more and more idle terminals. */
async function terminals() {
  const running = await launch(root, { BATON_HOME: join(folder, 'many'), SHELL: '/bin/sh' });
  const page = await running.firstWindow();
  const button = page.getByRole('button', { name: 'New terminal', exact: true }).first();
  await page.waitForSelector('[aria-label="New terminal"]:enabled');
  const results = [];
  let open = 0;
  let before = await settledPss(running.process().pid);
  for (const count of SESSION_COUNTS) {
    const from = open;
    for (; open < count; open++) {
      await button.click();
      await page.waitForFunction((wanted) => document.querySelectorAll('[role="tab"]').length >= wanted, open + 1);
    }
    const pss = await settledPss(running.process().pid);
    results.push({
      metric: `memory with ${count} terminals, shells apart`,
      value: round(pss),
      unit: 'MB',
      goal: count === 50 ? 1024 : null,
      ok: count < 50 || pss < 1024,
    });
    if (from > 0) {
      const each = (pss - before) / (count - from);
      results.push({
        metric: `memory of one more terminal (of ${count})`,
        value: round(each),
        unit: 'MB',
        goal: 5,
        ok: each <= 5,
      });
    }
    before = pss;
  }
  await end(running);
  return results;
}

function launch(app, env) {
  return _electron.launch({ args: [app, ...asRoot], env: { ...process.env, ...env }, cwd: folder });
}

async function end(running) {
  const child = running.process();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function writeEmptyApp(at) {
  await mkdir(at, { recursive: true });
  await writeFile(join(at, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', type: 'module', main: 'main.js' }));
  await writeFile(
    join(at, 'main.js'),
    `import { app, BrowserWindow } from 'electron';
app.setPath('userData', ${JSON.stringify(join(at, 'user'))});
void app.whenReady().then(() => new BrowserWindow({ width: 1280, height: 820 }).loadFile('index.html'));
`,
  );
  await writeFile(join(at, 'index.html'), '<!doctype html><title>empty</title><p id="ready">ready</p>');
}

/** Proportional set size of a process and its descendants, shells and what they run apart, once it has stopped changing. */
async function settledPss(pid) {
  let last = await pss(pid);
  for (let look = 0; look < 20; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await pss(pid);
    if (Math.abs(now - last) < SETTLED_WITHIN * now) return now;
    last = now;
  }
  return last;
}

async function pss(pid) {
  const parents = new Map();
  const names = new Map();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'latin1').catch(() => '');
    const close = stat.lastIndexOf(')');
    parents.set(Number(entry), Number(stat.slice(close + 2).split(' ')[1]));
    names.set(Number(entry), stat.slice(stat.indexOf('(') + 1, close));
  }
  const isBelow = (child) => child === pid || (parents.has(child) && parents.get(child) > 1 && isBelow(parents.get(child)));
  let kilobytes = 0;
  for (const child of parents.keys()) {
    if (!isBelow(child) || /^(ba|da|z)?sh$/.test(names.get(child))) continue;
    const rollup = await readFile(`/proc/${child}/smaps_rollup`, 'utf8').catch(() => '');
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return kilobytes / 1024;
}

function figure(metric, unit, value, baseline, goal) {
  const ratio = value / baseline;
  return { metric, value: round(value), unit, baseline: round(baseline), ratio: round(ratio), goal, ok: ratio <= goal };
}
function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
function round(value) {
  return Math.round(value * 100) / 100;
}
