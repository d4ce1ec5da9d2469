import type { LogEvent } from '../../src-shared/events.ts';
import { type MachineId, NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import type { Rights } from '../../src-shared/machines.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { type CardSession, type Checkpoint, ReplicaState } from '../../src-shared/replication.ts';
import type { RemoteStanding, SessionState } from '../../src-shared/session.ts';
import { foldState, initialState } from '../../src-shared/session-state.ts';
import type { ChainedGap, LostRun, SessionRow, Store } from '../store/store.ts';
import { gapEvent, type RemoteDrive, RemoteSession, type RemoteSessionDependencies } from './remote-session.ts';
import { metaJson, type SessionMeta } from './session-meta.ts';

/** What has arrived of a log: events and missing runs, which together follow what is here. */
export interface ReplicaBatch {
  readonly events: readonly LogEvent[];
  readonly gaps: readonly ChainedGap[];
  /** The host's chain hash at the end, as hex; null: not known. */
  readonly headHash: string | null;
  /** How far the log is followed with this. */
  readonly replica: ReplicaState;
}

/** A machine of the workspace. */
export interface WorkspaceMember {
  readonly machine: MachineId;
  readonly rights: Rights;
}

export interface RemoteSessionsParts extends Omit<RemoteSessionDependencies, 'store' | 'drive' | 'onWatched'> {
  readonly store: Store;
  readonly onAdded: (session: RemoteSession) => void;
  readonly onRemoved: (runId: RunId) => void;
  readonly onMembers: () => void;
  readonly isHosted: (runId: RunId) => boolean;
}

/** The sessions of other machines, as far as this one keeps them. What follows their logs writes them through this. */
export class RemoteSessions {
  #drive: RemoteDrive | null = null;
  readonly #parts: RemoteSessionsParts;
  readonly #dependencies: RemoteSessionDependencies;
  #members: readonly WorkspaceMember[] | null = null;
  readonly #sessions = new Map<RunId, RemoteSession>();
  readonly #watchListeners = new Set<(runId: RunId) => void>();
  /** Screens of events that have not arrived yet. */
  readonly #screens = new Map<RunId, Screen>();

  constructor(parts: RemoteSessionsParts) {
    this.#parts = parts;
    this.#dependencies = {
      ...parts,
      drive: () => this.#drive,
      onWatched: (runId) => {
        for (const listener of this.#watchListeners) listener(runId);
      },
    };
  }

  /** Set while this machine is in a workspace. */
  get drive(): RemoteDrive | null {
    return this.#drive;
  }
  set drive(drive: RemoteDrive | null) {
    this.#drive = drive;
    for (const session of this.#sessions.values()) session.tellViewers();
  }

  /** The machines of the workspace, this one among them. null: this machine is in none. */
  get members(): readonly WorkspaceMember[] | null {
    return this.#members;
  }
  set members(members: readonly WorkspaceMember[] | null) {
    this.#members = members;
    this.#parts.onMembers();
  }

  get all(): ReadonlyMap<RunId, RemoteSession> {
    return this.#sessions;
  }

  /** Told when somebody here begins to look at a session, and when nobody does any more. */
  onWatched(listener: (runId: RunId) => void): () => void {
    this.#watchListeners.add(listener);
    return () => this.#watchListeners.delete(listener);
  }

  /** What is here is all that there will be of it. */
  isOrphan({ replica }: RemoteSession): boolean {
    return replica.forked || this.members?.some(({ machine }) => machine === replica.machineId) !== true;
  }

  isHosted(runId: RunId): boolean {
    return this.#parts.isHosted(runId);
  }

  /** What is kept from earlier. Throws where it cannot be read by this version. */
  async load(row: SessionRow, meta: SessionMeta, state: SessionState): Promise<void> {
    const missing = await this.missing(row.runId);
    this.#adopt(row, { ...meta, state }, ReplicaState.parse(row.replica), missing === null);
  }

  /** Nothing of its log is here yet. It begins behind the checkpoint, if there is one. */
  async create(
    { runId, spec, epoch, createdTs, branchOf }: CardSession,
    replica: ReplicaState,
    checkpoint: Checkpoint | null = null,
  ): Promise<void> {
    const { store } = this.#parts;
    const state = checkpoint?.state ?? initialState(spec);
    const lastSeq = checkpoint?.seq ?? NO_SEQ;
    const meta: SessionMeta = { spec, createdBy: null, branchOf, state, stateSeq: lastSeq };
    const row = { runId, kind: spec.kind, status: state.status, epoch, createdTs, meta: metaJson(meta), replica };
    await store.createSession(row, { events: [], durable: false, ...(checkpoint === null ? {} : { behind: checkpoint }) });
    if (checkpoint?.screen) await store.putScreen(runId, checkpoint.screen);
    const session = this.#adopt({ ...row, lastSeq, lastTs: checkpoint?.ts ?? createdTs }, meta, replica, checkpoint === null);
    this.#parts.onChange(session, true);
  }

  /** The beginning of its log that is not here. */
  missing(runId: RunId): ReturnType<Store['missing']> {
    return this.#parts.store.missing(runId);
  }

  /** Puts a piece where the beginning is missing. Rejects with the store's `forked` where it does not lead to what is here. */
  async fill(runId: RunId, { events, gaps }: Pick<ReplicaBatch, 'events' | 'gaps'>): Promise<void> {
    const session = this.#require(runId);
    for (const piece of inPieces(events, gaps)) await this.#parts.store.fill(runId, piece);
    if ((await this.missing(runId)) === null) session.completeHistory();
  }

  /** Stored as a whole or not at all, then shown. Rejects with the store's `forked` where the host's log is another one. */
  async append(runId: RunId, { events, gaps, headHash, replica }: ReplicaBatch): Promise<void> {
    const session = this.#require(runId);
    const all = inOrder(runId, events, gaps);
    const before = session.log.published.state;
    const state = all.reduce(foldState, before);
    const lastSeq = all.at(-1)?.seq ?? session.log.published.seq;
    await this.#parts.store.append({
      runId,
      events,
      durable: false,
      replica: { state: replica, gaps, headHash },
      ...(state === before ? {} : { meta: { status: state.status, meta: this.#metaOf(session, state, lastSeq) } }),
    });
    if (this.#sessions.get(runId) !== session) return;
    session.publish(all, state, replica);
    const screen = this.#screens.get(runId);
    if (screen === undefined) return;
    // Its events are stored: a cache that is not does not undo that.
    this.keepScreen(runId, screen).catch((error: unknown) => {
      this.#parts.onProblem(`a screen of session ${runId} could not be kept`, error);
    });
  }

  /** A screen that its host has left: whoever opens the session here need not draw everything before it. */
  async keepScreen(runId: RunId, screen: Screen): Promise<void> {
    const isHere = screen.seq <= this.#require(runId).log.published.seq;
    if (!isHere) this.#screens.set(runId, screen);
    else {
      this.#screens.delete(runId);
      await this.#parts.store.putScreen(runId, screen);
    }
  }

  /** Its host or how it is followed has changed; kept. */
  async note(runId: RunId, replica: ReplicaState): Promise<void> {
    const session = this.#require(runId);
    const before = session.machineId;
    await this.#parts.store.append({ runId, events: [], durable: false, replica: { state: replica, gaps: [], headHash: null } });
    session.stand(replica.forked ? 'forked' : this.#standing(session), replica);
    if (session.machineId === before) return;
    this.#drive?.moved(runId);
    session.tellViewers();
  }

  stand(runId: RunId, connection: RemoteStanding['connection']): void {
    this.#sessions.get(runId)?.stand(connection);
  }

  async remove(runId: RunId): Promise<void> {
    const session = this.#sessions.get(runId);
    if (session === undefined) return;
    // Where the disk refuses it stays, for whoever tries again.
    await this.#parts.store.deleteSession(runId);
    this.#sessions.delete(runId);
    this.#screens.delete(runId);
    await session.dispose();
    this.#parts.onRemoved(runId);
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.dispose()));
  }

  #standing(session: RemoteSession): RemoteStanding['connection'] {
    return session.summary().remote?.connection ?? 'away';
  }

  #metaOf(session: RemoteSession, state: SessionState, stateSeq: Seq): ReturnType<typeof metaJson> {
    const { spec } = session;
    return metaJson({ spec, createdBy: null, branchOf: session.summary().branchOf, state, stateSeq });
  }

  #adopt(
    row: Omit<SessionRow, 'meta' | 'replica'>,
    meta: SessionMeta,
    replica: ReplicaState,
    isHistoryComplete: boolean,
  ): RemoteSession {
    const session = new RemoteSession({ ...row, meta, replica, isHistoryComplete }, this.#dependencies);
    this.#sessions.set(row.runId, session);
    this.#parts.onAdded(session);
    return session;
  }

  #require(runId: RunId): RemoteSession {
    const session = this.#sessions.get(runId);
    if (session === undefined) throw new Error(`session ${runId} is not kept here`);
    return session;
  }
}

/** In the log's order: events that follow one another, and single gaps between them. */
function inPieces(events: readonly LogEvent[], gaps: readonly ChainedGap[]): readonly (readonly LogEvent[] | LostRun)[] {
  const pieces: (readonly LogEvent[] | LostRun)[] = [];
  let rest = events;
  for (const gap of gaps) {
    const before = rest.filter(({ seq }) => seq < gap.fromSeq);
    if (before.length > 0) pieces.push(before);
    rest = rest.slice(before.length);
    if (gap.hash === null) throw new Error(`the hash of event ${gap.toSeq} was lost on its host`);
    pieces.push({ ...gap, hash: gap.hash });
  }
  return rest.length > 0 ? [...pieces, rest] : pieces;
}

function inOrder(runId: RunId, events: readonly LogEvent[], gaps: readonly ChainedGap[]): readonly LogEvent[] {
  if (gaps.length === 0) return events;
  return [...events, ...gaps.map((gap) => gapEvent(runId, gap))].sort((a, b) => a.seq - b.seq);
}
