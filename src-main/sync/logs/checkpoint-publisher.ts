import type { RunId } from '../../../src-shared/ids.ts';
import { type Checkpoint, counterFloor } from '../../../src-shared/replication.ts';
import { NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import type { Store } from '../../store/store.ts';
import { standing, whyOf } from '../link/standing.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import { encodeCheckpoint, streamOfCheckpoint } from './checkpoint.ts';
import type { LogMeasures } from './log-measures.ts';

/** A larger one (a queue of pictures) is not left: whoever needs it reads the log from its beginning. */
const MAX_CHECKPOINT_BYTES = 512 * 1024;
const RETRY_MS = 5_000;

/** What checkpoints are made of. */
export interface CheckpointSource extends Pick<Store, 'readChained'> {
  /** The session as it stands now, without its hash; null: it moves too fast to be seen as a whole. */
  checkpoint(runId: RunId): Promise<Omit<Checkpoint, 'hash'> | null>;
}

export interface CheckpointPublisherOptions {
  readonly source: CheckpointSource;
  /** Everything published so far is fsynced. */
  readonly synced: () => Promise<void>;
  /** The publisher's, see counterFloor. */
  readonly round: () => number;
  readonly measures: LogMeasures;
}

/**
 * Leaves checkpoints of hosted sessions at the relay as their logs grow, so that a machine that has nothing of a session can begin there
 * [replica-13]; without one it reads the whole log. One after the other and beside the logs: nothing of them waits for it.
 */
export class CheckpointPublisher {
  readonly #context: SyncContext;
  readonly #options: CheckpointPublisherOptions;
  /** Payload of events that was sent since the last checkpoint. */
  readonly #sentBytes = new Map<RunId, number>();
  readonly #used = { counter: 0 };
  readonly #leaving = new Set<RunId>();
  readonly #timers = new Set<() => void>();
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(context: SyncContext, options: CheckpointPublisherOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** `rests`: the relay has everything of it. */
  sent(runId: RunId, bytes: number, rests: boolean): void {
    const sentBytes = (this.#sentBytes.get(runId) ?? 0) + bytes;
    this.#sentBytes.set(runId, sentBytes);
    const { checkpointAfterBytes, checkpointAtLatestBytes } = this.#options.measures;
    const isDue = sentBytes >= (rests ? checkpointAfterBytes : checkpointAtLatestBytes);
    if (!isDue || this.#leaving.has(runId) || this.#isStopped) return;
    this.#leaving.add(runId);
    this.#turn = this.#turn.then(() => this.#inTurn(runId, sentBytes));
  }

  /** The session is gone. */
  forget(runId: RunId): void {
    this.#sentBytes.delete(runId);
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of this.#timers) cancel();
  }

  /** Never rejects. */
  async #inTurn(runId: RunId, sentBytes: number): Promise<void> {
    let isDone = this.#isStopped || !this.#sentBytes.has(runId);
    if (!isDone) {
      this.#sentBytes.set(runId, 0);
      isDone = await this.#leave(runId).catch((error: unknown) => {
        if (whyOf(error) === 'unknown') this.#context.onProblem(`the checkpoint of session ${runId} could not be left`, error);
        return false;
      });
    }
    this.#leaving.delete(runId);
    if (!isDone) this.#later(() => this.#sentBytes.has(runId) && this.sent(runId, sentBytes, true));
  }

  /** False: to be tried again. */
  async #leave(runId: RunId): Promise<boolean> {
    const { source, synced, round } = this.#options;
    const now = await source.checkpoint(runId);
    if (now === null) return false;
    await synced();
    const { headHash: hash } = await source.readChained({ runId, after: now.seq, upTo: now.seq, maxBytes: 1 });
    const payload = hash === null ? null : await encodeCheckpoint({ ...now, hash });
    if (payload === null || payload.byteLength > MAX_CHECKPOINT_BYTES) return true;
    const stream = streamOfCheckpoint(this.#context, runId);
    const last = (await standing(this.#context, stream, 'index')) ?? { counter: 0, hash: NO_BATCH_HASH };
    // One for all streams: a relay that was set back may not know how far each had come.
    this.#used.counter = counterFloor(last, this.#used, round()) + 1;
    const { counter } = this.#used;
    const header = { kind: 'index', stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash: last.hash } as const;
    await this.#context.link.append(seal(this.#context, header, payload).frame, 'rest');
    return true;
  }

  #later(run: () => void): void {
    if (this.#isStopped) return;
    const cancel = this.#context.clock.setTimer(() => {
      this.#timers.delete(cancel);
      run();
    }, RETRY_MS);
    this.#timers.add(cancel);
  }
}
