import { type AttachmentListener, type AttachOptions, type ClientAttachment, RunSessionClient } from '../src-shared/client.ts';
import type { ReconnectToken } from '../src-shared/http-api.ts';
import { type ClientId, InputId, type RunId, type Seq } from '../src-shared/ids.ts';
import type { OperationName, OutboxItem, ParamsOf, ResultOf } from '../src-shared/operations.ts';
import type { HostMessage } from '../src-shared/protocol.ts';
import type { SessionSummary } from '../src-shared/session.ts';
import { Settings } from '../src-shared/settings.ts';
import type { Wire } from '../src-shared/wire.ts';
import type { CommandDraft } from './pane-contract.ts';
import { type Connection, useWindow } from './store.ts';

/** This window's client. Everything in the window that concerns sessions goes through it. */
let client: RunSessionClient | null = null;
let ownShell: ShellOperations | null = null;
const shellListeners = new Set<(message: ShellMessage) => void>();
const textListeners = new Set<(message: TextMessage) => void>();

type ShellOperation = Extract<OperationName, `shell.${string}`>;
export type ShellOperations = { readonly [N in ShellOperation]: (params: ParamsOf<N>) => Promise<ResultOf<N>> };

/** What the desktop shell says to its window. */
export type ShellMessage = Extract<HostMessage, { type: `shell:${string}` }>;

/** Somebody has written in a session's draft or notes. */
export type TextMessage = Extract<HostMessage, { type: 'draft:changed' | 'notes:changed' }>;

export interface EngineLink {
  readonly clientId: ClientId;
  /** Opens a wire, and another one after each loss. */
  readonly connect: () => Promise<Wire>;
  readonly kind: 'window' | 'browser';
  /** What other viewers of the same session call this one. */
  readonly name: string;
  /** To be kept for the next wire. */
  readonly onReconnectToken?: (token: ReconnectToken) => void;
  /** What a browser does where a window asks the desktop shell. */
  readonly shellOperations?: ShellOperations;
}

/** Begins to follow the engine. Returns what ends it. */
export function startEngine({ shellOperations, ...link }: EngineLink): () => void {
  const started = new RunSessionClient(link);
  client = started;
  ownShell = shellOperations ?? null;
  started.onConnection((state) => {
    const connection = connectionOf(state);
    if (connection) useWindow.setState({ connection, ...(connection.is === 'live' ? { host: started.host } : {}) });
    if (state.is === 'live') {
      void readSettings();
      void readMachines();
      void readOutbox();
    }
  });
  started.onSessions(takeSessions);
  started.onMessage(handleMessage);
  return () => {
    started.stop();
    if (client === started) client = null;
  };
}

/** Sessions that an answer has told of before the engine announced them to all. */
const expected = new Map<RunId, SessionSummary>();

function takeSessions(announced: ReadonlyMap<RunId, SessionSummary>): void {
  for (const runId of announced.keys()) expected.delete(runId);
  const sessions = expected.size === 0 ? announced : new Map([...announced, ...expected]);
  useWindow.setState(({ states }) => ({
    sessions,
    states: [...states.keys()].every((runId) => sessions.has(runId))
      ? states
      : new Map([...states].filter(([runId]) => sessions.has(runId))),
  }));
}

/** An answer tells of a new session; its announcement may come later, and changes of other sessions in between. */
export function expectSession(session: SessionSummary): void {
  if (useWindow.getState().sessions.has(session.runId)) return;
  expected.set(session.runId, session);
  useWindow.setState(({ sessions }) => ({ sessions: new Map(sessions).set(session.runId, session) }));
}

function connectionOf(state: RunSessionClient['connection']): Connection | null {
  if (state.is === 'stopped') return null;
  if (state.is === 'refused' || state.is === 'lost') return { is: state.is, since: state.sinceMs, reason: state.why };
  return { is: state.is, since: state.sinceMs };
}

