// A change on one machine until others have seen it, and how many changes a second there may be; through the relay, as a session's log
// (`engine`) and as a shared document (`documents`), and beside it @y/websocket-server, @hocuspocus/server with the very same document,
// and a bare `ws` broadcast of messages of the same size. Server, writer and devices are processes of their own.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { compared, figure, median, quantile, result } from './figures.mjs';
import { peerServer } from './peers.mjs';
import { processorMsOf, rssOf } from './processes.mjs';

const ROUNDS = 3;
const RATE = 50;
const SECONDS = 2.5;
/** As many as a sealed change of this size has on the wire. */
const BARE_BYTES = 480;
/** When nothing has come for so long, what has not come is lost. Until then a step waits: the next one begins with empty lines. */
const PATIENCE_MS = 3_000;
const P99_MS = 100;
const FIRST_RATE = 125;
const LOWEST_RATE = 50;
const HIGHEST_RATE = 64_000;
const STEP_SECONDS = 1.2;
const PEERS = ['y-websocket', 'hocuspocus'];
/** Through the relay; with what is said of what is seen there. */
const ROADS = { engine: 'a state change', documents: 'an update of a document' };
const isOurs = (kind) => kind in ROADS || kind === 'relay';

export class FanOut {
  #root;
  #folder;
  #host;
  #hasPeers;
  #ends = [];

  constructor({ root, folder, host, hasPeers }) {
    this.#root = root;
    this.#folder = folder;
    this.#host = host;
    this.#hasPeers = hasPeers;
  }

