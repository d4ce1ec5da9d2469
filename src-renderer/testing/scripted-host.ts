import { type ClientId, FIRST_EPOCH, type InputId, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import type { Machine, MachineList } from '../../src-shared/machines.ts';
import type { OperationName, ParamsOf, ResultOf } from '../../src-shared/operations.ts';
import {
  type ClientMessage,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseClientMessage,
} from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSpec, SessionState, SessionSummary } from '../../src-shared/session.ts';
import { initialState } from '../../src-shared/session-state.ts';
import { DEFAULT_SETTINGS, Settings } from '../../src-shared/settings.ts';
import type { Wire } from '../../src-shared/wire.ts';

type Answer<N extends OperationName> = (params: ParamsOf<N>) => ResultOf<N>;
type Answers = { [N in OperationName]?: Answer<N> };

export const MACHINE = MachineId.parse('0198f000-0000-7000-8000-00000000aaaa');

let counter = 0;
/** Ids in the order of their making, as the real ones are. */
export function newRunId(): RunId {
  return RunId.parse(`0198f000-0000-7000-8000-${(++counter).toString(16).padStart(12, '0')}`);
}

export function summary(over: Partial<SessionSummary> = {}): SessionSummary {
  return {
    runId: newRunId(),
    kind: 'pty',
    status: 'running',
    title: 'zsh',
    cwd: '/home/ada/baton',
    machine: 'laptop',
    machineId: MACHINE,
    epoch: FIRST_EPOCH,
    lastSeq: Seq.parse(3),
    createdAt: '2026-11-21T10:00:00.000Z',
    lastActivityAt: '2026-11-21T10:00:00.000Z',
    permissions: 0,
    queued: 0,
    exitCode: null,
    viewers: 0,
    branchOf: null,
    followers: [],
    unsent: null,
    followed: true,
    remote: null,
    ...over,
  };
}

/** A machine that has not been paired. */
export function aloneList(): MachineList {
  return {
    workspace: null,
    machines: [machine({ machineId: MACHINE, name: 'laptop', self: true })],
    relay: { url: null, state: 'off', since: '2026-11-21T10:00:00.000Z', why: null, embedded: null, lan: false },
  };
}

export function machine(over: Partial<Machine> = {}): Machine {
  return {
    machineId: MachineId.parse('0198f000-0000-7000-8000-00000000cccc'),
    name: 'desktop',
    self: false,
    online: true,
    state: 'up',
    lastSeen: null,
    version: '0.1.0',
    platform: 'linux',
    rights: 'start',
    may: 'start',
    sessions: 0,
    ...over,
  };
}

/**
 * An engine without sessions that run: answers a window's messages from what a test gave it. It speaks the real protocol, so
 * what a window gets from it has passed the window's own door.
 */
export class ScriptedHost {
  readonly sessions = new Map<RunId, SessionSummary>();
  readonly states = new Map<RunId, SessionState>();
  readonly calls: { readonly operation: OperationName; readonly params: unknown }[] = [];
  readonly received: ClientMessage[] = [];
  settings: Settings = { ...DEFAULT_SETTINGS, 'machine.name': 'laptop' };
  machines: MachineList = aloneList();
  layouts = new Map<ClientId, unknown>();
  answers: Answers = {};
  #version = 0;
  #wire: Wire | null = null;

  add(over: Partial<SessionSummary> = {}): SessionSummary {
    const session = summary(over);
    this.sessions.set(session.runId, session);
    return session;
  }

  /** Changes a session and tells the window. */
  change(runId: RunId, over: Partial<SessionSummary>): void {
    const session = this.sessions.get(runId);
    if (!session) throw new Error(`no session ${runId}`);
    const next = { ...session, ...over };
    this.sessions.set(runId, next);
    this.send({ type: 'session:changed', session: next });
  }

  serve(wire: Wire): void {
    if (this.isDown) throw new Error('the engine is down');
    this.#wire = wire;
    wire.onFrame = (frame) => this.#handle(parseClientMessage(frame));
  }

  send(message: HostMessage): void {
    this.#wire?.send(encodeMessage(message));
  }

  /** Takes no wire while it is down. */
  isDown = false;

  /** Ends the wire. Stays down until a test says otherwise. */
  drop(): void {
    this.isDown = true;
    this.#wire?.close({ code: 4501, reason: 'engine is stopping' });
    this.#wire = null;
  }

