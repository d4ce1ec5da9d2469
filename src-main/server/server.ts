import websocket from '@fastify/websocket';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { type ErrorAnswer, LoginRequest, PATHS, ProofRequest, WIRE_SUBPROTOCOL } from '../../src-shared/http-api.ts';
import type { OperationName, ResultOf } from '../../src-shared/operations.ts';
import { MAX_FRAME_BYTES } from '../../src-shared/protocol.ts';
import { CLOSE, RefusalError } from '../../src-shared/refusal.ts';
import type { Engine } from '../engine/engine.ts';
import type { Logger } from '../logger.ts';
import { addGate, type Names, principalOf, REFUSED, refuseToken } from './gate.ts';
import { type Encrypted, type Listening, listenEverywhere, listenOnLoopback } from './listen.ts';
import { pageRoutes } from './page.ts';
import { pollingRoutes } from './polling.ts';
import { proofOfHash } from './proof.ts';
import { namesOf, publicUrls, type Reach } from './reach.ts';
import { ServerStats } from './stats.ts';
import type { Tokens } from './tokens.ts';
import { websocketRoutes } from './websocket.ts';
import { Wires } from './wires.ts';

/**
 * Registers routes on the server. The gate stands before all of them; `config: { access: 'open' }` on a route exempts it from the
 * token only. Who asks is in `context.principal(request)`; when its `signal` aborts, what still goes on (a stream) has to end.
 * Throw a RefusalError to refuse: it becomes an ErrorAnswer with the status that fits its code.
 */
export type Routes = (app: FastifyInstance, context: ServerContext) => void | Promise<void>;

/** What routes work with. */
export interface ServerContext {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly stats: ServerStats;
  readonly tokens: Tokens;
  readonly wires: Wires;
  readonly version: string;
  /** The built page. */
  readonly pageFolder: string;
  principal(request: FastifyRequest): ReturnType<typeof principalOf>;
  /** Carries out an operation for the client that asks: parameters are read by their schema. */
  call<N extends OperationName>(request: FastifyRequest, operation: N, params: unknown): Promise<ResultOf<N>>;
}

export interface ServerOptions {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly tokens: Tokens;
  readonly version: string;
  readonly pageFolder: string;
  /** 0: any free one. */
  readonly port: number;
  readonly reach: Reach;
  readonly routes: readonly Routes[];
}

export { PortTaken } from './listen.ts';

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** Where browsers elsewhere find it, the best address first. */
  readonly publicUrls: readonly string[];
  /** Every route that there is: `METHOD /path/:parameter`. */
  readonly routes: readonly string[];
  readonly stats: ServerStats;
  /** Another certificate for the same names: who is connected stays so. */
  renew(tls: Encrypted): void;
  stop(): Promise<void>;
}

const MAX_NAME_CHARS = 128;
const MAX_BODY_BYTES = 1024 * 1024;

/** The engine's HTTP server. Throws PortTaken. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { engine, logger, tokens, version, pageFolder, port, reach, routes } = options;
  const stats = new ServerStats();
  const wires = new Wires({ engine, tokens, stats, logger });
  const context: ServerContext = {
    engine,
    logger,
    stats,
    tokens,
    wires,
    version,
    pageFolder,
    principal: principalOf,
    call: (request, operation, params) => {
      const { clientId, signal } = principalOf(request);
      return engine.perform(operation, params, { clientId, signal, road: 'http' });
    },
  };
  let names: Names = { origins: new Map() };
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    // An address that cannot be read is no route: it gets no further than the gate would let it.
    frameworkErrors: (_error, _request, reply) => {
      reply.raw.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify(REFUSED));
    },
  });
  const known: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) known.push(`${each} ${url}`);
  });
  // Before the gate: it ends the connections of upgrades that the gate refuses.
  await app.register(websocket, {
    options: {
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(WIRE_SUBPROTOCOL) ? WIRE_SUBPROTOCOL : false),
    },
    errorHandler: (_error, socket) => socket.terminate(),
  });
  addGate(app, {
    tokens,
    names: () => names,
    onAdmitted: ({ clientId }, { headers }) => {
      const name = (headers['user-agent'] ?? 'a program').slice(0, MAX_NAME_CHARS);
      engine.clients.heard({ clientId, kind: 'api', name });
    },
  });
  addAnswers(app, logger);
  countRequests(app, stats);
  for (const register of [doorRoutes, websocketRoutes, pollingRoutes, pageRoutes, ...routes]) await register(app, context);
  await app.ready();
  let listening: Awaited<ReturnType<typeof listen>>;
  try {
    listening = await listen(app, port, reach);
  } catch (error) {
    await app.close();
    throw error;
  }
  names = namesOf(listening.port, reach);
  const stop = async () => {
    wires.closeAll(CLOSE.shuttingDown);
    await listening.close();
    await app.close();
  };
  return {
    port: listening.port,
    url: `http://127.0.0.1:${listening.port}`,
    publicUrls: publicUrls(reach),
    routes: known,
    stats,
    renew: (tls) => listening.renew(tls),
    stop,
  };
}

/** On loopback, and with a certificate on every address. */
async function listen(app: FastifyInstance, port: number, { tls }: Reach): Promise<Listening & Pick<RunningServer, 'renew'>> {
  const loopback = await listenOnLoopback(app, port);
  if (tls === null) return { ...loopback, renew: () => {} };
  try {
    const everywhere = await listenEverywhere(app, tls);
    return {
      port: loopback.port,
      renew: everywhere.renew,
      close: async () => void (await Promise.all([loopback.close(), everywhere.close()])),
    };
  } catch (error) {
    await loopback.close();
    throw error;
  }
}

