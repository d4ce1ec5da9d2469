// The engine: a terminal's output on its way into the log and to one and five viewers, the echo of a keystroke, and attaching to a
// session with much behind it; beside bare node-pty in the same run, and beside ttyd and tmux where they are installed. Output and
// attaching are measured in a client over a socket, as a command line would be; the echo with engine and client in this process, as
// bare node-pty is. Rounds alternate between the two sides, because the machine is never quiet.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pty from 'node-pty';
import { bundle } from './bundle.mjs';
import { isInstalled, tmuxAttach, ttydFlood } from './engine-peers.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MB = 1024 * 1024;
const FLOOD_BYTES = 64 * MB;
const ROUNDS = 5;
const KEYS = 250;
/** Longer than output is collected for: every echo is a first chunk, as when a person types. */
const KEY_PAUSE_MS = 12;
const ATTACHES = 15;
const VIEWPORT = { cols: 80, rows: 24 };

const load = await bundle('engine', {
  host: 'bench/engine-host.mjs',
  'pty-host': 'src-main/engine/pty-host/pty-host.ts',
  'store-worker': 'src-main/store/store-worker.ts',
  'screen-worker': 'src-main/engine/screen/screen-worker.ts',
  client: 'src-shared/client.ts',
  'stream-wire': 'src-main/stream-wire.ts',
  wire: 'src-shared/wire.ts',
});
const parts = Object.assign({}, ...(await Promise.all(['client', 'stream-wire', 'wire', 'host'].map(load))));
const folder = await mkdtemp(join(tmpdir(), 'baton-bench-engine-'));
const stops = [];
try {
  const file = join(folder, 'flood.txt');
  await writeFlood(file, FLOOD_BYTES);
  // `node bench/engine.bench.mjs echo` measures that part alone.
  const measures = { throughput, echo, attaching };
  const results = [];
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(measures)) {
    process.stderr.write(`engine: ${name}\n`);
    results.push(...(await measures[name](file)));
  }
  process.stdout.write(`${JSON.stringify({ name: 'engine', results }, null, 2)}\n`);
} finally {
  for (const stop of stops.reverse()) await stop();
  await rm(folder, { recursive: true, force: true });
}

// ——— output ———

async function throughput(file) {
  const engine = await startEngine('flood');
  const plain = await startEngine('plain', ['--no-screens']);
  const hasTtyd = isInstalled('ttyd', '--version');
  const rounds = { bare: [], one: [], five: [], bareCpu: [], ourCpu: [], ttyd: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await bareFlood(file);
    rounds.bare.push(bare.rate);
    rounds.bareCpu.push(bare.cpuMsPerMb);
    rounds.one.push((await ourFlood(engine, file, 1)).rate);
    rounds.five.push((await ourFlood(engine, file, 5)).rate);
    rounds.ourCpu.push((await ourFlood(plain, file, 1)).cpuMsPerMb);
    if (hasTtyd) rounds.ttyd.push(FLOOD_BYTES / MB / (await ttydFlood(file, VIEWPORT)));
  }
  await engine.stop();
  await plain.stop();
  return [
    compared('output into the log and one viewer', rounds.one, rounds.bare, { unit: 'MB/s', atLeast: 0.75 }),
    hasTtyd
      ? compared('output into the log and one viewer, beside ttyd', rounds.one, rounds.ttyd, { unit: 'MB/s', atLeast: 0.9 })
      : { metric: 'output into the log and one viewer, beside ttyd', skipped: 'ttyd is not installed' },
    compared('output into the log and five viewers, beside one', rounds.five, rounds.one, { unit: 'MB/s', atLeast: 0.9 }),
    compared('CPU of engine and pty host, screens aside', rounds.ourCpu, rounds.bareCpu, { unit: 'ms/MB', atMost: 1.5 }),
  ];
}

/** node-pty in this process, into a handler that only counts. */
async function bareFlood(file) {
  const cpu = process.cpuUsage();
  const from = performance.now();
  let bytes = 0;
  const child = pty.spawn('cat', [file], { ...VIEWPORT, encoding: null });
  child.onData((data) => {
    bytes += data.length;
  });
  await new Promise((resolve) => child.onExit(resolve));
  const used = process.cpuUsage(cpu);
  return { rate: bytes / MB / seconds(from), cpuMsPerMb: (used.user + used.system) / 1000 / (bytes / MB) };
}

async function ourFlood(engine, file, viewers) {
  const clients = Array.from({ length: viewers }, () => engine.connect());
  const runId = await createPty(clients[0], 'sh', ['-c', `read go; cat '${file}'; printf 'the%s' ' end'`]);
  const watched = await Promise.all(clients.map((client, index) => watch(client, runId, index === 0 ? VIEWPORT : null)));
  const cpu = cpuOf(engine.pids());
  const from = performance.now();
  watched[0].attachment.keys(Buffer.from('\n'));
  await Promise.all(watched.map((viewer) => viewer.until('the end')));
  const elapsed = seconds(from);
  const used = cpuOf(engine.pids()) - cpu;
  await clients[0].close(runId, crypto.randomUUID());
  await clients[0].call('session.delete', { runId });
  for (const client of clients) client.stop();
  return { rate: FLOOD_BYTES / MB / elapsed, cpuMsPerMb: used / (FLOOD_BYTES / MB) };
}

