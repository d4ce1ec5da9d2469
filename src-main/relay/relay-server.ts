import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { MAX_RELAY_FRAME_BYTES, RELAY_PROTOCOL_VERSION } from '../../src-shared/relay-protocol.ts';
import { socketWire } from '../socket-wire.ts';
import { BATON_VERSION } from '../version.ts';
import type { Relay } from './relay.ts';

/** Where a supervisor looks. Says nothing of what the relay holds. */
const HEALTH_PATH = '/health';

export interface RelayServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves a relay over WebSocket. TLS is the business of a proxy in front of it: batches need none, addresses may. */
export async function serveRelay(relay: Relay, { host, port }: { host: string; port: number }): Promise<RelayServer> {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_RELAY_FRAME_BYTES, perMessageDeflate: false });
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000, maxHeaderSize: 8 * 1024 }, health);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    // A page of a browser has no business here. The path is whatever a proxy made of it.
    if (request.headers.origin !== undefined) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => relay.attach(socketWire(accepted)));
  });
  await listening(server, host, port);
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function health(request: IncomingMessage, response: ServerResponse): void {
  const isHealth = request.method === 'GET' && request.url === HEALTH_PATH;
  response.writeHead(isHealth ? 200 : 404, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(isHealth ? { ok: true, version: BATON_VERSION, protocol: RELAY_PROTOCOL_VERSION } : { ok: false }));
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
