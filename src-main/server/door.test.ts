import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { RunSessionClient } from '../../src-shared/client.ts';
import { PATHS } from '../../src-shared/http-api.ts';
import { NetworkRoad } from '../../src-shared/network-road.ts';
import { newClientId } from '../engine/engine.fixture.ts';
import { dial, type ServerGround, serverGround, Talk } from './server.fixture.ts';

let here: ServerGround;
beforeEach(async () => {
  here = await serverGround();
});
afterEach(async () => {
  vi.useRealTimers();
  await here.dispose();
});

it('[wire-9] a half-open wire is found by asking, though its socket says that it is open', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const wire = await dial(here.server, here.tokens.key);
  await new Talk(wire).hello(newClientId());
  const well = await dial(here.server, here.tokens.key);
  const talk = new Talk(well);
  await talk.hello(newClientId());
  // What a cable that was pulled looks like: nothing arrives, nothing ends.
  wire.socket.pause();
  for (let seconds = 0; seconds < 30; seconds += 5) {
    vi.advanceTimersByTime(5_000);
    talk.say({ type: 'ping', sentAt: seconds });
    await vi.waitFor(() => expect(talk.heard.filter(({ type }) => type === 'pong')).toHaveLength(seconds / 5 + 1));
  }
  expect(here.engine.wires.websocket).toBe(1);
  expect(wire.socket.readyState).toBe(WebSocket.OPEN);
  wire.socket.resume();
  expect(await wire.closed).toMatchObject({ code: 4502 });
});

it('[door-2] another program on our port is not shown the token, whatever it answers', async () => {
  const clientId = newClientId();
  const token = (await here.tokens.login(here.tokens.newCode().code, clientId))?.token ?? '';
  const { url, port } = here.server;
  await here.change({ 'server.enabled': false });

  const seen: string[] = [];
  const answers = [
    { status: 404, body: 'nothing here' },
    { status: 200, body: JSON.stringify({ proof: 'A'.repeat(43) }) },
    { status: 500, body: '' },
  ];
  const take = async (request: IncomingMessage) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`);
  };
  const squatter = createServer((request, response) => {
    void take(request).then(() => {
      const { status, body } = answers[(seen.length - 1) % answers.length] ?? { status: 404, body: '' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  squatter.on('upgrade', (request, socket) => {
    seen.push(`upgrade ${JSON.stringify(request.headers)}`);
    socket.destroy();
  });
  squatter.listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  for (const _ of answers) {
    const road = new NetworkRoad({
      origin: url,
      openSocket: (address, protocols) => new WebSocket(address, protocols),
      fetch,
      token: () => token,
      onState: () => undefined,
    });
    await expect(road.connect()).rejects.toThrow();
  }
  expect(seen).toHaveLength(answers.length);
  for (const request of seen) {
    expect(request).toContain(`POST ${PATHS.proof}`);
    expect(request).not.toContain(token);
  }
  squatter.closeAllConnections();
  squatter.close();
  await once(squatter, 'close');

  // The real one is known by its proof.
  await here.change({ 'server.enabled': true });
  const road = new NetworkRoad({
    origin: here.server.url,
    openSocket: (address, protocols) => {
      const socket = new WebSocket(address, protocols);
      socket.binaryType = 'arraybuffer';
      return socket;
    },
    fetch,
    token: () => token,
    onState: () => undefined,
  });
  const client = new RunSessionClient({ clientId, kind: 'browser', name: 'tests', connect: road.connect });
  await client.ready();
  client.stop();
});

it('[door-4] the page is given to everyone who asks from here, and nothing beside it', async () => {
  const folder = join(dirname(here.file), 'page');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Baton</title>');
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {};');
  const page = await fetch(`${here.server.url}/`);
  expect(await page.text()).toContain('<title>Baton</title>');
  const policy = page.headers.get('content-security-policy');
  expect(policy).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${here.server.port} `);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  const script = await fetch(`${here.server.url}/assets/index-abc.js`);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('cache-control')).toContain('immutable');
  for (const path of [
    '/assets/../../server.json',
    '/assets/%2e%2e/%2e%2e/server.json',
    '/assets/..%2f..%2fserver.json',
    '/assets/none.js',
    '/assets/',
  ]) {
    const answer = await fetch(here.server.url + path);
    expect([path, answer.ok]).toEqual([path, false]);
    expect(await answer.text()).not.toContain(here.tokens.key);
  }
  for (const path of ['/%zz', '/api/v1/%c0%ae']) expect((await fetch(here.server.url + path)).ok).toBe(false);
});
