import { type LogEvent, type NewEvent, newEvent } from '../../src-shared/events.ts';
import type { Epoch, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import type { LiveText } from '../../src-shared/protocol.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSpec, SessionState, SessionSummary } from '../../src-shared/session.ts';
import type { Store } from '../store/store.ts';
import type { Adapter, AdapterFactory, AdapterHost } from './adapters/adapter.ts';
import type { Children } from './children.ts';
import type { EngineSession } from './engine-session.ts';
import { payloadBytes } from './log-tail.ts';
import { OutputHold } from './output-hold.ts';
import { readLog } from './read-log.ts';
import type { Screens } from './screen/screen.ts';
import type { ProgramNotice } from './screen/screen-notice.ts';
import { type Outcome, type SessionCommand, SessionCommands } from './session-commands.ts';
import type { SessionDocuments } from './session-documents.ts';
import { type AppendOptions, SessionLog } from './session-log.ts';
import { metaJson, type SessionMeta } from './session-meta.ts';
import { SessionScreen } from './session-screen.ts';
import { titleOf } from './session-title.ts';
import { publishedOf, type SessionViewer, SessionViewers } from './session-viewers.ts';
import { mootPermissions, turnEndings } from './turn-endings.ts';

export interface SessionDependencies {
  readonly store: Store;
  readonly screens: Screens;
  readonly adapters: Readonly<Record<SessionSpec['kind'], AdapterFactory>>;
  readonly children: Children;
  readonly machine: () => { readonly machineId: SessionSummary['machineId']; readonly name: string };
  readonly childEnv: (runId: RunId) => Record<string, string>;
  /** That environment is complete; never rejects. */
  readonly envReady: () => Promise<void>;
  readonly documents: Pick<SessionDocuments, 'title'>;
  /** Which machines follow a session that `host` hosts. */
  readonly following: (runId: RunId, host: MachineId) => Pick<SessionSummary, 'followers' | 'followed'>;
  readonly now: () => number;
  /** Something that lists show has changed. `isUrgent` is false for mere activity. */
  readonly onChange: (session: Session, isUrgent: boolean) => void;
  /** `bytes`: of their payloads. */
  readonly onEvents: (session: Session, count: number, bytes: number) => void;
  /** A program has something to tell the user. */
  readonly onNotice: (runId: RunId, notice: ProgramNotice) => void;
  /** Something went wrong that is nobody's request. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

export interface SessionOrigin {
  readonly runId: RunId;
  readonly epoch: Epoch;
  readonly createdTs: number;
  readonly meta: Omit<SessionMeta, 'stateSeq'>;
  readonly lastSeq: Seq;
  readonly lastTs: number;
}

/** How long a child may take to end by itself. */
export const CLOSE_GRACE_MS = 3_000;
/** How long a session that ends waits for its last events to be stored; a disk that is full for good must not keep it for ever. */
const SETTLE_MS = 5_000;
/** One session: what runs in it, its log, its viewers and its queue. Nothing in here knows of wires or windows. */
export class Session implements AdapterHost, EngineSession {
  readonly runId: RunId;
  readonly createdTs: number;
  readonly meta: Omit<SessionMeta, 'state' | 'stateSeq'>;
  readonly log: SessionLog;
  readonly viewers: SessionViewers;
  readonly screen: SessionScreen;
  readonly #dependencies: SessionDependencies;
  readonly #commands: SessionCommands;
  readonly #hold = new OutputHold((isHeld) => (isHeld ? this.adapter?.pauseOutput() : this.adapter?.resumeOutput()));
  #adapter: Adapter | null = null;
  #starting: Promise<void> | null = null;
  #isRunning = false;
  #isAdvancing = false;
  #stopReason: string | null = null;
  #pid: number | null = null;
  #lastTs: number;
  #unsent: string | null = null;

  constructor(origin: SessionOrigin, dependencies: SessionDependencies) {
    this.runId = origin.runId;
    this.createdTs = origin.createdTs;
    this.#lastTs = origin.lastTs;
    const { state, ...meta } = origin.meta;
    this.meta = meta;
    this.#dependencies = dependencies;
    this.log = new SessionLog({
      runId: this.runId,
      epoch: origin.epoch,
      store: dependencies.store,
      lastSeq: origin.lastSeq,
      state,
      now: dependencies.now,
      onPublish: (events) => this.#handlePublished(events),
      onTrouble: (message) => this.#handleTrouble(message),
      checkpoint: (folded, stateSeq) => ({ status: folded.status, meta: metaJson({ ...meta, state: folded, stateSeq }) }),
    });
    this.viewers = new SessionViewers(this.runId, {
      onDriverSize: () => this.#applySize(),
      onViewers: () => dependencies.onChange(this, true),
    });
    this.screen = new SessionScreen(this, dependencies, (bytes) => this.#adapter?.write(bytes));
    this.#commands = new SessionCommands(this, dependencies.store);
  }

  get epoch(): Epoch {
    return this.log.epoch;
  }
  get spec(): SessionSpec {
    return this.meta.spec;
  }
  get state(): SessionState {
    return this.log.state;
  }
  get isRunning(): boolean {
    return this.#isRunning || this.#starting !== null;
  }
  get adapter(): Adapter | null {
    return this.#isRunning ? this.#adapter : null;
  }

  summary(): SessionSummary {
    const { seq, state } = this.log.published;
    const { machineId, name } = this.#dependencies.machine();
    return {
      runId: this.runId,
      kind: this.spec.kind,
      status: state.status,
      title: titleOf(state, this.spec, this.#dependencies.documents.title(this.runId)),
      cwd: state.cwd,
      machine: name,
      machineId,
      epoch: this.epoch,
      lastSeq: seq,
      createdAt: new Date(this.createdTs).toISOString(),
      lastActivityAt: new Date(this.#lastTs).toISOString(),
      permissions: state.permissions.length,
      queued: state.queue.length,
      exitCode: state.exit?.exitCode ?? null,
      viewers: this.viewers.size,
      branchOf: this.meta.branchOf,
      ...this.#dependencies.following(this.runId, machineId),
      remote: null,
      unsent: this.#unsent,
    };
  }

  /** Why it does not reach the user's other machines; null: nothing is in the way. */
  setUnsent(why: string | null): void {
    if (why === this.#unsent) return;
    this.#unsent = why;
    this.#dependencies.onChange(this, true);
  }

  /** The relay has given this machine the session under a new epoch: the log says so before anything else carries it. */
  async beginEpoch(epoch: Epoch): Promise<void> {
    if (epoch <= this.epoch) return;
    this.log.epoch = epoch;
    const { machineId, name } = this.#dependencies.machine();
    await this.log.append([newEvent('system:status', 'hosted', { machineId, machine: name })], { durable: true });
  }

  // ——— what clients ask ———

  execute(command: SessionCommand, clientId: string): Promise<Outcome> {
    return this.#commands.execute(command, clientId);
  }

  keys(viewer: SessionViewer | null, data: Uint8Array): void {
    if (!this.isRunning || this.spec.kind === 'claude') return;
    if (viewer !== null) this.viewers.typed(viewer);
    if (this.#starting === null) this.#adapter?.write(data);
    // Typed at a program that is just starting: it gets them in order once it runs, or never if it does not.
    else void this.#starting.then(() => this.#adapter?.write(data)).catch(() => {});
  }

  liveTexts(): readonly LiveText[] {
    return this.adapter?.liveTexts() ?? [];
  }

  // ——— life ———

  /** Starts the program (again). Joins a start that is under way. Rejects with the reason; the session is then ended, with that reason. */
  start(): Promise<void> {
    if (this.#isRunning && this.#starting === null) return Promise.resolve();
    this.#starting ??= this.#startAdapter().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  async #startAdapter(): Promise<void> {
    this.#stopReason = null;
    this.#hold.turnOn();
    try {
      await Promise.all([this.screen.open(), this.#dependencies.envReady()]);
      this.#adapter ??= this.#dependencies.adapters[this.spec.kind](this);
      this.#isRunning = true;
      await this.#adapter.start();
      this.#applySize();
    } catch (error) {
      this.#isRunning = false;
      const reason = error instanceof Error ? error.message : String(error);
      if (!(error instanceof RefusalError)) this.#dependencies.onProblem(`starting session ${this.runId} failed`, error);
      const ended = newEvent('system:status', 'exited', { exitCode: null, signal: null, reason });
      this.#inBackground('noting that it did not start', this.append([ended], { durable: true }));
      throw error;
    }
  }

  /** The next prompt's turn, if none is in progress [input-4]. Never rejects. */
  advance(): void {
    if (this.#isAdvancing || this.#stopReason !== null) return;
    this.#isAdvancing = true;
    this.#advance()
      .catch((error: unknown) => {
        if (!(error instanceof RefusalError))
          this.#dependencies.onProblem(`session ${this.runId} could not take its next prompt`, error);
      })
      .finally(() => {
        this.#isAdvancing = false;
      });
  }

  async #advance(): Promise<void> {
    while (this.state.turn === null && this.state.queue.length > 0 && this.#stopReason === null) {
      await this.start();
      const next = this.state.queue[0];
      // Deleted, or another turn began, while the program was starting.
      if (next === undefined || this.state.turn !== null) continue;
      const { inputId, content } = next;
      await this.append([newEvent('run:prompt', 'accepted', { inputId })], { durable: true });
      try {
        if (this.adapter === null) throw new RefusalError('not-running', 'The program ended before the prompt reached it.');
        await this.adapter.prompt({ inputId, content });
      } catch (error) {
        this.turnEnded({ inputId, outcome: 'failed', message: error instanceof Error ? error.message : String(error) });
        throw error;
      }
    }
  }

  /** Ends the program; the log stays. */
  async stop(reason: string | null, graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#stopReason = reason ?? 'closed';
    this.#exitReason = reason;
    await this.#starting?.catch(() => {});
    this.#hold.turnOff();
    await this.#adapter?.close(graceMs);
    if (await this.log.settled(SETTLE_MS)) await this.#kept;
    else this.#dependencies.onProblem(`the last events of session ${this.runId} are not stored`);
    this.#stopReason = null;
  }
  #exitReason: string | null = null;
  /** The last screen is stored, or cannot be. */
  #kept: Promise<void> = Promise.resolve();

  /**
   * The engine that ran this session died: what was under way is over, and between the last event and this mark something may be
   * missing. Not durable: should the mark be lost, the next start makes it again.
   */
  interrupted(lastSeenTs: number, reason: string): void {
    const events = [
      ...turnEndings(this.state, 'interrupted', reason),
      newEvent('system:status', 'interrupted', { lastSeenTs, reason }),
    ];
    this.#inBackground('marking it as interrupted', this.append(events));
  }

  /** The engine ends, or the session is deleted: nothing is taken any more. */
  async dispose(): Promise<void> {
    this.#stopReason ??= 'disposed';
    await this.screen.close();
    this.log.close();
  }

  // ——— what its adapter tells (AdapterHost) ———

  childEnv(): Record<string, string> {
    return this.#dependencies.childEnv(this.runId);
  }

  append(events: readonly NewEvent[], options: AppendOptions = {}): Promise<Seq> {
    return this.log.append(events, options);
  }

  output(bytes: Uint8Array): void {
    void this.log.append([{ channel: 'pty:stdout', type: 'data', payload: bytes }]).then(
      () => this.#watchStore(),
      (error: unknown) => this.#dependencies.onProblem(`output of session ${this.runId} came after it was closed`, error),
    );
    this.#watchStore();
  }

  live(text: LiveText): void {
    this.viewers.live(text);
  }

  readLog(query: Parameters<AdapterHost['readLog']>[0]): AsyncGenerator<LogEvent> {
    return readLog(this.#dependencies.store, { runId: this.runId, ...query });
  }

  async child(pid: number | null): Promise<void> {
    const before = this.#pid;
    this.#pid = pid;
    if (before !== null) await this.#dependencies.children.forget(this.runId, before);
    if (pid !== null) await this.#dependencies.children.remember(this.runId, pid);
  }

  turnEnded(end: Parameters<AdapterHost['turnEnded']>[0]): void {
    // What the session itself broke off has not failed.
    const outcome = this.#stopReason !== null && end.outcome === 'failed' ? 'interrupted' : end.outcome;
    const events = [...mootPermissions(this.state), newEvent('run:turn', 'ended', { ...end, outcome })];
    this.#inBackground(
      'ending a turn',
      this.append(events, { durable: true }).then(() => this.advance()),
    );
  }

  exited(exit: Parameters<AdapterHost['exited']>[0]): void {
    this.#isRunning = false;
    const reason = exit.reason ?? this.#exitReason;
    this.#exitReason = null;
    const events = [
      ...turnEndings(this.state, 'failed', reason ?? 'The program ended.'),
      newEvent('system:status', 'exited', { ...exit, reason }),
    ];
    this.#kept = this.append(events, { durable: true })
      .then(() => this.screen.keep())
      .catch((error: unknown) => this.#dependencies.onProblem(`session ${this.runId}: ending failed`, error));
  }

  // ——— inside ———

  #handlePublished(events: readonly LogEvent[]): void {
    this.#lastTs = (events.at(-1) as LogEvent).ts;
    this.viewers.publish(publishedOf(this.runId, events));
    for (const event of events) this.screen.show(event);
    this.watchDriver();
    this.#dependencies.onEvents(
      this,
      events.length,
      events.reduce((sum, event) => sum + payloadBytes(event), 0),
    );
    this.#dependencies.onChange(
      this,
      events.some(({ channel }) => channel !== 'pty:stdout'),
    );
  }

  #applySize(): void {
    const size = this.viewers.driver?.viewport ?? null;
    if (size === null || !this.#isRunning || this.spec.kind !== 'pty') return;
    if (size.cols === this.state.cols && size.rows === this.state.rows) return;
    this.#adapter?.resize(size.cols, size.rows);
    this.#inBackground('resizing', this.append([newEvent('pty:resize', 'resized', { cols: size.cols, rows: size.rows })]));
  }

  /** Nothing is further on than the log where it is written. */
  ahead(): null {
    return null;
  }

  /** Only the terminal of the one who drives, on this machine, may hold the program back [pty-4]. */
  watchDriver(): void {
    const { driver } = this.viewers;
    this.#hold.update('driver', driver?.isLocal === true ? driver.behindBytes : 0);
  }

  #watchStore(): void {
    this.#hold.update('store', this.log.pendingBytes);
  }

  #handleTrouble(message: string | null): void {
    if (message !== null) this.#dependencies.onProblem(`the log of session ${this.runId} cannot be written: ${message}`);
    this.#hold.update('disk', message === null ? 0 : Number.POSITIVE_INFINITY);
  }

  #inBackground(doing: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#dependencies.onProblem(`session ${this.runId}: ${doing} failed`, error));
  }
}
