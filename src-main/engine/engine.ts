import { v7 as uuidv7 } from 'uuid';
import { newEvent } from '../../src-shared/events.ts';
import type { ReconnectToken } from '../../src-shared/http-api.ts';
import { FIRST_EPOCH, type InputId, NO_SEQ, RunId, Seq } from '../../src-shared/ids.ts';
import type { OperationName, ResultOf, Road } from '../../src-shared/operations.ts';
import { encodeMessage, type HostMessage, PROTOCOL_VERSION } from '../../src-shared/protocol.ts';
import { CLOSE, RefusalError } from '../../src-shared/refusal.ts';
import type { Checkpoint } from '../../src-shared/replication.ts';
import type { SessionSpec, SessionSummary } from '../../src-shared/session.ts';
import { foldState, initialState } from '../../src-shared/session-state.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { SessionRow } from '../store/store.ts';
import { Clients } from './clients.ts';
import {
  type Caller,
  Connection,
  type ConnectionOptions,
  type OperationHandlers,
  perform,
  unknownSession,
} from './connection.ts';
import { engineOperations, type ServerAddress } from './engine-operations.ts';
import type { EngineSession } from './engine-session.ts';
import { EventRate } from './event-rate.ts';
import { Following } from './following.ts';
import { onMachine } from './on-machine.ts';
import { OutputQuota } from './output-quota.ts';
import { RemoteSession } from './remote-session.ts';
import { RemoteSessions } from './remote-sessions.ts';
import { Session, type SessionDependencies, type SessionOrigin } from './session.ts';
import { SessionChanges } from './session-changes.ts';
import type { SessionDocuments } from './session-documents.ts';
import { currentState, metaJson, readMeta, type SessionMeta } from './session-meta.ts';

export interface EngineOptions extends Omit<SessionDependencies, 'onChange' | 'onEvents' | 'onNotice' | 'now' | 'following'> {
  readonly version: string;
  /** Operations that are the machine's rather than the engine's: settings, key bindings, Claude's, files. */
  readonly operations: OperationHandlers;
  readonly now?: () => number;
  readonly documents: SessionDocuments;
  readonly home: string;
  /** null: it does not run. */
  readonly serverAddress: () => ServerAddress | null;
  /** A client that is not heard for so long counts as disconnected. */
  readonly clientIdleMs: () => number;
  readonly quotas: () => { readonly sessionBytes: number; readonly totalBytes: number };
}

/** Who comes and goes is told at most so often: a thousand clients may come back at once. */
const CLIENTS_EVERY_MS = 1_000;
/** What another machine has created is known here within so long, or the one who asked for it is not kept waiting. */
const ARRIVAL_MS = 10_000;
/** How long a session that is deleted waits for its last events. */
const SETTLE_MS = 5_000;

/**
 * The sessions that this machine hosts and those it keeps of other machines, and the wires that watch and drive them. Free of
 * Electron: the app's main process and the headless entry run the same engine. One per data folder.
 */
export class Engine {
  readonly startedAt = new Date().toISOString();
  readonly clients: Clients;
  readonly following: Following;
  readonly #options: EngineOptions;
  readonly #dependencies: SessionDependencies;
  /** What other machines host, as far as it is kept here. */
  readonly remote: RemoteSessions;
  readonly #sessions = new Map<RunId, EngineSession>();
  readonly #hosted = new Map<RunId, Session>();
  readonly #createdBy = new Map<InputId, Promise<Session>>();
  readonly #connections = new Set<Connection>();
  readonly #listeners = new Set<(summary: SessionSummary) => void>();
  readonly #removingListeners = new Set<(runId: RunId) => Promise<void>>();
  readonly #removalListeners = new Set<(runId: RunId) => void>();
  readonly #logListeners = new Set<(runId: RunId, bytes: number) => void>();
  readonly #events = new EventRate();
  readonly #operations: OperationHandlers;
  readonly #changes = new SessionChanges((session) => this.#tellChange(session));
  readonly #quota: OutputQuota;
  #clientsTimer: ReturnType<typeof setTimeout> | null = null;
  #isStopping = false;

