import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import { type BatchRefusal, receiveBatch, writerOf } from '../../../src-shared/receive-batch.ts';
import { isWriterOfLog, type ReplicaState, stateForLog, streamStateOf, withStream } from '../../../src-shared/replication.ts';
import { readBatch } from '../../../src-shared/sealed-batch.ts';
import type { RemoteSessions } from '../../engine/remote-sessions.ts';
import type { SyncContext } from '../sync-context.ts';
import { fetchLarge, streamOfLarge } from './large-event.ts';
import { decodeLog, type LargeEvent } from './log-payload.ts';

/** After a failure that may pass: a full disk, a chain that is not here yet. */
const RETRY_MS = 2_000;

/** Where a replica's log goes. */
export type LogSink = Pick<RemoteSessions, 'append' | 'note'>;

export interface ReplicaOptions {
  readonly runId: RunId;
  readonly state: ReplicaState;
  readonly sink: LogSink;
  readonly lane: () => 'watch' | 'rest';
  /** It has caught up, is behind, or is not followed any more. */
  readonly onStanding: () => void;
  /** For the user. */
  readonly onNotice: (message: string) => void;
}

interface Missing extends LargeEvent {
  /** Who wrote the batch that names it. */
  readonly host: MachineId;
}

type Taken = 'kept' | 'skipped' | 'wait' | Missing | { readonly refused: BatchRefusal | 'not-its-host' | 'unreadable' };

/**
 * Follows the log of one session of another machine: checks each batch, hands it to the store with where it stands (so that a crash
 * resumes at the cursor), and never numbers anything itself. Driven by its context and its sink only.
 */
export class Replica {
  readonly #context: SyncContext;
  readonly #options: ReplicaOptions;
  #state: ReplicaState;
  #end: (() => void) | null = null;
  /** What arrives and what else is written, one after the other: with each goes where the log stands. */
  #queue: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | null = null;
  #isCaughtUp = false;
  #isRefused = false;
  #isStopped = false;
  /** Fetched payloads that wait for their batch, by seq. */
  readonly #large = new Map<number, Uint8Array>();

  constructor(context: SyncContext, options: ReplicaOptions) {
    this.#context = context;
    this.#options = options;
    this.#state = options.state;
  }

  /** Everything that the relay had when it was asked is here. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }
  get state(): ReplicaState {
    return this.#state;
  }

  /** What came of it was none of what its host can have sent, or not to be read. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Somebody here began to look at it, or nobody does any more. */
  changeLane(): void {
    if (this.#end !== null) this.follow();
  }

  /** Begins, or goes on, at the cursor. */
  follow(): void {
    if (this.#isStopped || this.#state.forked) return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#isRefused = false;
    let isOver = false;
    const inOrder = (work: () => Promise<void> | void) => this.#inOrder(() => (isOver ? undefined : work()));
    const before = this.#end;
    const end = this.#context.link.follow(this.#context.keyring.streamName('log', this.#options.runId), {
      lane: this.#options.lane(),
      cursor: () => this.#state.lastSeq,
      onBatch: (frame) => inOrder(() => this.#handle(frame)),
      onCaughtUp: (position) => void inOrder(() => this.#caughtUp(position)),
    });
    this.#end = () => {
      isOver = true;
      end();
    };
    before?.();
  }

  /** The connection to the relay is gone: what is here may be old. */
  lost(): void {
    this.#stand(false);
  }

  /** Its host has another name. */
  renamed(machine: string): Promise<void> {
    return this.#inOrder(async () => {
      if (machine === this.#state.machine || this.#isStopped) return;
      this.#state = { ...this.#state, machine };
      await this.#options.sink.note(this.#options.runId, this.#state);
    });
  }

