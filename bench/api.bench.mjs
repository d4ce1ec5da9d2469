// The HTTP API with ten busy sessions, and events on their way to 1, 10 and 100 readers by WebSocket and by server-sent events;
// beside bare `node:http` and a bare `ws` broadcast of messages of the same size in the same run. The server is the one that is
// shipped; it and the bare one are processes of their own, all readers are in this one. Rounds alternate between the two sides,
// because the machine is never quiet. `node bench/api.bench.mjs requests` measures that part alone.
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode, writeAny } from 'lib0/encoding';
import { WebSocket } from 'ws';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const BUSY_SESSIONS = 10;
/** Two kilobytes of output, twenty times a second. */
const BUSY = `setInterval(() => process.stdout.write('x'.repeat(78).concat('\\n').repeat(25)), 50)`;
const ROUNDS = 3;
const REQUESTS_A_ROUND = 240;
const READERS = [1, 10, 100];
/** Beats of the latency rounds; apart far enough that each is on its own. */
const BEATS = 40;
const BEAT_EVERY_MS = 20;
/** Below a viewer's window, so that nobody has to acknowledge. */
const BURST = 500;

const home = await mkdtemp(join(tmpdir(), 'baton-bench-api-'));
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const ends = [];
try {
  const ours = await startServer();
  const bare = await startBare();
  const parts = { requests, fanOut };
  const results = [];
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)) {
    process.stderr.write(`api: ${name}\n`);
    results.push(...(await parts[name](ours, bare)));
  }
  process.stdout.write(`${JSON.stringify({ name: 'api', results }, null, 2)}\n`);
} finally {
  agent.destroy();
  for (const end of ends.reverse()) await end();
  await rm(home, { recursive: true, force: true });
}

// ——— requests ———

async function requests(ours, bare) {
  const busy = [];
  for (let n = 0; n < BUSY_SESSIONS; n++) {
    const spec = { kind: 'pty', command: process.execPath, args: ['-e', BUSY], shellIntegration: false };
    busy.push((await create(ours, spec)).runId);
  }
  const echo = (await create(ours, { kind: 'echo' })).runId;
  await until(async () => (await ours.json('GET', `/sessions/${busy.at(-1)}`)).session.lastSeq > 20);
  const mix = [
    (n) => ours.json('GET', '/sessions', undefined, n),
    (n) => ours.json('GET', `/sessions/${busy[n % BUSY_SESSIONS]}`),
    (n) => ours.json('GET', `/sessions/${busy[n % BUSY_SESSIONS]}/events?after=0&limit=100`),
    (n) => ours.json('POST', `/sessions/${echo}/prompts`, { text: `prompt ${n}` }),
    (n) => ours.json('PUT', `/sessions/${echo}/draft`, { text: `draft ${n}` }),
    () => ours.json('GET', `/sessions/${echo}/draft`),
  ];
  const times = { ours: [], lines: [], bare: [] };
  const before = await queryTimes(ours);
  for (let round = 0; round < ROUNDS; round++) {
    times.ours.push(await timed((n) => mix[n % mix.length](n)));
    times.bare.push(await timed(() => bare.json('GET', '/')));
    times.lines.push(await timed((n) => ours.json('GET', `/sessions/${busy[n % BUSY_SESSIONS]}/lines?limit=50`), 20));
  }
  const queries = difference(before, await queryTimes(ours));
  for (const runId of busy) await ours.json('POST', `/sessions/${runId}/close`, {});
  const all = times.ours.flat();
  const none = times.bare.flat();
  const lines = times.lines.flat();
  const p99 = quantile(all, 0.99);
  const query = bucketQuantile(queries, 0.99);
  const what = `${BUSY_SESSIONS} busy sessions`;
  return [
    result(`requests with ${what}, p50`, quantile(all, 0.5), 'ms', quantile(none, 0.5), '< 200', quantile(all, 0.5) < 200),
    result(`requests with ${what}, p99`, p99, 'ms', quantile(none, 0.99), '< 200', p99 < 200),
    result(
      `lines of a terminal's past with ${what}, p99`,
      quantile(lines, 0.99),
      'ms',
      quantile(none, 0.99),
      '< 200',
      quantile(lines, 0.99) < 200,
    ),
    { metric: `questions to the log with ${what}, p99`, value: round3(query), unit: 'ms', goal: '< 50', ok: query < 50 },
  ];
}

/** Times of so many calls, four at a time. */
async function timed(call, count = REQUESTS_A_ROUND) {
  const times = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const from = performance.now();
      await call(next++);
      times.push(performance.now() - from);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return times;
}

