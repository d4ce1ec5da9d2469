// 50 MB of output shown in the window: beside the shortest way there is, a pty whose output the main process hands to an xterm.js, 256 KB
// of it unparsed at most. And how late keys are shown in another pane meanwhile. Rounds alternate, medians are compared.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron } from '@playwright/test';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const MEGABYTES = 50;
const ROUNDS = 3;
const KEYS = 60;
const TIMEOUT_MS = 120_000;
const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];

const BARE_MAIN = `const { app, BrowserWindow, ipcMain } = require('electron');
const pty = require(NODE_PTY);
app.setPath('userData', USER);
const UNPARSED_BYTES = 256 * 1024;
void app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1280, height: 820, webPreferences: { nodeIntegration: true, contextIsolation: false } });
  const shell = pty.spawn('/bin/sh', [], { name: 'xterm-256color', cols: 100, rows: 40, encoding: null, env: { ...process.env, PS1: '$ ' } });
  let unparsed = 0;
  shell.onData((data) => {
    unparsed += data.length;
    if (unparsed > UNPARSED_BYTES) shell.pause();
    window.webContents.send('output', data);
  });
  ipcMain.on('parsed', (_event, bytes) => {
    unparsed -= bytes;
    if (unparsed <= UNPARSED_BYTES) shell.resume();
  });
  ipcMain.on('input', (_event, data) => shell.write(data));
  app.on('window-all-closed', () => app.quit());
  void window.loadFile('index.html');
});
`;

const BARE_PAGE = `<!doctype html><title>bare</title><div id="terminal"></div>
<script>
  const { ipcRenderer } = require('electron');
  const { Terminal } = require('XTERM');
  window.terminal = new Terminal({ cols: 100, rows: 40, scrollback: 1000 });
  window.terminal.open(document.getElementById('terminal'));
  window.terminal.onData((data) => ipcRenderer.send('input', data));
  ipcRenderer.on('output', (_event, data) => window.terminal.write(data, () => ipcRenderer.send('parsed', data.length)));
</script>`;

