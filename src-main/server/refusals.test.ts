import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { LoginAnswer, PATHS, tokenSubprotocol, WIRE_SUBPROTOCOL } from '../../src-shared/http-api.ts';
import { ClientId, type RunId } from '../../src-shared/ids.ts';
import { SESSION_TEXTS } from '../../src-shared/workspace-documents.ts';
import { newInputId } from '../engine/engine.fixture.ts';
import { newSecret } from './proof.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

/**
 * What a request to each route looks like that would do something if it were let in. A route that is not here fails.
 * `open`: everyone may ask, who asks from here.
 */
interface Row {
  readonly body?: unknown;
  readonly query?: string;
  readonly open?: true;
  readonly upgrade?: true;
  /** Its status when it is let in, where that is not a success: what it asks for does not fit this session or this engine. */
  readonly letIn?: number;
}
const none: Row = {};
const open: Row = { open: true };
/** The engine of this test has no machine around it. */
const elsewhere: Row = { letIn: 501 };
const prompt = { body: { text: 'do it' } };

const ROWS: Readonly<Record<string, Row>> = {
  [`GET ${PATHS.health}`]: open,
  [`POST ${PATHS.login}`]: { open: true, body: { code: newSecret(), clientId: randomUUID() } },
  [`POST ${PATHS.proof}`]: { open: true, body: { tokenId: newSecret(), challenge: newSecret() } },
  // The page: files, which hold nothing of the user's.
  'GET /': open,
  'GET /index.html': open,
  'GET /assets/*': open,
  [`GET ${PATHS.wire}`]: { upgrade: true, letIn: 101 },
  [`POST ${PATHS.wires}`]: none,
  'DELETE /api/v1/wires/:wireId': { letIn: 404 },
  'GET /api/v1/wires/:wireId/frames': { query: '?after=0', letIn: 404 },
  'POST /api/v1/wires/:wireId/frames': { letIn: 404 },
  'GET /metrics': none,
  'GET /api/v1/openapi.json': none,
  'GET /api/v1/sessions': none,
  'POST /api/v1/sessions': { body: { spec: { kind: 'echo' } } },
  'GET /api/v1/sessions/:runId': none,
  'PATCH /api/v1/sessions/:runId': { body: { title: 'taken over' } },
  'PUT /api/v1/sessions/:runId/follow': { body: { follows: false } },
  'DELETE /api/v1/sessions/:runId': none,
  'POST /api/v1/sessions/:runId/fork': { ...elsewhere, body: { seq: 1 } },
  'POST /api/v1/sessions/:runId/input': { body: { text: 'rm -rf ~\r' } },
  'POST /api/v1/sessions/:runId/interrupt': none,
  'POST /api/v1/sessions/:runId/close': none,
  'POST /api/v1/sessions/:runId/restart': { letIn: 403 },
  'PATCH /api/v1/sessions/:runId/options': { ...elsewhere, body: { permissionMode: 'bypassPermissions' } },
  'POST /api/v1/sessions/:runId/prompts': prompt,
  'PATCH /api/v1/sessions/:runId/prompts/:promptId': prompt,
  'POST /api/v1/sessions/:runId/prompts/:promptId/move': { body: { before: null } },
  'DELETE /api/v1/sessions/:runId/prompts/:promptId': none,
  'POST /api/v1/sessions/:runId/permissions/:requestId': { body: { decision: 'allow' } },
  'GET /api/v1/sessions/:runId/events': none,
  'GET /api/v1/sessions/:runId/stream': none,
  'GET /api/v1/sessions/:runId/lines': elsewhere,
  'GET /api/v1/sessions/:runId/draft': none,
  'PUT /api/v1/sessions/:runId/draft': prompt,
  'GET /api/v1/sessions/:runId/notes': none,
  'PUT /api/v1/sessions/:runId/notes': prompt,
  'GET /api/v1/stream': none,
  'GET /api/v1/search': { query: '?query=secret' },
  'GET /api/v1/clients': none,
  'POST /api/v1/clients/disconnect': { body: { kind: 'window' } },
  'GET /api/v1/clients/:clientId/layout': none,
  'PUT /api/v1/clients/:clientId/layout': { body: { layout: 'taken over' } },
  'GET /api/v1/settings': none,
  'PATCH /api/v1/settings': { ...elsewhere, body: { changes: { 'terminal.shell': '/tmp/evil' } } },
  'GET /api/v1/keybindings': elsewhere,
  'PUT /api/v1/keybindings/:command': { ...elsewhere, body: { keys: ['Ctrl+E'] } },
  'GET /api/v1/claude': elsewhere,
  'GET /api/v1/claude/models': elsewhere,
  'GET /api/v1/claude/api-key': elsewhere,
  'PUT /api/v1/claude/api-key': { ...elsewhere, body: { apiKey: 'evil', allowPlain: true } },
  'GET /api/v1/files': { ...elsewhere, query: '?cwd=/etc' },
  'GET /api/v1/engine': none,
  'POST /api/v1/engine/stop': elsewhere,
  'GET /api/v1/machines': elsewhere,
  'PUT /api/v1/machines/:machineId/name': { ...elsewhere, body: { name: 'taken over' } },
  'PUT /api/v1/machines/:machineId/rights': { ...elsewhere, body: { rights: 'start' } },
  'DELETE /api/v1/machines/:machineId': elsewhere,
  'POST /api/v1/workspace/leave': elsewhere,
  'GET /api/v1/outbox': elsewhere,
  'DELETE /api/v1/outbox/:inputId': elsewhere,
  'GET /api/v1/pairing': elsewhere,
  'POST /api/v1/pairing/offer': { ...elsewhere, body: { rights: 'start' } },
  'POST /api/v1/pairing/join': { ...elsewhere, body: { code: 'evil' } },
  'POST /api/v1/pairing/confirm': { ...elsewhere, body: { digits: null } },
  'POST /api/v1/pairing/decline': elsewhere,
  'POST /api/v1/pairing/cancel': elsewhere,
  'POST /api/v1/relay/start': { ...elsewhere, body: { host: '0.0.0.0' } },
  'POST /api/v1/relay/stop': elsewhere,
  'GET /api/v1/stats': elsewhere,
  // No route at all: whoever may not enter is not told.
  'GET /api/v1/nothing-here': { letIn: 404 },
  'POST /etc/passwd': { ...prompt, letIn: 404 },
};

