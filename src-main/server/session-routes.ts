import * as z from 'zod/mini';
import { PermissionDecision, PromptContent } from '../../src-shared/events.ts';
import { InputId, MachineId, Seq } from '../../src-shared/ids.ts';
import { NewSession, specOf } from '../../src-shared/new-session.ts';
import { OPERATIONS } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { PermissionMode } from '../../src-shared/session.ts';
import { readEvents } from './event-pages.ts';
import { type Route, route } from './route.ts';
import { asked, command, limit, MAX_PROMPT_BYTES, none, session, text } from './route-rows.ts';

const { 'history.lines': lines, 'history.search': search } = OPERATIONS;
const { runId: _written, ...writtenText } = OPERATIONS['draft.set'].params.shape;
const { runId: _linesOf, limit: _linesLimit, ...whichLines } = lines.params.shape;
const { limit: _searchLimit, ...searchFor } = search.params.shape;

/** What is done with sessions: their life, what is said to them, their past, and what is written about them. */
export const SESSION_ROUTES: readonly Route[] = [
  // ——— sessions ———
  asked('GET', '/sessions', 'session.list', 'All sessions of this machine'),
  route({
    method: 'POST',
    url: '/sessions',
    id: 'session.create',
    operation: 'session.create',
    summary: 'Start a session',
    description:
      'What is left out is as the settings have it. A repeated `Idempotency-Key` answers with the first one’s session.',
    body: z.strictObject({ spec: NewSession, title: z.optional(z.nullable(text(256))), machineId: z.optional(MachineId) }),
    answer: OPERATIONS['session.create'].result,
    status: 201,
    isOnce: true,
    handle: async ({ body: { spec: wanted, title = null, ...where }, inputId }, { call, engine }) => {
      const { settings } = await call('settings.get', {});
      const { machineId = engine.machine.machineId } = where;
      const spec = specOf(wanted, settings, machineId !== engine.machine.machineId);
      return call('session.create', { inputId, spec, title, ...where });
    },
  }),
  route({
    method: 'GET',
    url: '/sessions/{runId}',
    id: 'session.get',
    operation: 'session.get',
    summary: 'One session: its line in lists, its state, and what it was started from',
    path: session,
    answer: OPERATIONS['session.get'].result,
    handle: ({ path }, { call }) => call('session.get', path),
  }),
  route({
    method: 'PATCH',
    url: '/sessions/{runId}',
    id: 'session.rename',
    operation: 'session.rename',
    summary: 'Give a session a title; null goes back to the program’s own',
    path: session,
    body: z.strictObject({ title: z.nullable(text(256)) }),
    answer: none,
    handle: ({ path, body }, { call }) => call('session.rename', { ...path, ...body }),
  }),
  route({
    method: 'PUT',
    url: '/sessions/{runId}/follow',
    id: 'session.follow',
    operation: 'session.follow',
    summary: 'Have a machine told when the session needs the user, ends or fails; or no more',
    path: session,
    body: z.strictObject({ follows: z.boolean(), machineId: z.optional(MachineId) }),
    answer: none,
    handle: ({ path, body }, { call }) => call('session.follow', { ...path, ...body }),
  }),
  route({
    method: 'DELETE',
    url: '/sessions/{runId}',
    id: 'session.delete',
    operation: 'session.delete',
    summary: 'Remove an ended session and its whole log, for good',
    path: session,
    answer: none,
    handle: ({ path }, { call }) => call('session.delete', path),
  }),
  route({
    method: 'POST',
    url: '/sessions/{runId}/fork',
    id: 'session.fork',
    operation: 'session.fork',
    summary: 'A new session that begins as a copy of a conversation up to and including event `seq`',
    path: session,
    body: z.strictObject({ seq: Seq }),
    answer: OPERATIONS['session.fork'].result,
    status: 201,
    isOnce: true,
    handle: ({ path, body, inputId }, { call }) => call('session.fork', { ...path, ...body, inputId }),
  }),
  route({
    method: 'POST',
    url: '/sessions/{runId}/input',
    id: 'session.input',
    summary: 'Type into a terminal: text, or bytes as base64',
    description: 'Nothing is added: a command needs its `\\r`. Typed at most once: a request that is sent again is typed again.',
    path: session,
    body: z.union([
      z.strictObject({ text: text(1_000_000) }),
      z.strictObject({ base64: z.base64().check(z.maxLength(1_000_000)) }),
    ]),
    answer: none,
    status: 202,
    handle: async ({ path, body }, { engine }) => {
      const terminal = engine.session(path.runId);
      if (terminal.spec.kind === 'claude')
        throw new RefusalError('unsupported', 'Claude takes prompts, not keys.', 'POST to …/prompts.');
      if (!terminal.isRunning) throw new RefusalError('not-running', 'Nothing runs in this session.', 'POST to …/restart.');
      terminal.keys(null, 'text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64'));
      return {};
    },
  }),
  command('POST', '/interrupt', 'interrupt', 'End Claude’s turn, or press Ctrl-C in a terminal', {}, undefined, () => ({
    kind: 'interrupt',
  })),
  command('POST', '/close', 'close', 'End the session’s program; its log stays', {}, undefined, () => ({ kind: 'close' })),
  command('POST', '/restart', 'restart', 'Start the program of an ended session again, in place', {}, undefined, () => ({
    kind: 'restart',
  })),
  command(
    'PATCH',
    '/options',
    'options',
    'Change Claude’s model and permission mode',
    {},
    z.strictObject({ model: z.optional(z.nullable(z.string())), permissionMode: z.optional(PermissionMode) }),
    (_path, body) => ({ kind: 'options', ...body }),
  ),

  // ——— prompts and permissions ———
  {
    ...command(
      'POST',
      '/prompts',
      'prompt',
      'Queue a prompt; `inputId` in the answer is its id',
      {},
      z.strictObject({ text: PromptContent.shape.text, images: z._default(PromptContent.shape.images, []) }),
      (_path, content) => ({ kind: 'prompt', content }),
    ),
    maxBodyBytes: MAX_PROMPT_BYTES,
  },
  command(
    'PATCH',
    '/prompts/{promptId}',
    'prompt.edit',
    'Change a prompt that waits',
    { promptId: InputId },
    z.strictObject({ text: text(1_000_000) }),
    ({ promptId }, { text }) => ({ kind: 'prompt-edit', target: promptId, text }),
  ),
  command(
    'POST',
    '/prompts/{promptId}/move',
    'prompt.move',
    'Move a prompt that waits before another one; null: to the end',
    { promptId: InputId },
    z.strictObject({ before: z.nullable(InputId) }),
    ({ promptId }, { before }) => ({ kind: 'prompt-move', target: promptId, before }),
  ),
  command(
    'DELETE',
    '/prompts/{promptId}',
    'prompt.delete',
    'Delete a prompt that waits',
    { promptId: InputId },
    undefined,
    ({ promptId }) => ({ kind: 'prompt-delete', target: promptId }),
  ),
  command(
    'POST',
    '/permissions/{requestId}',
    'permission',
    'Answer a permission request; the first answer counts',
    { requestId: text(256) },
    z.strictObject({
      decision: PermissionDecision,
      reason: z._default(z.nullable(text(10_000)), null),
      updatedInput: z.optional(z.record(z.string(), z.json())),
    }),
    ({ requestId }, answer) => ({ kind: 'permission', requestId, ...answer }),
  ),

  // ——— the past ———
  route({
    method: 'GET',
    url: '/sessions/{runId}/events',
    id: 'history.read',
    operation: 'history.read',
    summary: 'Events after `after`, or the last ones before `before`; without either, the last ones',
    description:
      'Terminal output is text, or `{"base64"}` where it is not UTF-8; a character that a page cuts is at the beginning of the next one. At most 4 MB of payload a page: `more` says whether there are others.',
    path: session,
    query: {
      after: z.optional(Seq),
      before: z.optional(Seq),
      limit: limit(500, 5000),
      channels: z.optional(z.array(z.string()).check(z.maxLength(32))),
    },
    answer: OPERATIONS['history.read'].result,
    handle: ({ path, query }, caller) => readEvents(caller, { ...path, ...query }),
  }),
  route({
    method: 'GET',
    url: '/sessions/{runId}/lines',
    id: 'history.lines',
    operation: 'history.lines',
    summary: 'Lines of a terminal’s whole past, with colours (SGR): the newest page, or one before, after or around something',
    path: session,
    query: { ...whichLines, limit: limit(200, 5000) },
    answer: lines.result,
    handle: ({ path, query }, { call }) => call('history.lines', { ...path, ...query }),
  }),
  route({
    method: 'GET',
    url: '/search',
    id: 'history.search',
    operation: 'history.search',
    summary: 'Text search over one session or all of them, newest first',
    query: { ...searchFor, limit: limit(50, 500) },
    answer: search.result,
    handle: ({ query }, { call }) => call('history.search', query),
  }),

  // ——— what is written about them ———
  route({
    method: 'GET',
    url: '/sessions/{runId}/draft',
    id: 'draft.get',
    operation: 'draft.get',
    summary: 'The unsent prompt of a session: one for all clients, on all machines',
    path: session,
    answer: OPERATIONS['draft.get'].result,
    handle: ({ path }, { call }) => call('draft.get', path),
  }),
  route({
    method: 'PUT',
    url: '/sessions/{runId}/draft',
    id: 'draft.set',
    operation: 'draft.set',
    summary: 'Write the unsent prompt; with `base`, what others have written since that stays',
    path: session,
    body: z.strictObject(writtenText),
    maxBodyBytes: MAX_PROMPT_BYTES,
    answer: OPERATIONS['draft.set'].result,
    handle: ({ path, body }, { call }) => call('draft.set', { ...path, ...body }),
  }),
  route({
    method: 'GET',
    url: '/sessions/{runId}/notes',
    id: 'notes.get',
    operation: 'notes.get',
    summary: 'What somebody wants to remember about a session',
    path: session,
    answer: OPERATIONS['notes.get'].result,
    handle: ({ path }, { call }) => call('notes.get', path),
  }),
  route({
    method: 'PUT',
    url: '/sessions/{runId}/notes',
    id: 'notes.set',
    operation: 'notes.set',
    summary: 'Write the notes of a session; with `base`, what others have written since that stays',
    path: session,
    body: z.strictObject(writtenText),
    maxBodyBytes: MAX_PROMPT_BYTES,
    answer: OPERATIONS['notes.set'].result,
    handle: ({ path, body }, { call }) => call('notes.set', { ...path, ...body }),
  }),
];