/** Upper bound in ms -> questions answered within it, as the server's own figures count them. */
async function queryTimes(ours) {
  const { text } = await ours.send('GET', '/metrics');
  const counts = new Map();
  for (const [, le, call, count] of text.matchAll(/^baton_store_seconds_bucket\{le="([^"]+)",call="([^"]+)"\} (\d+)$/gm)) {
    const ms = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le) * 1000;
    if (call !== 'write') counts.set(ms, (counts.get(ms) ?? 0) + Number(count));
  }
  return counts;
}

function difference(before, after) {
  return new Map([...after].map(([ms, count]) => [ms, count - (before.get(ms) ?? 0)]));
}

/** The bucket that holds the quantile, and the share of it, as Prometheus estimates it. */
function bucketQuantile(counts, q) {
  const rows = [...counts].sort(([a], [b]) => a - b);
  const rank = q * (rows.at(-1)?.[1] ?? 0);
  let [low, under] = [0, 0];
  for (const [ms, count] of rows) {
    if (count >= rank) return Number.isFinite(ms) ? low + (ms - low) * ((rank - under) / Math.max(1, count - under)) : low;
    [low, under] = [ms, count];
  }
  return Number.NaN;
}

// ——— readers ———

async function fanOut(ours, bare) {
  const results = [];
  for (const readers of READERS) {
    const sides = { WebSocket: [], 'server-sent events': [], bare: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const { runId } = await create(ours, { kind: 'echo' });
      // Only who has it attached may type.
      await ours.attach(runId, 0);
      sides.bare.push(
        await watched(
          readers,
          (hear) => bareReader(bare, hear),
          (text) => bare.say(text),
        ),
      );
      sides.WebSocket.push(
        await watched(
          readers,
          (hear) => wireReader(ours, runId, hear),
          (text) => ours.say(runId, text),
        ),
      );
      sides['server-sent events'].push(
        await watched(
          readers,
          (hear) => streamReader(ours, runId, hear),
          (text) => ours.say(runId, text),
        ),
      );
      await ours.json('POST', `/sessions/${runId}/close`, {});
      await ours.json('DELETE', `/sessions/${runId}`);
    }
    for (const [name, goal] of [
      ['WebSocket', 4],
      ['server-sent events', 4],
    ]) {
      const of = (side, pick) => sides[side].map(pick);
      const many = `${readers} ${readers === 1 ? 'reader' : 'readers'} by ${name}`;
      results.push(
        compared(
          `${many}: event to the last of them, p50`,
          of(name, (r) => r.p50),
          of('bare', (r) => r.p50),
          'ms',
          goal,
          true,
        ),
        compared(
          `${many}: event to the last of them, p99`,
          of(name, (r) => r.p99),
          of('bare', (r) => r.p99),
          'ms',
          goal,
          true,
        ),
        compared(
          `${many}: events`,
          of(name, (r) => r.rate),
          of('bare', (r) => r.rate),
          '1/s',
          0.25,
          false,
        ),
      );
    }
  }
  return results;
}

/** Beats one by one, then a burst: how late the last reader hears a beat, and how many events a second all readers get. */
async function watched(readers, open, say) {
  let waiting = null;
  const hear = (chunk) => {
    if (waiting === null || !chunk.includes(waiting.mark)) return;
    waiting.left -= 1;
    if (waiting.left === 0) waiting.resolve();
  };
  const heard = (mark) =>
    new Promise((resolve) => {
      waiting = { mark, left: readers, resolve };
    });
  const opened = await Promise.all(Array.from({ length: readers }, () => open(hear)));
  const times = [];
  for (let beat = 0; beat < BEATS; beat++) {
    const all = heard(`<beat ${beat}>`);
    const from = performance.now();
    say(`<beat ${beat}>`);
    await all;
    times.push(performance.now() - from);
    await new Promise((resolve) => setTimeout(resolve, BEAT_EVERY_MS));
  }
  const all = heard('<the end>');
  const from = performance.now();
  for (let n = 0; n < BURST; n++) say(n === BURST - 1 ? '<the end>' : `<event ${n}>`);
  await all;
  const rate = BURST / ((performance.now() - from) / 1000);
  for (const close of opened) await close();
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), rate };
}