const folder = await mkdtemp(join(tmpdir(), 'baton-bench-flood-'));
try {
  const text = join(folder, 'text');
  const line = `${'0123456789 '.repeat(9)}\n`;
  await writeFile(text, line.repeat(Math.ceil((MEGABYTES * 2 ** 20) / line.length)));
  process.stdout.write(`${JSON.stringify({ name: 'flood', results: await measure(text) }, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function measure(text) {
  const bare = await startBare(join(folder, 'bare'));
  const baton = await startBaton(join(folder, 'home'));
  const seconds = { bare: [], baton: [] };
  const command = (round) => `cat ${text}; echo shown-${round}-$((1+1))`;
  for (let round = 0; round <= ROUNDS; round++) {
    const took = { bare: await shows(bare, command(round), round), baton: await shows(baton, command(round), round) };
    // The first of each warms up.
    if (round === 0) continue;
    seconds.bare.push(took.bare);
    seconds.baton.push(took.baton);
  }
  await end(bare.app);
  const keys = await keysBesideFlood(baton, text);
  await end(baton.app);
  const [own, base] = [MEGABYTES / median(seconds.baton), MEGABYTES / median(seconds.bare)];
  return [
    {
      metric: '50 MB shown',
      value: round2(own),
      unit: 'MB/s',
      baseline: round2(base),
      ratio: round2(own / base),
      goal: 0.9,
      ok: own / base >= 0.9,
    },
    ...keys,
  ];
}

/** Seconds from the key that starts the command until its last line is drawn. */
async function shows({ page, type }, command, round) {
  await type(command);
  const began = performance.now();
  await page.keyboard.press('Enter');
  await page.waitForFunction((wanted) => document.body.textContent.includes(wanted), `shown-${round}-2`, { timeout: TIMEOUT_MS });
  return (performance.now() - began) / 1000;
}

async function startBaton(home) {
  await mkdir(home, { recursive: true });
  await writeFile(join(home, 'settings.json'), JSON.stringify({ 'machine.name': 'bench', 'terminal.renderer': 'dom' }));
  const app = await launch(root, { BATON_HOME: home, SHELL: '/bin/sh', PS1: '$ ' });
  const page = await app.firstWindow();
  await page.waitForSelector('[aria-label="New terminal"]:enabled');
  await page.getByRole('button', { name: 'New terminal', exact: true }).first().click();
  await page.waitForSelector('.xterm-helper-textarea:focus', { state: 'attached' });
  return { app, page, type: (text) => page.keyboard.insertText(text) };
}

async function startBare(at) {
  await mkdir(at, { recursive: true });
  await writeFile(
    join(at, 'package.json'),
    JSON.stringify({ name: 'bare', version: '1.0.0', type: 'commonjs', main: 'main.js' }),
  );
  await writeFile(
    join(at, 'main.js'),
    BARE_MAIN.replace('NODE_PTY', JSON.stringify(require.resolve('node-pty'))).replace('USER', JSON.stringify(join(at, 'user'))),
  );
  await writeFile(join(at, 'index.html'), BARE_PAGE.replace('XTERM', require.resolve('@xterm/xterm')));
  const app = await launch(at, {});
  const page = await app.firstWindow();
  await page.waitForSelector('.xterm-helper-textarea', { state: 'attached' });
  await page.evaluate(() => window.terminal.focus());
  return { app, page, type: (text) => page.keyboard.insertText(text) };
}

/** Keys in a second pane, from keydown until they are drawn: at rest, and while the first pane floods. */
async function keysBesideFlood({ page, type }, text) {
  await type(`while :; do cat ${text}; done`);
  const flooding = page.locator('.xterm').first();
  await page.keyboard.press('Control+Shift+D');
  await page.waitForFunction(() => document.querySelectorAll('.xterm').length === 2);
  await page.waitForFunction(() => document.querySelectorAll('.xterm')[1].contains(document.activeElement));
  const atRest = await lateness(page);
  await flooding.click();
  await page.keyboard.press('Enter');
  await page.locator('.xterm').nth(1).click();
  await page.waitForFunction(() => document.querySelectorAll('.xterm')[1].contains(document.activeElement));
  const meanwhile = await lateness(page);
  const later = meanwhile.p99 - atRest.p99;
  return [
    {
      metric: 'key shown in another pane meanwhile, p50',
      value: round2(meanwhile.p50),
      unit: 'ms',
      baseline: round2(atRest.p50),
      ratio: round2(meanwhile.p50 / atRest.p50),
      goal: null,
      ok: true,
    },
    {
      metric: 'the same, p99: later than at rest by',
      value: round2(later),
      unit: 'ms',
      baseline: round2(atRest.p99),
      ratio: null,
      goal: '<= 20',
      ok: later <= 20,
    },
  ];
}

async function lateness(page) {
  await page.evaluate(() => {
    const pane = document.querySelectorAll('.xterm')[1];
    window.latenesses = [];
    let pressedMs = null;
    pane.addEventListener('keydown', () => (pressedMs = performance.now()), { capture: true });
    new MutationObserver(() => {
      if (pressedMs !== null) window.latenesses.push(performance.now() - pressedMs);
      pressedMs = null;
    }).observe(pane.querySelector('.xterm-rows'), { childList: true, characterData: true, subtree: true });
  });
  for (let key = 0; key < KEYS; key++) {
    const before = await page.evaluate(() => window.latenesses.length);
    await page.keyboard.press('x');
    await page.waitForFunction((count) => window.latenesses.length > count, before, { timeout: TIMEOUT_MS });
  }
  const sorted = (await page.evaluate(() => window.latenesses)).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5), p99: at(0.99) };
}

function launch(app, env) {
  return _electron.launch({ args: [app, ...asRoot], env: { ...process.env, ...env }, cwd: folder });
}

async function end(app) {
  const child = app.process();
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
function round2(value) {
  return Math.round(value * 100) / 100;
}
