import * as z from 'zod/mini';
import type { Clock } from '../../../src-shared/client.ts';
import type { Json } from '../../../src-shared/events.ts';
import { Epoch, NO_SEQ, RunId, type Seq } from '../../../src-shared/ids.ts';
import { type CardSession, MAX_CARD_DELETED, nextRound } from '../../../src-shared/replication.ts';
import type { SessionSpec } from '../../../src-shared/session.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Store } from '../../store/store.ts';
import type { StartSyncPart } from '../sync-context.ts';
import { type LogSource, Publisher, type PublisherOptions } from './publisher.ts';
import { Replicas } from './replicas.ts';
import { type Deletion, type Deletions, StreamRemoval } from './stream-removal.ts';

export interface ReplicationOptions extends Pick<PublisherOptions, 'about' | 'onNotice' | 'measures'> {
  readonly engine: Pick<Engine, 'checkpoint' | 'hosted' | 'onLog' | 'onSession' | 'onRemoving' | 'onRemoved' | 'remote'>;
  readonly store: Pick<Store, 'durableSeq' | 'sync' | 'readChained' | 'getFact' | 'setFact'>;
}

const ROUND = 'replication.round';
const DELETIONS = 'replication.deletions';
const LARGE = 'replication.largeEvents';
const WithLarge = z.object({ runId: RunId, large: z.array(z.int()) });
/** What was deleted here: what others are told of, and what of it may still lie at the relay. */
const KeptDeletions = z.object({ told: z.array(RunId), atRelay: z.array(WithLarge) });
type KeptDeletions = z.infer<typeof KeptDeletions>;

/** Logs of sessions between the machines of a workspace: what is hosted here goes out, what others host comes in. */
export function replication(options: ReplicationOptions): StartSyncPart {
  return async (context, onAbout) => {
    const { engine, store, about, onNotice, measures } = options;
    const source = new HostedLogs(options, context.onProblem);
    await source.open();
    const replicas = await Replicas.start(context, {
      store: {
        sessions: engine.remote,
        getFact: (name) => store.getFact(name),
        setFact: (name, value) => store.setFact(name, value),
      },
      onAbout,
      onNotice,
    });
    const removal = new StreamRemoval(context, source);
    const stopRest = async () => {
      removal.stop();
      await replicas.stop();
      source.close();
    };
    const publisher = await Publisher.start(context, {
      source,
      about,
      onNotice,
      nextRound: () => newRound(store, context.clock),
      ...(measures === undefined ? {} : { measures }),
    }).catch(async (error: unknown) => {
      await stopRest();
      throw error;
    });
    return {
      stop: async () => {
        await publisher.stop();
        await stopRest();
      },
      sleep: () => publisher.sleep(),
      wake: () => publisher.wake(),
      aboutChanged: () => publisher.aboutChanged(),
      about: (machine) => replicas.about(machine),
    };
  };
}

async function newRound(store: ReplicationOptions['store'], clock: Clock): Promise<number> {
  const round = nextRound(z.catch(z.int(), 0).parse(await store.getFact(ROUND)), clock.nowMs());
  await store.setFact(ROUND, round);
  return round;
}

/** The engine's own sessions, and which of them were deleted: others learn it from a card, however much later. */
class HostedLogs implements LogSource, Deletions {
  readonly #options: ReplicationOptions;
  readonly #onProblem: (message: string, error?: unknown) => void;
  readonly #listeners = new Set<() => void>();
  readonly #known = new Set<RunId>();
  readonly #ends: (() => void)[] = [];
  /** Written before a session goes, so that nobody keeps what its host has forgotten: of those that are still here nothing is said. */
  #deletions: KeptDeletions = { told: [], atRelay: [] };
  readonly #deletionListeners = new Set<() => void>();
  /** Events of hosted sessions that lie beside their logs at the relay. */
  readonly #large = new Map<RunId, number[]>();

  constructor(options: ReplicationOptions, onProblem: (message: string, error?: unknown) => void) {
    this.#options = options;
    this.#onProblem = onProblem;
  }

