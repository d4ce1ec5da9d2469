// The log: what appending, replaying and waiting for the disk cost through the store, beside the same work on bare better-sqlite3
// in the same run. Rounds alternate between the two, and medians are compared, because the machine is never quiet.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { bundle } from './bundle.mjs';

const ROUNDS = 5;
const BATCH = 256;
const PAGE_EVENTS = 1000;
const PAGE_BYTES = 4 * 1024 * 1024;
const PAUSE_ABOVE_BYTES = 4 * 1024 * 1024;
const TURN_BYTES = 64 * 1024;

if (isMainThread) await main();
else runBare(workerData);

async function main() {
  const load = await bundle('log', { store: 'src-main/store/store.ts', 'store-worker': 'src-main/store/store-worker.ts' });
  const { openStore } = await load('store');
  const folder = await mkdtemp(join(tmpdir(), 'baton-bench-log-'));
  try {
    const results = [
      ...(await appends(openStore, folder, { name: '100 B', bytes: 100, events: 150_000, goal: 0.5 })),
      ...(await appends(openStore, folder, { name: '4 KB', bytes: 4096, events: 15_000, goal: 0.5 })),
      ...(await depth(openStore, folder)),
      ...(await fullCommits(openStore, folder)),
    ];
    process.stdout.write(`${JSON.stringify({ name: 'log', results }, null, 2)}\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Append and replay of `events` events of one size. */
async function appends(openStore, folder, { name, bytes, events, goal }) {
  const rounds = { ours: [], bare: [], ourReplay: [], bareReplay: [], lag: [], idleLag: [], cpu: [], bareCpu: [] };
  const payload = Buffer.alloc(bytes, 'x');
  for (let round = 0; round < ROUNDS; round++) {
    const idleLag = startLag();
    const bare = await inWorker({ file: join(folder, `bare-${bytes}-${round}.db`), bytes, events });
    rounds.idleLag.push(...idleLag());
    rounds.bare.push(bare.append);
    rounds.bareReplay.push(bare.replay);
    rounds.bareCpu.push(bare.cpu / events);
    const file = join(folder, `ours-${bytes}-${round}.db`);
    const store = await openStore({ file });
    const session = await newSession(store);
    const startCpu = process.cpuUsage();
    const lag = startLag();
    const from = performance.now();
    await flood(store, session, payload, events);
    rounds.ours.push(perSecond(events, from));
    rounds.lag.push(...lag());
    rounds.ourReplay.push(await replay(store, session, events));
    rounds.cpu.push(cpuSince(startCpu) / events);
    await store.close();
    await removeDatabase(file);
  }
  return [
    compared(`append ${name} events`, rounds.ours, rounds.bare, goal),
    compared(`replay ${name} events`, rounds.ourReplay, rounds.bareReplay, 0.7),
    processorTime(`append and replay ${name} events`, rounds.cpu, rounds.bareCpu),
    lagged(`main loop lag p99 while appending ${name} events`, rounds.lag, rounds.idleLag),
  ];
}

/** The same append into a session of 1,000 events and into one of 1,000,000. */
async function depth(openStore, folder) {
  const payload = Buffer.alloc(100, 'x');
  const sizes = [1_000, 1_000_000];
  const logs = [];
  for (const size of sizes) {
    const store = await openStore({ file: join(folder, `depth-${size}.db`) });
    const session = await newSession(store);
    await flood(store, session, payload, size);
    logs.push({ store, session, times: [] });
  }
  for (let round = 0; round < 15; round++) {
    for (const log of logs) {
      const from = performance.now();
      await flood(log.store, log.session, payload, 10_000);
      log.times.push((performance.now() - from) / 10);
    }
  }
  for (const { store } of logs) await store.close();
  const [early, late] = logs.map(({ times }) => median(times));
  const ratio = late / early;
  return [
    {
      metric: 'cost of an append after 1,000,000 events, beside after 1,000',
      value: round3(late),
      unit: 'us/event',
      baseline: round3(early),
      ratio: round3(ratio),
      goal: '<= 1.2',
      ok: ratio <= 1.2,
    },
  ];
}

/** One durable event after another, each awaited; and 32 sessions at once. */
async function fullCommits(openStore, folder) {
  const commits = 1500;
  const rounds = { ours: [], bare: [], together: [] };
  const payload = Buffer.alloc(100, 'x');
  for (let round = 0; round < 3; round++) {
    const bare = await inWorker({ file: join(folder, `full-${round}.db`), bytes: 100, full: commits });
    rounds.bare.push(bare.append);
    const file = join(folder, `full-ours-${round}.db`);
    const store = await openStore({ file });
    const sessions = [];
    for (let n = 0; n < 32; n++) sessions.push(await newSession(store));
    const from = performance.now();
    for (let n = 0; n < commits; n++) await appendOne(store, sessions[0], payload, true);
    rounds.ours.push(perSecond(commits, from));
    const start = performance.now();
    await Promise.all(
      sessions.map(async (session) => {
        for (let n = 0; n < 200; n++) await appendOne(store, session, payload, true);
      }),
    );
    rounds.together.push(perSecond(32 * 200, start));
    await store.close();
    await removeDatabase(file);
  }
  return [
    compared('fsynced appends one by one, each awaited on the main loop', rounds.ours, rounds.bare, 0.25),
    compared('fsynced appends of 32 sessions at once', rounds.together, rounds.bare, 1),
  ];
}

/** One event per append, up to 64 KB in a turn of the loop, held back as a pty would be. */
async function flood(store, session, payload, events) {
  const turn = Math.min(BATCH, Math.ceil(TURN_BYTES / payload.length));
  let last = Promise.resolve();
  for (let done = 0; done < events; ) {
    for (let n = 0; n < turn && done < events; n++, done++) last = appendOne(store, session, payload, false);
    if (store.pendingBytes > PAUSE_ABOVE_BYTES) await last;
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await last;
}

function appendOne(store, session, payload, durable) {
  const event = {
    runId: session.runId,
    seq: ++session.seq,
    epoch: 1,
    ts: 1_700_000_000_000,
    channel: 'pty:stdout',
    type: 'data',
    payload,
  };
  return store.append({ runId: session.runId, events: [event], durable });
}

async function replay(store, { runId }, events) {
  const from = performance.now();
  let after = 0;
  let count = 0;
  for (;;) {
    const page = await store.read({ runId, after, limit: PAGE_EVENTS, maxBytes: PAGE_BYTES });
    if (page.length === 0) break;
    count += page.length;
    after = page.at(-1).seq;
  }
  if (count !== events) throw new Error(`replayed ${count} of ${events} events`);
  return perSecond(events, from);
}

async function newSession(store) {
  const runId = crypto.randomUUID();
  const row = { runId, kind: 'pty', status: 'running', epoch: 1, createdTs: 0, meta: null };
  await store.createSession(row, { events: [], durable: false });
  return { runId, seq: 0 };
}

/** Delays of a timer that is due every 2 ms, until the returned function is called. */
function startLag() {
  const lags = [];
  let due = performance.now() + 2;
  const timer = setInterval(() => {
    const now = performance.now();
    lags.push(Math.max(0, now - due));
    due = now + 2;
  }, 2);
  return () => {
    clearInterval(timer);
    return lags;
  };
}

function inWorker(data) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Bare SQLite in a worker: the simplest table that can hold the events, filled in batches of 256 or, FULL, one by one. */
function runBare({ file, bytes, events, full }) {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${full ? 'FULL' : 'NORMAL'}`);
  // The faster of the two for each size.
  db.exec(`CREATE TABLE events (run_id TEXT, seq INTEGER, channel TEXT, type TEXT, payload BLOB, ts INTEGER, epoch INTEGER,
    PRIMARY KEY (run_id, seq)) ${bytes < 1000 ? 'WITHOUT ROWID' : ''}`);
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)');
  const runId = crypto.randomUUID();
  const payload = Buffer.alloc(bytes, 'x');
  const total = full ?? events;
  const batch = full ? 1 : BATCH;
  const many = db.transaction((from, to) => {
    for (let seq = from; seq <= to; seq++) insert.run(runId, seq, 'pty:stdout', 'data', payload, 1_700_000_000_000, 1);
  });
  const startCpu = process.cpuUsage();
  const from = performance.now();
  for (let seq = 1; seq <= total; seq += batch) many(seq, Math.min(total, seq + batch - 1));
  const append = perSecond(total, from);
  const select = db.prepare('SELECT * FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?');
  const start = performance.now();
  for (let after = 0, page = []; ; after = page.at(-1).seq) {
    page = select.all(runId, after, PAGE_EVENTS);
    if (page.length === 0) break;
  }
  const replayed = perSecond(total, start);
  const cpu = cpuSince(startCpu);
  db.close();
  parentPort.postMessage({ append, replay: replayed, cpu });
}

