import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod/mini';
import { API_PREFIX } from '../../src-shared/http-api.ts';
import { InputId } from '../../src-shared/ids.ts';
import { parse } from '../engine/parse.ts';
import type { Route, RouteCaller, RouteInput } from './route.ts';
import { ROUTES } from './routes.ts';
import type { Routes, ServerContext } from './server.ts';

/** Makes what acts happen once, however often it is sent. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';

/** The routes of the table, as the server carries them out. */
export const restRoutes: Routes = (app, context) => {
  for (const route of ROUTES) {
    app.route({
      method: route.method,
      url: addressOf(route.url),
      ...(route.maxBodyBytes === undefined ? {} : { bodyLimit: route.maxBodyBytes }),
      handler: async (request, reply) => {
        const answer = await route.handle(readerOf(route)(request), callerOf(context, request));
        return reply.code(route.status ?? 200).send(answer);
      },
    });
  }
};

/** `{name}` of the document is `:name` here. */
export function addressOf(url: string): string {
  return API_PREFIX + url.replaceAll(/\{(\w+)\}/g, ':$1');
}

export function callerOf(context: ServerContext, request: FastifyRequest): RouteCaller {
  return {
    engine: context.engine,
    clientId: context.principal(request).clientId,
    call: (operation, params) => context.call(request, operation, params),
  };
}

/** What a request has to hold, made from the fields of its route. A field that nobody knows is a mistake of the sender. */
export function readerOf({ path = {}, query = {}, body }: Pick<Route, 'path' | 'query' | 'body'>) {
  const paths = z.object(path);
  const queries = z.strictObject(query);
  return (request: FastifyRequest): RouteInput => ({
    path: parse(paths, request.params, 'the address'),
    query: parse(queries, fromText(query, request.query), 'the query'),
    body: body === undefined ? undefined : parse(body, request.body, 'the body'),
    inputId: inputIdOf(request),
  });
}

function inputIdOf({ headers }: FastifyRequest): InputId {
  return parse(InputId, headers[IDEMPOTENCY_HEADER] ?? randomUUID(), 'Idempotency-Key');
}

/** A query is text: numbers and lists are what their fields say they are. What does not look like one is left for the schema to refuse. */
function fromText(fields: NonNullable<Route['query']>, query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return query;
  return Object.fromEntries(
    Object.entries(query).map(([name, value]: [string, unknown]) => {
      const kind = kindOf(fields[name]);
      if (kind === 'array') return [name, Array.isArray(value) ? value : [value]];
      return [name, kind === 'number' && typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value];
    }),
  );
}

function kindOf(schema: z.core.$ZodType | undefined): string | null {
  if (schema === undefined) return null;
  const { def } = schema._zod;
  return 'innerType' in def && def.innerType instanceof z.core.$ZodType ? kindOf(def.innerType) : def.type;
}
