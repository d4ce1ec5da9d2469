// Terminals: what it costs to run a program through pty host and adapter, beside bare node-pty in the same run. Rounds alternate
// between the two, and medians are compared, because the machine is never quiet. BATON_BENCH_FULL=1 runs all ten thousand fast
// commands instead of a tenth of them.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nodePty from 'node-pty';
import { bundle } from './bundle.mjs';

const FLOOD_BYTES = 64 * 1024 * 1024;
const ROUNDS = 5;
const ECHOES = 1500;
const FAST_COMMANDS = process.env.BATON_BENCH_FULL ? 10_000 : 1_000;
const FAST_BYTES = 20_000;
const STALL_MS = 1000;
const COLORS = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: Array(16).fill('#808080') };

const env = { ...process.env, TERM: 'xterm-256color' };
const load = await bundle('pty', {
  'pty-host-client': 'src-main/engine/pty-host/pty-host-client.ts',
  'pty-host-fork': 'src-main/engine/pty-host/pty-host-fork.ts',
  'pty-host': 'src-main/engine/pty-host/pty-host.ts',
  pty: 'src-main/engine/adapters/pty.ts',
  screen: 'src-main/engine/screen/screen.ts',
  'screen-worker': 'src-main/engine/screen/screen-worker.ts',
});
const parts = await Promise.all(['pty-host-client', 'pty-host-fork', 'pty', 'screen'].map(load));
const { startPtyHost, forkPtyHost, ptyAdapter, startScreens } = Object.assign({}, ...parts);

let hostPid = 0;
const ptyHost = startPtyHost(() => {
  const started = forkPtyHost();
  hostPid = started.pid;
  return started;
});
const screens = startScreens({ colors: COLORS });
const folder = await mkdtemp(join(tmpdir(), 'baton-bench-pty-'));
const openAdapter = ptyAdapter(ptyHost, { shellIntegrationFolder: join(folder, 'shell'), version: '0' });
try {
  const flood = join(folder, 'flood.txt');
  await writeFile(flood, text(FLOOD_BYTES));
  const results = [
    ...(await throughput(flood)),
    ...(await echoes('echo', null)),
    ...(await echoes('echo while another session floods', flood)),
    ...(await fastCommands()),
  ];
  process.stdout.write(`${JSON.stringify({ name: 'pty', results }, null, 2)}\n`);
} finally {
  await ptyHost.stop(500);
  await screens.stop();
  await rm(folder, { recursive: true });
}

/** A program whose output goes as far as a session would take it; `onOutput` stands for the session. */
async function start(script, onOutput, onExit = () => {}) {
  const size = { cols: 80, rows: 24 };
  const spec = { kind: 'pty', command: '/bin/sh', args: ['-c', script], cwd: '/', env: {}, ...size, term: 'xterm', options: {} };
  const adapter = openAdapter({
    spec: { ...spec, shellIntegration: false },
    state: { ...size, cwd: '/', status: 'starting' },
    childEnv: () => env,
    append: async () => 1,
    child: async () => {},
    output: onOutput,
    exited: onExit,
  });
  await adapter.start();
  return { write: (data) => adapter.write(data), stop: () => adapter.close(0) };
}

function startBare(script, onOutput, onExit = () => {}) {
  const pty = nodePty.spawn('/bin/sh', ['-c', script], { cols: 80, rows: 24, cwd: '/', env, encoding: null });
  pty.onData(onOutput);
  pty.onExit(onExit);
  return { write: (data) => pty.write(data), stop: () => pty.kill('SIGKILL') };
}

