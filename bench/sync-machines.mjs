// Whole engines as users run them, each a process of its own: typing into a session of another machine beside typing into one's own,
// the same while a long history is filled in, and ten devices on one conversation beside ten conversations.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startScriptedApi } from '../e2e/scripted-api/scripted-api.js';
import { compared, figure, median, quantile, result } from './figures.mjs';
import { pssOf, treeOf } from './processes.mjs';

const MB = 1024 * 1024;
const HISTORY_BYTES = 100 * MB;
const ROUNDS = 4;
const KEYS = 60;
/** Between an echo and the next key: faster than anybody types. */
const KEY_PAUSE_MS = 20;
const DEVICES = 10;
const VIEWPORT = { cols: 80, rows: 24 };
/** Nothing has been written to the relay for so long: it has everything. */
const QUIET_MS = 1_500;

export class Machines {
  #root;
  #folder;
  #parts;
  #ends = [];

  /** `parts`: RunSessionClient and streamWire. */
  constructor({ root, folder, parts }) {
    this.#root = root;
    this.#folder = folder;
    this.#parts = parts;
  }

  async stop() {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  async typing() {
    const [a, b] = [await this.#machine('a'), await this.#machine('b')];
    await pair(a, b);
    const [near, far] = [await createPty(a.client, 'cat'), await createPty(a.client, 'cat')];
    const local = await watch(a.client, near, VIEWPORT);
    await listed(b.client, far, () => true);
    const remote = await watch(b.client, far, VIEWPORT);
    await echoes(remote, 10);
    const rounds = { local: [], remote: [] };
    for (let round = 0; round < ROUNDS; round++) {
      rounds.local.push(await echoes(local, KEYS));
      rounds.remote.push(await echoes(remote, KEYS));
    }
    const filled = await this.#fillIn(a, b, far);
    await this.stop();
    return typed(rounds, filled);
  }

  /** B has been away while A's log grew by a hundred megabytes; it types while it catches up. */
  async #fillIn(a, b, typedInto) {
    await b.end();
    const file = join(this.#folder, 'history.txt');
    await writeHistory(file);
    const long = await createPty(a.client, 'sh', ['-c', `read go; cat '${file}'; printf 'the%s' ' end'; read wait`]);
    const made = await watch(a.client, long, VIEWPORT);
    made.keys('\n');
    const fromMs = performance.now();
    await made.until('the end');
    await untilQuiet(join(a.home, 'data', 'relay'));
    const sentMs = performance.now() - fromMs - QUIET_MS;
    await b.start();
    const startedMs = performance.now();
    await listed(b.client, long, () => true);
    const shown = await watch(b.client, long, null);
    await shown.until('the end');
    const readableMs = performance.now() - startedMs;
    const remote = await watch(b.client, typedInto, VIEWPORT);
    let completeMs = null;
    const complete = listed(b.client, long, ({ remote: { historyComplete } }) => historyComplete).then(() => {
      completeMs = performance.now() - startedMs;
    });
    const keys = await echoes(remote, 2000, () => completeMs !== null);
    await complete;
    return { keys, readableMs, completeMs, sentMs };
  }

  async devices() {
    const api = await startScriptedApi();
    this.#ends.push(() => api.close());
    const shared = await this.#conversations(api.url, 1, DEVICES);
    const apart = await this.#conversations(api.url, DEVICES, 1);
    await this.stop();
    const what = `${DEVICES} devices on one conversation`;
    return [
      result(`${what}: Claude processes`, shared.claudes, '', apart.claudes, '1', shared.claudes === 1),
      result(`${what}: processes`, shared.processes, '', apart.processes, '<= 0.5 x', shared.processes <= apart.processes / 2),
      compared(`${what}: memory (PSS), beside ${DEVICES} conversations`, [shared.bytes / 1e6], [apart.bytes / 1e6], {
        unit: 'MB',
        atMost: 0.5,
      }),
      figure(`one device more on a conversation: memory`, (shared.bytes - shared.before) / (DEVICES - 1) / 1e6, 'MB'),
    ];
  }

  /** So many, each with a turn behind it and so many clients that watch. */
  async #conversations(url, count, watchers) {
    const machine = await this.#machine(`claude-${count}`, url);
    const spec = { kind: 'claude', cwd: machine.user, model: null, permissionMode: 'default', options: {}, forkOf: null };
    const runs = [];
    for (let made = 0; made < count; made++) {
      const { session } = await machine.client.call('session.create', { inputId: crypto.randomUUID(), spec, title: null });
      const watcher = await watch(machine.client, session.runId, null);
      const content = { text: 'long 10', images: [] };
      await machine.client.send(session.runId, { kind: 'prompt', inputId: crypto.randomUUID(), content });
      await watcher.turnEnded();
      runs.push(session.runId);
    }
    const before = pssOf(treeOf(machine.pid));
    for (const runId of runs) {
      for (let more = 1; more < watchers; more++) await watch(machine.connect(), runId, null);
    }
    const tree = treeOf(machine.pid);
    const claudes = tree.filter(({ command }) => /claude/.test(command)).length;
    const weighed = { bytes: pssOf(tree), before, processes: tree.length, claudes };
    await machine.end();
    return weighed;
  }

  async #machine(name, claudeUrl = null) {
    const home = await mkdtemp(join(this.#folder, `${name}-`));
    const user = join(home, 'user');
    await mkdir(user);
    await writeFile(join(home, 'settings.json'), JSON.stringify({ 'machine.name': name, 'machines.keyProtection': 'plain' }));
    const kept = Object.entries(process.env).filter(([key]) => !/^(ANTHROPIC_|CLAUDE|XDG_|BATON_)/.test(key));
    const claude = {
      CLAUDE_CONFIG_DIR: join(user, '.claude'),
      ANTHROPIC_BASE_URL: claudeUrl,
      ANTHROPIC_API_KEY: 'sk-bench',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    };
    const env = { ...Object.fromEntries(kept), HOME: user, BATON_HOME: home, ...(claudeUrl === null ? {} : claude) };
    const machine = new Machine({ home, user, env, program: join(this.#root, 'out', 'main', 'headless.js'), parts: this.#parts });
    this.#ends.push(() => machine.end());
    await machine.start();
    return machine;
  }
}

class Machine {
  client = null;
  home;
  user;
  #env;
  #program;
  #parts;
  #child = null;
  #socket = '';
  #clients = [];

  constructor({ home, user, env, program, parts }) {
    this.home = home;
    this.user = user;
    this.#env = env;
    this.#program = program;
    this.#parts = parts;
  }

  get pid() {
    return this.#child.pid;
  }

  async start() {
    this.#child = spawn(process.execPath, [this.#program], { env: this.#env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: this.#child.stdout }), 'line');
    this.#socket = JSON.parse(line).socket;
    this.client = this.connect();
    await this.client.ready();
  }

  connect() {
    const client = new this.#parts.RunSessionClient({
      clientId: crypto.randomUUID(),
      kind: 'cli',
      name: 'bench',
      connect: async () => {
        const socket = createConnection(this.#socket);
        await once(socket, 'connect');
        return this.#parts.streamWire(socket);
      },
    });
    this.#clients.push(client);
    return client;
  }

  async end() {
    for (const client of this.#clients.splice(0)) client.stop();
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
}

/** `member` runs the relay. */
async function pair(member, newcomer) {
  await member.client.call('relay.start', {});
  const { joinText } = await member.client.call('pairing.offer', { rights: 'start' });
  await newcomer.client.call('pairing.join', { code: joinText });
  const compared = async ({ client }) => {
    for (;;) {
      const { state } = await client.call('pairing.state', {});
      if (state.is === 'compare') return state.digits;
      if (state.is === 'failed') throw new Error(`pairing failed: ${state.reason}`);
      await pause(20);
    }
  };
  await compared(newcomer);
  await member.client.call('pairing.confirm', { digits: await compared(member) });
}

async function listed(client, runId, holds) {
  for (;;) {
    const { sessions } = await client.call('session.list', {});
    const session = sessions.find((it) => it.runId === runId);
    if (session !== undefined && holds(session)) return session;
    await pause(20);
  }
}

async function createPty(client, command, args = []) {
  const spec = { kind: 'pty', command, args, env: {}, ...VIEWPORT, term: 'xterm-256color', options: {}, shellIntegration: false };
  const params = { inputId: crypto.randomUUID(), spec: { ...spec, cwd: '/' }, title: null };
  return (await client.call('session.create', params)).session.runId;
}

/** Somebody who looks, parses at once, and remembers the end of what was shown. */
async function watch(client, runId, viewport) {
  let [tail, turns, attachment] = ['', 0, null];
  const looks = new Set();
  const until = (holds) =>
    new Promise((resolve) => {
      const look = () => holds() && looks.delete(look) && resolve();
      looks.add(look);
      look();
    });
  const watcher = {
    onOutput: () => {},
    keys: (text) => attachment.keys(Buffer.from(text)),
    until: (text) => until(() => tail.includes(text)),
    turnEnded: () => until(() => turns > 0),
  };
  const show = (text) => {
    tail = (tail + text).slice(-200);
  };
  await new Promise((resolve, reject) => {
    attachment = client.attach(
      runId,
      { after: null, viewport: () => viewport },
      {
        onStart: ({ screen }) => {
          if (screen !== null) show(screen.data.slice(-400).replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, ''));
          for (const look of looks) look();
        },
        onEvents: (events) => {
          let bytes = 0;
          for (const { channel, type, payload } of events) {
            if (payload instanceof Uint8Array) bytes += payload.length;
            if (channel === 'run:turn' && type === 'ended') turns += 1;
          }
          attachment.parsed(bytes);
          const last = events.findLast(({ payload }) => payload instanceof Uint8Array)?.payload;
          if (last !== undefined) show(Buffer.from(last.subarray(-200)).toString('latin1'));
          for (const look of looks) look();
          if (bytes > 0) watcher.onOutput();
        },
        onFollowing: (follows) => follows && resolve(),
        onRefused: reject,
      },
    );
  });
  return watcher;
}

/** ms from a key to its echo, one after the other. */
async function echoes(watcher, count, isEnough = () => false) {
  const times = [];
  for (let key = 0; key < count && !isEnough(); key++) {
    const from = performance.now();
    const echoed = new Promise((resolve) => {
      watcher.onOutput = resolve;
    });
    // A line is full at 4096: end it in time.
    watcher.keys(key % 1000 === 999 ? '\n' : 'x');
    await echoed;
    times.push(performance.now() - from);
    await pause(KEY_PAUSE_MS);
  }
  watcher.onOutput = () => {};
  return times;
}

function typed(rounds, { keys, readableMs, completeMs, sentMs }) {
  const of = (side, q) => rounds[side].map((times) => quantile(times, q));
  const quiet = rounds.remote.flat();
  const during = keys.length < 10 ? [] : [keys];
  const beside = (q) => [quantile(quiet, q)];
  return [
    compared('a key typed on B until its echo from A, p50, beside typed on A', of('remote', 0.5), of('local', 0.5), {
      unit: 'ms',
      atMost: 3,
    }),
    figure(
      'a key typed on B until its echo from A, p99, beside typed on A',
      median(of('remote', 0.99)),
      'ms',
      median(of('local', 0.99)),
    ),
    ...during.flatMap((times) => [
      compared('the same while 100 MB are filled in, p50, beside quiet', [median(times)], beside(0.5), { unit: 'ms', atMost: 2 }),
      compared('the same while 100 MB are filled in, p99, beside quiet', [quantile(times, 0.99)], beside(0.99), {
        unit: 'ms',
        atMost: 2,
      }),
    ]),
    ...(during.length > 0 ? [] : [{ metric: 'typing while 100 MB are filled in', skipped: `only ${keys.length} keys fit` }]),
    figure('100 MB of history: made and at the relay', sentMs / 1000, 's'),
    figure('100 MB of history: its end can be read', readableMs / 1000, 's'),
    figure('100 MB of history: all of it is here', completeMs / 1000, 's'),
  ];
}

/** Lines as a build prints them. */
async function writeHistory(file) {
  let text = '';
  for (let line = 0; text.length < MB; line++) {
    text += `\x1b[32m[${line}]\x1b[0m compiling src/module-${line % 97}/part-${(line * 7919) % 1000}.c -> out/${line}.o (${line * 13} ms)\n`;
  }
  const chunk = Buffer.from(text).subarray(0, MB);
  const handle = await open(file, 'w');
  for (let written = 0; written < HISTORY_BYTES; written += chunk.length) await handle.write(chunk);
  await handle.close();
}

async function untilQuiet(folder) {
  let [sizes, sinceMs] = ['', performance.now()];
  while (performance.now() - sinceMs < QUIET_MS) {
    const stats = await Promise.all((await readdir(folder)).map((name) => stat(join(folder, name))));
    const now = stats.map(({ size, mtimeMs }) => `${size} ${mtimeMs}`).join();
    if (now !== sizes) [sizes, sinceMs] = [now, performance.now()];
    await pause(50);
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
