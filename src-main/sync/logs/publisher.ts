import type { RunId, Seq } from '../../../src-shared/ids.ts';
import { type RelayRefusal, relayRefusalText } from '../../../src-shared/relay-protocol.ts';
import {
  type CardSession,
  counterFloor,
  type LaneReaction,
  laneStart,
  type MachineCard,
  reactionTo,
} from '../../../src-shared/replication.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import type { ChainedEvent, ChainedPage, Store } from '../../store/store.ts';
import type { LinkState } from '../link/link.ts';
import { standing, whyOf } from '../link/standing.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import { CardPublisher } from './card-publisher.ts';
import { CheckpointPublisher, type CheckpointSource } from './checkpoint-publisher.ts';
import { piecesOf, streamOfLarge } from './large-event.ts';
import { LOG_MEASURES, type LogMeasures } from './log-measures.ts';
import { encodeLog } from './log-payload.ts';

/** Sessions of which something is on its way at the same time. */
const MAX_ACTIVE = 6;
/** How much smaller a batch may be expected to become than its payload. */
const MAX_SHRINKING = 8;
const RETRY_MS = 5_000;

/** The sessions that this machine hosts, as their publisher sees them. */
export interface LogSource extends CheckpointSource, Pick<Store, 'durableSeq' | 'sync'> {
  /** The newest last; without what is secret in their environment. */
  hosted(): readonly CardSession[];
  /** null: it is not hosted here. */
  epochOf(runId: RunId): number | null;
  /** The last event that anybody here has seen; it need not be stored yet. 0: it is not hosted here. */
  publishedSeq(runId: RunId): Seq;
  /** From now on its events carry this epoch; resolves when its first one is fsynced. */
  beginEpoch(runId: RunId, epoch: number): Promise<void>;
  /** Those that were deleted here, the newest last. */
  deleted(): readonly RunId[];
  /** Why a session is not sent any more; null: it is again. */
  setUnsent(runId: RunId, why: string | null): void;
  /** An event is about to be sent beside its log; resolves when that is kept. */
  noteLarge(runId: RunId, seq: number): Promise<void>;
  /** Events of a session were published. */
  onLog(listener: (runId: RunId) => void): () => void;
  /** A session came or went. */
  onSessions(listener: () => void): () => void;
}

export interface PublisherOptions {
  readonly source: LogSource;
  readonly about: () => Pick<MachineCard, 'name' | 'version' | 'platform' | 'allows'>;
  /** A number that grows with each call, over restarts too, and is kept before it is given. */
  readonly nextRound: () => Promise<number>;
  readonly onNotice: (message: string) => void;
  readonly measures?: LogMeasures;
}

interface Lane {
  readonly runId: RunId;
  /** What the relay has; null: it has to be asked. */
  at: { readonly lastSeq: number; readonly counter: number; readonly hash: string } | null;
  /** The highest counter that was used in this life of the publisher: a relay that was set back may not know of it. */
  counter: number;
  isActive: boolean;
  /** It is woken after a while. */
  isWaiting: boolean;
  /** How many times smaller its last batch was than what it holds. */
  shrinking: number;
  /** Nothing is sent of it any more. */
  isStopped: boolean;
}

/**
 * Sends what this machine hosts to the relay: each session's log from where the relay stands, as far as it is fsynced here, and a card
 * that says which sessions there are. It keeps nothing but counters: what is lost on the way is read from the log again.
 *
 * Driven by its source's `onLog`, the link's state and the context's clock only, so that a simulation can run it as it is.
 */
export class Publisher {
  readonly #context: SyncContext;
  readonly #options: PublisherOptions;
  readonly #measures: LogMeasures;
  readonly #lanes = new Map<RunId, Lane>();
  /** Lanes with something to do, in this order: what has just happened, then what is left to catch up with. */
  readonly #fresh = new Set<Lane>();
  readonly #backlog = new Set<Lane>();
  /** They were sealed under an older chain than the relay has. */
  readonly #outdated = new Set<Lane>();
  /** They are not this machine's to send, as the membership is now. */
  readonly #withheld = new Set<Lane>();
  /** Why sessions are not sent: each reason is told once. */
  readonly #told = new Set<string>();
  readonly #ends: (() => void)[] = [];
  readonly #timers = new Set<() => void>();
  #active = 0;
  /** Of all streams of pieces together. */
  readonly #pieces = { counter: 0 };
  #round = 0;
  #nextSync: Promise<void> | null = null;
  #sync: Promise<void> = Promise.resolve();
  readonly #card: CardPublisher;
  readonly #checkpoints: CheckpointPublisher;
  #isStopped = false;