async function throughput(flood) {
  const rounds = { bare: [], ours: [], shown: [] };
  const script = `exec cat ${flood}`;
  for (let round = 0; round < ROUNDS; round++) {
    rounds.bare.push(await measured((onOutput, onExit) => startBare(script, onOutput, onExit)));
    rounds.ours.push(await measured((onOutput, onExit) => start(script, onOutput, onExit)));
    rounds.shown.push(await withScreen(script));
  }
  const rate = (name) => rounds[name].map(({ rate }) => rate);
  const cpu = (name) => rounds[name].map(({ cpu }) => cpu);
  return [
    compared('output through pty host and adapter', 'MB/s', rate('ours'), rate('bare'), 'atLeast', 0.9),
    compared('output through pty host and adapter, with its screen kept', 'MB/s', rate('shown'), rate('bare'), 'atLeast', 0.75),
    compared('CPU of pty host and main for output', 's/GB', cpu('ours'), cpu('bare'), 'atMost', 1.5),
    plain('time until the screen has caught up with 64 MB', median(rounds.shown.map(({ behindMs }) => behindMs)), 'ms'),
  ];
}

/** MB/s and CPU seconds per GB of main and pty host. */
async function measured(begin) {
  let bytes = 0;
  const cpuBefore = cpuSeconds();
  const from = performance.now();
  await new Promise((resolve, reject) => {
    const onOutput = (chunk) => {
      bytes += chunk.length;
    };
    Promise.resolve(begin(onOutput, resolve)).catch(reject);
  });
  const seconds = (performance.now() - from) / 1000;
  return { rate: bytes / 1e6 / seconds, cpu: (cpuSeconds() - cpuBefore) / (bytes / 1e9) };
}

async function withScreen(script) {
  const log = [];
  const screen = screens.open(crypto.randomUUID(), {
    cols: 80,
    rows: 24,
    from: null,
    lastSeq: 0,
    answers: true,
    // What the worker has not parsed in time it reads back.
    readOutput: async (after) => log.slice(after, after + 16),
    events: { onReply() {}, onDetails() {}, onScreen() {}, onFailed: fail },
  });
  const { rate } = await measured((onOutput, onExit) =>
    start(
      script,
      (chunk) => {
        onOutput(chunk);
        log.push({ seq: log.length + 1, channel: 'pty:stdout', type: 'data', payload: chunk });
        screen.write(log.length, chunk);
      },
      onExit,
    ),
  );
  const from = performance.now();
  await screen.snapshot({ scrollbackLines: 1000 });
  const behindMs = performance.now() - from;
  screen.close();
  return { rate, behindMs };
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + (hostPid === 0 ? 0 : hostCpuSeconds());
}