function handleMessage(message: HostMessage): void {
  switch (message.type) {
    case 'settings:changed': {
      const read = Settings.safeParse(message.settings);
      if (read.success) useWindow.setState({ settings: read.data });
      else console.error('settings that this window cannot read', read.error);
      return;
    }
    case 'keybindings:changed':
      useWindow.setState({ keybindings: message.bindings });
      return;
    case 'machines:changed': {
      const { type: _, ...machines } = message;
      useWindow.setState({ machines });
      return;
    }
    case 'outbox:changed':
      takeOutbox(message.runId, message.items);
      return;
    case 'pairing:changed':
      useWindow.setState({ pairing: message.state });
      return;
    case 'draft:changed':
    case 'notes:changed':
      for (const listener of textListeners) listener(message);
      return;
    case 'shell:command':
    case 'shell:notice':
    case 'shell:environment':
      for (const listener of shellListeners) listener(message);
      return;
    default:
      return;
  }
}

async function readSettings(): Promise<void> {
  try {
    const [{ settings, path, problems }, { bindings }] = await Promise.all([
      call('settings.get', {}),
      call('keybindings.get', {}),
    ]);
    useWindow.setState({ settings, settingsFile: { path, problems }, keybindings: bindings });
  } catch (error) {
    // The window works with the defaults; the settings page asks again and shows what is wrong.
    console.error('the settings could not be read', error);
  }
}

async function readMachines(): Promise<void> {
  try {
    const [machines, { state }] = await Promise.all([call('machines.list', {}), call('pairing.state', {})]);
    useWindow.setState({ machines, pairing: state });
  } catch (error) {
    // The window works as that of a single machine; the next change is told whole.
    console.error('the machines could not be read', error);
  }
}

async function readOutbox(): Promise<void> {
  try {
    const { items } = await call('outbox.list', {});
    useWindow.setState({ outboxes: new Map() });
    for (const { runId } of items) {
      takeOutbox(
        runId,
        items.filter((item) => item.runId === runId),
      );
    }
  } catch (error) {
    // What waits goes on waiting; the next change is told whole.
    console.error('what waits for other machines could not be read', error);
  }
}

function takeOutbox(runId: RunId, items: readonly OutboxItem[]): void {
  useWindow.setState(({ outboxes }) => {
    const next = new Map(outboxes);
    if (items.length === 0) next.delete(runId);
    else next.set(runId, items);
    return { outboxes: next };
  });
}

function current(): RunSessionClient {
  if (client === null) throw new Error('the window asks its engine before it has begun to follow one');
  return client;
}

export function thisClient(): ClientId {
  return current().clientId;
}

/** Resolves when the engine has told what sessions there are. */
export async function whenReady(): Promise<void> {
  await current().ready();
}

/** One of the engine's operations. Rejects with a RefusalError that says what, why and the way out. */
export function call<N extends OperationName>(operation: N, params: ParamsOf<N>): Promise<ResultOf<N>> {
  const own = (ownShell as { readonly [K in OperationName]?: (params: ParamsOf<K>) => Promise<ResultOf<K>> } | null)?.[operation];
  return own === undefined ? current().call(operation, params) : own(params);
}

/** Tries a lost connection at once. */
export function retryConnection(): void {
  client?.retry();
}

/** A command on a session, executed exactly once. Who gives the id can send the same command again after a reload. */
export function sendCommand(runId: RunId, command: CommandDraft, inputId: InputId = newInputId()): Promise<Seq> {
  return current().send(runId, { ...command, inputId });
}

export function closeSession(runId: RunId): Promise<Seq> {
  return current().close(runId, newInputId());
}

export function attach(runId: RunId, options: AttachOptions, listener: AttachmentListener): ClientAttachment {
  return current().attach(runId, options, listener);
}

export function newInputId(): InputId {
  return InputId.parse(crypto.randomUUID());
}

export function onShellMessage(listener: (message: ShellMessage) => void): () => void {
  shellListeners.add(listener);
  return () => shellListeners.delete(listener);
}

export function onTextChanged(listener: (message: TextMessage) => void): () => void {
  textListeners.add(listener);
  return () => textListeners.delete(listener);
}
