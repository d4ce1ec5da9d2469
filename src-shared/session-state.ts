import { type EventOf, type KnownEvent, type LogEvent, readEvent } from './events.ts';
import type { SessionSpec, SessionState, SessionStatus } from './session.ts';

/**
 * Folds a session's events into what is true now. Pure and total: an event that this version does not know changes nothing.
 * The host folds every event as it appends it and keeps the result as a checkpoint; viewers get the result at attach and go on
 * folding, so both ends always agree.
 */
export function initialState(spec: SessionSpec): SessionState {
  return {
    status: 'starting',
    exit: null,
    title: null,
    programTitle: null,
    cwd: spec.cwd,
    pid: null,
    cols: spec.kind === 'pty' ? spec.cols : 80,
    rows: spec.kind === 'pty' ? spec.rows : 24,
    queue: [],
    turn: null,
    lastTurn: null,
    permissions: [],
    claude: spec.kind === 'claude' ? initialClaude(spec) : null,
  };
}

type ClaudeState = NonNullable<SessionState['claude']>;

function initialClaude(spec: Extract<SessionSpec, { kind: 'claude' }>): ClaudeState {
  return {
    claudeSessionId: null,
    model: spec.model,
    permissionMode: spec.permissionMode,
    slashCommands: [],
    mcpServers: [],
    usage: null,
    blocked: null,
  };
}

/** Channels that never change the state: what a restart may skip when it folds a log again. */
export const STATELESS_CHANNELS: ReadonlySet<string> = new Set([
  'pty:stdout',
  'claude:transcript',
  'claude:message',
  'run:input',
]);

/** The state after `event`. */
export function foldState(state: SessionState, event: LogEvent): SessionState {
  if (STATELESS_CHANNELS.has(event.channel)) return state;
  const known = readEvent(event);
  if (known === null) return state;
  const next = foldKnown(state, known, event);
  return next === state ? state : { ...next, status: statusAfter(state, next, known) };
}

function foldKnown(state: SessionState, known: KnownEvent, event: LogEvent): SessionState {
  switch (known.channel) {
    case 'pty:resize':
      return { ...state, cols: known.payload.cols, rows: known.payload.rows };
    case 'system:status':
      return foldStatus(state, known);
    case 'run:prompt':
      return foldPrompt(state, known, event);
    case 'run:turn':
      return { ...state, turn: null, lastTurn: { outcome: known.payload.outcome, message: known.payload.message, ts: event.ts } };
    case 'run:permission':
      return foldPermission(state, known, event);
    case 'claude:init':
    case 'claude:result':
      return state.claude === null ? state : { ...state, claude: foldClaude(state.claude, known) };
    default:
      return state;
  }
}

function foldStatus(state: SessionState, known: Extract<KnownEvent, { channel: 'system:status' }>): SessionState {
  switch (known.type) {
    case 'created':
      return { ...state, title: known.payload.title, cwd: known.payload.cwd };
    case 'started':
      return { ...state, pid: known.payload.pid, exit: null, programTitle: state.claude === null ? null : state.programTitle };
    case 'exited':
      return { ...state, pid: null, exit: known.payload, turn: null, permissions: [] };
    case 'interrupted':
      return { ...state, pid: null, turn: null, permissions: [] };
    case 'renamed':
      return { ...state, title: known.payload.title };
    case 'details': {
      const { programTitle, cwd } = known.payload;
      return { ...state, programTitle: programTitle === undefined ? state.programTitle : programTitle, cwd: cwd ?? state.cwd };
    }
    default:
      return state;
  }
}

