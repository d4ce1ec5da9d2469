import * as z from 'zod/mini';
import { API_PREFIX, ErrorAnswer } from '../../src-shared/http-api.ts';
import { Machine, PairingState, RelayStatus } from '../../src-shared/machines.ts';
import { NewSession } from '../../src-shared/new-session.ts';
import { ClientSummary, WireEvent } from '../../src-shared/operations.ts';
import { SessionSpec, SessionState, SessionSummary } from '../../src-shared/session.ts';
import { Settings } from '../../src-shared/settings.ts';
import { DOCUMENTED, type Documented } from './documented.ts';
import { addressOf, IDEMPOTENCY_HEADER } from './rest.ts';
import { type Routes, STATUS } from './server.ts';

/** Of what zod writes, what is looked at here. */
interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}
type Json = Record<string, unknown>;

/** Schemas that have a name in the document; every other is written where it is used. */
const NAMED: Readonly<Record<string, z.ZodMiniType>> = {
  Session: SessionSummary,
  SessionState,
  SessionSpec,
  NewSession,
  Event: WireEvent,
  Client: ClientSummary,
  Machine,
  RelayStatus,
  PairingState,
  Settings,
  Error: ErrorAnswer,
};

const SCHEMAS = '#/components/schemas/';
/** Where zod puts schemas that refer to themselves. There is one: any JSON value. */
const SHARED = '__shared';

/** The API as an OpenAPI 3.1 document, made from the schemas that the routes are read and answered by. */
export function openApiDocument(version: string): Json {
  const requests = schemasOf('input', ({ id, path, query, body, bodyType }) => [
    [`${id}.path`, z.object(path ?? {})],
    [`${id}.query`, z.object(query ?? {})],
    ...(body === undefined || bodyType !== undefined ? [] : [[`${id}.body`, body] as const]),
  ]);
  const answers = schemasOf('output', ({ id, answer }) =>
    answer === null || typeof answer === 'string' ? [] : [[`${id}.answer`, answer]],
  );
  const paths: Record<string, Json> = {};
  for (const route of DOCUMENTED) {
    const url = route.isAtRoot ? route.url : API_PREFIX + route.url;
    paths[url] = { ...paths[url], [route.method.toLowerCase()]: operationOf(route, requests, answers) };
  }
  const named = Object.keys(NAMED).map((name) => [name, answers.get(name) ?? requests.get(name)] as const);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Baton',
      version,
      description: 'Terminals and Claude Code sessions of this machine. docs/api.md tells how to begin.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The address in server.json' }],
    security: [{ token: [] }],
    tags: [...new Set(DOCUMENTED.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(named),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The key in server.json, or a token that a login returned.' },
      },
    },
  };
}

/** The document never changes while the server runs. */
export const documentRoutes: Routes = (app, { version }) => {
  let document: ReturnType<typeof openApiDocument> | null = null;
  app.get(addressOf('/openapi.json'), async () => {
    document ??= openApiDocument(version);
    return document;
  });
};

function operationOf(route: Documented, requests: ReadonlyMap<string, Schema>, answers: ReadonlyMap<string, Schema>): Json {
  const { id, summary, description, isOnce, isOpen, body, bodyType = 'application/json' } = route;
  const parameters = [
    ...parametersOf('path', requests.get(`${id}.path`)),
    ...parametersOf('query', requests.get(`${id}.query`)),
    ...(isOnce ? [idempotencyKey] : []),
  ];
  const content = requests.get(`${id}.body`);
  return {
    operationId: id,
    tags: [tagOf(route)],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(isOpen ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [bodyType]: content === undefined ? {} : { schema: content } } } }),
    responses: { ...answerOf(route, answers.get(`${id}.answer`)), ...errorsOf(route) },
  };
}

function answerOf({ answer, status = 200 }: Documented, schema: Schema | undefined): Json {
  if (answer === null) return { [status]: { description: 'Switching protocols' } };
  const content = typeof answer === 'string' ? { [answer]: { schema: { type: 'string' } } } : { 'application/json': { schema } };
  return { [status]: { description: status === 202 ? 'Taken' : status === 201 ? 'Made' : 'Done', content } };
}

/** Which status a refusal has is the same everywhere; a route that names no session has no such thing to be unknown. */
function errorsOf({ isOpen }: Documented): Json {
  const content = { 'application/json': { schema: { $ref: `${SCHEMAS}Error` } } };
  const codes = new Map<number, string[]>();
  for (const [code, status] of Object.entries(STATUS)) codes.set(status, [...(codes.get(status) ?? []), `\`${code}\``]);
  const said = [...codes].map(([status, names]) => [status, { description: names.join(', '), content }] as const);
  const unauthorized = { description: isOpen ? 'Refused' : 'No valid token', content };
  return Object.fromEntries([...said, [401, unauthorized], [415, { description: 'The body is not JSON', content }]]);
}

function parametersOf(place: 'path' | 'query', schema: Schema | undefined): Json[] {
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || (schema?.required ?? []).includes(name),
    schema: property,
  }));
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: `A UUID. The same one again is executed once, and answered as the first (\`${IDEMPOTENCY_HEADER}\`).`,
  schema: { type: 'string', format: 'uuid' },
};

function tagOf({ id }: Documented): string {
  return id.split('.')[0] ?? id;
}

/** JSON Schemas of the routes' parts by name, and of what is named in them. */
function schemasOf(
  io: 'input' | 'output',
  partsOf: (route: Documented) => readonly (readonly [string, z.ZodMiniType])[],
): ReadonlyMap<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const asNamed = new Map<string, Schema>();
  for (const [id, schema] of DOCUMENTED.flatMap(partsOf)) {
    const known = registry.get(schema)?.id;
    if (known === undefined) registry.add(schema, { id });
    else asNamed.set(id, { $ref: SCHEMAS + known });
  }
  const { schemas } = z.toJSONSchema(registry, {
    io,
    unrepresentable: 'any',
    uri: (id) => SCHEMAS + id,
    override: ({ zodSchema, jsonSchema }) => tidy(zodSchema, jsonSchema),
  });
  const made = Object.entries(schemas)
    .filter(([id]) => id !== SHARED)
    .map(([id, { $schema: _dialect, $id: _address, ...schema }]) => [id, anyValue(schema)] as const);
  const byName = new Map<string, Schema>(made);
  // A part that several routes share is written out in each.
  for (const [id, { $ref = '' }] of asNamed) {
    const name = $ref.slice(SCHEMAS.length);
    byName.set(id, Object.hasOwn(NAMED, name) ? { $ref } : (byName.get(name) ?? {}));
  }
  return byName;
}

/** What a later version adds to an answer is no fault of it. */
function tidy({ _zod: { def } }: z.core.$ZodTypes, schema: z.core.JSONSchema.BaseSchema): void {
  if (def.type === 'object' && def.catchall === undefined) delete schema.additionalProperties;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

/** A copy that says "any value" where a schema refers to itself. */
function anyValue(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema), (_key, part: unknown) => (refersToShared(part) ? {} : part));
}

function refersToShared(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$ref' in value && String(value.$ref).startsWith(SCHEMAS + SHARED);
}
