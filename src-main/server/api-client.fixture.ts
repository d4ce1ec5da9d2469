import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { createParser } from 'eventsource-parser';
import * as z from 'zod/mini';
import { API_PREFIX } from '../../src-shared/http-api.ts';

const Described = z.object({
  operationId: z.string(),
  parameters: z.optional(z.array(z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean() }))),
  requestBody: z.optional(z.unknown()),
  responses: z.record(
    z.string(),
    z.object({ content: z.optional(z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }))) }),
  ),
});
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Described)),
  components: z.looseObject({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});
type Document = z.infer<typeof Document>;

interface Asked {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly body?: unknown;
  readonly key?: string;
}

interface StreamOptions extends Asked {
  readonly lastEventId?: number;
  readonly signal?: AbortSignal;
}

interface Answer {
  readonly status: number;
  // What an operation answers is checked against the document; a test looks at the parts it is about.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

/**
 * A client that knows nothing but the document: it finds an operation's address, parameters and body there, and holds every answer
 * against the schema that the document gives for its status.
 */
export class ApiClient {
  readonly document: Document;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #ajv: Ajv2020;

  private constructor(document: Document, url: string, headers: Readonly<Record<string, string>>) {
    this.document = document;
    this.#url = url;
    this.#headers = headers;
    this.#ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }));
    this.#ajv.addSchema({ $id: 'document', components: document.components } as AnySchemaObject);
  }

  static async connect(url: string, token: string, clientId?: string): Promise<ApiClient> {
    const headers = { authorization: `Bearer ${token}`, ...(clientId === undefined ? {} : { 'baton-client-id': clientId }) };
    const answer = await fetch(`${url}${API_PREFIX}/openapi.json`, { headers });
    return new ApiClient(Document.parse(await answer.json()), url, headers);
  }

  /** The body of an answer that is no refusal. */
  async ok(operation: string, asked: Asked = {}): Promise<Answer['body']> {
    const { status, body } = await this.call(operation, asked);
    if (status >= 300) throw new Error(`${operation} was refused with ${status}: ${JSON.stringify(body)}`);
    return body;
  }

  async call(operation: string, asked: Asked = {}): Promise<Answer> {
    const { described, response } = await this.#send(operation, asked);
    const schema = described.responses[response.status]?.content?.['application/json']?.schema;
    const body: unknown = await response.json();
    if (schema === undefined)
      throw new Error(`${operation}: the document has no answer ${response.status}: ${JSON.stringify(body)}`);
    const fits = this.#ajv.compile(inDocument(schema));
    if (!fits(body)) throw new Error(`${operation}: ${this.#ajv.errorsText(fits.errors)} in ${JSON.stringify(body)}`);
    return { status: response.status, body };
  }

  /** Server-sent events until they end or `signal` cuts them; `id` as the stream gave it. */
  async *stream(operation: string, { lastEventId, signal, ...asked }: StreamOptions = {}) {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
    const { response } = await this.#send(operation, asked, { headers, ...(signal === undefined ? {} : { signal }) });
    if (response.status !== 200 || response.body === null) throw new Error(`${operation} was refused with ${response.status}`);
    const waiting: { readonly id: number | null; readonly data: Answer['body'] }[] = [];
    const parser = createParser({
      onEvent: ({ id, data }) => waiting.push({ id: id === undefined ? null : Number(id), data: JSON.parse(data) }),
    });
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* waiting.splice(0);
    }
  }

  async #send(operation: string, { path = {}, query = {}, body, key }: Asked, init: RequestInit = {}) {
    const { method, url, described } = this.#find(operation);
    const known = new Set((described.parameters ?? []).map((parameter) => `${parameter.in} ${parameter.name}`));
    for (const name of Object.keys(path)) if (!known.has(`path ${name}`)) throw new Error(`${operation} has no path ${name}`);
    if (key !== undefined && !known.has('header Idempotency-Key')) throw new Error(`${operation} takes no Idempotency-Key`);
    const address = new URL(
      this.#url + url.replaceAll(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(path[name] ?? '')),
    );
    for (const [name, values] of Object.entries(query)) {
      for (const value of [values].flat()) address.searchParams.append(name, String(value));
    }
    const headers = {
      ...this.#headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...init.headers,
    };
    const sent = {
      ...init,
      method: method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return { described, response: await fetch(address, sent) };
  }

  #find(operation: string) {
    for (const [url, methods] of Object.entries(this.document.paths)) {
      for (const [method, described] of Object.entries(methods)) {
        if (described.operationId === operation) return { method, url, described };
      }
    }
    throw new Error(`the document has no operation ${operation}`);
  }
}

/** References in the document's schemas point into the document. */
function inDocument(schema: AnySchemaObject): AnySchemaObject {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));
}
