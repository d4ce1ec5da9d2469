import * as z from 'zod/mini';
import { PermissionDecision, PromptContent } from '../../src-shared/events.ts';
import { ClientId, InputId, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import { NewSession, specOf } from '../../src-shared/new-session.ts';
import { OPERATIONS, type OperationName, type ParamsOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { PermissionMode } from '../../src-shared/session.ts';
import type { SessionCommand } from '../engine/session-commands.ts';
import { readEvents } from './event-pages.ts';
import { type Route, type RouteCaller, route } from './route.ts';

/** A prompt with images. Larger ones go over a wire. */
const MAX_PROMPT_BYTES = 32 * 1024 * 1024;

const session = { runId: RunId };
const none = z.object({});
const Executed = z.object({ inputId: InputId, seq: Seq });
const text = (maxLength: number) => z.string().check(z.maxLength(maxLength));
const limit = (fallback: number, most: number) => z._default(z.int().check(z.gte(1), z.lte(most)), fallback);

const { 'history.lines': lines, 'history.search': search, 'files.complete': files } = OPERATIONS;
const { runId: _written, ...writtenText } = OPERATIONS['draft.set'].params.shape;
const { runId: _linesOf, limit: _linesLimit, ...whichLines } = lines.params.shape;
const { limit: _searchLimit, ...searchFor } = search.params.shape;
const { cwd, machineId } = files.params.shape;
/** On which machine; without it, on this one. */
const where = { machineId };

/** Every route that is made from the table of operations, and those that carry out a session's commands. */
export const ROUTES: readonly Route[] = [
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
    handle: async ({ body: { spec, title = null, ...where }, inputId }, { call }) => {
      const { settings } = await call('settings.get', {});
      return call('session.create', { inputId, spec: specOf(spec, settings), title, ...where });
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

  // ——— what clients keep ———
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
  route({
    method: 'GET',
    url: '/clients/{clientId}/layout',
    id: 'layout.get',
    operation: 'layout.get',
    summary: 'A client’s window arrangement',
    path: { clientId: ClientId },
    answer: OPERATIONS['layout.get'].result,
    handle: ({ path }, { call }) => call('layout.get', path),
  }),
  route({
    method: 'PUT',
    url: '/clients/{clientId}/layout',
    id: 'layout.set',
    operation: 'layout.set',
    summary: 'Keep a client’s window arrangement: any JSON, at most 1 MB',
    path: { clientId: ClientId },
    body: z.strictObject({ layout: z.json() }),
    maxBodyBytes: 4 * 1024 * 1024,
    answer: none,
    handle: ({ path, body }, { call }) => call('layout.set', { ...path, ...body }),
  }),
  asked('GET', '/clients', 'clients.list', 'Every client that is connected, may come back, or has gone lately'),
  route({
    method: 'POST',
    url: '/clients/disconnect',
    id: 'clients.disconnect',
    operation: 'clients.disconnect',
    summary: 'Close the connections of a client, or of all of a kind, and revoke their tokens',
    body: OPERATIONS['clients.disconnect'].params,
    answer: OPERATIONS['clients.disconnect'].result,
    handle: ({ body }, { call }) => call('clients.disconnect', body),
  }),

  // ——— the machine ———
  asked('GET', '/settings', 'settings.get', 'All settings, the file they are in, and what is wrong with it'),
  sent('PATCH', '/settings', 'settings.set', 'Change settings by their names; null goes back to the default'),
  asked('GET', '/keybindings', 'keybindings.get', 'The user’s own key bindings'),
  route({
    method: 'PUT',
    url: '/keybindings/{command}',
    id: 'keybindings.set',
    operation: 'keybindings.set',
    summary: 'Give a command exactly these keys; null goes back to the defaults',
    path: { command: OPERATIONS['keybindings.set'].params.shape.command },
    body: z.strictObject({ keys: OPERATIONS['keybindings.set'].params.shape.keys }),
    answer: OPERATIONS['keybindings.set'].result,
    handle: ({ path, body }, { call }) => call('keybindings.set', { ...path, ...body }),
  }),
  route({
    method: 'GET',
    url: '/claude',
    id: 'claude.check',
    operation: 'claude.check',
    summary: 'Whether Claude can work on a machine, and if not, what to do',
    query: where,
    answer: OPERATIONS['claude.check'].result,
    handle: ({ query }, { call }) => call('claude.check', query),
  }),
  route({
    method: 'GET',
    url: '/claude/models',
    id: 'claude.models',
    operation: 'claude.models',
    summary: 'The models that Claude offers there',
    query: where,
    answer: OPERATIONS['claude.models'].result,
    handle: ({ query }, { call }) => call('claude.models', query),
  }),
  asked('GET', '/claude/api-key', 'claude.apiKey', 'How the API key for Claude is kept; never the key itself'),
  sent('PUT', '/claude/api-key', 'claude.setApiKey', 'Keep an API key for Claude’s processes; null forgets it'),
  route({
    method: 'GET',
    url: '/files',
    id: 'files.complete',
    operation: 'files.complete',
    summary: 'Files and folders below `cwd` that match what was typed, best first',
    query: { cwd, query: z._default(text(500), ''), limit: limit(20, 100), ...where },
    answer: files.result,
    handle: ({ query }, { call }) => call('files.complete', query),
  }),
  asked('GET', '/engine', 'engine.status', 'The engine: version, process, where it listens, how much runs'),
  done('/engine/stop', 'engine.stop', 'End a headless engine and every program in it'),
  // ——— the other machines ———
  asked('GET', '/machines', 'machines.list', 'The machines of the workspace, this one first, and how it stands with their relay'),
  route({
    method: 'PUT',
    url: '/machines/{machineId}/name',
    id: 'machines.rename',
    operation: 'machines.rename',
    summary: 'Rename a machine, for all of them',
    path: { machineId: MachineId },
    body: z.strictObject({ name: OPERATIONS['machines.rename'].params.shape.name }),
    answer: none,
    handle: ({ path, body }, { call }) => call('machines.rename', { ...path, ...body }),
  }),
  route({
    method: 'PUT',
    url: '/machines/{machineId}/rights',
    id: 'machines.setRights',
    operation: 'machines.setRights',
    summary: 'What a machine may do on the others',
    path: { machineId: MachineId },
    body: z.strictObject({ rights: OPERATIONS['machines.setRights'].params.shape.rights }),
    answer: none,
    handle: ({ path, body }, { call }) => call('machines.setRights', { ...path, ...body }),
  }),
  route({
    method: 'DELETE',
    url: '/machines/{machineId}',
    id: 'machines.revoke',
    operation: 'machines.revoke',
    summary: 'End a machine’s membership, for good',
    path: { machineId: MachineId },
    answer: none,
    handle: ({ path }, { call }) => call('machines.revoke', path),
  }),
  done('/workspace/leave', 'workspace.leave', 'Take this machine out of its workspace; what it has stays here'),
  asked('GET', '/outbox', 'outbox.list', 'What waits for other machines'),
  route({
    method: 'DELETE',
    url: '/outbox/{inputId}',
    id: 'outbox.cancel',
    operation: 'outbox.cancel',
    summary: 'Take back what waits for another machine',
    path: { inputId: InputId },
    answer: none,
    handle: ({ path }, { call }) => call('outbox.cancel', path),
  }),
  asked('GET', '/pairing', 'pairing.state', 'The pairing that this machine takes part in'),
  sent('POST', '/pairing/offer', 'pairing.offer', 'Open the door to one new machine, for five minutes'),
  sent('POST', '/pairing/join', 'pairing.join', 'Enter the code that another machine shows'),
  sent('POST', '/pairing/confirm', 'pairing.confirm', 'The digits are the same on both machines: let it in'),
  done('/pairing/decline', 'pairing.decline', 'The digits differ, or it is not wanted'),
  done('/pairing/cancel', 'pairing.cancel', 'Give a pairing up'),
  sent('POST', '/relay/start', 'relay.start', 'Run a relay inside this engine, from now on'),
  done('/relay/stop', 'relay.stop', 'Stop that relay'),
  asked('GET', '/stats', 'server.stats', 'What engine and server have done since they started'),
];

/** Why an operation has no route; null: it has one. */
export function whyNotOverHttp(operation: OperationName): string | null {
  if (operation.startsWith('shell.')) return 'it is done by the desktop shell, for the window that asks';
  if (operation === 'machines.unlock') return 'a passphrase is only taken from clients on this machine';
  return operation === 'server.loginCode' ? 'it lets a browser in: only for clients on this machine that need no token' : null;
}

type Plain = {
  [N in OperationName]: Record<never, never> extends ParamsOf<N> ? N : never;
}[OperationName];

/** An operation without parameters. */
function asked(method: 'GET' | 'POST', url: string, operation: Plain, summary: string): Route {
  const { result } = OPERATIONS[operation];
  return route({
    method,
    url,
    id: operation,
    operation,
    summary,
    answer: result,
    handle: (_input, { call }) => call(operation, {}),
  });
}

/** One that does something. */
function done(url: string, operation: Plain, summary: string): Route {
  return asked('POST', url, operation, summary);
}

type Sent = 'settings.set' | 'claude.setApiKey' | 'pairing.offer' | 'pairing.join' | 'pairing.confirm' | 'relay.start';

/** An operation whose parameters are the body. */
function sent(method: 'POST' | 'PUT' | 'PATCH', url: string, operation: Sent, summary: string): Route {
  const { params, result } = OPERATIONS[operation];
  return route({
    method,
    url,
    id: operation,
    operation,
    summary,
    body: params as z.ZodMiniType,
    answer: result as z.ZodMiniType,
    handle: ({ body }, { call }) => call(operation, body),
  });
}

type CommandContent = SessionCommand extends infer C ? (C extends SessionCommand ? Omit<C, 'inputId'> : never) : never;

/** A command to a session: executed once, answered with the event that records it. */
function command<P extends Record<string, z.ZodMiniType>, B extends z.ZodMiniType = z.ZodMiniUndefined>(
  method: Route['method'],
  below: string,
  name: string,
  summary: string,
  path: P,
  body: B | undefined,
  contentOf: (path: z.infer<z.ZodMiniObject<P>>, body: z.infer<B>) => CommandContent,
): Route {
  return {
    method,
    url: `/sessions/{runId}${below}`,
    id: `session.${name}`,
    summary,
    path: { ...session, ...path },
    ...(body === undefined ? {} : { body }),
    answer: Executed,
    isOnce: true,
    handle: (input, caller) => {
      // Read by exactly these schemas; their types are lost on the way through the table.
      const { runId, ...rest } = input.path as z.infer<z.ZodMiniObject<P>> & { runId: RunId };
      const content = contentOf(rest as z.infer<z.ZodMiniObject<P>>, input.body as z.infer<B>);
      return execute(caller, runId, { ...content, inputId: input.inputId } as SessionCommand);
    },
  };
}

async function execute(
  { engine, clientId }: RouteCaller,
  runId: RunId,
  command: SessionCommand,
): Promise<z.infer<typeof Executed>> {
  const outcome = await engine.session(runId).execute(command, clientId);
  if (outcome.ok) return { inputId: command.inputId, seq: outcome.seq };
  const { code, message, hint } = outcome.refusal;
  throw new RefusalError(code, message, hint);
}