let here: ServerGround;
let runId: RunId;
let requestId = '';
const [promptId, clientId] = [newInputId(), ClientId.parse(randomUUID())];
beforeAll(async () => {
  here = await serverGround();
  runId = await here.create({ kind: 'echo', cwd: '/' });
  const client = here.connect();
  await client.send(runId, { kind: 'prompt', inputId: newInputId(), content: { text: 'may I', images: [] } });
  await client.send(runId, { kind: 'prompt', inputId: promptId, content: { text: 'secret', images: [] } });
  const pending = () => here.engine.session(runId).log.published.state.permissions;
  requestId = await vi.waitFor(() => {
    const [first] = pending();
    if (first === undefined) throw new Error('nothing was asked yet');
    return first.asked.requestId;
  });
});
afterAll(() => here.dispose());

type Headers = Readonly<Record<string, string>>;

function send(route: string, headers: Headers) {
  const [method = '', pattern = ''] = route.split(' ');
  const { body, query = '', upgrade } = ROWS[route] ?? {};
  const names: Readonly<Record<string, string>> = {
    runId,
    promptId,
    requestId,
    clientId,
    machineId: clientId,
    inputId: clientId,
    command: 'pane.close',
    wireId: newSecret(),
  };
  const path = pattern.replaceAll(/:(\w+)/g, (_all, name: string) => names[name] ?? '') + query;
  const handshake = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': btoa('0123456789abcdef'),
  };
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise<{ readonly status: number; readonly text: string; readonly headers: object }>((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port: here.server.port,
      method,
      path,
      headers: {
        ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...(upgrade ? handshake : {}),
        ...headers,
      },
    });
    sent.on('error', reject);
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, text: '', headers: {} });
    });
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), headers: response.headers });
      });
      if (!String(response.headers['content-type']).includes('event-stream')) return;
      // It would never end.
      sent.destroy();
      resolve({ status: 200, text: '', headers: response.headers });
    });
    sent.end(text);
  });
}