async function removeDatabase(file) {
  for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix, { force: true });
}

/** Microseconds of all threads of the process. */
function cpuSince(start) {
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

function perSecond(count, from) {
  return (count * 1000) / (performance.now() - from);
}

function median(values) {
  return quantile(values, 0.5);
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** The ratio is the median of the rounds' own ratios: what disturbs a round disturbs both of its halves. */
function compared(metric, ours, bare, goal) {
  const ratio = median(ours.map((value, round) => value / bare[round]));
  const [value, baseline] = [Math.round(median(ours)), Math.round(median(bare))];
  return { metric, value, unit: 'events/s', baseline, ratio: round3(ratio), goal: `>= ${goal}`, ok: ratio >= goal };
}

/** What the machine's other work disturbs least. Hashing, packing and two threads are in ours. */
function processorTime(metric, ours, bare) {
  const ratio = median(ours.map((value, round) => value / bare[round]));
  const [value, baseline] = [round3(median(ours)), round3(median(bare))];
  return { metric, value, unit: 'us of processor time/event', baseline, ratio: round3(ratio), goal: null, ok: true };
}

/** The baseline is a loop that does nothing while bare SQLite writes in its worker: what the machine itself does to it. */
function lagged(metric, lags, idleLags) {
  const [value, baseline] = [quantile(lags, 0.99), quantile(idleLags, 0.99)];
  const ok = value < 8 || value < baseline + 8;
  return {
    metric,
    value: round3(value),
    unit: 'ms',
    baseline: round3(baseline),
    ratio: null,
    goal: '< 8 (beyond an idle loop)',
    ok,
  };
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}