  private constructor(context: SyncContext, options: PublisherOptions) {
    this.#context = context;
    this.#options = options;
    const { measures = LOG_MEASURES } = options;
    this.#measures = measures;
    const round = () => this.#round;
    this.#card = new CardPublisher(context, { ...options, round });
    this.#checkpoints = new CheckpointPublisher(context, { ...options, measures, round, synced: () => this.#synced() });
  }

  static async start(context: SyncContext, options: PublisherOptions): Promise<Publisher> {
    const publisher = new Publisher(context, options);
    publisher.#round = await options.nextRound();
    publisher.#listen();
    return publisher;
  }

  #listen(): void {
    const { link } = this.#context;
    const { source } = this.#options;
    this.#ends.push(
      source.onLog((runId) => this.#wake(this.#laneOf(runId), this.#fresh)),
      source.onSessions(() => this.#sessionsChanged()),
      link.onState((state) => this.#linked(state)),
      this.#context.onMembership(() => {
        this.#card.plan();
        // Who held a session may be gone, and this machine may have more rights.
        for (const lane of this.#withheld) this.#free(lane);
        for (const lane of [...this.#outdated, ...this.#withheld]) this.#wake(lane, this.#backlog);
        this.#outdated.clear();
        this.#withheld.clear();
      }),
    );
    this.#linked(link.state);
  }

  /** Says goodbye, if it can soon. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    for (const end of this.#ends) end();
    this.#isStopped = true;
    // Nobody tries to send them any more.
    for (const { runId } of this.#lanes.values()) this.#options.source.setUnsent(runId, null);
    for (const cancel of this.#timers) cancel();
    this.#checkpoints.stop();
    await this.#card.stop();
  }

  sleep(): Promise<void> {
    return this.#card.sleep();
  }

  wake(): void {
    this.#card.wake();
  }

  aboutChanged(): void {
    this.#card.plan();
  }

  #linked(state: LinkState): void {
    if (state.is !== 'live') return;
    for (const lane of this.#lanes.values()) lane.at = null;
    this.#sessionsChanged();
    for (const lane of this.#lanes.values()) this.#wake(lane, this.#backlog);
  }

  #sessionsChanged(): void {
    const hosted = this.#options.source.hosted();
    const known = new Set(hosted.map(({ runId }) => runId));
    for (const { runId } of hosted) if (!this.#lanes.has(runId)) this.#wake(this.#laneOf(runId), this.#backlog);
    for (const [runId, lane] of this.#lanes) {
      if (known.has(runId)) continue;
      lane.isStopped = true;
      this.#withheld.delete(lane);
      this.#lanes.delete(runId);
      this.#checkpoints.forget(runId);
    }
    this.#card.plan();
  }

  #laneOf(runId: RunId): Lane {
    let lane = this.#lanes.get(runId);
    if (lane === undefined) {
      lane = { runId, at: null, counter: 0, isActive: false, isWaiting: false, shrinking: 1, isStopped: false };
      this.#lanes.set(runId, lane);
    }
    return lane;
  }

  // ——— logs ———

  #wake(lane: Lane, why: Set<Lane>): void {
    if (lane.isStopped || this.#isStopped) return;
    why.add(lane);
    if (why === this.#fresh) this.#backlog.delete(lane);
    this.#run();
  }

  #run(): void {
    for (const from of [this.#fresh, this.#backlog]) {
      for (const lane of from) {
        if (this.#active >= MAX_ACTIVE || this.#isStopped || this.#context.link.state.is !== 'live') return;
        if (lane.isActive) continue;
        from.delete(lane);
        void this.#serve(lane, from === this.#fresh);
      }
    }
  }

  /** One batch of one session, then others may have their turn. Never rejects. */
  async #serve(lane: Lane, isFresh: boolean): Promise<void> {
    lane.isActive = true;
    this.#active += 1;
    try {
      if (isFresh && !this.#isDurable(lane)) await this.#synced();
      const hasMore = lane.isStopped ? false : await this.#sendNext(lane);
      if (hasMore) this.#wake(lane, this.#backlog);
      else if (this.#isUnstored(lane)) this.#wakeLater(lane);
    } catch (error) {
      this.#failed(lane, error);
    } finally {
      lane.isActive = false;
      this.#active -= 1;
      this.#run();
    }
  }

  /** The disk refused it when it was published: it is stored later, and nobody is told again. */
  #isUnstored(lane: Lane): boolean {
    if (lane.at === null || this.#fresh.has(lane)) return false;
    return this.#options.source.publishedSeq(lane.runId) > lane.at.lastSeq;
  }

  /** What is durable before it is published, as every change of a session's state is, has been waited for already. */
  #isDurable({ runId }: Lane): boolean {
    const { source } = this.#options;
    return source.durableSeq(runId) >= source.publishedSeq(runId);
  }

  /** Everything published so far is fsynced [replica-2]. Those who ask while one is under way share the next one. */
  #synced(): Promise<void> {
    this.#nextSync ??= this.#sync
      .catch(() => {})
      .then(() => {
        this.#nextSync = null;
        this.#sync = this.#options.source.sync();
        return this.#sync;
      });
    return this.#nextSync;
  }

  /** false: the relay has everything that may leave. */
  async #sendNext(lane: Lane): Promise<boolean> {
    const { source } = this.#options;
    lane.at ??= await this.#look(lane);
    const { at, runId } = lane;
    const epoch = source.epochOf(runId);
    if (epoch === null) return false;
    const durableSeq = source.durableSeq(runId);
    if (at === null || durableSeq <= at.lastSeq) return false;
    const { payload, page } = await this.#payloadOf(lane, at.lastSeq as Seq, durableSeq);
    if (page.items.length === 0) return false;
    lane.counter = counterFloor(at, lane, this.#round) + 1;
    const { counter } = lane;
    const range = { epoch, seqFrom: at.lastSeq + 1, seqTo: page.toSeq };
    const stream = this.#context.keyring.streamName('log', runId);
    const batch = seal(this.#context, { kind: 'log', stream, ...range, counter, previousHash: at.hash }, payload);
    const hasMore = page.toSeq < durableSeq;
    const { link } = this.#context;
    // The last of it may be what somebody types or reads now.
    await (hasMore ? link.appendBulk(batch.frame, 'watch') : link.append(batch.frame, 'watch'));
    lane.at = { lastSeq: page.toSeq, counter, hash: batch.hash };
    const bytes = page.items.reduce((sum, item) => sum + ('seq' in item ? item.payload.byteLength : 0), 0);
    lane.shrinking = Math.min(MAX_SHRINKING, Math.max(1, bytes / payload.byteLength));
    this.#checkpoints.sent(runId, bytes, !hasMore);
    return hasMore;
  }

  async #payloadOf({ runId, shrinking }: Lane, after: Seq, upTo: Seq): Promise<{ payload: Uint8Array; page: ChainedPage }> {
    // On a slow line nothing shall be in front of what is typed for longer than a moment [slow-3].
    const { batchBytes, payloadBytes, largeBytes } = this.#measures;
    const atMost = Math.min(batchBytes, Math.floor(this.#context.link.bulkBytes * shrinking));
    for (let maxBytes = atMost; ; maxBytes = Math.floor(maxBytes / 4)) {
      const page = await this.#options.source.readChained({ runId, after, upTo, maxBytes });
      const payload = await encodeLog(after + 1, page);
      if (payload.byteLength <= payloadBytes) return { payload, page };
      const [only, another] = page.items;
      if (another === undefined && only !== undefined && 'seq' in only) {
        if (only.payload.byteLength <= largeBytes) {
          await this.#sendPieces(runId, only);
          return { payload: await encodeLog(after + 1, page, true), page };
        }
        // What it was is said; the chain goes on behind it.
        const gapped = { ...page, items: [tooLarge(only, page.headHash)] };
        return { payload: await encodeLog(after + 1, gapped), page: gapped };
      }
    }
  }

  /** In front of the batch that names them. The relay may have some of them already. */
  async #sendPieces(runId: RunId, { seq, payload }: ChainedEvent): Promise<void> {
    // Whoever deletes the session has to know what there is of it.
    await this.#options.source.noteLarge(runId, seq);
    const stream = streamOfLarge(this.#context, runId, seq);
    const atRelay = await standing(this.#context, stream, 'document');
    let { counter, hash: previousHash } = atRelay ?? { counter: 0, hash: NO_BATCH_HASH };
    for (const piece of piecesOf(payload, atRelay?.lastPosition ?? 0, this.#measures.pieceBytes)) {
      this.#pieces.counter = counterFloor({ counter }, this.#pieces, this.#round) + 1;
      counter = this.#pieces.counter;
      const header = { kind: 'document', stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash } as const;
      const batch = seal(this.#context, header, piece);
      await this.#context.link.append(batch.frame, 'rest');
      previousHash = batch.hash;
    }
  }

  async #look(lane: Lane): Promise<Lane['at']> {
    const { source } = this.#options;
    const { runId } = lane;
    const stream = this.#context.keyring.streamName('log', runId);
    const atRelay = await standing(this.#context, stream, 'log');
    // It was deleted meanwhile.
    if (lane.isStopped) return null;
    const epoch = source.epochOf(runId);
    if (epoch === null) return null;
    const start = laneStart(atRelay, { epoch, durableSeq: source.durableSeq(runId) });
    if (start.is === 'stop') {
      if (start.why === 'taken-over') this.#withheld.add(lane);
      this.#stopLane(lane, STOPPED[start.why]);
      return null;
    }
    if (start.is === 'take') await this.#take(stream, start.from);
    if (start.is === 'begin') await source.beginEpoch(runId, start.epoch);
    if (start.is !== 'send') return this.#look(lane);
    return { lastSeq: start.after, counter: atRelay?.counter ?? 0, hash: atRelay?.hash ?? NO_BATCH_HASH };
  }

  /** This machine was somebody else when it sent it last: what is sent from now on is of another epoch, and what comes of the old one refused. */
  async #take(stream: string, from: number): Promise<void> {
    const { link } = this.#context;
    await link.ask({ type: 'lease:take', stream, epoch: from, signature: link.signLease(stream, from + 1) });
  }

  #failed(lane: Lane, error: unknown): void {
    lane.at = null;
    if (lane.isStopped || this.#isStopped || !this.#lanes.has(lane.runId)) return;
    const why = whyOf(error);
    if (why === 'unknown') this.#context.onProblem(`session ${lane.runId} could not be sent to the relay`, error);
    const react: Record<LaneReaction, () => void> = {
      'look-again': () => this.#wake(lane, this.#backlog),
      'wait-and-look': () => this.#wakeLater(lane),
      'wait-for-chain': () => {
        this.#outdated.add(lane);
        // Should it have grown already.
        this.#wakeLater(lane);
      },
      stop: () => {
        if (why === 'not-allowed') this.#withheld.add(lane);
        this.#stopLane(lane, why === 'not-allowed' ? MAY_NOT : relayRefusalText(why as RelayRefusal));
      },
    };
    react[why === 'unknown' ? 'wait-and-look' : reactionTo(why)]();
  }

  #free(lane: Lane): void {
    lane.isStopped = false;
    this.#options.source.setUnsent(lane.runId, null);
  }

  #stopLane(lane: Lane, why: string): void {
    lane.isStopped = true;
    this.#options.source.setUnsent(lane.runId, why);
    if (!this.#told.has(why)) this.#options.onNotice(`A session is not sent to your other machines any more. ${why}`);
    this.#told.add(why);
    this.#context.onProblem(`session ${lane.runId} is not published any more: ${why}`);
  }

  /** As if something of it had just been published: what made it wait may have kept it from being fsynced too. */
  #wakeLater(lane: Lane): void {
    if (lane.isWaiting) return;
    lane.isWaiting = true;
    this.#later(() => {
      lane.isWaiting = false;
      this.#wake(lane, this.#fresh);
    });
  }

  #later(run: () => void, afterMs = RETRY_MS): void {
    const cancel = this.#context.clock.setTimer(() => {
      this.#timers.delete(cancel);
      run();
    }, afterMs);
    this.#timers.add(cancel);
  }
}

const MAY_NOT =
  'It was sent by this machine before it left the workspace; to go on it needs all rights (baton machines rights, on another machine).';
const STOPPED = {
  'taken-over':
    'Another machine holds it. If that is this one as it was before it left: remove that entry from the list, on a machine with all rights.',
  'set-back':
    'The relay has more of it than this machine: this machine’s data was set back to an earlier state. What the others have stays there.',
} as const;

function tooLarge(event: ChainedEvent, hash: string | null): ChainedPage['items'][number] {
  const { seq, epoch, ts, payload } = event;
  return { fromSeq: seq, toSeq: seq, epoch, ts, bytes: payload.byteLength, reason: 'too-large', hash };
}
