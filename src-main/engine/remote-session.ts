import { Backlog, type LogPoint } from '../../src-shared/backlog.ts';
import { type LogEvent, newEvent } from '../../src-shared/events.ts';
import type { Epoch, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import { liveTextKey, withPiece } from '../../src-shared/live-texts.ts';
import type { OperationName, ParamsOf, ResultOf, Screen } from '../../src-shared/operations.ts';
import type { HostMessage, LiveText } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { ReplicaState } from '../../src-shared/replication.ts';
import type { RemoteStanding, SessionSpec, SessionState, SessionSummary } from '../../src-shared/session.ts';
import { foldState } from '../../src-shared/session-state.ts';
import type { ChainedGap } from '../store/store.ts';
import { EarlyEvents, type EarlyOutput } from './early-events.ts';
import type { EngineSession, ShownLog } from './engine-session.ts';
import { LogTail } from './log-tail.ts';
import type { Outcome, SessionCommand } from './session-commands.ts';
import type { SessionDocuments } from './session-documents.ts';
import type { SessionMeta } from './session-meta.ts';
import { SessionScreen } from './session-screen.ts';
import { titleOf } from './session-title.ts';
import { publishedOf, type SessionViewer, SessionViewers } from './session-viewers.ts';

/** A session on another machine, as what has to be done there is addressed. */
export interface RemoteTarget {
  readonly runId: RunId;
  readonly machineId: MachineId;
  readonly epoch: Epoch;
  readonly spec: SessionSpec;
}

/** Texts that are being written at a time, and characters in one; a host has far fewer. */
const MAX_LIVE_TEXTS = 256;
const MAX_LIVE_CHARS = 1_000_000;

export interface RemoteViewer {
  readonly clientId: string;
  readonly name: string;
  /** null: it shows no terminal. */
  readonly viewport: { readonly cols: number; readonly rows: number } | null;
}

/** Carries to the host what only it can do. */
export interface RemoteDrive {
  /** Queued durably, sent, answered. */
  execute(session: RemoteTarget, command: SessionCommand, clientId: string): Promise<Outcome>;
  /** At most once. */
  keys(session: RemoteTarget, clientId: string, data: Uint8Array): void;
  /** Who looks at it here, with their sizes, and whose typing decides; told again after each change. */
  viewers(session: RemoteTarget, viewers: readonly RemoteViewer[], driver: string | null): void;
  call<N extends OperationName>(machine: MachineId, operation: N, params: ParamsOf<N>): Promise<ResultOf<N>>;
  /** Its host is another one from now on: what waits for it goes there. */
  moved(runId: RunId): void;
}

export interface RemoteSessionDependencies {
  readonly screens: ConstructorParameters<typeof SessionScreen>[1]['screens'];
  readonly store: ConstructorParameters<typeof SessionScreen>[1]['store'];
  readonly documents: Pick<SessionDocuments, 'title'>;
  readonly following: (runId: RunId, host: MachineId) => Pick<SessionSummary, 'followers' | 'followed'>;
  /** Somebody on this machine works on it. */
  readonly onUsed: (runId: RunId) => void;
  /** null: this machine is not connected to others. */
  readonly drive: () => RemoteDrive | null;
  readonly onChange: (session: RemoteSession, isUrgent: boolean) => void;
  readonly onWatched: (runId: RunId) => void;
  readonly onNotice: ConstructorParameters<typeof SessionScreen>[1]['onNotice'];
  readonly onProblem: (message: string, error?: unknown) => void;
}

export interface RemoteOrigin {
  readonly runId: RunId;
  readonly epoch: Epoch;
  readonly createdTs: number;
  readonly meta: Pick<SessionMeta, 'spec' | 'branchOf' | 'state'>;
  readonly replica: ReplicaState;
  readonly lastSeq: Seq;
  readonly lastTs: number;
  /** The beginning of its log is here. */
  readonly isHistoryComplete: boolean;
}

/**
 * A session that another machine hosts: a replica of its log, shown like any other session, offline too. Nothing is numbered here;
 * what has to be done at the host goes there through the RemoteDrive.
 */
export class RemoteSession implements EngineSession {
  readonly runId: RunId;
  readonly spec: SessionSpec;
  readonly log: ShownLog;
  readonly viewers: SessionViewers;
  readonly screen: SessionScreen;
  readonly #createdTs: number;
  readonly #branchOf: SessionSummary['branchOf'];
  readonly #dependencies: RemoteSessionDependencies;
  readonly #tail = new LogTail();
  #epoch: Epoch;
  #published: { readonly seq: Seq; readonly state: SessionState };
  #lastTs: number;
  #replica: ReplicaState;
  #connection: RemoteStanding['connection'];
  readonly #live = new Map<string, LiveText>();
  readonly #early = new EarlyEvents();
  readonly #backlog = new Backlog();
  #behindBytes: number | null = null;
  #ahead: Screen | null = null;
  #isWatched = false;
  #isUsed = false;
  #isHistoryComplete: boolean;

  constructor(origin: RemoteOrigin, dependencies: RemoteSessionDependencies) {
    const { spec, branchOf, state } = origin.meta;
    this.runId = origin.runId;
    this.spec = spec;
    this.#epoch = origin.epoch;
    this.#createdTs = origin.createdTs;
    this.#branchOf = branchOf;
    this.#lastTs = origin.lastTs;
    this.#isHistoryComplete = origin.isHistoryComplete;
    this.#replica = origin.replica;
    this.#connection = origin.replica.forked ? 'forked' : 'away';
    this.#dependencies = dependencies;
    this.#published = { seq: origin.lastSeq, state };
    const published = () => this.#published;
    this.log = {
      get published() {
        return published();
      },
      recent: (after, maxBytes) => (after >= this.#published.seq ? [] : this.#tail.recent(after, maxBytes)),
      outputAfter: (seq) => this.#tail.outputAfter(seq),
    };
    this.viewers = new SessionViewers(this.runId, {
      onDriverSize: () => this.tellViewers(),
      onViewers: () => {
        this.tellViewers();
        const isWatched = this.viewers.size > 0;
        if (isWatched !== this.#isWatched) {
          this.#isWatched = isWatched;
          if (!isWatched) this.#ahead = null;
          dependencies.onWatched(this.runId);
        }
        dependencies.onChange(this, true);
      },
    });
    this.screen = new SessionScreen(this.#screenOwner(), dependencies, null);
  }

  get epoch(): Epoch {
    return this.#epoch;
  }
  get machineId(): MachineId {
    return this.#replica.machineId;
  }
  get replica(): ReplicaState {
    return this.#replica;
  }
  get isHistoryComplete(): boolean {
    return this.#isHistoryComplete;
  }
  get target(): RemoteTarget {
    return { runId: this.runId, machineId: this.machineId, epoch: this.#epoch, spec: this.spec };
  }
  get isRunning(): boolean {
    const { status } = this.#published.state;
    return status !== 'ended' && status !== 'interrupted';
  }

  summary(): SessionSummary {
    const { seq, state } = this.#published;
    const { machineId, machine, heardMs } = this.#replica;
    return {
      runId: this.runId,
      kind: this.spec.kind,
      status: state.status,
      title: titleOf(state, this.spec, this.#dependencies.documents.title(this.runId)),
      cwd: state.cwd,
      machine,
      machineId,
      epoch: this.#epoch,
      lastSeq: seq,
      createdAt: new Date(this.#createdTs).toISOString(),
      lastActivityAt: new Date(this.#lastTs).toISOString(),
      permissions: state.permissions.length,
      queued: state.queue.length,
      exitCode: state.exit?.exitCode ?? null,
      viewers: this.viewers.size,
      branchOf: this.#branchOf,
      ...this.#dependencies.following(this.runId, machineId),
      remote: {
        connection: this.#connection === 'live' && this.#behindBytes !== null ? 'behind' : this.#connection,
        behindBytes: this.#behindBytes,
        heardAt: heardMs === 0 ? null : new Date(heardMs).toISOString(),
        historyComplete: this.#isHistoryComplete,
      },
      unsent: null,
    };
  }

  // ——— what clients ask ———

  execute(command: SessionCommand, clientId: string): Promise<Outcome> {
    this.#use();
    const drive = this.#dependencies.drive();
    return drive === null ? Promise.reject(this.#outOfReach()) : drive.execute(this.target, command, clientId);
  }

  keys(viewer: SessionViewer | null, data: Uint8Array): void {
    if (!this.isRunning || this.spec.kind === 'claude') return;
    this.#use();
    if (viewer !== null) this.viewers.typed(viewer);
    this.#dependencies.drive()?.keys(this.target, viewer?.clientId ?? '', data);
  }

  /** Told once: keys are many. */
  #use(): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    this.#dependencies.onUsed(this.runId);
  }

  /** For what is neither key nor command. */
  call<N extends OperationName>(operation: N, params: ParamsOf<N>): Promise<ResultOf<N>> {
    const drive = this.#dependencies.drive();
    return drive === null ? Promise.reject(this.#outOfReach()) : drive.call(this.machineId, operation, params);
  }

  liveTexts(): readonly LiveText[] {
    return [...this.#live.values()];
  }

  ahead(): Screen | null {
    return this.#ahead;
  }

  /** What is shown of its terminal is as far as this event. */
  get shownSeq(): Seq {
    return this.#ahead?.seq ?? this.#published.seq;
  }

  /** Its log comes too slowly to be looked at: what its terminal shows has to be had from its host. */
  get needsScreens(): boolean {
    return this.spec.kind === 'pty' && (this.#ahead !== null || this.#behindBytes !== null);
  }

  /** Only its host can hold a program back. */
  watchDriver(): void {}

  #outOfReach(): RefusalError {
    return new RefusalError(
      'not-ready',
      `${this.#replica.machine} is out of reach: this machine is not connected to it.`,
      'What arrived before can be read; connect both machines to their relay to go on.',
    );
  }

  // ——— what its host says ———

  /** What was stored of the log, in order, gaps as events at their ends. */
  publish(events: readonly LogEvent[], state: SessionState, replica: ReplicaState): void {
    this.#replica = replica;
    const wasShownRight = this.#early.settle(events);
    for (const run of denseRuns(events, this.#published.seq)) {
      for (const event of run) {
        this.#tail.remember(event);
        if (event.channel === 'claude:transcript' || event.channel === 'run:turn') this.#live.clear();
      }
      const last = run.at(-1) as LogEvent;
      // State and position change together, for whoever attaches between two runs.
      this.#published = { seq: last.seq, state: run === events ? state : run.reduce(foldState, this.#published.state) };
      this.#epoch = last.epoch;
      this.#lastTs = last.ts;
      if (this.#ahead !== null && this.#ahead.seq <= last.seq) this.#ahead = null;
      this.viewers.publish(publishedOf(this.runId, run));
      for (const event of run) this.screen.show(event);
    }
    if (!wasShownRight) this.viewers.startOver();
    this.#behindBytes = this.#backlog.behindBytes(this.#published.seq);
    this.#dependencies.onChange(
      this,
      events.some(({ channel }) => channel !== 'pty:stdout'),
    );
  }

  /** Output that its host shows before it is in a log [drive-7]. */
  showEarly({ seq, ts, epoch, data }: EarlyOutput): void {
    // Without a screen there would be nothing to start over from.
    if (this.spec.kind !== 'pty' || this.#ahead !== null || epoch !== this.#epoch) return;
    const event: LogEvent = { runId: this.runId, seq, epoch, ts, channel: 'pty:stdout', type: 'data', payload: data };
    if (this.#early.add(event, this.#published.seq)) this.viewers.publishEarly(publishedOf(this.runId, [event]));
  }

  /** How far its log has come there. */
  hostIsAt(point: LogPoint): void {
    this.#backlog.heard(point);
    const before = this.#behindBytes;
    this.#behindBytes = this.#backlog.behindBytes(this.#published.seq);
    if (before !== this.#behindBytes) this.#dependencies.onChange(this, (before === null) !== (this.#behindBytes === null));
  }

  /** What its terminal shows there by now: viewers see it until its log is here that far [slow-2]. */
  screenBeat(screen: Screen): void {
    if (this.#isWatched) this.#lookAhead(screen.seq > this.#published.seq ? screen : null);
  }

  #lookAhead(screen: Screen | null): void {
    if (screen === this.#ahead) return;
    this.#ahead = screen;
    this.viewers.lookAhead();
  }

  /** The beginning of its log was filled in. */
  completeHistory(): void {
    this.#isHistoryComplete = true;
    this.#dependencies.onChange(this, true);
  }

  /** How it is followed, or how its host is called, has changed. */
  stand(connection: RemoteStanding['connection'], replica: ReplicaState = this.#replica): void {
    const isSame = connection === this.#connection && replica.machine === this.#replica.machine;
    this.#connection = connection;
    this.#replica = replica;
    if (isSame) return;
    if (connection === 'forked') this.#lookAhead(null);
    if (connection !== 'live' && connection !== 'behind') this.viewers.tellInstead(null);
    this.#dependencies.onChange(this, true);
  }

  /** Text that is being written, from `offset` on; what is final comes with the log. */
  live(text: LiveText): void {
    const key = liveTextKey(text);
    const known = this.#live.get(key);
    const isTooMuch = known === undefined ? this.#live.size >= MAX_LIVE_TEXTS : text.offset + text.text.length > MAX_LIVE_CHARS;
    // It comes with the log.
    if (isTooMuch) return;
    // Whoever comes later gets what is known from its beginning only.
    if (text.offset <= (known?.text.length ?? 0)) this.#live.set(key, withPiece(known, text));
    this.viewers.live(text);
  }

  /** Who watches, wherever they are. */
  remoteViewers(message: Extract<HostMessage, { type: 'run:viewers' }>): void {
    this.viewers.tellInstead(message);
  }

  dispose(): Promise<void> {
    return this.screen.close();
  }

  // ——— inside ———

  /** Tells the host who looks here. */
  tellViewers(): void {
    const viewers = this.viewers.all.map(({ clientId, name, viewport }) => ({ clientId, name, viewport }));
    this.#dependencies.drive()?.viewers(this.target, viewers, this.viewers.driver?.clientId ?? null);
  }

  /** Its screen lives as long as somebody looks: nothing is typed here, and nothing is written back. */
  #screenOwner(): ConstructorParameters<typeof SessionScreen>[0] {
    const { runId, spec, log, viewers } = this;
    return {
      runId,
      spec,
      log,
      viewers,
      isRunning: false,
      get state() {
        return log.published.state;
      },
      append: () => Promise.reject(new RefusalError('not-allowed', 'Only its host appends to a session.')),
    };
  }
}

/** Viewers count on events that follow one another; after a gap they begin anew. */
function denseRuns(events: readonly LogEvent[], after: number): readonly (readonly LogEvent[])[] {
  const isDense = events.every(({ seq }, index) => seq === after + 1 + index);
  if (isDense) return events.length === 0 ? [] : [events];
  const runs: LogEvent[][] = [];
  let last = Number.NaN;
  for (const event of events) {
    if (event.seq === last + 1) runs.at(-1)?.push(event);
    else runs.push([event]);
    last = event.seq;
  }
  return runs;
}

/** A missing run as readers of the log see it. */
export function gapEvent(runId: RunId, { fromSeq, toSeq, epoch, ts, bytes, reason }: ChainedGap): LogEvent {
  return { runId, seq: toSeq, epoch, ts, ...newEvent('system:status', 'gap', { fromSeq, toSeq, bytes, reason }) };
}
