import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

interface Listener<S extends Server | TlsServer = Server | TlsServer> {
  readonly server: S;
  readonly sockets: ReadonlySet<Socket>;
}

/** Sockets that one listener keeps open: wires, streams and requests together. */
const MAX_SOCKETS = 2_000;
/** A request that is not there whole by then is given up. */
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const OPTIONS: ServerOptions = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
const GOODBYE_MS = 1_500;
/** Free ports that are tried before giving up: one may be free on one address and taken on the other. */
const MAX_TRIES = 10;

/**
 * Listens on both loopback addresses at the same port, for a browser may take either for `localhost`: if somebody else had one of
 * them, tokens would go there. `port` 0: any that is free on both. Throws PortTaken.
 */
export async function listenOnLoopback(app: FastifyInstance, port: number): Promise<Listening> {
  const newServer = () => createServer(OPTIONS);
  for (let tries = 1; ; tries++) {
    const first = await listen(app, { host: '127.0.0.1', port }, newServer);
    const chosen = portOf(first);
    try {
      const second = await listen(app, { host: '::1', port: chosen, ipv6Only: true }, newServer).catch(nullWithoutIpv6);
      const servers = second === null ? [first] : [first, second];
      return { port: chosen, close: () => closeAll(servers) };
    } catch (error) {
      await closeAll([first]);
      if (port !== 0 || tries === MAX_TRIES) throw error;
    }
  }
}

export interface Encrypted {
  readonly port: number;
  /** PEM */
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Listens on every address of the machine, encrypted; `renew` takes another certificate for connections from then on. Throws PortTaken. */
export async function listenEverywhere(
  app: FastifyInstance,
  { port, certificate, key }: Encrypted,
): Promise<Listening & { renew(renewed: Encrypted): void }> {
  const newServer = () => createTlsServer({ ...OPTIONS, cert: certificate, key, minVersion: 'TLSv1.2' });
  const listener =
    (await listen(app, { host: '::', port }, newServer).catch(nullWithoutIpv6)) ??
    (await listen(app, { host: '0.0.0.0', port }, newServer));
  return {
    port: portOf(listener),
    renew: (renewed) => listener.server.setSecureContext({ cert: renewed.certificate, key: renewed.key, minVersion: 'TLSv1.2' }),
    close: () => closeAll([listener]),
  };
}

async function listen<S extends Server | TlsServer>(
  app: FastifyInstance,
  address: { readonly host: string; readonly port: number; readonly ipv6Only?: boolean },
  newServer: () => S,
): Promise<Listener<S>> {
  const sockets = new Set<Socket>();
  const server = newServer();
  server.maxConnections = MAX_SOCKETS;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => app.routing(request, response));
  server.on('upgrade', (request, socket, head) => app.server.emit('upgrade', request, socket, head));
  try {
    server.listen(address);
    await once(server, 'listening');
    return { server, sockets };
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    throw new PortTaken(`Port ${address.port} cannot be listened at: another program has it.`, { cause: error });
  }
}

function nullWithoutIpv6(error: unknown): null {
  if (hasCode(error, 'EADDRNOTAVAIL', 'EAFNOSUPPORT')) return null;
  throw error;
}

async function closeAll(servers: readonly Listener[]): Promise<void> {
  await Promise.all(
    servers.map(async ({ server, sockets }) => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      // Upgraded ones are nobody's any more; they have time to say goodbye.
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, GOODBYE_MS);
      await closed;
      clearTimeout(cut);
    }),
  );
}

function portOf({ server }: Listener): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
