import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { API_PREFIX } from '../../src-shared/http-api.ts';
import { DOCUMENTED, type Documented } from './documented.ts';
import { openApiDocument } from './openapi.ts';
import { STATUS } from './server.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const guide = readFileSync(join(docs, 'api.md'), 'utf8');

const addressOf = ({ url, isAtRoot }: Documented) => (isAtRoot ? url : API_PREFIX + url);

/** What a schema of the document is, in a few words. */
function typeOf(schema: unknown): string {
  if (typeof schema !== 'object' || schema === null) return 'any';
  const { $ref, type, enum: values, const: only, anyOf, oneOf, items, properties } = schema as Record<string, unknown>;
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? '';
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' or ');
  const forms = anyOf ?? oneOf;
  if (Array.isArray(forms)) return forms.map(typeOf).join(' or ');
  if (type === 'array') return `${typeOf(items)}[]`;
  if (properties !== undefined) return fieldsOf(schema);
  if (Array.isArray(type)) return type.join(' or ');
  return typeof type === 'string' ? type : 'any';
}

function fieldsOf(schema: object): string {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, unknown>; required?: readonly string[] };
  const fields = Object.entries(properties).map(
    ([name, field]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(field)}`,
  );
  return `{${fields.join(', ')}}`;
}

function sectionOf(route: Documented, document: ReturnType<typeof openApiDocument>): string {
  const paths = document.paths as Record<string, Record<string, never>>;
  const {
    parameters = [],
    requestBody,
    responses,
  } = (paths[addressOf(route)]?.[route.method.toLowerCase()] ?? {}) as {
    parameters?: readonly { name: string; in: string; required: boolean; schema: unknown }[];
    requestBody?: { content: Record<string, { schema?: unknown }> };
    responses: Record<string, { content?: Record<string, { schema?: unknown }> }>;
  };
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const [status = '', answer] = Object.entries(responses).find(([code]) => Number(code) < 400) ?? [];
  const contentOf = (content: Record<string, { schema?: unknown }> = {}) =>
    Object.entries(content)
      .map(([media, { schema }]) => (media === 'application/json' ? typeOf(schema) : media))
      .join();
  const rows = [
    ...query.map(({ name, required, schema }) => [`?${name}${required ? '' : ' (optional)'}`, typeOf(schema)]),
    ...(requestBody === undefined ? [] : [['body', contentOf(requestBody.content)]]),
    [`answer ${status}`, contentOf(answer?.content) || '—'],
    ...(route.isOnce ? [['Idempotency-Key', 'a UUID (optional)']] : []),
  ];
  const cell = (text = '') => text.replaceAll('|', '\\|');
  return [
    `## ${route.method} ${addressOf(route)}`,
    `${route.summary}.${route.description === undefined ? '' : ` ${route.description}`}${route.isOpen ? ' Needs no token.' : ''}`,
    `| | |\n| --- | --- |\n${rows.map(([name, text]) => `| ${cell(name)} | \`${cell(text)}\` |`).join('\n')}`,
  ].join('\n\n');
}

describe('the documentation', () => {
  it('lists every route as it is (docs/api-routes.md; renew it with vitest -u)', async () => {
    const document = openApiDocument('0');
    const { schemas } = document.components as { schemas: Record<string, object> };
    const types = Object.entries(schemas).map(([name, schema]) => {
      // What settings there are is not told here: the window shows them, and the OpenAPI document has them all.
      return `## ${name}\n\n${name === 'Settings' ? 'Every key of settings.json with its value.' : `\`${typeOf(schema)}\``}`;
    });
    const routes = DOCUMENTED.map((route) => sectionOf(route, document));
    const head = '# Routes of the HTTP API\n\nMade from the routes themselves. How they are used: [api.md](api.md).';
    const page = `${[head, ...routes, '# Types', ...types].join('\n\n')}\n`;
    await expect(page).toMatchFileSnapshot(join(docs, 'api-routes.md'));
  });

  it('names no route that is not there', () => {
    const known = DOCUMENTED.map((route) => `${route.method} ${addressOf(route).replaceAll(/\{\w+\}/g, '*')}`);
    const used = [...guide.matchAll(/^curl (.*)\$url(\/[^\s"?]*)/gm)].map(([, options = '', path = '']) => {
      return `${options.includes('--json') ? 'POST' : 'GET'} ${path.replaceAll(/\$\w+/g, '*')}`;
    });
    expect(used.length).toBeGreaterThan(10);
    for (const route of used) expect(known).toContain(route);
  });

  it('has every code with its status', () => {
    const rows = [...guide.matchAll(/^\| `([\w-]+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)]);
    expect(Object.fromEntries(rows)).toEqual(STATUS);
  });
});
