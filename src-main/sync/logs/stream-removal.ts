import type { RunId } from '../../../src-shared/ids.ts';
import { MAX_REMOVED_AT_ONCE } from '../../../src-shared/relay-protocol.ts';
import { sessionDocument } from '../../../src-shared/workspace-documents.ts';
import { whyOf } from '../link/standing.ts';
import type { SyncContext } from '../sync-context.ts';
import { streamOfCheckpoint } from './checkpoint.ts';
import { streamOfLarge } from './large-event.ts';

const RETRY_MS = 30_000;

/** A session that was deleted here. */
export interface Deletion {
  readonly runId: RunId;
  /** Its events that went beside the log, in streams of their own. */
  readonly large: readonly number[];
}

/** What was deleted here and may still lie at the relay; kept over restarts. */
export interface Deletions {
  pending(): readonly Deletion[];
  removed(runId: RunId): void;
  onDeleted(listener: () => void): () => void;
}

/** Takes what was deleted here off the relay, as soon as it can be reached: the log, its checkpoint, what was written about it. */
export class StreamRemoval {
  readonly #context: SyncContext;
  readonly #deletions: Deletions;
  readonly #ends: readonly (() => void)[];
  #isRunning = false;
  #isStopped = false;
  #cancelRetry = () => {};

  constructor(context: SyncContext, deletions: Deletions) {
    this.#context = context;
    this.#deletions = deletions;
    this.#ends = [context.link.onState(() => this.#run()), deletions.onDeleted(() => this.#run())];
    this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry();
    for (const end of this.#ends) end();
  }

  #run(): void {
    if (this.#isRunning || this.#isStopped || this.#context.link.state.is !== 'live') return;
    this.#cancelRetry();
    this.#isRunning = true;
    const ended = () => {
      this.#isRunning = false;
    };
    this.#removeAll().then(
      () => {
        ended();
        // Something was deleted while the last step was ending.
        if (this.#deletions.pending().length > 0) this.#run();
      },
      (error: unknown) => {
        ended();
        this.#failed(error);
      },
    );
  }

  async #removeAll(): Promise<void> {
    for (;;) {
      const [next] = this.#deletions.pending();
      if (next === undefined || this.#isStopped) return;
      await this.#remove(next);
      this.#deletions.removed(next.runId);
    }
  }

  async #remove({ runId, large }: Deletion): Promise<void> {
    const { keyring } = this.#context;
    const own = [
      keyring.streamName('log', runId),
      streamOfCheckpoint(this.#context, runId),
      ...large.map((seq) => streamOfLarge(this.#context, runId, seq)),
    ];
    for (let at = 0; at < own.length; at += MAX_REMOVED_AT_ONCE) await this.#ask(own.slice(at, at + MAX_REMOVED_AT_ONCE));
    // Others have written there too: a machine that may not delete what is theirs leaves it.
    await this.#ask([keyring.streamName('document', sessionDocument(runId))]);
  }

  async #ask(streams: string[]): Promise<void> {
    try {
      await this.#context.link.ask({ type: 'streams:remove', streams });
    } catch (error) {
      if (whyOf(error) !== 'not-allowed') throw error;
    }
  }

  #failed(error: unknown): void {
    if (whyOf(error) === 'unknown') this.#context.onProblem('what was deleted could not be taken off the relay', error);
    // When the connection is back, or the relay can write again.
    if (!this.#isStopped) this.#cancelRetry = this.#context.clock.setTimer(() => this.#run(), RETRY_MS);
  }
}
