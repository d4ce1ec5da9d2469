import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { API_PREFIX } from '../../src-shared/http-api.ts';
import { OperationName } from '../../src-shared/operations.ts';
import { DOCUMENTED } from './documented.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES, whyNotOverHttp } from './routes.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

let here: ServerGround;
beforeEach(async () => {
  here = await serverGround();
});
afterEach(() => here.dispose());

it('[api-1] every operation has a route or a reason why not', () => {
  const routed = ROUTES.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
  const offered = OperationName.options.filter((operation) => whyNotOverHttp(operation) === null);
  expect(routed.sort()).toEqual(offered.sort());
});

it('[api-1] the document is valid OpenAPI 3.1, with a summary for every route and a schema for every answer', async () => {
  const document = openApiDocument('1.2.3');
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const text = JSON.stringify(document);
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(document).toHaveProperty(['components', 'schemas', name ?? '']);
  expect(text).not.toContain('__shared');
});

it('[api-1] the document has exactly the routes that the server has', () => {
  const documented = DOCUMENTED.map(
    ({ method, url, isAtRoot }) => `${method} ${isAtRoot ? '' : API_PREFIX}${url.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  );
  const served = here.server.routes.filter((route) => route.includes(API_PREFIX) || route.endsWith('/metrics'));
  expect([...documented].sort()).toEqual([...new Set(served)].sort());
});