  async open(): Promise<void> {
    const { engine, store } = this.#options;
    this.#deletions = z.catch(KeptDeletions, this.#deletions).parse(await store.getFact(DELETIONS));
    const large = z.catch(z.array(WithLarge), []).parse(await store.getFact(LARGE));
    for (const { runId, large: seqs } of large) this.#large.set(runId, seqs);
    for (const runId of engine.hosted.keys()) this.#known.add(runId);
    this.#ends.push(
      engine.onSession(({ runId, remote }) => {
        if (remote !== null || this.#known.has(runId)) return;
        this.#known.add(runId);
        this.#tell();
      }),
      engine.onRemoving((runId) => this.#remember(runId)),
      engine.onRemoved((runId) => {
        if (this.#known.delete(runId)) this.#tellDeleted(runId);
      }),
    );
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  hosted(): readonly CardSession[] {
    return [...this.#options.engine.hosted.values()].map(({ runId, epoch, createdTs, meta }) => {
      // Whoever hears of it has to hear of its end too.
      this.#known.add(runId);
      return { runId, spec: withoutSecrets(meta.spec), epoch, createdTs, branchOf: meta.branchOf };
    });
  }

  epochOf(runId: RunId): number | null {
    return this.#options.engine.hosted.get(runId)?.epoch ?? null;
  }

  publishedSeq(runId: RunId): Seq {
    return this.#options.engine.hosted.get(runId)?.log.published.seq ?? NO_SEQ;
  }

  setUnsent(runId: RunId, why: string | null): void {
    this.#options.engine.hosted.get(runId)?.setUnsent(why);
  }

  async beginEpoch(runId: RunId, epoch: number): Promise<void> {
    await this.#options.engine.hosted.get(runId)?.beginEpoch(Epoch.parse(epoch));
    // The others follow it under its new epoch as soon as they hear of it.
    this.#tell();
  }

  deleted(): readonly RunId[] {
    return this.#deletions.told.filter((runId) => !this.#isHere(runId));
  }

  pending(): readonly Deletion[] {
    return this.#deletions.atRelay.filter(({ runId }) => !this.#isHere(runId));
  }

  removed(runId: RunId): void {
    const atRelay = this.#deletions.atRelay.filter((each) => each.runId !== runId);
    this.#deletions = { ...this.#deletions, atRelay };
    this.#keep(DELETIONS, this.#deletions);
  }

  onDeleted(listener: () => void): () => void {
    this.#deletionListeners.add(listener);
    return () => this.#deletionListeners.delete(listener);
  }

  async noteLarge(runId: RunId, seq: number): Promise<void> {
    const seqs = this.#large.get(runId) ?? [];
    if (seqs.includes(seq)) return;
    this.#large.set(runId, [...seqs, seq]);
    await this.#options.store.setFact(LARGE, this.#allLarge());
  }

  #allLarge(): Json {
    return [...this.#large].map(([runId, large]) => ({ runId, large }));
  }

  onLog(listener: (runId: RunId) => void): () => void {
    return this.#options.engine.onLog(listener);
  }

  onSessions(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  durableSeq(runId: RunId): ReturnType<Store['durableSeq']> {
    return this.#options.store.durableSeq(runId);
  }

  sync(): Promise<void> {
    return this.#options.store.sync();
  }

  checkpoint(runId: RunId): ReturnType<Engine['checkpoint']> {
    return this.#options.engine.checkpoint(runId);
  }

  readChained(query: Parameters<Store['readChained']>[0]): ReturnType<Store['readChained']> {
    return this.#options.store.readChained(query);
  }

  #isHere(runId: RunId): boolean {
    return this.#options.engine.hosted.has(runId);
  }

  async #remember(runId: RunId): Promise<void> {
    if (!this.#known.has(runId)) return;
    const told = this.#deletions.told.filter((each) => each !== runId);
    const atRelay = this.#deletions.atRelay.filter((each) => each.runId !== runId);
    this.#deletions = {
      told: [...told, runId].slice(-MAX_CARD_DELETED),
      atRelay: [...atRelay, { runId, large: this.#large.get(runId) ?? [] }],
    };
    await this.#options.store.setFact(DELETIONS, this.#deletions as unknown as Json);
  }

  #tellDeleted(runId: RunId): void {
    if (this.#large.delete(runId)) this.#keep(LARGE, this.#allLarge());
    this.#tell();
    for (const listener of this.#deletionListeners) listener();
  }

  #keep(fact: string, value: unknown): void {
    this.#options.store
      .setFact(fact, value as Json)
      .catch((error: unknown) => this.#onProblem('which sessions were deleted could not be kept', error));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What the host adds to its programs' environment stays there. */
function withoutSecrets(spec: SessionSpec): SessionSpec {
  return spec.kind === 'pty' ? { ...spec, env: {} } : spec;
}