async function login(): Promise<{ token: string; clientId: ClientId }> {
  const body = { code: here.tokens.newCode().code, clientId: ClientId.parse(randomUUID()) };
  const answer = await fetch(here.server.url + PATHS.login, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { token: LoginAnswer.parse(await answer.json()).token, clientId: body.clientId };
}

const shown = (route: string, token: string): Headers =>
  ROWS[route]?.upgrade
    ? { 'sec-websocket-protocol': `${WIRE_SUBPROTOCOL}, ${tokenSubprotocol(token)}` }
    : { authorization: `Bearer ${token}` };

/** Everything that a request could have changed. */
async function everything() {
  const sessions = [...here.engine.hosted.values()].map((session) => ({
    summary: session.summary(),
    state: session.log.state,
    published: session.log.published.seq,
    texts: [] as string[],
  }));
  for (const { summary, texts } of sessions) {
    for (const name of SESSION_TEXTS) texts.push((await here.documents.text(summary.runId, name)).text);
  }
  const clients = here.engine.clients.list().map(({ clientId, state, sessions }) => ({ clientId, state, sessions }));
  const { settings } = await here.engine.perform(
    'settings.get',
    {},
    { clientId, signal: new AbortController().signal, road: 'http' },
  );
  return structuredClone({ sessions, clients, settings, layout: await here.store.getLayout(clientId), wires: here.engine.wires });
}

async function wrongTokens(): Promise<Readonly<Record<string, string | null>>> {
  const revoked = await login();
  here.tokens.revoke(revoked.clientId);
  // Shorter than any setting allows, so that it is over when it is shown.
  await here.change({ 'server.reconnectMinutes': 0 });
  const expired = await login();
  await here.change({ 'server.reconnectMinutes': 15 });
  const { code } = here.tokens.newCode();
  return {
    'no token': null,
    'a wrong token': newSecret(),
    'a malformed token': 'x',
    'an expired token': expired.token,
    'a revoked token': revoked.token,
    'a login code': code,
    'another key with our beginning': here.tokens.key.slice(0, 20) + newSecret().slice(20),
  };
}

it('[api-7] there is a row for every route', () => {
  const served = [...new Set(here.server.routes)].sort();
  expect(
    Object.keys(ROWS)
      .filter((route) => served.includes(route))
      .sort(),
  ).toEqual(served);
});

it('[api-7] no route lets anyone in without a valid token, and nothing changes', async () => {
  const before = await everything();
  const answers = new Set<string>();
  for (const [what, token] of Object.entries(await wrongTokens())) {
    for (const [route, row] of Object.entries(ROWS)) {
      if (row.open) continue;
      const { status, text } = await send(route, token === null ? {} : shown(route, token));
      expect([what, route, status]).toEqual([what, route, 401]);
      answers.add(text);
    }
  }
  expect(answers.size).toBe(1);
  expect(await everything()).toEqual(before);
});

it('[api-7] no route answers a page of another site, or under another name, even with the key', async () => {
  const { port } = here.server;
  const foreign: readonly Headers[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://127.0.0.1:${port}.evil.example` },
    { origin: `http://127.0.0.1:${port}0` },
    { origin: `https://127.0.0.1:${port}` },
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: `127.0.0.1:${port}.evil.example` },
    { host: `localhost.evil.example:${port}` },
    { host: `0.0.0.0:${port}` },
    { host: '127.0.0.1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  const before = await everything();
  const answers = new Set<string>();
  for (const headers of foreign) {
    for (const route of Object.keys(ROWS)) {
      const { status, text } = await send(route, { ...shown(route, here.tokens.key), ...headers });
      expect([headers, route, status]).toEqual([headers, route, 403]);
      answers.add(text);
    }
  }
  expect(answers.size).toBe(1);
  expect(await everything()).toEqual(before);
});

it('[api-7] no answer may be read by another site', async () => {
  for (const route of Object.keys(ROWS)) {
    const { headers } = await send(route, { origin: 'http://evil.example' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'set-cookie')).toEqual([]);
  }
  const preflight = await fetch(`${here.server.url}/api/v1/sessions`, { method: 'OPTIONS' });
  expect(preflight.status).toBe(401);
});

it('[api-7] reading changes nothing, and what is not JSON is not read', async () => {
  const before = await everything();
  for (const route of Object.keys(ROWS).filter((name) => name.startsWith('GET') && !ROWS[name]?.upgrade)) {
    await send(route, shown(route, here.tokens.key));
  }
  await expect.poll(() => here.engine.session(runId).viewers.size).toBe(0);
  for (const [route, { body }] of Object.entries(ROWS)) {
    if (body === undefined || route.includes('/etc/')) continue;
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status } = await send(route, { ...shown(route, here.tokens.key), 'content-type': type });
      expect([route, type, status]).toEqual([route, type, 415]);
    }
  }
  const { clients: _programs, ...after } = await everything();
  const { clients: _before, ...wanted } = before;
  expect(after).toEqual(wanted);
});

it('[api-7] each of these requests is one that is let in with a token', async () => {
  // Least harmful first: what is closed and deleted is not there for the others.
  const last = ['/move', '/:promptId', '/:requestId', '/interrupt', '/restart', '/close', 'DELETE /api/v1/sessions/:runId'];
  const rank = (route: string) => last.findIndex((end) => route.endsWith(end));
  for (const route of Object.keys(ROWS).sort((a, b) => rank(a) - rank(b))) {
    if (ROWS[route]?.open) continue;
    const { status, text } = await send(route, shown(route, here.tokens.key));
    const expected = ROWS[route]?.letIn ?? (ROWS[route]?.upgrade ? 101 : Math.min(status, 202));
    expect([route, status, text]).toEqual([route, expected, text]);
    expect(expected).toBeGreaterThan(100);
  }
  expect(here.engine.sessions.has(runId)).toBe(false);
});