  #handle(message: ClientMessage): void {
    this.received.push(message);
    switch (message.type) {
      case 'client:hello':
        this.#welcome();
        break;
      case 'run:attach':
        this.#attach(message);
        break;
      case 'run:close':
        this.change(message.runId, { status: 'ended', exitCode: 0 });
        this.#executed(message.runId, message.inputId);
        break;
      case 'run:input':
        if ('inputId' in message.input) this.#executed(message.runId, message.input.inputId);
        break;
      case 'call':
        this.#answer(message.callId, message.operation, message.params);
        break;
      case 'ping':
        this.send({ type: 'pong', sentAt: message.sentAt });
        break;
      default:
        break;
    }
  }

  #welcome(): void {
    this.send({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      machineId: MACHINE,
      machine: 'laptop',
      engineVersion: '0.1.0',
      platform: 'linux',
      sessions: [...this.sessions.values()],
      reconnect: null,
    });
  }

  #executed(runId: RunId, inputId: InputId): void {
    this.send({ type: 'run:input-result', runId, inputId, outcome: { ok: true, seq: Seq.parse(4) } });
  }

  #attach({ runId, attachId, after }: Extract<ClientMessage, { type: 'run:attach' }>): void {
    const session = this.sessions.get(runId);
    if (!session) {
      const refusal = { code: 'unknown-session' as const, message: 'There is no such session.', hint: null };
      this.send({ type: 'run:refused', runId, attachId, refusal });
      return;
    }
    this.send({
      type: 'run:attached',
      runId,
      attachId,
      epoch: session.epoch,
      session,
      state: this.states.get(runId) ?? stateOf(session),
      after: after ?? session.lastSeq,
      lastSeq: session.lastSeq,
      reset: false,
      screen: session.kind === 'pty' && after === null ? { seq: session.lastSeq, cols: 80, rows: 24, data: '' } : null,
      live: [],
      driving: true,
    });
  }

  #answer(callId: number, operation: OperationName, params: unknown): void {
    this.calls.push({ operation, params });
    try {
      const given = this.answers[operation] as ((params: unknown) => unknown) | undefined;
      const result = given ? given(params) : this.#usual(operation, params);
      this.send({ type: 'reply', callId, outcome: { ok: true, result } });
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      this.send({ type: 'reply', callId, outcome: { ok: false, refusal: error.refusal } });
    }
  }

  #usual(operation: OperationName, params: unknown): unknown {
    switch (operation) {
      case 'layout.get':
        return { layout: this.layouts.get((params as ParamsOf<'layout.get'>).clientId) ?? null };
      case 'layout.set': {
        const { clientId, layout } = params as ParamsOf<'layout.set'>;
        this.layouts.set(clientId, layout);
        return {};
      }
      case 'settings.get':
        return { settings: this.settings, path: '/home/ada/.config/baton/settings.json', problems: [] };
      case 'settings.set':
        this.settings = Settings.parse({ ...this.settings, ...(params as ParamsOf<'settings.set'>).changes });
        this.send({ type: 'settings:changed', settings: this.settings });
        return { settings: this.settings };
      case 'keybindings.get':
        return { bindings: [], path: '/home/ada/.config/baton/keybindings.json', problems: [] };
      case 'claude.check':
        return { state: 'ready', path: '/usr/bin/claude', version: '2.1.0', message: 'Claude Code 2.1.0 is ready.' };
      case 'claude.models':
        return { models: [{ value: 'opus', displayName: 'Opus', description: 'For hard problems' }] };
      case 'claude.apiKey':
        return { stored: 'none', hasKeyRing: false };
      case 'session.create':
        return { session: this.#create((params as ParamsOf<'session.create'>).spec) };
      case 'session.get': {
        const session = this.sessions.get((params as ParamsOf<'session.get'>).runId);
        if (!session) throw new RefusalError('unknown-session', 'There is no such session.');
        return { session, state: this.states.get(session.runId) ?? stateOf(session), spec: specOf(session) };
      }
      case 'session.rename': {
        const { runId, title } = params as ParamsOf<'session.rename'>;
        this.change(runId, { title: title ?? 'zsh' });
        return {};
      }
      case 'session.delete': {
        const { runId } = params as ParamsOf<'session.delete'>;
        this.sessions.delete(runId);
        this.send({ type: 'session:removed', runId });
        return {};
      }
      case 'machines.list':
        return this.machines;
      case 'pairing.state':
        return { state: { is: 'none' } };
      case 'outbox.list':
        return { items: [] };
      case 'history.read':
        return { events: [], firstSeq: 1, lastSeq: 3, more: false };
      case 'history.search':
        return { hits: [], cursor: null };
      case 'draft.get':
      case 'notes.get':
        return { text: '', version: 0 };
      case 'draft.set':
      case 'notes.set':
        return { text: (params as ParamsOf<'draft.set'>).text, version: ++this.#version };
      default:
        return {};
    }
  }

  #create(spec: SessionSpec): SessionSummary {
    const session = this.add({ kind: spec.kind, cwd: spec.cwd, title: spec.kind === 'claude' ? 'New conversation' : 'zsh' });
    this.send({ type: 'session:changed', session });
    return session;
  }
}

function specOf(session: SessionSummary): SessionSpec {
  if (session.kind === 'claude')
    return { kind: 'claude', cwd: session.cwd, model: null, permissionMode: 'default', options: {}, forkOf: null };
  return {
    kind: 'pty',
    command: null,
    args: [],
    cwd: session.cwd,
    env: {},
    cols: 80,
    rows: 24,
    term: 'xterm-256color',
    options: {},
    shellIntegration: true,
  };
}

export function stateOf(session: SessionSummary): SessionState {
  return { ...initialState(specOf(session)), status: session.status, title: session.title, cwd: session.cwd };
}
