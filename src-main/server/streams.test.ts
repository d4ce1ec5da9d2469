import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PATHS } from '../../src-shared/http-api.ts';
import { ClientId, RunId } from '../../src-shared/ids.ts';
import { ApiClient } from './api-client.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

let here: ServerGround;
let api: ApiClient;
beforeEach(async () => {
  here = await serverGround();
  api = await ApiClient.connect(here.server.url, here.tokens.key);
});
afterEach(() => here.dispose());

interface Event {
  readonly seq: number;
  readonly channel: string;
  readonly type: string;
  readonly payload: unknown;
}

/** A reader that keeps what it gets; it stops when told, or with the stream. */
function read(runId: string, { query = {}, lastEventId }: { query?: Record<string, number>; lastEventId?: number } = {}) {
  const cut = new AbortController();
  const events: Event[] = [];
  const options = { path: { runId }, query, signal: cut.signal, ...(lastEventId === undefined ? {} : { lastEventId }) };
  const ended = (async () => {
    try {
      for await (const { id, data } of api.stream('session.stream', options)) {
        expect(id).toBe(data.seq);
        events.push(data);
      }
      return 'ended';
    } catch (error) {
      if (cut.signal.aborted) return 'cut';
      throw error;
    }
  })();
  return { events, ended, cut: () => cut.abort() };
}

async function terminal(script: string): Promise<string> {
  const spec = { kind: 'pty', command: '/bin/sh', args: ['-c', script], shellIntegration: false };
  return (await api.ok('session.create', { body: { spec } })).session.runId;
}

async function wholeLog(runId: string): Promise<Event[]> {
  const events: Event[] = [];
  for (let after = 0; ; ) {
    const page = await api.ok('history.read', { path: { runId }, query: { after, limit: 5000 } });
    events.push(...page.events);
    if (!page.more) return events;
    after = page.lastSeq;
  }
}

const hasExited = (events: readonly Event[]) => events.some(({ type }) => type === 'exited');

it('[api-3] 100 forced disconnects, each in the middle of output: nothing lost, nothing twice', async () => {
  const runId = await terminal(
    'stty -echo; while read go; do i=0; while [ $i -lt 200 ]; do echo "line $i äöü€😀"; i=$((i+1)); done; done',
  );
  const got: Event[] = [];
  for (let breaks = 0; breaks < 100; breaks++) {
    const reader = read(runId, breaks === 0 ? {} : { lastEventId: got.at(-1)?.seq ?? 0 });
    await api.ok('session.input', { path: { runId }, body: { text: '\r' } });
    await expect.poll(() => reader.events.length, { interval: 2 }).toBeGreaterThan(0);
    reader.cut();
    expect(await reader.ended).toBe('cut');
    got.push(...reader.events);
  }
  const last = read(runId, { lastEventId: got.at(-1)?.seq ?? 0 });
  const outputOf = (events: readonly Event[]) =>
    events.flatMap(({ channel, payload }) => (channel === 'pty:stdout' ? [payload] : [])).join('');
  const rounds = (events: readonly Event[]) => outputOf(events).split('line 199 äöü€😀\r\n').length - 1;
  await expect.poll(() => rounds([...got, ...last.events])).toBe(100);
  await api.ok('session.close', { path: { runId } });
  await expect.poll(() => hasExited(last.events)).toBe(true);
  last.cut();
  await last.ended;
  got.push(...last.events);
  expect(got).toEqual(await wholeLog(runId));
});

it('[seq-3] `after` goes on after an event, and what follows is live', async () => {
  const runId = (await api.ok('session.create', { body: { spec: { kind: 'echo' } } })).session.runId;
  const all = read(runId);
  await api.ok('session.prompt', { path: { runId }, body: { text: 'one' } });
  await expect.poll(() => all.events.filter(({ type }) => type === 'ended').length).toBe(1);
  const middle = all.events[2]?.seq ?? 0;
  const late = read(runId, { query: { after: middle } });
  await api.ok('session.prompt', { path: { runId }, body: { text: 'two' } });
  await expect.poll(() => late.events.filter(({ type }) => type === 'ended').length).toBe(2);
  expect(late.events).toEqual((await wholeLog(runId)).filter(({ seq }) => seq > middle));
  expect((await api.call('session.stream', { path: { runId }, query: { after: 10_000 } })).status).toBe(404);
  expect((await api.ok('session.get', { path: { runId } })).session.viewers).toBe(2);
  for (const reader of [all, late]) reader.cut();
  await Promise.all([all.ended, late.ended]);
  await expect.poll(() => here.engine.session(RunId.parse(runId)).viewers.size).toBe(0);
});