function foldPrompt(state: SessionState, known: Extract<KnownEvent, { channel: 'run:prompt' }>, event: LogEvent): SessionState {
  const { queue } = state;
  switch (known.type) {
    case 'queued':
      return { ...state, queue: [...queue, { ...known.payload, queuedTs: event.ts }] };
    case 'edited': {
      const { target, text } = known.payload;
      return {
        ...state,
        queue: queue.map((item) => (item.inputId === target ? { ...item, content: { ...item.content, text } } : item)),
      };
    }
    case 'moved':
      return { ...state, queue: movePrompt(queue, known.payload) };
    case 'deleted':
      return { ...state, queue: queue.filter((item) => item.inputId !== known.payload.target) };
    case 'accepted':
      return {
        ...state,
        // A conversation without a name is called after how it began.
        programTitle:
          state.programTitle ?? firstLine(queue.find((item) => item.inputId === known.payload.inputId)?.content.text ?? ''),
        queue: queue.filter((item) => item.inputId !== known.payload.inputId),
        turn: { inputId: known.payload.inputId, sinceTs: event.ts, seq: event.seq },
      };
  }
}

const MAX_TITLE_CHARS = 80;

function firstLine(text: string): string | null {
  const line = text.trim().split('\n', 1)[0]?.trim() ?? '';
  if (line === '') return null;
  return line.length > MAX_TITLE_CHARS ? `${line.slice(0, MAX_TITLE_CHARS - 1)}…` : line;
}

function movePrompt(
  queue: SessionState['queue'],
  { target, before }: EventOf<'run:prompt', 'moved'>['payload'],
): SessionState['queue'] {
  const item = queue.find((candidate) => candidate.inputId === target);
  if (item === undefined || before === target) return queue;
  const rest = queue.filter((candidate) => candidate !== item);
  const at = before === null ? rest.length : rest.findIndex((candidate) => candidate.inputId === before);
  return at < 0 ? [...rest, item] : [...rest.slice(0, at), item, ...rest.slice(at)];
}

function foldPermission(
  state: SessionState,
  known: Extract<KnownEvent, { channel: 'run:permission' }>,
  event: LogEvent,
): SessionState {
  if (known.type === 'asked')
    return { ...state, permissions: [...state.permissions, { asked: known.payload, seq: event.seq, ts: event.ts }] };
  return { ...state, permissions: state.permissions.filter((pending) => pending.asked.requestId !== known.payload.requestId) };
}

function foldClaude(claude: ClaudeState, known: Extract<KnownEvent, { channel: 'claude:init' | 'claude:result' }>): ClaudeState {
  switch (known.type) {
    case 'ready': {
      const { claudeSessionId, model, permissionMode, slashCommands, mcpServers } = known.payload;
      return { ...claude, claudeSessionId, model, permissionMode, slashCommands, mcpServers, blocked: null };
    }
    case 'options': {
      const { model, permissionMode } = known.payload;
      return {
        ...claude,
        model: model === undefined ? claude.model : model,
        permissionMode: permissionMode ?? claude.permissionMode,
      };
    }
    case 'blocked':
      return { ...claude, blocked: known.payload };
    case 'result':
      return { ...claude, usage: known.payload.usage };
  }
}

/** `waiting` whenever a permission is pending; `ended` and `interrupted` stay until the program is started again. */
function statusAfter(before: SessionState, next: SessionState, known: KnownEvent): SessionStatus {
  if (known.channel === 'system:status') {
    if (known.type === 'exited') return 'ended';
    if (known.type === 'interrupted') return 'interrupted';
    if (known.type === 'started') return next.claude === null ? 'running' : 'idle';
    if (known.type === 'details') return statusAtPrompt(before, known.payload.atPrompt);
    return before.status;
  }
  if (next.permissions.length > 0) return 'waiting';
  if (next.turn !== null) return 'running';
  const turnIsOver = before.turn !== null || before.permissions.length > 0;
  return turnIsOver ? 'idle' : before.status;
}

/** A terminal is idle while its shell waits for a command. A program that marks no prompts is running as long as it runs. */
function statusAtPrompt({ status, claude }: SessionState, atPrompt: boolean | undefined): SessionStatus {
  const isRunning = status === 'running' || status === 'idle';
  if (atPrompt === undefined || claude !== null || !isRunning) return status;
  return atPrompt ? 'idle' : 'running';
}
