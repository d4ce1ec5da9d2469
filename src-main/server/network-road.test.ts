import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { RunSessionClient } from '../../src-shared/client.ts';
import type { HttpFetch } from '../../src-shared/http-fetch.ts';
import { NetworkRoad, type NetworkRoadState } from '../../src-shared/network-road.ts';
import type { WebSocketLike } from '../../src-shared/websocket-wire.ts';
import { newClientId, pty, watch } from '../engine/engine.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

const ECHOES = pty('/bin/sh', ['-c', 'stty raw -echo; echo ready; exec cat']);

let here: ServerGround;
let clients: RunSessionClient[];
beforeEach(async () => {
  here = await serverGround();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.stop();
  await here.dispose();
});

function openSocket(url: string, protocols: string[]): WebSocketLike {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  return socket;
}

const refusedSocket: typeof openSocket = (_url, protocols) => openSocket('ws://127.0.0.1:9/', protocols);

interface Between {
  openSocket: typeof openSocket;
  fetch: HttpFetch;
}

/** A browser's client: let in by a code, coming back by its newest token. */
async function enter(between: Between) {
  const clientId = newClientId();
  const first = await here.tokens.login(here.tokens.newCode().code, clientId);
  let token = first?.token ?? null;
  const roads: NetworkRoadState[] = [];
  const road = new NetworkRoad({
    origin: here.server.url,
    openSocket: (url, protocols) => between.openSocket(url, protocols),
    fetch: (url, request) => between.fetch(url, request),
    token: () => token,
    onState: (state) => roads.push(state),
  });
  const client = new RunSessionClient({
    connect: road.connect,
    clientId,
    kind: 'browser',
    name: 'tests',
    onReconnectToken: (next) => {
      token = next.token;
    },
  });
  clients.push(client);
  await client.ready();
  return { client, roads };
}

describe('the way of a client over the network', () => {
  it('is a WebSocket where there can be one', async () => {
    const { client, roads } = await enter({ openSocket, fetch });
    const runId = await here.create(ECHOES);
    const seen = watch(client, runId);
    await seen.until(() => seen.text.includes('ready'));
    seen.attachment?.keys(Buffer.from('typed'));
    await seen.until(() => seen.text.includes('typed'));
    expect(roads).toEqual(['websocket']);
    expect(here.engine.wires).toMatchObject({ websocket: 1, polling: 0 });
  });

  it('[road-1] [road-3] is polling where there can be none, and a WebSocket again as soon as there can', async () => {
    const between: Between = { openSocket: refusedSocket, fetch };
    const { client, roads } = await enter(between);
    const runId = await here.create(ECHOES);
    const seen = watch(client, runId);
    await seen.until(() => seen.text.includes('ready'));
    expect(here.engine.wires).toMatchObject({ websocket: 0, polling: 1 });
    between.openSocket = openSocket;
    let typed = 0;
    const typing = setInterval(() => seen.attachment?.keys(Buffer.from(`${typed++};`)), 5);
    await vi.waitFor(() => expect(roads).toEqual(['polling', 'websocket']));
    await vi.waitFor(() => expect(here.engine.wires).toMatchObject({ websocket: 1, polling: 0 }));
    clearInterval(typing);
    seen.attachment?.keys(Buffer.from('end'));
    await seen.until(() => seen.text.includes('end'));
    // Also what was on its way when the roads changed.
    const arrived = [...seen.text.matchAll(/(\d+);/g)].map(([, number]) => Number(number));
    expect(arrived).toEqual(Array.from({ length: typed }, (_, number) => number));
    expect(client.connection.is).toBe('live');
  }, 40_000);

  it('[road-4] brings each frame once while requests and answers get lost', async () => {
    const counts = new Map<string, number>();
    const flaky: HttpFetch = async (url, request) => {
      if (!url.includes('/frames')) return fetch(url, request);
      const count = (counts.get(request.method) ?? 0) + 1;
      counts.set(request.method, count);
      if (count % 3 === 0) throw new TypeError('the request was lost');
      const answer = await fetch(url, request);
      if (count % 4 === 0) throw new TypeError('the answer was lost');
      return answer;
    };
    const { client } = await enter({ openSocket: refusedSocket, fetch: flaky });
    const runId = await here.create(ECHOES);
    const seen = watch(client, runId);
    await seen.until(() => seen.text.includes('ready'));
    const typed = Array.from({ length: 60 }, (_, index) => `n${index};`);
    for (const text of typed) {
      seen.attachment?.keys(Buffer.from(text));
      if (text.endsWith('0;')) await seen.until(() => seen.text.includes(text));
    }
    await seen.until(() => seen.text.includes('n59;'));
    expect(seen.text.slice(seen.text.indexOf('n0;'))).toBe(typed.join(''));
    for (const method of ['GET', 'POST']) expect(counts.get(method)).toBeGreaterThan(5);
  }, 40_000);

  it('says that the server is out of reach, and comes back by itself when it is there again', async () => {
    const { client, roads } = await enter({ openSocket, fetch });
    await here.local.stop();
    await vi.waitFor(() => expect(roads.at(-1)).toBe('unreachable'));
    await here.restart();
    await vi.waitFor(() => expect(client.connection.is).toBe('live'));
    expect(roads.at(-1)).toBe('websocket');
  }, 30_000);

  it('[client-3] ends for good when the client is disconnected', async () => {
    const { client } = await enter({ openSocket: refusedSocket, fetch });
    here.tokens.revoke(client.clientId);
    await vi.waitFor(() => expect(client.connection.is).toBe('refused'));
  });
});

describe('another program on the port', () => {
  it('[road-2] hears neither the token of a request nor that of a socket', async () => {
    const heard: string[] = [];
    const listen = (request: IncomingMessage) => heard.push(JSON.stringify([request.url, request.headers]));
    const squatter = createServer((request, response) => {
      listen(request);
      const proof = { proof: 'A'.repeat(43) };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...proof, wireId: 'A'.repeat(43) }));
    });
    squatter.on('upgrade', (request, socket) => {
      listen(request);
      socket.destroy();
    });
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as AddressInfo;
    const token = 'B'.repeat(43);
    const road = new NetworkRoad({
      origin: `http://127.0.0.1:${port}`,
      openSocket,
      fetch,
      token: () => token,
      onState: () => undefined,
    });
    await expect(road.connect()).rejects.toMatchObject({ refusal: { code: 'not-allowed' } });
    expect(heard.length).toBeGreaterThan(0);
    expect(heard.join()).not.toContain(token);
    squatter.close();
  });
});