  private constructor(options: EngineOptions) {
    this.#options = options;
    this.following = new Following({
      ...options,
      self: () => this.machine.machineId,
      members: () => this.remote.members,
    });
    this.#dependencies = {
      ...options,
      now: options.now ?? Date.now,
      following: (runId, host) => this.following.of(runId, host),
      onChange: (session, isUrgent) => this.#changes.add(session, isUrgent),
      onEvents: ({ runId }, count, bytes) => {
        this.#events.add(count);
        for (const listener of this.#logListeners) listener(runId, bytes);
      },
      onNotice: (runId, notice) => this.broadcast({ type: 'session:notice', runId, ...notice }),
    };
    this.remote = new RemoteSessions({
      ...this.#dependencies,
      onChange: (session, isUrgent) => this.#changes.add(session, isUrgent),
      onAdded: (session) => this.#sessions.set(session.runId, session),
      onRemoved: (runId) => this.#forget(runId),
      onUsed: (runId) => this.following.used(runId),
      onMembers: () => this.#relist('all'),
      isHosted: (runId) => this.#hosted.has(runId),
    });
    this.clients = new Clients({ idleMs: options.clientIdleMs, onChange: () => this.#handleClients() });
    this.#operations = onMachine(
      { ...options.operations, ...engineOperations(this, options) },
      {
        self: () => this.machine.machineId,
        drive: () => this.remote.drive,
        arrived: (runId) => this.#arrived(runId),
        used: (runId) => this.following.used(runId),
      },
    );
    options.documents.onTitles((runIds) => this.#relist(runIds));
    options.documents.onFollows((runIds) => this.#relist(runIds));
    options.documents.onText((runId, text, now) => this.#tellWatchers(runId, { type: `${text}:changed`, runId, ...now }));
    this.#quota = new OutputQuota({ ...options, activityOf: (runId) => this.#activityOf(runId) });
  }

  /** Ends what a dead engine left, then loads every session; those that ran are marked interrupted [engine-2]. */
  static async open(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options);
    await options.children.reap();
    for (const row of await options.store.listSessions()) {
      try {
        await engine.#load(row);
      } catch (error) {
        options.onProblem(`session ${row.runId} cannot be loaded`, error);
      }
    }
    return engine;
  }

  /** Wherever they run. */
  get sessions(): ReadonlyMap<RunId, EngineSession> {
    return this.#sessions;
  }
  /** Those that run here. */
  get hosted(): ReadonlyMap<RunId, Session> {
    return this.#hosted;
  }
  /** Open wires by their road. */
  get wires(): Record<Road, number> {
    const wires: Record<Road, number> = { window: 0, socket: 0, websocket: 0, polling: 0, http: 0 };
    for (const { road } of this.#connections) wires[road] += 1;
    return wires;
  }
  /** What all sessions have logged since the start. */
  get eventCounts(): { readonly events: number; readonly eventsPerSecond: number } {
    return { events: this.#events.total, eventsPerSecond: this.#events.perSecond };
  }
  /** What its server tells of the log. */
  get store(): Pick<SessionDependencies['store'], 'onTimed' | 'pendingBytes' | 'sizeBytes'> {
    return this.#options.store;
  }
  get version(): string {
    return this.#options.version;
  }
  get home(): string {
    return this.#options.home;
  }
  get machine(): ReturnType<SessionDependencies['machine']> {
    return this.#options.machine();
  }

  summaries(): SessionSummary[] {
    return [...this.#sessions.values()].map((session) => session.summary());
  }

  /** Told of every change that lists show; `onRemoved` of sessions that were deleted. */
  onSession(listener: (summary: SessionSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Told at once when events of a session that this machine hosts were published, and how many bytes they have. */
  onLog(listener: (runId: RunId, bytes: number) => void): () => void {
    this.#logListeners.add(listener);
    return () => this.#logListeners.delete(listener);
  }
  /** Awaited before a session that is hosted here is deleted; where it fails, the session stays. */
  onRemoving(listener: (runId: RunId) => Promise<void>): () => void {
    this.#removingListeners.add(listener);
    return () => this.#removingListeners.delete(listener);
  }
  onRemoved(listener: (runId: RunId) => void): () => void {
    this.#removalListeners.add(listener);
    return () => this.#removalListeners.delete(listener);
  }

  /** Serves a client over this wire until it closes. */
  attachWire(wire: Wire, options: ConnectionOptions): Connection {
    const connection: Connection = new Connection(
      wire,
      {
        store: this.#options.store,
        operations: this.#operations,
        welcome: (reconnect) => this.#welcome(reconnect),
        session: (runId) => this.#sessions.get(runId),
        handleHello: () => this.clients.joined(connection),
        handleClosed: (_connection, why) => {
          this.#connections.delete(connection);
          this.clients.left(connection, why);
        },
        onProblem: this.#options.onProblem,
      },
      options,
    );
    this.#connections.add(connection);
    if (this.#isStopping) connection.close(CLOSE.shuttingDown);
    return connection;
  }

  /** A hosted session as it stands now: what a machine needs that begins to follow it here. null: it moves too fast to be seen as a whole. */
  async checkpoint(runId: RunId): Promise<Omit<Checkpoint, 'hash'> | null> {
    const session = this.#hosted.get(runId);
    if (session === undefined) return null;
    const { seq, state } = session.log.published;
    const { epoch, lastActivityAt } = session.summary();
    const screen = await session.screen.snapshot();
    if (screen !== null && screen.seq > seq) return null;
    // What lies between the two draws nothing.
    return { seq, ts: Date.parse(lastActivityAt), epoch, state, screen: screen && { ...screen, seq } };
  }

  /** Carries out an operation for somebody without a wire; parameters are read by their schema. */
  perform<N extends OperationName>(operation: N, params: unknown, caller: Caller): Promise<ResultOf<N>> {
    return perform(this.#operations, operation, params, caller);
  }

  /** Sends a message to every client. */
  broadcast(message: HostMessage): void {
    const frame = encodeMessage(message);
    for (const connection of this.#connections) connection.tell(frame);
  }

  /** Sends a message to those who have the session attached. */
  #tellWatchers(runId: RunId, message: HostMessage): void {
    let frame: Uint8Array | null = null;
    for (const connection of this.#connections) {
      if (!connection.hasAttached(runId)) continue;
      frame ??= encodeMessage(message);
      connection.tell(frame);
    }
  }

  /** A session that another machine has just created, once it is known here. */
  #arrived(runId: RunId): Promise<SessionSummary | null> {
    const known = this.#sessions.get(runId);
    if (known !== undefined) return Promise.resolve(known.summary());
    return new Promise((resolve) => {
      const settle = (summary: SessionSummary | null) => {
        clearTimeout(timer);
        end();
        resolve(summary);
      };
      const timer = setTimeout(() => settle(null), ARRIVAL_MS);
      const end = this.onSession((summary) => {
        if (summary.runId === runId) settle(summary);
      });
    });
  }

  session(runId: RunId): EngineSession {
    const session = this.#sessions.get(runId);
    if (session === undefined) throw unknownSession(runId);
    return session;
  }

  /** Creates a session and starts its program. Repeated with the same inputId it is the first one's session. */
  async create(
    inputId: InputId,
    spec: SessionSpec,
    options: { readonly title: string | null; readonly branchOf?: SessionSummary['branchOf'] },
  ): Promise<Session> {
    if (this.#isStopping) throw new RefusalError('shutting-down', 'Baton is stopping.', 'Start it again.');
    const before = this.#createdBy.get(inputId);
    if (before !== undefined) return before;
    const created = this.#create(inputId, spec, options.title === '' ? null : options.title, options.branchOf ?? null);
    this.#createdBy.set(inputId, created);
    created.catch(() => this.#createdBy.delete(inputId));
    return created;
  }

  async #create(
    inputId: InputId,
    spec: SessionSpec,
    title: string | null,
    branchOf: SessionSummary['branchOf'],
  ): Promise<Session> {
    const { now } = this.#dependencies;
    const runId = RunId.parse(uuidv7());
    const createdTs = now();
    const seq = Seq.parse(NO_SEQ + 1);
    const created = newEvent('system:status', 'created', { kind: spec.kind, cwd: spec.cwd, title, branchOf });
    const event = { ...created, runId, seq, epoch: FIRST_EPOCH, ts: createdTs };
    const state = foldState(initialState(spec), event);
    const meta: SessionMeta = { spec, createdBy: inputId, branchOf, state, stateSeq: seq };
    await this.#options.store.createSession(
      { runId, kind: spec.kind, status: state.status, epoch: FIRST_EPOCH, createdTs, meta: metaJson(meta) },
      { events: [event], durable: true },
    );
    const session = this.#adopt({ runId, epoch: FIRST_EPOCH, createdTs, meta, lastSeq: seq, lastTs: createdTs });
    const started = session.start();
    if (spec.kind === 'claude') {
      // Claude takes a second, and what keeps it from working is shown in the session itself.
      started.catch((error: unknown) => {
        if (!(error instanceof RefusalError)) this.#options.onProblem(`starting session ${runId} failed`, error);
      });
    } else {
      try {
        await started;
      } catch (error) {
        await this.#remove(session);
        throw error;
      }
    }
    this.#changes.add(session, true);
    return session;
  }

  /** Removes an ended session and its log for good. */
  async delete(runId: RunId): Promise<void> {
    const session = this.session(runId);
    if (session instanceof RemoteSession) {
      if (this.remote.isOrphan(session)) {
        await this.remote.remove(runId);
        return;
      }
      // Its host deletes it, and with that everybody's replica.
      await session.call('session.delete', { runId });
      return;
    }
    if (session.isRunning) throw new RefusalError('not-allowed', 'The session is still running.', 'Close it first.');
    await this.#remove(this.#hosted.get(runId) ?? null);
  }

  async #remove(session: Session | null): Promise<void> {
    if (session === null) return;
    for (const listener of this.#removingListeners) await listener(session.runId);
    await session.log.settled(SETTLE_MS);
    session.log.close();
    try {
      await this.#options.store.deleteSession(session.runId);
    } catch (error) {
      // It stays, as it was.
      session.log.reopen();
      throw error;
    }
    await session.dispose();
    this.#forget(session.runId);
  }

  #forget(runId: RunId): void {
    const session = this.#sessions.get(runId);
    if (session !== undefined) this.#changes.forget(session);
    this.#sessions.delete(runId);
    const everywhere = this.#hosted.delete(runId);
    const { documents, onProblem } = this.#options;
    documents.forget(runId, { everywhere }).catch((error: unknown) => {
      onProblem('the draft and the notes of a deleted session could not be removed', error);
    });
    for (const connection of this.#connections) connection.letGo(runId);
    this.broadcast({ type: 'session:removed', runId });
    for (const listener of this.#removalListeners) listener(runId);
  }

  /** Ends every program, tells every client, writes what is left. The store stays the caller's to close. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#quota.stop();
    this.#changes.stop();
    if (this.#clientsTimer !== null) clearTimeout(this.#clientsTimer);
    this.clients.stop();
    const sessions = [...this.#hosted.values()];
    await Promise.all(sessions.filter((session) => session.isRunning).map((session) => session.stop('Baton was quit')));
    for (const connection of this.#connections) connection.close(CLOSE.shuttingDown);
    await Promise.all([...sessions.map((session) => session.dispose()), this.remote.dispose()]);
  }

  #activityOf(runId: RunId): number {
    const session = this.#sessions.get(runId);
    return session === undefined ? 0 : Date.parse(session.summary().lastActivityAt);
  }

  async #load(row: SessionRow): Promise<void> {
    const meta = readMeta(row.meta);
    const state = await currentState(this.#options.store, row.runId, meta);
    if (row.replica !== null) {
      await this.remote.load(row, meta, state);
      return;
    }
    const session = this.#adopt({ ...row, meta: { ...meta, state } });
    if (meta.createdBy !== null) this.#createdBy.set(meta.createdBy, Promise.resolve(session));
    if (state.status === 'ended' || state.status === 'interrupted') return;
    session.interrupted(row.lastTs, 'Baton ended unexpectedly');
  }

  #adopt(origin: SessionOrigin): Session {
    const session = new Session(origin, this.#dependencies);
    this.#sessions.set(origin.runId, session);
    this.#hosted.set(origin.runId, session);
    return session;
  }

  #welcome(reconnect: ReconnectToken | null): Extract<HostMessage, { type: 'welcome' }> {
    const { machineId, name } = this.machine;
    return {
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      machineId,
      machine: name,
      engineVersion: this.version,
      platform: process.platform,
      sessions: this.summaries(),
      reconnect,
    };
  }

  #handleClients(): void {
    if (this.#isStopping) return;
    this.#clientsTimer ??= setTimeout(() => {
      this.#clientsTimer = null;
      this.broadcast({ type: 'clients:changed', active: this.clients.active });
    }, CLIENTS_EVERY_MS);
  }

  /** What lists show of them stands in documents, or in the membership. */
  #relist(runIds: readonly RunId[] | 'all'): void {
    for (const runId of runIds === 'all' ? this.#sessions.keys() : runIds) {
      const session = this.#sessions.get(runId);
      if (session !== undefined) this.#changes.add(session, true);
    }
  }

  #tellChange(session: EngineSession): void {
    const summary = session.summary();
    this.broadcast({ type: 'session:changed', session: summary });
    for (const listener of this.#listeners) listener(summary);
  }
}