it('a session that is deleted ends its streams', async () => {
  const runId = (await api.ok('session.create', { body: { spec: { kind: 'echo' } } })).session.runId;
  const reader = read(runId);
  await expect.poll(() => reader.events.length).toBeGreaterThan(0);
  await api.ok('session.close', { path: { runId } });
  await api.ok('session.delete', { path: { runId } });
  expect(await reader.ended).toBe('ended');
});

it('[api-4] a reader that takes nothing keeps little waiting, slows nobody, and reads on from where it was', async () => {
  const runId = await terminal('read go; head -c 8000000 /dev/zero | tr "\\0" x; echo; read end');
  const socket = connect(here.server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  const host = `127.0.0.1:${here.server.port}`;
  socket.write(
    `GET ${PATHS.health.replace('health', `sessions/${runId}/stream`)} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${here.tokens.key}\r\n\r\n`,
  );
  const session = here.engine.session(RunId.parse(runId));
  await expect.poll(() => session.viewers.size).toBe(1);
  const fast = read(runId);
  await api.ok('session.input', { path: { runId }, body: { text: '\r' } });
  const bytesOf = (events: readonly Event[]) =>
    events.reduce((sum, { payload }) => sum + (typeof payload === 'string' ? payload.length : 0), 0);
  await expect.poll(() => bytesOf(fast.events)).toBeGreaterThan(8_000_000);
  const lastSeq = session.log.published.seq;
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  await expect.poll(() => text.includes(`\nid: ${lastSeq}\n`)).toBe(true);
  const ids = [...text.matchAll(/^id: (\d+)\r?$/gm)].map(([, id]) => Number(id));
  // The end of the last line may have come behind it.
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, at) => at + 1));
  socket.destroy();
  fast.cut();
  await fast.ended;
});

it('the list of sessions, and every change of it', async () => {
  const first = (await api.ok('session.create', { body: { spec: { kind: 'echo' }, title: 'first' } })).session.runId;
  const cut = new AbortController();
  const told: { type: string; [key: string]: unknown }[] = [];
  const ended = (async () => {
    for await (const { data } of api.stream('sessions.stream', { signal: cut.signal })) told.push(data);
  })().catch((error: unknown) => {
    if (!cut.signal.aborted) throw error;
  });
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(told[0]).toMatchObject({ type: 'sessions', sessions: [{ runId: first, title: 'first' }] });
  await api.ok('session.rename', { path: { runId: first }, body: { title: 'renamed' } });
  const changed = { type: 'session:changed', session: expect.objectContaining({ runId: first, title: 'renamed' }) };
  await expect.poll(() => told).toContainEqual(changed);
  await api.ok('session.close', { path: { runId: first } });
  await api.ok('session.delete', { path: { runId: first } });
  await expect.poll(() => told.at(-1)).toEqual({ type: 'session:removed', runId: first });
  cut.abort();
  await ended;
});

it('[token-8] a stream ends when the token of its reader is revoked', async () => {
  const runId = (await api.ok('session.create', { body: { spec: { kind: 'echo' } } })).session.runId;
  const clientId = crypto.randomUUID();
  const { code } = here.tokens.newCode();
  const login = await fetch(here.server.url + PATHS.login, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, clientId }),
  });
  const { token } = (await login.json()) as { token: string };
  const page = await ApiClient.connect(here.server.url, token);
  const reading = (async () => {
    for await (const { data } of page.stream('session.stream', { path: { runId } })) {
      if (data.seq === 1) here.tokens.revoke(ClientId.parse(clientId));
    }
  })();
  await expect(reading).rejects.toThrow();
  expect((await page.call('session.list')).status).toBe(401);
});
