import type { Json, LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { hashFromHex } from './chain.ts';
import { unpackEvents } from './event-page.ts';
import { type Gap, NOT_HERE_YET } from './gaps.ts';
import type { ReaderCalls, ReaderMethod, ReadQuery, WriteExtra } from './messages.ts';
import { MAX_SEQ, MAX_SESSION_KEY } from './row-id.ts';
import type {
  AppendRequest,
  DocumentChange,
  InputRecord,
  LostRun,
  OutboxRow,
  SearchHit,
  SessionRow,
  Store,
  TimedListener,
} from './store.ts';
import { StoreError } from './store-error.ts';
import type { StoreThreads } from './store-threads.ts';

/** What is known of a session on this side. */
class Session {
  readonly key: number;
  /** Highest committed seq, and highest fsynced one. */
  committed: Seq;
  durable: Seq;
  readonly #unsynced: Set<Session>;

  constructor(key: number, lastSeq: Seq, unsynced: Set<Session>) {
    this.key = key;
    this.committed = lastSeq;
    this.durable = lastSeq;
    this.#unsynced = unsynced;
  }

  handleCommitted(lastSeq: Seq): void {
    this.committed = lastSeq;
    this.#unsynced.add(this);
  }
}

type ReadBounds = Pick<Parameters<Store['read']>[0], 'channels' | 'limit' | 'maxBytes'>;

/** The store as its callers hold it: knows sessions by their keys, hands writes to the queue and questions to the reader. */
export class LogStore implements Store {
  readonly #threads: StoreThreads;
  readonly #sessions = new Map<RunId, Session>();
  /** Sessions whose last commits are not fsynced. */
  readonly #unsynced = new Set<Session>();
  #nextKey: number;
  #closing: Promise<void> | null = null;

  constructor(threads: StoreThreads) {
    this.#threads = threads;
    this.#nextKey = threads.opened.nextKey;
    for (const { runId, key, lastSeq } of threads.opened.sessions) {
      this.#sessions.set(runId, new Session(key, lastSeq, this.#unsynced));
    }
    threads.onSynced = () => this.#handleSynced();
  }

  get recovered(): Store['recovered'] {
    return this.#threads.opened.recovered;
  }

  get pendingBytes(): number {
    return this.#threads.queue.pendingBytes;
  }

  async createSession(row: Parameters<Store['createSession']>[0], first: Parameters<Store['createSession']>[1]): Promise<void> {
    if (this.#sessions.has(row.runId)) {
      throw new StoreError('session-exists', `Cannot create session ${row.runId}: there is one with this id.`);
    }
    if (this.#nextKey > MAX_SESSION_KEY) {
      throw new StoreError(
        'failed',
        `Cannot create a session: the log holds no more than ${MAX_SESSION_KEY}. Begin a new one elsewhere.`,
      );
    }
    const key = this.#nextKey++;
    const session = new Session(key, first.behind?.seq ?? NO_SEQ, this.#unsynced);
    this.#sessions.set(row.runId, session);
    try {
      const { behind = null, input = null } = first;
      const missing: Gap | null = behind && {
        ...{ fromSeq: 1, toSeq: behind.seq, ts: behind.ts, epoch: behind.epoch, bytes: 0 },
        ...{ reason: NOT_HERE_YET, hash: hashFromHex(behind.hash) },
      };
      await this.#write(session, first.events, { op: 'create', key, row, input, missing }, first.durable);
    } catch (error) {
      this.#sessions.delete(row.runId);
      throw error;
    }
  }

  append({ runId, events, input, meta, replica, durable }: AppendRequest): Promise<void> {
    const session = this.#sessions.get(runId);
    if (session === undefined) return Promise.reject(unknownSession(runId));
    const isAnnotated = input !== undefined || meta !== undefined || replica !== undefined;
    if (events.length === 0 && !isAnnotated) return Promise.resolve();
    const { key } = session;
    const extra: WriteExtra | null = isAnnotated
      ? { op: 'annotate', key, input: input ?? null, meta: meta ?? null, replica: replica ?? null }
      : null;
    return this.#write(session, events, extra, durable);
  }

  async missing(runId: RunId): ReturnType<Store['missing']> {
    return this.#ask('missing', { key: this.#keyOf(runId) });
  }

  async fill(runId: RunId, piece: readonly LogEvent[] | LostRun): Promise<void> {
    const key = this.#keyOf(runId);
    if (!isLost(piece)) return this.#write(null, piece, { op: 'fill', key, gap: null }, false, key);
    await this.#write(null, [], { op: 'fill', key, gap: { ...piece, hash: hashFromHex(piece.hash) } }, false, key);
  }

  durableSeq(runId: RunId): Seq {
    return this.#sessions.get(runId)?.durable ?? NO_SEQ;
  }

  sync(): Promise<void> {
    return this.#write(null, [], { op: 'sync' }, true);
  }

  updateSession(runId: RunId, meta: { readonly status: string; readonly meta: Json }): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'annotate', key, input: null, meta, replica: null }));
  }

  listSessions(): Promise<readonly SessionRow[]> {
    return this.#ask('sessions', null);
  }

  async deleteSession(runId: RunId): Promise<void> {
    await this.#writeOf(runId, (key) => ({ op: 'delete', key }), true);
    this.#sessions.delete(runId);
  }

  async findInput(runId: RunId, inputId: string): Promise<InputRecord | null> {
    return this.#ask('input', { key: this.#keyOf(runId), inputId });
  }

  recordInput(runId: RunId, input: InputRecord): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'annotate', key, input, meta: null, replica: null }), true);
  }

  read(query: Parameters<Store['read']>[0]): Promise<readonly LogEvent[]> {
    return this.#read(query.runId, query.after ?? 0, query.upTo ?? MAX_SEQ, query, false);
  }

  readBack(query: Parameters<Store['readBack']>[0]): Promise<readonly LogEvent[]> {
    return this.#read(query.runId, 0, query.before === undefined ? MAX_SEQ : query.before - 1, query, true);
  }

  async readChained({ runId, ...query }: Parameters<Store['readChained']>[0]): ReturnType<Store['readChained']> {
    return this.#ask('chained', { key: this.#keyOf(runId), ...query });
  }

  async search(query: Parameters<Store['search']>[0]): Promise<{ hits: readonly SearchHit[]; cursor: string | null }> {
    const key = query.runId === undefined ? null : this.#keyOf(query.runId);
    return this.#ask('search', { query: query.query, key, limit: query.limit, cursor: query.cursor ?? null });
  }

  async verify(runId: RunId): Promise<ReaderCalls['verify']['result']> {
    return this.#ask('verify', { key: this.#keyOf(runId) });
  }

  putScreen(runId: RunId, screen: Screen): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'screen', key, screen }));
  }

  async screen(runId: RunId, atOrBefore?: Seq): Promise<Screen | null> {
    return this.#ask('screen', { key: this.#keyOf(runId), atOrBefore: atOrBefore ?? MAX_SEQ });
  }

  async compactOutput(runId: RunId, keepBytes: number): Promise<{ readonly freedBytes: number; readonly throughSeq: Seq }> {
    this.#refuseWhenClosing();
    return this.#threads.compact(this.#keyOf(runId), keepBytes);
  }

  outputBytes(): Promise<ReadonlyMap<RunId, number>> {
    return this.#ask('outputBytes', null);
  }

  getLayout(clientId: string): Promise<Json> {
    return this.#ask('layout', { clientId });
  }

  setLayout(clientId: string, layout: Json): Promise<void> {
    return this.#write(null, [], { op: 'layout', clientId, layout, ts: Date.now() }, false);
  }

  oldDrafts(): ReturnType<Store['oldDrafts']> {
    return this.#ask('oldDrafts', null);
  }

  forgetOldDraft(runId: RunId): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'old-draft-gone', key }));
  }

  listDocuments(): ReturnType<Store['listDocuments']> {
    return this.#ask('documents', null);
  }

  readDocument(name: string): Promise<readonly Uint8Array[]> {
    return this.#ask('document', { name });
  }

  writeDocument(name: string, change: DocumentChange): Promise<void> {
    return this.#write(null, [], { op: 'document', name, change }, false);
  }

  deleteDocument(name: string): Promise<void> {
    return this.#write(null, [], { op: 'document-gone', name }, true);
  }

  listOutbox(): ReturnType<Store['listOutbox']> {
    return this.#ask('outbox', null);
  }

  putOutbox(row: OutboxRow): Promise<void> {
    return this.#write(null, [], { op: 'outbox', row }, true);
  }

  removeOutbox(inputId: string): Promise<void> {
    return this.#write(null, [], { op: 'outbox-gone', inputId }, false);
  }

  getFact(name: string): Promise<Json> {
    return this.#ask('fact', { name });
  }

  setFact(name: string, value: Json): Promise<void> {
    return this.#write(null, [], { op: 'fact', name, value }, true);
  }

  putChild({ runId, pid, startTime }: Parameters<Store['putChild']>[0]): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'child', key, pid, startTime }));
  }

  removeChild(runId: RunId, pid: number): Promise<void> {
    return this.#writeOf(runId, (key) => ({ op: 'child-gone', key, pid }));
  }

  listChildren(): ReturnType<Store['listChildren']> {
    return this.#ask('children', null);
  }

  onTimed(listener: TimedListener): () => void {
    return this.#threads.onTimed(listener);
  }

  sizeBytes(): Promise<number> {
    return this.#ask('sizeBytes', null);
  }

  close(): Promise<void> {
    this.#closing ??= this.#threads.close();
    return this.#closing;
  }

  #write(
    session: Session | null,
    events: AppendRequest['events'],
    extra: WriteExtra | null,
    durable: boolean,
    key = session?.key ?? 0,
  ): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closed());
    const listener = events.length === 0 ? null : session;
    return this.#threads.queue.write({ key, events, extra, durable, listener });
  }

  async #writeOf(runId: RunId, extra: (key: number) => WriteExtra, durable = false): Promise<void> {
    await this.#write(null, [], extra(this.#keyOf(runId)), durable);
  }

  async #read(runId: RunId, after: number, upTo: number, bounds: ReadBounds, fromEnd: boolean): Promise<readonly LogEvent[]> {
    const { channels = null, limit, maxBytes } = bounds;
    const query: ReadQuery = { key: this.#keyOf(runId), after, upTo, channels, limit, maxBytes, fromEnd };
    return unpackEvents(runId, await this.#ask('read', query));
  }

  async #ask<M extends ReaderMethod>(method: M, params: ReaderCalls[M]['params']): Promise<ReaderCalls[M]['result']> {
    this.#refuseWhenClosing();
    return this.#threads.ask(method, params);
  }

  #keyOf(runId: RunId): number {
    const session = this.#sessions.get(runId);
    if (session === undefined) throw unknownSession(runId);
    return session.key;
  }

  #refuseWhenClosing(): void {
    if (this.#closing !== null) throw closed();
  }

  #handleSynced(): void {
    for (const session of this.#unsynced) session.durable = session.committed;
    this.#unsynced.clear();
  }
}

function isLost(piece: readonly LogEvent[] | LostRun): piece is LostRun {
  return 'toSeq' in piece;
}

function unknownSession(runId: RunId): StoreError {
  return new StoreError('unknown-session', `There is no session ${runId} in this log.`);
}

function closed(): StoreError {
  return new StoreError('closed', 'The log is closed.');
}