// ——— echo ———

async function echo(file) {
  const engine = await engineHere();
  const rounds = { bare: [], ours: [], bareBusy: [], oursBusy: [] };
  for (let round = 0; round < 3; round++) {
    rounds.bare.push(...(await bareEcho(null)));
    rounds.ours.push(...(await ourEcho(engine, null)));
    rounds.bareBusy.push(...(await bareEcho(file)));
    rounds.oursBusy.push(...(await ourEcho(engine, file)));
  }
  await engine.stop();
  return [
    ...echoed('echo of a keystroke', rounds.ours, rounds.bare),
    ...echoed('echo of a keystroke while another session floods', rounds.oursBusy, rounds.bareBusy),
  ];
}

async function bareEcho(floodFile) {
  const flooding =
    floodFile === null ? null : pty.spawn('sh', ['-c', `while :; do cat '${floodFile}'; done`], { ...VIEWPORT, encoding: null });
  flooding?.onData(() => {});
  const child = pty.spawn('cat', [], { ...VIEWPORT, encoding: null });
  let heard = () => {};
  child.onData(() => heard());
  const times = await typeKeys(
    (key) => child.write(key),
    (onEcho) => {
      heard = onEcho;
    },
  );
  for (const started of [child, flooding]) {
    if (started === null) continue;
    const gone = new Promise((resolve) => started.onExit(resolve));
    started.kill('SIGKILL');
    await gone;
  }
  return times;
}

async function ourEcho(engine, floodFile) {
  const client = engine.connect();
  const other = engine.connect();
  const runId = await createPty(client, 'cat', []);
  const viewer = await watch(client, runId, VIEWPORT);
  let flood = null;
  if (floodFile !== null) {
    flood = await createPty(other, 'sh', ['-c', `while :; do cat '${floodFile}'; done`]);
    await watch(other, flood, VIEWPORT);
  }
  const times = await typeKeys(
    (key) => viewer.attachment.keys(Buffer.from(key)),
    (onEcho) => {
      viewer.onOutput = onEcho;
    },
  );
  for (const ended of [runId, flood]) {
    if (ended === null) continue;
    await client.close(ended, crypto.randomUUID());
    await client.call('session.delete', { runId: ended });
  }
  client.stop();
  other.stop();
  return times;
}

/** One key at a time, each after the echo of the one before: milliseconds to the echo. */
async function typeKeys(type, listen) {
  const times = [];
  for (let key = 0; key < KEYS; key++) {
    const from = performance.now();
    await new Promise((resolve) => {
      listen(resolve);
      // A line is full at 4096: end it in time.
      type(key % 1000 === 999 ? '\n' : 'x');
    });
    times.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, KEY_PAUSE_MS));
  }
  return times.slice(KEYS / 10);
}

function echoed(metric, ours, bare) {
  const [p50, bareP50, p99, bareP99] = [quantile(ours, 0.5), quantile(bare, 0.5), quantile(ours, 0.99), quantile(bare, 0.99)];
  return [
    result(`${metric}, p50`, p50, 'ms', bareP50, '<= bare + 0.5 ms', p50 <= bareP50 + 0.5),
    result(`${metric}, p99`, p99, 'ms', bareP99, '<= 2 x bare', p99 <= 2 * bareP99),
  ];
}

// ——— attaching ———

async function attaching() {
  const engine = await startEngine('attach');
  const sizes = [1, 100, 1024];
  const ours = [];
  const theirs = [];
  const hasTmux = isInstalled('tmux', '-V');
  for (const megabytes of sizes) {
    const file = join(folder, 'history.txt');
    await writeFlood(file, megabytes * MB);
    ours.push(await ourAttach(engine, file));
    theirs.push(hasTmux && megabytes <= 100 ? quantile(await tmuxAttach(file, ATTACHES), 0.5) : null);
  }
  await engine.stop();
  const [small, , large] = ours;
  const tmux = theirs[1];
  return [
    ...sizes.map((megabytes, at) => result(`attach after ${megabytes} MB`, ours[at], 'ms', small, '<= 50', ours[at] <= 50)),
    result('attach after 1 GB, beside after 1 MB', large, 'ms', small, '<= 1.2', large / small <= 1.2),
    tmux === null
      ? { metric: 'attach after 100 MB from connection, beside tmux attach', skipped: 'tmux is not installed' }
      : result('attach after 100 MB from connection, beside tmux attach', ours[1], 'ms', tmux, '<= 2', ours[1] <= 2 * tmux),
  ];
}