  #inOrder(work: () => Promise<void> | void): Promise<void> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Resolves when nothing of it is being written any more: whoever goes on from here finds the log and its cursor as they stay. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry?.();
    this.#unfollow();
    return this.#queue;
  }

  #unfollow(): void {
    this.#end?.();
    this.#end = null;
    this.#stand(false);
  }

  #caughtUp(position: number): void {
    if (position <= this.#state.lastSeq) this.#stand(true);
    // Something of it was skipped, or held back.
    else this.#pause();
  }

  #stand(isCaughtUp: boolean): void {
    if (this.#isCaughtUp === isCaughtUp) return;
    this.#isCaughtUp = isCaughtUp;
    this.#options.onStanding();
  }

  /** Never rejects: what goes wrong ends the follow, and is tried again where that can help. */
  async #handle(frame: Uint8Array): Promise<void> {
    try {
      const taken = await this.#take(frame);
      if (taken === 'wait') this.#pause();
      else if (typeof taken === 'object' && 'seq' in taken) this.#fetch(taken);
      else if (typeof taken === 'object') this.#refuse(taken.refused);
    } catch (error) {
      if (isForked(error)) await this.#fork();
      else {
        this.#context.onProblem(`what came of session ${this.#options.runId} could not be kept`, error);
        this.#pause();
      }
    }
  }

  async #take(frame: Uint8Array): Promise<Taken> {
    const { membership, keyring, clock } = this.#context;
    const { runId, sink } = this.#options;
    const header = readBatch(frame)?.header;
    if (header === undefined || header.kind !== 'log') return { refused: 'malformed' };
    if (!isWriterOfLog(header, this.#state)) return { refused: 'not-its-host' };
    const stream = streamStateOf(this.#state);
    const received = receiveBatch(frame, { membership, keyring, state: stateForLog(stream, header, writerOf(header)) });
    if (received.is === 'repeated') return 'skipped';
    if (received.is === 'refused') {
      const { why } = received;
      // What is here already, from a relay that was set back.
      if (why === 'replayed' && header.seqTo <= this.#state.lastSeq) return 'skipped';
      // It was on its way when the log was followed anew: what is before it comes behind it, and then it once more.
      if (why === 'gap') return 'skipped';
      return why === 'unknown-head' || why === 'no-key' ? 'wait' : { refused: why };
    }
    const known = this.#state.lastSeq;
    const range = { runId, from: header.seqFrom, to: header.seqTo, known };
    const piece = await decodeLog(received.payload, range, this.#large).catch(() => null);
    if (piece === null) return { refused: 'unreadable' };
    const { missing, ...arrived } = piece;
    if (missing !== null) return { ...missing, host: header.machine };
    const replica = withStream(this.#state, received.state, clock.nowMs());
    // Its hash is of its own end: of a batch that ends before what is here nothing can be said.
    const headHash = header.seqTo < known ? null : piece.headHash;
    await sink.append(runId, { ...arrived, headHash, replica });
    this.#state = replica;
    this.#large.clear();
    return 'kept';
  }

  /**
   * A payload that comes in pieces. The log is not followed meanwhile: what of it was on its way would take the room that the pieces
   * need. Then the batch comes again, and finds it here.
   */
  #fetch({ seq, bytes, hash, host }: Missing): void {
    this.#unfollow();
    const { runId, lane } = this.#options;
    const stream = streamOfLarge(this.#context, runId, seq);
    const fetching = fetchLarge(this.#context, { stream, host, bytes, hash, lane: lane() });
    this.#cancelRetry = fetching.end;
    fetching.whole.then(
      (whole) => {
        this.#large.set(seq, whole);
        this.follow();
      },
      (error: unknown) => {
        this.#context.onProblem(`an event of session ${runId} could not be fetched`, error);
        if (!this.#isStopped) this.#pause();
      },
    );
  }

  #pause(): void {
    this.#unfollow();
    const again = () => {
      endWaiting();
      cancel();
      this.follow();
    };
    const endWaiting = this.#context.onMembership(again);
    const cancel = this.#context.clock.setTimer(again, RETRY_MS);
    this.#cancelRetry = () => {
      endWaiting();
      cancel();
    };
  }

  #refuse(why: string): void {
    this.#unfollow();
    this.#isRefused = true;
    this.#options.onStanding();
    this.#context.onProblem(`session ${this.#options.runId} of ${this.#state.machine} is not followed any more: ${why}`);
  }

  /** What was to be filled in before it has another history. */
  forked(): Promise<void> {
    return this.#inOrder(() => this.#fork());
  }

  /** Two histories [replica-4]: what is here stays, and so does what its host has. */
  async #fork(): Promise<void> {
    this.#unfollow();
    const { runId, sink, onNotice } = this.#options;
    this.#state = { ...this.#state, forked: true };
    this.#context.onProblem(`session ${runId} has another history on ${this.#state.machine} than here`);
    onNotice(
      `${this.#state.machine} has another history of a session than this machine. Both are kept; what was here before is not continued.`,
    );
    await sink.note(runId, this.#state);
  }
}

function isForked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'forked' || error.code === 'not-continuing');
}
