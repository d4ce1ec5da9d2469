import type { RunId, Seq } from '../../../src-shared/ids.ts';
import { EMPTY_STREAM, receiveBatch } from '../../../src-shared/receive-batch.ts';
import { isWriterOfLog } from '../../../src-shared/replication.ts';
import type { RemoteSession } from '../../engine/remote-session.ts';
import type { RemoteSessions } from '../../engine/remote-sessions.ts';
import type { SyncContext } from '../sync-context.ts';
import { fetchLarge, streamOfLarge } from './large-event.ts';
import { decodeLog, type LogPiece } from './log-payload.ts';

/** After a failure that may pass, and where the relay has less than the checkpoint: its host is still sending. */
const RETRY_MS = 2_000;

export interface BackfillOptions {
  readonly sessions: Pick<RemoteSessions, 'all' | 'missing' | 'fill'>;
  /** What was filled in does not lead to what is here. */
  readonly onFork: (runId: RunId) => void;
}

/**
 * Fills in the beginnings of logs that were begun at a checkpoint: one page after the other, of one session after the other, so that
 * what happens now never waits behind what was. Where it stands is what the store says is missing: nothing else is kept.
 */
export class Backfill {
  readonly #context: SyncContext;
  readonly #options: BackfillOptions;
  /** The one that was looked at last comes first. */
  readonly #waiting = new Set<RunId>();
  readonly #ends: (() => void)[] = [];
  #cancelRetry = () => {};
  #endFetch = () => {};
  /** Never rejects. */
  #writing: Promise<unknown> = Promise.resolve();
  #isRunning = false;
  #isStopped = false;

  constructor(context: SyncContext, options: BackfillOptions) {
    this.#context = context;
    this.#options = options;
    this.#ends.push(context.link.onState(({ is }) => is === 'live' && this.#run()));
  }

  /** Something may be missing of it. */
  add(runId: RunId): void {
    this.#waiting.add(runId);
    this.#run();
  }

  /** Resolves when nothing is being written any more. */
  stop(): Promise<unknown> {
    this.#isStopped = true;
    for (const end of this.#ends) end();
    this.#cancelRetry();
    this.#endFetch();
    return this.#writing;
  }

  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#fillAll();
  }

  /** Never rejects. */
  async #fillAll(): Promise<void> {
    this.#cancelRetry();
    for (let runId = this.#next(); runId !== undefined; runId = this.#next()) {
      try {
        const filled = await this.#fillPage(runId);
        if (filled === 'done') this.#waiting.delete(runId);
        if (filled !== 'nothing') continue;
        this.#later(runId);
      } catch (error) {
        this.#failed(runId, error);
      }
      break;
    }
    this.#isRunning = false;
  }

  #next(): RunId | undefined {
    const [runId] = this.#waiting;
    return this.#isStopped || this.#context.link.state.is !== 'live' ? undefined : runId;
  }

  /** Behind the others. */
  #later(runId: RunId): void {
    if (this.#waiting.delete(runId)) this.#waiting.add(runId);
    if (!this.#isStopped) this.#cancelRetry = this.#context.clock.setTimer(() => this.#run(), RETRY_MS);
  }

  #failed(runId: RunId, error: unknown): void {
    if (this.#isStopped) return;
    if (error instanceof Error && 'code' in error && error.code === 'forked') {
      this.#waiting.delete(runId);
      this.#options.onFork(runId);
    } else if (this.#context.link.state.is === 'live') {
      this.#context.onProblem(`the beginning of session ${runId} could not be filled in`, error);
    }
    // A lost link comes back by itself, and is heard of.
    this.#later(runId);
  }

  /** `nothing`: its host has not sent it to the relay yet. */
  async #fillPage(runId: RunId): Promise<'some' | 'done' | 'nothing'> {
    const { sessions } = this.#options;
    const session = sessions.all.get(runId);
    const missing = session === undefined ? null : await sessions.missing(runId);
    if (session === undefined || missing === null) return 'done';
    const stream = this.#context.keyring.streamName('log', runId);
    const answer = await this.#context.link.ask({ type: 'stream:page', stream, after: missing.fromSeq - 1 });
    if (answer.type !== 'page' || answer.batches.length === 0) return 'nothing';
    const before = missing.fromSeq - 1;
    let known = before;
    for (const { frame } of answer.batches) {
      if (known >= missing.toSeq || this.#isStopped) break;
      const piece = await this.#open(frame, session, known);
      if (this.#isStopped) break;
      const filled = sessions.fill(runId, upTo(piece, missing.toSeq));
      this.#writing = filled.catch(() => {});
      await filled;
      known = piece.to;
    }
    return known > before ? 'some' : 'nothing';
  }

  async #open(
    frame: Uint8Array,
    { runId, replica }: Pick<RemoteSession, 'runId' | 'replica'>,
    known: number,
  ): Promise<LogPiece & { readonly to: number }> {
    const { membership, keyring } = this.#context;
    const received = receiveBatch(frame, { membership, keyring, state: { ...EMPTY_STREAM, lastSeq: known } });
    if (received.is !== 'opened') throw new Error(received.is === 'refused' ? received.why : received.is);
    const { header } = received.batch;
    if (header.kind !== 'log' || !isWriterOfLog(header, replica)) throw new Error('a batch of the log is not its host’s');
    const host = header.machine;
    const range = { runId, from: header.seqFrom, to: header.seqTo, known };
    const large = new Map<number, Uint8Array>();
    for (;;) {
      const piece = await decodeLog(received.payload, range, large);
      if (piece.missing === null) return { ...piece, to: header.seqTo };
      const { seq, bytes, hash } = piece.missing;
      const at = { stream: streamOfLarge(this.#context, runId, seq), host, bytes, hash, lane: 'rest' as const };
      const fetching = fetchLarge(this.#context, at);
      this.#endFetch = fetching.end;
      large.set(seq, await fetching.whole);
    }
  }
}

/** Without what is here already. */
function upTo({ events, gaps }: LogPiece, last: Seq): Pick<LogPiece, 'events' | 'gaps'> {
  return { events: events.filter(({ seq }) => seq <= last), gaps: gaps.filter(({ toSeq }) => toSeq <= last) };
}
