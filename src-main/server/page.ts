import { readFile } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { contentSecurityPolicy, PAGE_HEADERS, pageFile } from '../page-file.ts';
import type { Routes } from './server.ts';

/** Files of a build have a hash of their content in their name. */
const FOREVER = 'private, max-age=31536000, immutable';

/** The window's page for browsers: files only, without anything that a token would be needed for. */
export const pageRoutes: Routes = (app, { pageFolder }) => {
  const open = { config: { access: 'open' as const } };
  const give = async (pathname: string, request: FastifyRequest, reply: FastifyReply, caching: string) => {
    const file = pageFile(pathname, pageFolder);
    const content = file === null ? null : await readFile(file.path).catch(() => null);
    if (file === null || content === null) return reply.callNotFound();
    // Where a browser's 'self' leaves out WebSockets, they are named; behind a tunnel they are encrypted although this end is not.
    const { host } = request.headers;
    const policy = contentSecurityPolicy(`'self' ws://${host} wss://${host}`);
    return reply
      .headers({ ...PAGE_HEADERS, 'content-security-policy': policy, 'cache-control': caching })
      .type(file.contentType)
      .send(content);
  };
  for (const path of ['/', '/index.html']) {
    app.get(path, open, (request, reply) => give('/index.html', request, reply, 'no-cache'));
  }
  app.get('/assets/*', open, (request, reply) => give(request.url.split('?')[0] ?? '', request, reply, FOREVER));
};