  async stop() {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  /** Ten machines on one session or document, a hundred on ten. */
  async latency() {
    const results = [];
    for (const rooms of [1, 10]) {
      const sides = {};
      const kinds = [...Object.keys(ROADS), 'bare', ...(this.#hasPeers ? PEERS : [])];
      for (const kind of kinds) sides[kind] = await this.#open(kind, rooms, false);
      const rounds = Object.fromEntries(kinds.map((kind) => [kind, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const kind of kinds) rounds[kind].push(await sides[kind].measure(RATE, RATE * SECONDS));
      }
      results.push(...latencies(`${rooms * 10} machines on ${rooms}, ${RATE} changes/s`, rounds));
      if (rooms > 1) results.push(...(await weights(sides)));
      await this.stop();
    }
    return results;
  }

  /** Devices that open nothing: a hundred that do would need more than this machine's processors. */
  async maximum() {
    const kinds = [...Object.keys(ROADS), 'relay', 'bare', ...(this.#hasPeers ? PEERS : [])];
    const searches = Object.fromEntries(kinds.map((kind) => [kind, null]));
    for (const kind of kinds) searches[kind] = new RateSearch(kind, await this.#open(kind, 10, true));
    // In turns: whatever else this machine does meanwhile is in everybody's way.
    for (let left = kinds; left.length > 0; left = left.filter((kind) => !searches[kind].isDone)) {
      for (const kind of left) await searches[kind].step();
    }
    await this.stop();
    const found = Object.fromEntries(kinds.map((kind) => [kind, searches[kind].highest]));
    const of = '100 devices on 10 rooms';
    const bare = found.bare;
    const yjs = found['y-websocket'];
    const beside = (metric, kind) =>
      yjs === undefined
        ? { ...figure(metric, found[kind], '1/s', bare), goal: '>= 0.8 x y-websocket-server', skipped: 'it is not installed' }
        : compared(metric, [found[kind]], [yjs], { unit: '1/s', atLeast: 0.8 });
    return [
      beside(`state changes at p99 <= ${P99_MS} ms, ${of}, beside y-websocket-server`, 'engine'),
      beside(`updates of documents at p99 <= ${P99_MS} ms, ${of}, beside y-websocket-server`, 'documents'),
      beside(`batches of one change, sealed before, at p99 <= ${P99_MS} ms, ${of}, beside y-websocket-server`, 'relay'),
      ...PEERS.filter((kind) => kind in found).map((kind) =>
        figure(`${kind}: the same, beside bare ws`, found[kind], '1/s', bare),
      ),
      ...['relay', 'documents'].map((kind) =>
        figure(`${kind}: bytes of one change on the wire`, searches[kind].bytes, 'B', searches['y-websocket']?.bytes ?? null),
      ),
    ];
  }

  async #open(kind, rooms, isLight) {
    const folder = await mkdtemp(join(this.#folder, `${kind}-`));
    const server = isOurs(kind) ? await this.#relay(folder, rooms) : await this.#peer(kind);
    const writer = this.#process();
    const workspaces = isOurs(kind) ? await writer.call('workspaces', { count: rooms, machines: 10 }) : [];
    const url = `ws://127.0.0.1:${server.port}`;
    const idleBytes = rssOf(server.pid);
    const written = await writer.call('write', { kind, url, workspaces, count: rooms, folder, bytes: BARE_BYTES });
    const readers = [this.#process(), this.#process()];
    const devices = written.flatMap(({ name }, room) =>
      Array.from({ length: 10 }, (_, device) => ({ room, name, keys: workspaces[room]?.[device + 1] })),
    );
    const shares = readers.map((_, index) => devices.filter((__, device) => device % readers.length === index));
    await Promise.all(readers.map((reader, index) => reader.call('read', { kind, url, isLight, devices: shares[index] })));
    const side = new Side({ writer, readers, shares, server, folder, idleBytes });
    await side.measure(RATE, 50);
    return side;
  }

  async #relay(folder, workspaces) {
    const args = ['relay', '--port', '0', '--data', folder, '--json', '--workspaces', String(workspaces)];
    const child = spawn(process.execPath, [join(this.#root, 'out', 'main', 'cli.js'), ...args], {
      env: { PATH: process.env.PATH, BATON_HOME: folder, BATON_LOG: 'warn' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ends.push(() => ended(child, () => child.kill('SIGTERM')));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return { pid: child.pid, port: JSON.parse(line).port };
  }

  async #peer(kind) {
    const child = fork(peerServer, [kind], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#ends.push(() => ended(child, () => child.disconnect()));
    const [{ port }] = await once(child, 'message');
    return { pid: child.pid, port };
  }

  #process() {
    const child = fork(this.#host, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#ends.push(() => ended(child, () => child.disconnect()));
    /** One call at a time. */
    let settle = () => {};
    child.on('message', (answer) => settle(answer));
    child.on('exit', () => settle({ error: 'a process of the benchmark has ended' }));
    const call = (name, params = null) =>
      new Promise((resolve, reject) => {
        settle = ({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(error)));
        child.send({ call: name, params });
      });
    return { call, pid: child.pid };
  }
}

/** One server with who writes and who reads. */
class Side {
  #parts;

  constructor(parts) {
    this.#parts = parts;
  }

  get serverBytes() {
    return rssOf(this.#parts.server.pid);
  }
  get idleBytes() {
    return this.#parts.idleBytes;
  }
  get devices() {
    return this.#parts.shares.flat().length;
  }
  get readerBytes() {
    return this.#parts.readers.reduce((sum, { pid }) => sum + rssOf(pid), 0);
  }

  async diskBytes() {
    const { folder } = this.#parts;
    const sizes = (await readdir(folder)).filter((name) => name.startsWith('relay.db')).map((name) => stat(join(folder, name)));
    return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  }

  /** What its processes have used so far: the server, and all together. */
  get #processorMs() {
    const { writer, readers, server } = this.#parts;
    const [ofServer, ...others] = [server, writer, ...readers].map(({ pid }) => processorMsOf(pid));
    return [ofServer, others.reduce((sum, ms) => sum + ms, ofServer)];
  }

  /** ms from each change to each device, what came wrong, and the processor time of a change. */
  async measure(rate, changes) {
    const { writer, readers, shares } = this.#parts;
    const positions = await writer.call('positions');
    await Promise.all(
      readers.map((reader, index) => reader.call('begin', { positions: shares[index].map(({ room }) => positions[room]) })),
    );
    const before = this.#processorMs;
    const { made, seconds } = await writer.call('make', { rate, changes });
    const expected = shares.flat().reduce((sum, { room }) => sum + made[room].length, 0);
    let [count, grewMs] = [0, Date.now()];
    while (count < expected && Date.now() - grewMs < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const counts = await Promise.all(readers.map((reader) => reader.call('count')));
      const now = counts.reduce((sum, one) => sum + one, 0);
      if (now > count) [count, grewMs] = [now, Date.now()];
    }
    const [serverMs, allMs] = this.#processorMs.map((ms, index) => (ms - before[index]) / changes);
    const times = [];
    let [wrong, bytes] = [Math.abs(expected - count), 0];
    const states = await writer.call('states');
    for (const [index, reader] of readers.entries()) {
      const [taken, come] = [await reader.call('take'), await reader.call('states')];
      for (const [device, seen] of taken.entries()) {
        const { room } = shares[index][device];
        wrong += seen.wrong;
        if (come[device] !== null && come[device] !== states[room]) wrong += 1;
        bytes = Math.max(bytes, seen.bytes);
        for (const [change, at] of seen.times.entries()) if (change < made[room].length) times.push(at - made[room][change]);
      }
    }
    return { p50: median(times), p99: quantile(times, 0.99), wrong, count, bytes, serverMs, allMs, reached: changes / seconds };
  }
}

/**
 * The highest rate at which a server keeps up: doubled until it does not, then narrowed. What fails is tried once more at once; and what
 * failed lowest once more in the end, for a bad moment of this machine would otherwise be what is measured.
 */
class RateSearch {
  highest = 0;
  isDone = false;
  bytes = 0;
  #kind;
  #side;
  #rate = FIRST_RATE;
  #tooMuch = null;
  #isTriedAgain = false;

  constructor(kind, side) {
    this.#kind = kind;
    this.#side = side;
  }

  async step() {
    const rate = this.#rate;
    if ((await this.#holds(rate)) || (await this.#holds(rate))) {
      this.highest = rate;
      if (rate === this.#tooMuch) this.#tooMuch = null;
    } else this.#tooMuch = rate;
    this.#rate = this.#next();
    this.isDone = this.#rate < LOWEST_RATE || this.#rate > HIGHEST_RATE;
  }

  /** 0: it is known. */
  #next() {
    if (this.#tooMuch === null) return this.highest * 2;
    if (this.highest === 0 && this.#tooMuch >= 2 * LOWEST_RATE) return Math.round(this.#tooMuch / 2);
    if (this.highest > 0 && this.#tooMuch > this.highest * 1.25) return Math.round((this.highest + this.#tooMuch) / 2);
    if (this.#isTriedAgain) return 0;
    this.#isTriedAgain = true;
    return this.#tooMuch;
  }

  async #holds(rate) {
    const { p99, wrong, reached, bytes } = await this.#side.measure(rate, Math.ceil((rate * STEP_SECONDS) / 10) * 10);
    process.stderr.write(`sync: ${this.#kind}, ${rate} changes/s: p99 ${p99.toFixed(1)} ms\n`);
    this.bytes = bytes;
    return wrong === 0 && p99 <= P99_MS && reached >= rate * 0.9;
  }
}

function latencies(on, rounds) {
  const pick = (kind, key) => rounds[kind].map((round) => round[key]);
  const sum = (kind, key) => pick(kind, key).reduce((all, count) => all + count, 0);
  const ours = Object.entries(ROADS).flatMap(([kind, change]) => {
    const what = `${change} seen by ${on}`;
    const p99 = median(pick(kind, 'p99'));
    const wrong = sum(kind, 'wrong');
    const besideYjs = (metric, key, unit) =>
      'y-websocket' in rounds
        ? [figure(`${metric}, beside y-websocket-server`, median(pick(kind, key)), unit, median(pick('y-websocket', key)))]
        : [];
    return [
      result(`${what}, p99`, p99, 'ms', null, `< ${P99_MS}`, p99 < P99_MS),
      ...['p50', 'p99'].map((key) =>
        compared(`${what}, ${key}, beside bare ws`, pick(kind, key), pick('bare', key), { unit: 'ms', atMost: 2 }),
      ),
      ...['p50', 'p99'].flatMap((key) => besideYjs(`${what}, ${key}`, key, 'ms')),
      ...besideYjs(`processor time of the server: ${what}`, 'serverMs', 'ms'),
      ...besideYjs(`processor time of all: ${what}`, 'allMs', 'ms'),
      result(`lost, doubled or out of order of ${sum(kind, 'count')} sightings: ${what}`, wrong, '', null, '0', wrong === 0),
    ];
  });
  const theirs = PEERS.filter((kind) => kind in rounds).flatMap((kind) =>
    ['p50', 'p99'].map((key) => figure(`${kind}: ${on}, ${key}`, median(pick(kind, key)), 'ms', median(pick('bare', key)))),
  );
  return [...ours, ...theirs];
}

async function weights(sides) {
  const changes = Math.round((1 + ROUNDS) * RATE * SECONDS);
  const ours = Object.keys(ROADS).map(async (kind) => {
    const side = sides[kind];
    const perDevice = (side.serverBytes - side.idleBytes) / side.devices;
    return [
      figure(`${kind}: memory of the relay with ${side.devices} machines`, side.serverBytes / 1e6, 'MB'),
      figure(`${kind}: memory of the relay for each machine more`, perDevice / 1e3, 'KB'),
      figure(`${kind}: disk of the relay for ${changes} changes`, (await side.diskBytes()) / 1e6, 'MB'),
      figure(`${kind}: memory of the sync parts of a machine`, side.readerBytes / side.devices / 1e6, 'MB'),
    ];
  });
  const theirs = PEERS.filter((kind) => kind in sides).map((kind) =>
    figure(`memory of ${kind} with ${sides[kind].devices} clients`, sides[kind].serverBytes / 1e6, 'MB'),
  );
  return [...(await Promise.all(ours)).flat(), ...theirs];
}

async function ended(child, end) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  end();
  await exit;
}
