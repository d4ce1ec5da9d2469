import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine } from '../engine/engine.ts';
import type { Routes, ServerContext } from './server.ts';

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** Memory, CPU, file handles, the collector and the lag of the main loop: of the process, however many servers it has had. */
let ofProcess: Registry | null = null;

/** Figures for Prometheus. Nothing that anybody typed, printed or prompted is in them, and no label has more values than the code names. */
export const metricsRoutes: Routes = (app, context) => {
  ofProcess ??= processMetrics();
  const own = new Registry();
  sessionMetrics(own, context.engine);
  trafficMetrics(own, context);
  const requests = new Histogram({
    name: 'baton_http_request_duration_seconds',
    help: 'From a request to the end of its answer, by route',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [own],
  });
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const labels = { method, route: routeOptions.url ?? 'none', status: String(reply.statusCode) };
    requests.observe(labels, reply.elapsedTime / 1000);
  });
  const stop = storeMetrics(own, context.engine);
  app.addHook('onClose', async () => stop());
  // Only what is registered by now is in it.
  const all = Registry.merge([ofProcess, own]);
  app.get('/metrics', async (_request, reply) => reply.type(all.contentType).send(await all.metrics()));
};

function processMetrics(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

/** What other machines host is in their metrics. */
const hostedBy = (engine: Engine) => [...engine.hosted.values()].map((session) => session.summary());

function sessionMetrics(own: Registry, engine: Engine): void {
  const gauge = { registers: [own] };
  new Gauge({
    ...gauge,
    name: 'baton_sessions',
    help: 'Sessions by kind and status',
    labelNames: ['kind', 'status'],
    collect() {
      this.reset();
      for (const { kind, status } of hostedBy(engine)) this.inc({ kind, status });
    },
  });
  const sums = {
    baton_viewers: ['Attachments to sessions', 'viewers'],
    baton_prompts_queued: ['Prompts that wait for their turn', 'queued'],
    baton_permissions_waiting: ['Permission requests that wait for an answer', 'permissions'],
  } as const;
  for (const [name, [help, field]] of Object.entries(sums)) {
    new Gauge({
      ...gauge,
      name,
      help,
      collect() {
        this.set(hostedBy(engine).reduce((sum, session) => sum + session[field], 0));
      },
    });
  }
}

function trafficMetrics(own: Registry, { engine, stats, tokens }: ServerContext): void {
  new Gauge({
    name: 'baton_wires',
    help: 'Open wires by road',
    labelNames: ['road'],
    registers: [own],
    collect() {
      for (const [road, count] of Object.entries(engine.wires)) this.set({ road }, count);
    },
  });
  new Gauge({
    name: 'baton_clients',
    help: 'Known clients by state',
    labelNames: ['state'],
    registers: [own],
    collect() {
      this.reset();
      for (const { state } of engine.clients.list()) this.inc({ state });
    },
  });
  const totals: Readonly<Record<string, readonly [string, () => number]>> = {
    baton_events_total: ['Events of all sessions', () => engine.eventCounts.events],
    baton_http_received_bytes_total: ['Bodies of requests, and frames', () => stats.counts.bytesIn],
    baton_http_sent_bytes_total: ['Bodies of answers, and frames', () => stats.counts.bytesOut],
    baton_reconnections_total: ['Clients that came back with a token', () => stats.counts.reconnections],
    baton_refused_attempts_total: ['Requests that the gate refused', () => tokens.refusedAttempts],
  };
  for (const [name, [help, read]] of Object.entries(totals)) {
    new Counter({
      name,
      help,
      registers: [own],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}

/** The log: how long it takes to write and to answer, how much waits, how large it is. */
function storeMetrics(own: Registry, { store }: Engine): () => void {
  const times = new Histogram({
    name: 'baton_store_seconds',
    help: 'Calls of the log, from asking to the answer; `write` is a transaction',
    labelNames: ['call'],
    buckets: SECONDS,
    registers: [own],
  });
  new Gauge({
    name: 'baton_store_pending_bytes',
    help: 'Bytes that wait to be written',
    registers: [own],
    collect() {
      this.set(store.pendingBytes);
    },
  });
  new Gauge({
    name: 'baton_store_bytes',
    help: 'The log on the disk',
    registers: [own],
    async collect() {
      this.set(await store.sizeBytes());
    },
  });
  return store.onTimed((call, ms) => times.observe({ call }, ms / 1000));
}