/** What comes before a token. */
const doorRoutes: Routes = (app, { tokens, version }) => {
  const open = { config: { access: 'open' as const } };
  app.get(PATHS.health, open, async () => ({ ok: true, version }));
  app.post(PATHS.login, open, async ({ body }, reply) => {
    const asked = LoginRequest.safeParse(body);
    const token = asked.success ? await tokens.login(asked.data.code, asked.data.clientId) : null;
    return token ?? refuseToken(reply, tokens);
  });
  app.post(PATHS.proof, open, async ({ body, headers }, reply) => {
    const asked = ProofRequest.safeParse(body);
    const hash = asked.success ? tokens.hashOfId(asked.data.tokenId) : null;
    if (!asked.success || hash === null) return refuseToken(reply, tokens);
    return { proof: proofOfHash(hash, headers.host ?? '', asked.data.challenge) };
  });
};

export const STATUS: Readonly<Record<ErrorAnswer['error']['code'], number>> = {
  'bad-request': 400,
  'unknown-session': 404,
  'unknown-target': 404,
  'not-running': 409,
  'already-answered': 409,
  'input-id-reused': 409,
  'queue-full': 429,
  'too-large': 413,
  'wrong-epoch': 409,
  'not-allowed': 403,
  'not-ready': 503,
  unsupported: 501,
  'version-mismatch': 400,
  'shutting-down': 503,
  failed: 500,
};

/** Every error is an ErrorAnswer, and no answer may be kept by a cache. */
function addAnswers(app: FastifyInstance, logger: Logger): void {
  // Plain text would let a form of another site's page through.
  app.removeContentTypeParser('text/plain');
  app.addHook('onSend', async (request, reply) => {
    // The connection of an upgrade that came to nothing ends: nobody may reuse it.
    if (request.ws) reply.header('connection', 'close');
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} at this address.`;
    void reply.code(404).send({ error: { code: 'unknown-target', message, hint: null } } satisfies ErrorAnswer);
  });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof RefusalError) {
      return reply.code(STATUS[error.refusal.code]).send({ error: error.refusal } satisfies ErrorAnswer);
    }
    const status = statusOf(error);
    if (status === 500) {
      logger.error('a request failed', { operation: `${request.method} ${request.routeOptions.url ?? ''}`, error });
      return reply.code(500).send(errorAnswer('failed', 'The request failed.', 'The log says where.'));
    }
    const message = error instanceof Error ? error.message : 'The request cannot be read.';
    return reply.code(status).send(errorAnswer(status === 413 ? 'too-large' : 'bad-request', message, null));
  });
}

function errorAnswer(code: ErrorAnswer['error']['code'], message: string, hint: string | null): ErrorAnswer {
  return { error: { code, message, hint } };
}

/** What the framework refuses says with which status. */
function statusOf(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function countRequests(app: FastifyInstance, stats: ServerStats): void {
  app.addHook('onResponse', async (request, reply) => {
    stats.handled(`${request.method} ${request.routeOptions.url ?? '(none)'}`, reply.statusCode);
    stats.received(Number(request.headers['content-length'] ?? 0) || 0);
    stats.sent(Number(reply.getHeader('content-length') ?? 0) || 0);
  });
}