/** From /proc in ticks of 10 ms; where there is none the host's share stays unknown. */
function hostCpuSeconds() {
  if (process.platform !== 'linux') return 0;
  const stat = readFileSync(`/proc/${hostPid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A keystroke to `cat` and back, at a person's pace but without a person's patience. */
async function echoes(name, flood) {
  const script = 'stty raw -echo; echo ready; exec cat';
  const times = { bare: [], ours: [] };
  for (let round = 0; round < 3; round++) {
    const loop = `while :; do cat ${flood}; done`;
    const noise = flood === null ? null : startBare(loop, () => {});
    times.bare.push(...(await echoTimes((onOutput) => startBare(script, onOutput))));
    noise?.stop();
    const ourNoise = flood === null ? null : await start(loop, () => {});
    times.ours.push(...(await echoTimes((onOutput) => start(script, onOutput))));
    await ourNoise?.stop();
  }
  const [ours, bare] = [quantiles(times.ours), quantiles(times.bare)];
  return [
    {
      metric: `${name}, p50`,
      value: round3(ours.p50),
      unit: 'ms',
      baseline: round3(bare.p50),
      ratio: round3(ours.p50 / bare.p50),
      goal: '<= bare + 0.5 ms',
      ok: ours.p50 <= bare.p50 + 0.5,
    },
    {
      metric: `${name}, p99`,
      value: round3(ours.p99),
      unit: 'ms',
      baseline: round3(bare.p99),
      ratio: round3(ours.p99 / bare.p99),
      goal: '<= 2 x bare',
      ok: ours.p99 <= 2 * bare.p99,
    },
  ];
}

async function echoTimes(begin) {
  let onEcho = () => {};
  const terminal = await begin((chunk) => onEcho(Buffer.from(chunk).toString('latin1')));
  const next = () =>
    new Promise((resolve) => {
      onEcho = resolve;
    });
  let said = '';
  while (!said.includes('ready')) said += await next();
  const times = [];
  for (let count = 0; count < ECHOES / 3; count++) {
    const echo = next();
    const from = performance.now();
    terminal.write(Buffer.from('x'));
    await echo;
    times.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, 1 + (count % 5)));
  }
  await terminal.stop();
  return times;
}

/** Commands that are over at once: whole or not, exit before output or not, while main's loop is stalled for a second again and again. */
async function fastCommands() {
  const script = (count) => `printf '%0${FAST_BYTES}d' ${count}`;
  const ours = await runMany(FAST_COMMANDS, 64, true, (count, onOutput, onExit) => start(script(count), onOutput, onExit));
  const descriptors = process.platform === 'linux' ? readdirSync(`/proc/${hostPid}/fd`).length : 0;
  const bare = await runMany(Math.min(FAST_COMMANDS, 1000), 4, false, (count, onOutput, onExit) =>
    startBare(script(count), onOutput, onExit),
  );
  return [
    {
      metric: `fast commands that arrived whole, of ${FAST_COMMANDS}, while main stalls for 1 s again and again`,
      value: ours.whole,
      unit: 'commands',
      baseline: round3((bare.whole / bare.count) * FAST_COMMANDS),
      ratio: null,
      goal: `= ${FAST_COMMANDS}`,
      ok: ours.whole === FAST_COMMANDS && ours.late === 0,
    },
    { ...plain('open descriptors of the pty host after them', descriptors, 'descriptors'), goal: '<= 40', ok: descriptors <= 40 },
  ];
}

async function runMany(count, atOnce, stalls, begin) {
  let [next, whole, late] = [0, 0, 0];
  let isDone = false;
  const one = (number) =>
    new Promise((resolve, reject) => {
      let bytes = 0;
      let hasExited = false;
      const onOutput = (chunk) => {
        if (hasExited) late++;
        bytes += chunk.length;
      };
      const onExit = () => {
        hasExited = true;
        if (bytes === FAST_BYTES) whole++;
        resolve();
      };
      Promise.resolve(begin(number, onOutput, onExit)).catch(reject);
    });
  const worker = async () => {
    while (next < count) await one(next++);
  };
  const stall = () => {
    if (isDone) return;
    for (const until = performance.now() + STALL_MS; performance.now() < until; );
    setTimeout(stall, 300);
  };
  if (stalls) setTimeout(stall, 100);
  await Promise.all(Array.from({ length: atOnce }, worker));
  isDone = true;
  return { count, whole, late };
}

/** Words in lines as a build or a log would print them. */
function text(bytes) {
  const words = ['compiling', 'src/engine/session.ts', 'warning:', 'unused', 'variable', '42', 'ok', '(0.3 s)', 'linking'];
  const lines = [];
  for (let size = 0, line = 0; size < 1024 * 1024; line++) {
    const length = 3 + ((line * 7) % 11);
    const made = Array.from({ length }, (_, word) => words[(line * 5 + word * 3) % words.length]).join(' ');
    lines.push(made);
    size += made.length + 1;
  }
  const block = Buffer.from(`${lines.join('\n')}\n`);
  return Buffer.concat(Array.from({ length: Math.ceil(bytes / block.length) }, () => block)).subarray(0, bytes);
}

function compared(metric, unit, ours, bare, direction, goal) {
  // Neighbours in time are compared: what else the machine does meets both.
  const ratio = median(ours.map((value, round) => value / bare[round]));
  const ok = direction === 'atLeast' ? ratio >= goal : ratio <= goal;
  const sign = direction === 'atLeast' ? '>=' : '<=';
  return {
    metric,
    value: round3(median(ours)),
    unit,
    baseline: round3(median(bare)),
    ratio: round3(ratio),
    goal: `${sign} ${goal} x bare node-pty`,
    ok,
  };
}

function plain(metric, value, unit) {
  return { metric, value: round3(value), unit, baseline: null, ratio: null, goal: null, ok: true };
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length * 0.5)], p99: sorted[Math.floor(sorted.length * 0.99)] };
}

function median(values) {
  return quantiles(values).p50;
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}

function fail(message) {
  throw new Error(message);
}
