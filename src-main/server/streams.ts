import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod/mini';
import { NO_SEQ, RunId, Seq } from '../../src-shared/ids.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { parse } from '../engine/parse.ts';
import { requireInLog } from './event-pages.ts';
import { EventStream } from './event-stream.ts';
import { addressOf, callerOf, readerOf } from './rest.ts';
import type { Routes } from './server.ts';
import { Feeds, SessionStream } from './session-stream.ts';
import { streamSessions } from './sessions-stream.ts';

/** Answers that go on, as the document describes them. */
export const STREAMS = {
  session: {
    method: 'GET',
    url: '/sessions/{runId}/stream',
    id: 'session.stream',
    summary: 'The events of a session after `after`, then every new one, as server-sent events',
    description:
      'The id of each is its `seq`: a reader that comes back with `Last-Event-ID`, as browsers do, misses nothing and gets nothing twice. A deleted session ends it.',
    path: { runId: RunId },
    query: { after: z.optional(Seq) },
  },
  sessions: {
    method: 'GET',
    url: '/stream',
    id: 'sessions.stream',
    summary: 'The list of sessions, then every change of it, as server-sent events',
    description:
      'First `{"type":"sessions","sessions"}`, then `{"type":"session:changed","session"}` and `{"type":"session:removed","runId"}`. It has no cursor: whoever comes back gets the list anew.',
  },
} as const;

/** Readers at the same time. */
const MAX_STREAMS = 1_000;

export const streamRoutes: Routes = (app, context) => {
  const feeds = new Feeds();
  let open = 0;
  const begin = (request: FastifyRequest, reply: FastifyReply): EventStream => {
    reply.hijack();
    open += 1;
    reply.raw.once('close', () => {
      open -= 1;
    });
    return new EventStream(reply.raw, context.principal(request).signal);
  };
  const requireRoom = () => {
    if (open < MAX_STREAMS) return;
    throw new RefusalError('queue-full', `${MAX_STREAMS} streams are read already.`, 'Close some of them.');
  };
  const read = readerOf(STREAMS.session);
  app.get(addressOf(STREAMS.session.url), async (request, reply) => {
    requireRoom();
    const { runId } = parse(z.object(STREAMS.session.path), read(request).path, 'the address');
    const { after } = parse(z.object(STREAMS.session.query), read(request).query, 'the query');
    const caller = callerOf(context, request);
    const cursor = lastEventId(request) ?? after ?? NO_SEQ;
    requireInLog(caller, runId, cursor);
    await SessionStream.start({ runId, after: cursor }, caller, feeds, () => begin(request, reply));
  });
  app.get(addressOf(STREAMS.sessions.url), async (request, reply) => {
    requireRoom();
    streamSessions(context.engine, begin(request, reply));
  });
};

/** Where a reader that comes back has got to: it says so itself, whatever its address said at first. */
function lastEventId({ headers }: FastifyRequest): Seq | null {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return null;
  return parse(Seq, typeof id === 'string' && /^\d+$/.test(id) ? Number(id) : id, 'Last-Event-ID');
}
