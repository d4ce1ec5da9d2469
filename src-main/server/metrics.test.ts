import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApiClient } from './api-client.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

let here: ServerGround;
let api: ApiClient;
beforeEach(async () => {
  here = await serverGround();
  api = await ApiClient.connect(here.server.url, here.tokens.key);
});
afterEach(() => here.dispose());

async function metrics(): Promise<{ readonly text: string; figure(sample: string): number | null }> {
  const answer = await fetch(`${here.server.url}/metrics`, { headers: { authorization: `Bearer ${here.tokens.key}` } });
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  const text = await answer.text();
  const figure = (sample: string) => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
    return line === undefined ? null : Number(line.slice(sample.length + 1));
  };
  return { text, figure };
}

it('tells what runs, who is there, and how long requests and the log take', async () => {
  const { session } = await api.ok('session.create', { body: { spec: { kind: 'echo' }, title: 'a secret title' } });
  await api.ok('session.prompt', { path: { runId: session.runId }, body: { text: 'wait for me, said nobody' } });
  await api.ok('session.prompt', { path: { runId: session.runId }, body: { text: 'then this' } });
  await api.ok('history.read', { path: { runId: session.runId } });
  here.connect();
  await expect.poll(async () => (await metrics()).figure('baton_wires{road="socket"}')).toBe(1);
  const { text, figure } = await metrics();
  expect(figure('baton_sessions{kind="echo",status="running"}')).toBe(1);
  expect(figure('baton_prompts_queued')).toBe(1);
  expect(figure('baton_viewers')).toBe(0);
  expect(figure('baton_events_total')).toBe(here.engine.eventCounts.events);
  const created = 'method="POST",route="/api/v1/sessions",status="201"';
  expect(figure(`baton_http_request_duration_seconds_count{${created}}`)).toBe(1);
  for (const call of ['write', 'read']) expect(figure(`baton_store_seconds_count{call="${call}"}`)).toBeGreaterThan(0);
  expect(figure('baton_store_pending_bytes')).toBeGreaterThanOrEqual(0);
  expect(figure('baton_store_bytes')).toBeGreaterThan(0);
  for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']) {
    expect(figure(name)).toBeGreaterThan(0);
  }
  for (const typed of ['secret', 'nobody', session.runId]) expect(text).not.toContain(typed);
});

it('goes on when the server has moved to another port', async () => {
  await here.change({ 'server.enabled': false });
  await here.change({ 'server.enabled': true });
  await here.store.getFact('nothing');
  expect((await metrics()).figure('baton_store_seconds_count{call="fact"}')).toBeGreaterThan(0);
});
