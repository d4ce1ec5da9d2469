import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../src-shared/client.ts';
import { ClientId, type InputId, type RunId } from '../../../src-shared/ids.ts';
import type { Signer } from '../../../src-shared/membership-keys.ts';
import { fromHex, toHex } from '../../../src-shared/seal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { echoAdapter } from '../../engine/adapters/echo.ts';
import { Children } from '../../engine/children.ts';
import { Engine } from '../../engine/engine.ts';
import type { Outcome, SessionCommand } from '../../engine/session-commands.ts';
import type { SessionViewer } from '../../engine/session-viewers.ts';
import { type Agenda, NO_DOCUMENTS, NO_SCREENS } from '../../engine/sim.fixture.ts';
import { MemoryDisk } from '../../store/memory-disk.fixture.ts';
import { memoryStore } from '../../store/memory-store.fixture.ts';
import type { Store } from '../../store/store.ts';
import type { DocumentMeasures } from '../documents/document-channel.ts';
import type { ToDocumentWorker } from '../documents/document-checks.ts';
import { DocumentCopies } from '../documents/document-copies.ts';
import { DocumentSync, type DocumentSyncOptions } from '../documents/document-sync.ts';
import { Documents, type DocumentsOptions } from '../documents/documents.ts';
import type { SharedDocument } from '../documents/shared-document.ts';
import { LOG_MEASURES, type LogMeasures } from '../logs/log-measures.ts';
import { replication } from '../logs/replication.ts';
import { PassCounter } from '../membership/pass-counter.ts';
import { Workspace } from '../membership/workspace.ts';
import { Driving } from '../passing/driving.ts';
import { DrivingHost } from '../passing/driving-host.ts';
import { Outbox } from '../passing/outbox.ts';
import { Peers } from '../passing/peers.ts';

/** The first of January 2026. */
const EPOCH_MS = 1_767_225_600_000;
const CHAIN = 'sim.chain';
const COUNTER = 'sim.passCounter';
/** So that there are checkpoints, events beside their log, and events that are left out. */
const SMALL_LOGS: LogMeasures = {
  batchBytes: 2_000,
  payloadBytes: 2_500,
  pieceBytes: 1_000,
  largeBytes: 6_000,
  checkpointAfterBytes: 1_500,
  checkpointAtLatestBytes: 6_000,
};
/** So that there are snapshots, and updates in several pieces. */
const SMALL_DOCUMENTS: DocumentMeasures = { snapshotEvery: 4, snapshotAboveBytes: 100, pieceBytes: 200 };

/** A process of the machine: everything that a kill ends. */
export interface Life {
  readonly engine: Engine;
  readonly store: Store;
  readonly workspace: Workspace;
  readonly outbox: Outbox;
  /** null: in this history nobody writes any. */
  readonly documents: Documents | null;
  readonly kill: () => void;
  /** What clients of this machine look at. */
  readonly watched: Map<RunId, SessionViewer>;
}

export interface MachineOptions {
  readonly name: string;
  readonly signer: Signer;
  readonly chain: readonly Uint8Array[];
  readonly agenda: Agenda;
  readonly random: () => number;
  readonly clockOffsetMs: number;
  readonly hasDocuments: boolean;
  readonly hasLongLogs: boolean;
  readonly nextYjsClient: () => number;
  readonly connect: (machine: SimMachine) => Promise<Wire>;
  readonly onCommitted: (machine: SimMachine, runId: RunId) => void;
}

/** A machine of the simulation: a disk, and now and then a process on it, of the product's own parts. */
export class SimMachine {
  readonly name: string;
  /** Another one after it has left and was added again. */
  signer: Signer;
  readonly disk = new MemoryDisk();
  readonly problems: string[] = [];
  readonly notices: string[] = [];
  isDiskFull = false;
  isAsleep = false;
  /** null: it is off. */
  life: Life | null = null;
  isStarting = false;
  readonly #options: MachineOptions;
  #kill: () => void = () => {};

  constructor(options: MachineOptions) {
    this.#options = options;
    this.name = options.name;
    this.signer = options.signer;
    this.#join(options.chain);
  }

