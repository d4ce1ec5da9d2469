import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CLIENT_ID_HEADER, type ErrorAnswer, PATHS, Secret, tokenOfSubprotocols } from '../../src-shared/http-api.ts';
import { ClientId } from '../../src-shared/ids.ts';
import type { Principal, Tokens } from './tokens.ts';

/** What a route asks for beside a request that comes from here. Without one it is `token`. */
export type Access =
  /** Who shows a token. */
  | 'token'
  /** Everyone: files of the page, and what comes before a token. They hold and reveal nothing. */
  | 'open'
  /** Opens a wire: the route itself uses up the token that is shown. */
  | 'wire';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Set behind the gate on every route that needs a token. */
    principal: Principal | null;
    /** The token that opens a wire. */
    wireToken: string | null;
  }
}

/** The addresses under which the server is reached; Host has to be one of them, to the letter. */
export interface Names {
  /** Host -> the origins of a page that was loaded from there. */
  readonly origins: ReadonlyMap<string, readonly string[]>;
}

export interface GateOptions {
  readonly tokens: Tokens;
  readonly names: () => Names;
  /** A request has shown a token that is good. */
  readonly onAdmitted: (principal: Principal, request: FastifyRequest) => void;
}

/**
 * The one door: before every route, upgrade and unknown address. A page of another site can make a browser send requests here, and a
 * name of another site can be made to point here; both are told apart by what the browser says of itself (Host, Origin,
 * Sec-Fetch-Site). Every refusal looks the same, whatever is behind it.
 */
export function addGate(app: FastifyInstance, { tokens, names, onAdmitted }: GateOptions): void {
  app.decorateRequest('principal', null);
  app.decorateRequest('wireToken', null);
  app.addHook('onRequest', async (request, reply) => {
    if (!comesFromHere(request, names())) {
      tokens.refuse('foreign');
      return refuse(reply, 403);
    }
    const { access = 'token' } = request.routeOptions.config;
    if (access === 'open') return;
    const token = tokenOf(request);
    if (access === 'wire') {
      request.wireToken = token;
      if (token === null || !tokens.mayOpenWire(token)) return refuseToken(reply, tokens);
      return;
    }
    request.principal = tokens.authenticate(token, clientOf(request));
    if (request.principal === null) return refuseToken(reply, tokens);
    onAdmitted(request.principal, request);
  });
}

/** The principal of a request behind the gate. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error(`${request.routeOptions.url} is open to everyone and has no principal`);
  return request.principal;
}

export const REFUSED: ErrorAnswer = {
  error: {
    code: 'not-allowed',
    message: 'This request is not allowed.',
    hint: `Show a valid token; ${PATHS.login} and the file server.json are where they come from.`,
  },
};

/** A token or a code is wrong. */
export function refuseToken(reply: FastifyReply, tokens: Tokens): FastifyReply {
  if (tokens.mayTryAgain()) return refuse(reply, 401);
  return refuse(reply.header('retry-after', '60'), 429);
}

function refuse(reply: FastifyReply, status: 401 | 403 | 429): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').send(REFUSED);
}

function comesFromHere({ headers }: FastifyRequest, { origins }: Names): boolean {
  const ours = headers.host === undefined ? undefined : origins.get(headers.host);
  if (ours === undefined) return false;
  if (headers.origin !== undefined && !ours.includes(headers.origin)) return false;
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'none' || site === 'same-origin';
}

/** `Authorization`, or on an upgrade the subprotocols. Never the address, which is kept in histories and logs. */
function tokenOf({ headers }: FastifyRequest): string | null {
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const token = Secret.safeParse(bearer ?? tokenOfSubprotocols(offered));
  return token.success ? token.data : null;
}

function clientOf({ headers }: FastifyRequest): ClientId | null {
  const named = ClientId.safeParse(headers[CLIENT_ID_HEADER]);
  return named.success ? named.data : null;
}