/** From connecting to the last line of the screen in a client's hands. */
async function ourAttach(engine, file) {
  const driver = engine.connect();
  const runId = await createPty(driver, 'sh', ['-c', `read go; cat '${file}'; printf 'the%s' ' end'; read wait`]);
  const viewer = await watch(driver, runId, VIEWPORT);
  viewer.attachment.keys(Buffer.from('\n'));
  await viewer.until('the end');
  const times = [];
  for (let attach = 0; attach < ATTACHES; attach++) {
    const from = performance.now();
    const client = engine.connect();
    const late = await watch(client, runId, null);
    await late.until('the end');
    times.push(performance.now() - from);
    client.stop();
  }
  await driver.close(runId, crypto.randomUUID());
  await driver.call('session.delete', { runId });
  driver.stop();
  return quantile(times, 0.5);
}

// ——— the engine and its clients ———

async function startEngine(name, flags = []) {
  const home = await mkdtemp(join(folder, `${name}-`));
  const child = spawn(process.execPath, [join(root, 'out/bench/engine/host.js'), home, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    child.kill('SIGTERM');
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  stops.push(stop);
  const connect = () =>
    newClient(async () => {
      const socket = createConnection(join(home, 'socket'));
      await once(socket, 'connect');
      return parts.streamWire(socket);
    });
  return { connect, stop, pids: () => [child.pid, ...ptyHostsOf(child.pid)] };
}

async function engineHere() {
  const home = await mkdtemp(join(folder, 'here-'));
  const { engine, stop } = await parts.openEngine(home);
  stops.push(stop);
  const connect = () =>
    newClient(async () => {
      const [near, far] = parts.wirePair();
      engine.attachWire(far, { isLocal: true, road: 'socket' });
      return near;
    });
  return { connect, stop };
}

function newClient(connect) {
  return new parts.RunSessionClient({ clientId: crypto.randomUUID(), kind: 'test', name: 'bench', connect });
}

function ptyHostsOf(pid) {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      return parent === pid ? [Number(name)] : [];
    } catch {
      // Not a process, or gone meanwhile.
      return [];
    }
  });
}

/** CPU time that processes have used, in ms. Clock ticks are 10 ms on every Linux that Node runs on. */
function cpuOf(pids) {
  return pids.reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10;
  }, 0);
}

async function createPty(client, command, args) {
  const spec = {
    kind: 'pty',
    command,
    args,
    cwd: folder,
    env: {},
    ...VIEWPORT,
    term: 'xterm-256color',
    options: {},
    shellIntegration: false,
  };
  return (await client.call('session.create', { inputId: crypto.randomUUID(), spec, title: null })).session.runId;
}

/** A viewer that parses at once and remembers the end of what it was shown. */
async function watch(client, runId, viewport) {
  const viewer = { tail: '', onOutput: () => {}, attachment: null, until: null };
  let look = () => {};
  const show = (text) => {
    viewer.tail = (viewer.tail + text).slice(-64);
    look();
  };
  viewer.until = (text) =>
    new Promise((resolve) => {
      look = () => viewer.tail.includes(text) && resolve();
      look();
    });
  await new Promise((resolve, reject) => {
    viewer.attachment = client.attach(
      runId,
      { after: null, viewport: () => viewport },
      {
        onStart: ({ screen }) => {
          if (screen !== null) show(screen.data.slice(-200).replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, ''));
        },
        onEvents: (events) => {
          let bytes = 0;
          for (const { payload } of events) if (payload instanceof Uint8Array) bytes += payload.length;
          viewer.attachment.parsed(bytes);
          // The program's end may come together with its last output.
          const last = events.findLast(({ payload }) => payload instanceof Uint8Array)?.payload;
          if (last !== undefined) show(Buffer.from(last.subarray(-64)).toString('latin1'));
          if (bytes > 0) viewer.onOutput();
        },
        onFollowing: (follows) => follows && resolve(),
        onRefused: reject,
      },
    );
  });
  return viewer;
}

// ——— figures ———

/** Lines as a build prints them: colours, paths, numbers. */
async function writeFlood(file, bytes) {
  let text = '';
  for (let line = 0; text.length < MB; line++) {
    text += `\x1b[32m[${line}]\x1b[0m compiling src/module-${line % 97}/part-${(line * 7919) % 1000}.c -> out/${line}.o (${line * 13} ms)\n`;
  }
  const chunk = Buffer.from(text).subarray(0, MB);
  const handle = await open(file, 'w');
  for (let written = 0; written < bytes; written += chunk.length) await handle.write(chunk);
  await handle.close();
}

function seconds(from) {
  return (performance.now() - from) / 1000;
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** The ratio is the median of the rounds' own ratios: what disturbs a round disturbs both of its halves. */
function compared(metric, ours, baseline, { unit, atLeast, atMost }) {
  const ratio = quantile(
    ours.map((value, round) => value / baseline[round]),
    0.5,
  );
  const ok = atLeast === undefined ? ratio <= atMost : ratio >= atLeast;
  const goal = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
  return { ...result(metric, quantile(ours, 0.5), unit, quantile(baseline, 0.5), goal, ok), ratio: round3(ratio) };
}

function result(metric, value, unit, baseline, goal, ok) {
  return { metric, value: round3(value), unit, baseline: round3(baseline), ratio: round3(value / baseline), goal, ok };
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}