  #join(chain: readonly Uint8Array[]): void {
    this.disk.put(this.disk.facts, CHAIN, { chain: chain.map(toHex), isForked: false });
    this.disk.sync();
  }

  /** While it is off: it has left the workspace, and is in it again as somebody else. */
  become(signer: Signer, chain: readonly Uint8Array[]): void {
    this.signer = signer;
    this.#join(chain);
  }

  /** Everything that this machine still has to do is in lanes of this name. */
  lane(of: string): string {
    return `${this.name}/${of}`;
  }

  start(): void {
    if (this.life !== null || this.isStarting) return;
    this.isStarting = true;
    const state = { isDead: false };
    const started = this.#begin(state);
    this.#kill = () => {
      state.isDead = true;
    };
    started.then(
      (life) => {
        if (state.isDead) return life.kill();
        this.life = life;
        this.isStarting = false;
      },
      (error: unknown) => {
        if (state.isDead) return;
        // What the disk refuses is tried again, by whoever starts the app again.
        this.isStarting = false;
        state.isDead = true;
        this.problems.push(`it could not start: ${String(error)}`);
      },
    );
  }

  /** kill -9. With a power cut what is not fsynced is gone too. */
  kill(how: 'process' | 'power'): void {
    this.#kill();
    this.life?.kill();
    this.life = null;
    this.isStarting = false;
    this.#options.agenda.drop((lane) => lane.startsWith(`${this.name}/`));
    if (how === 'power') this.disk.powerCut();
  }

  send(runId: RunId, command: SessionCommand, onOutcome: (outcome: Outcome | Error) => void): void {
    const session = this.life?.engine.sessions.get(runId);
    const { life } = this;
    if (session === undefined) return;
    const tell = (outcome: Outcome | Error) => {
      if (this.life === life) onOutcome(outcome);
    };
    session.execute(command, randomUUID()).then(tell, (error: unknown) => {
      tell(error instanceof Error ? error : new Error(String(error)));
    });
  }

  create(inputId: InputId, onCreated: (runId: RunId) => void): void {
    const { life } = this;
    life?.engine.create(inputId, { kind: 'echo', cwd: '/' }, { title: null }).then(
      ({ runId }) => onCreated(runId),
      (error: unknown) => this.problems.push(`creating: ${String(error)}`),
    );
  }

  /** Somebody here begins to look, or stops. */
  watch(runId: RunId): void {
    const { life } = this;
    const session = life?.engine.sessions.get(runId);
    if (life === null || session === undefined) return;
    const before = life.watched.get(runId);
    if (before !== undefined) {
      life.watched.delete(runId);
      session.viewers.remove(before);
      return;
    }
    const viewer: SessionViewer = {
      clientId: ClientId.parse(randomUUID()),
      name: this.name,
      isLocal: true,
      behindBytes: 0,
      viewport: { cols: 80, rows: 24 },
      publish() {},
      tell() {},
      lookAhead() {},
      publishEarly() {},
      startOver() {},
    };
    life.watched.set(runId, viewer);
    session.viewers.add(viewer);
  }

  type(runId: RunId, bytes: Uint8Array): void {
    const viewer = this.life?.watched.get(runId);
    if (viewer !== undefined) this.life?.engine.sessions.get(runId)?.keys(viewer, bytes);
  }

  async #begin(state: { isDead: boolean }): Promise<Life> {
    const { signer } = this;
    const { agenda, random, clockOffsetMs, hasDocuments, hasLongLogs, connect, onCommitted } = this.#options;
    const clock: Clock = {
      nowMs: () => EPOCH_MS + clockOffsetMs + agenda.nowMs,
      setTimer: (run, delayMs) => (state.isDead ? () => {} : agenda.later(this.lane('timers'), delayMs, run)),
      random,
    };
    const store = memoryStore({
      disk: this.disk,
      isFull: () => this.isDiskFull,
      schedule: (lane, work) => {
        if (!state.isDead) agenda.add(this.lane(lane), work);
      },
      onCommitted: (runId) => onCommitted(this, runId),
    });
    const onProblem = (message: string, error?: unknown) => {
      if (!state.isDead) this.problems.push(`${message}${error === undefined ? '' : `: ${String(error)}`}`);
    };
    const onNotice = (message: string) => this.notices.push(message);
    const { name } = this;
    const documents = hasDocuments ? await this.#openDocuments({ store, clock, onProblem }) : null;
    const engine = await Engine.open({
      store,
      documents: documents ?? NO_DOCUMENTS,
      screens: NO_SCREENS,
      adapters: { pty: echoAdapter, claude: echoAdapter, echo: echoAdapter },
      children: new Children(store),
      machine: () => ({ machineId: signer.machine, name }),
      childEnv: () => ({}),
      envReady: async () => {},
      onProblem,
      version: '0',
      home: '/',
      operations: {},
      now: clock.nowMs,
      serverAddress: () => null,
      clientIdleMs: () => 300_000,
      quotas: () => ({ sessionBytes: Number.MAX_SAFE_INTEGER, totalBytes: Number.MAX_SAFE_INTEGER }),
    });
    const kept = (await store.getFact(CHAIN)) as { readonly chain: string[]; readonly isForked: boolean };
    const reserved = await store.getFact(COUNTER);
    const passCounter = await PassCounter.open(
      typeof reserved === 'number' ? reserved : 0,
      clock.nowMs(),
      (upTo) => store.setFact(COUNTER, upTo),
      onProblem,
    );
    const outbox = await Outbox.open({
      store,
      clock,
      target: (runId) => engine.remote.all.get(runId)?.target ?? null,
      broadcast: (message) => engine.broadcast(message),
      onProblem,
    });
    const workspace = new Workspace({
      signer,
      chain: kept.chain.map(fromHex),
      relayKey: null,
      isForked: kept.isForked,
      connect: () => (state.isDead ? new Promise(() => {}) : connect(this)),
      passCounter,
      clock,
      keep: ({ chain, isForked }) => store.setFact(CHAIN, { chain: chain.map(toHex), isForked }),
      onAlarm: onNotice,
      onProblem,
    });
    const sync = documents && this.#syncDocuments({ context: workspace, documents, sessions: engine });
    const about = () => ({ name, version: '0', platform: 'sim' });
    const measures = hasLongLogs ? SMALL_LOGS : LOG_MEASURES;
    const replicating = await replication({ engine, store, about, onNotice, measures })(workspace, () => {});
    const peers = new Peers(workspace);
    const driving = new Driving({
      context: workspace,
      peers,
      outbox,
      remote: (runId) => engine.remote.all.get(runId),
      broadcast: (message) => engine.broadcast(message),
    });
    const host = new DrivingHost({
      context: workspace,
      peers,
      hosted: (runId) => engine.hosted.get(runId),
      onLog: (listener) => engine.onLog(listener),
      perform: (operation, params, caller) => engine.perform(operation, params, caller),
      allows: () => 'start',
    });
    engine.remote.drive = driving;
    void [replicating, host];
    const kill = () => {
      state.isDead = true;
      for (const session of engine.hosted.values()) session.log.close();
      workspace.link.stop();
      void sync?.stop();
    };
    return { engine, store, workspace, outbox, documents, kill, watched: new Map() };
  }

  async #openDocuments(options: DocumentsOptions): Promise<Documents> {
    const documents = await Documents.open(options);
    // Whose change comes first where two are at one place is decided by these.
    const handleLoaded = ({ doc }: SharedDocument) => {
      doc.clientID = this.#options.nextYjsClient();
    };
    handleLoaded(documents.workspace);
    documents.listen({ handleLoaded });
    return documents;
  }

  #syncDocuments(parts: Pick<DocumentSyncOptions, 'context' | 'documents' | 'sessions'>): DocumentSync {
    return new DocumentSync({
      ...parts,
      measures: SMALL_DOCUMENTS,
      startCheckThread: ({ onAnswer }) => {
        const copies = new DocumentCopies(() => 0);
        let isEnded = false;
        const post = (message: ToDocumentWorker) => {
          this.#options.agenda.add(this.lane('documents'), () => {
            const answer = isEnded ? null : copies.take(message);
            if (answer !== null) onAnswer(answer);
          });
        };
        const end = async () => {
          isEnded = true;
        };
        return { post, end };
      },
    });
  }
}