async function bareReader(bare, hear) {
  const socket = new WebSocket(`ws://127.0.0.1:${bare.port}/`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.on('message', hear);
  return () => closed(socket);
}

async function wireReader(ours, runId, hear) {
  const wire = await openWire(ours);
  await wire.attach(runId, await lastSeq(ours, runId));
  wire.socket.on('message', hear);
  return () => closed(wire.socket);
}

async function streamReader(ours, runId, hear) {
  const path = `/api/v1/sessions/${runId}/stream?after=${await lastSeq(ours, runId)}`;
  const sent = request({ host: '127.0.0.1', port: ours.port, path, headers: ours.headers, agent: false }).end();
  const [response] = await once(sent, 'response');
  if (response.statusCode !== 200) throw new Error(`the stream was refused with ${response.statusCode}`);
  response.on('error', () => {});
  // A chunk may end in the middle of a mark.
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk) => {
    const text = rest + chunk;
    const end = text.lastIndexOf('\n\n') + 2;
    rest = text.slice(end);
    hear(text.slice(0, end));
  });
  return () => sent.destroy();
}

async function lastSeq(ours, runId) {
  return (await ours.json('GET', `/sessions/${runId}`)).session.lastSeq;
}

async function closed(socket) {
  const gone = once(socket, 'close');
  socket.close();
  await gone;
}

// ——— the two servers ———

async function startServer() {
  const child = spawn(process.execPath, [join(root, 'out', 'main', 'headless.js')], {
    env: { ...process.env, BATON_HOME: home, BATON_SOCKET: '' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  ends.push(() => stopped(child));
  const file = join(home, 'data', 'server.json');
  await until(async () => (await readFile(file, 'utf8').catch(() => '')) !== '');
  const { port, key } = JSON.parse(await readFile(file, 'utf8'));
  const headers = { authorization: `Bearer ${key}` };
  const client = { ...clientOf(port, headers), key };
  const typist = await openWire(client);
  ends.push(() => closed(typist.socket));
  const say = (runId, text) =>
    typist.send({ type: 'run:input', runId, epoch: null, input: { kind: 'keys', data: Buffer.from(text) } });
  return { ...client, say, attach: typist.attach };
}

async function startBare() {
  const child = spawn(process.execPath, [join(root, 'bench', 'broadcast-host.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(() => stopped(child));
  const [line] = await once(child.stdout, 'data');
  const port = Number(line);
  const speaker = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  await once(speaker, 'open');
  ends.push(() => closed(speaker));
  // As many bytes as an event of the other side has on the wire.
  return { ...clientOf(port, {}), say: (text) => speaker.send(text.padEnd(160, '.')) };
}

function clientOf(port, headers) {
  const send = async (method, path, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const content = text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ host: '127.0.0.1', port, method, path, agent, headers: { ...headers, ...content } });
    sent.end(text);
    const [response] = await once(sent, 'response');
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: response.statusCode, text: Buffer.concat(chunks).toString() };
  };
  const json = async (method, path, body) => {
    const { status, text } = await send(method, path === '/' ? path : `/api/v1${path}`, body);
    // A queue that is full is an answer too.
    if (status >= 300 && status !== 429) throw new Error(`${method} ${path} was refused with ${status}: ${text}`);
    return JSON.parse(text);
  };
  return { port, headers, send, json };
}

async function create(ours, spec) {
  return (await ours.json('POST', '/sessions', { spec })).session;
}

async function openWire({ port, key }) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/wire`, ['baton.v1', `baton.token.${key}`], {
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  const send = (message) => socket.send(encode((encoder) => writeAny(encoder, message)));
  // Whoever does not answer is taken for gone.
  socket.on('message', (frame) => {
    if (frame.length < 64 && frame.includes('ping')) send({ type: 'pong', sentAt: 0 });
  });
  const welcome = once(socket, 'message');
  send({ type: 'client:hello', protocol: 1, clientId: crypto.randomUUID(), kind: 'test', name: 'bench' });
  await welcome;
  const attach = async (runId, after) => {
    send({ type: 'run:attach', runId, attachId: 1, after, viewport: null });
    for await (const [frame] of on(socket, 'message')) if (frame.includes('run:attached')) return;
  };
  return { socket, send, attach };
}

async function stopped(child) {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

// ——— figures ———

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

function compared(metric, ours, bare, unit, bound, isAtMost) {
  const ratio = quantile(
    ours.map((value, round) => value / bare[round]),
    0.5,
  );
  const goal = `${isAtMost ? '<=' : '>='} ${bound}`;
  const ok = isAtMost ? ratio <= bound : ratio >= bound;
  return { ...result(metric, quantile(ours, 0.5), unit, quantile(bare, 0.5), goal, ok), ratio: round3(ratio) };
}

function result(metric, value, unit, baseline, goal, ok) {
  return { metric, value: round3(value), unit, baseline: round3(baseline), ratio: round3(value / baseline), goal, ok };
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}
