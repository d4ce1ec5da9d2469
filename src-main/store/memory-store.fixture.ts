import type { Json, LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import { hashFromHex } from './chain.ts';
import { NOT_HERE_YET } from './gaps.ts';
import type { DiskDocument, DiskSession, MemoryDisk } from './memory-disk.fixture.ts';
import {
  chainedPage,
  compacted,
  continued,
  continuedReplica,
  filled,
  type Item,
  isGap,
  lastOf,
  outputOf,
  shown,
} from './memory-log.fixture.ts';
import type {
  AppendRequest,
  ChainedPage,
  DocumentChange,
  DocumentRow,
  InputRecord,
  LostRun,
  OutboxRow,
  SessionRow,
  Store,
} from './store.ts';
import { StoreError } from './store-error.ts';

export interface MemoryStoreOptions {
  readonly disk: MemoryDisk;
  /** Decides when a commit, or an answer of the reader, happens. Writes and reads each keep their order. */
  readonly schedule: (lane: 'writer' | 'reader', work: () => void) => void;
  readonly isFull: () => boolean;
  readonly onCommitted?: (runId: RunId) => void;
}

/** A store on such a disk, as one process has it open. */
export function memoryStore(options: MemoryStoreOptions): Store {
  const store: Pick<Store, keyof MemoryStore> = new MemoryStore(options);
  return store as Store;
}

class MemoryStore {
  readonly #options: MemoryStoreOptions;
  readonly #disk: MemoryDisk;
  readonly #durable = new Map<RunId, Seq>();

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.#disk = options.disk;
    // After an end that was none, the first thing the store does is to fsync what it finds.
    this.#sync();
  }

  #sync(): void {
    this.#disk.sync();
    for (const [runId, { row }] of this.#disk.sessions) this.#durable.set(runId, row.lastSeq);
  }

  #write<T>(durable: boolean, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#options.schedule('writer', () => {
        try {
          if (this.#options.isFull()) throw new StoreError('disk-full', 'The disk is full.');
          const result = work();
          if (durable) this.#sync();
          resolve(result);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #ask<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#options.schedule('reader', () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #session(runId: RunId): DiskSession {
    const session = this.#disk.sessions.get(runId);
    if (session === undefined) throw new StoreError('unknown-session', `There is no session ${runId} in this log.`);
    return session;
  }

  #put(runId: RunId, session: DiskSession): void {
    this.#disk.put(this.#disk.sessions, runId, session);
    this.#options.onCommitted?.(runId);
  }

  createSession(...[row, first]: Parameters<Store['createSession']>): Promise<void> {
    return this.#write(first.durable, () => {
      if (this.#disk.sessions.has(row.runId)) throw new StoreError('session-exists', 'There is one with this id.');
      const { behind } = first;
      const missing = behind && { ...behind, fromSeq: 1 as Seq, toSeq: behind.seq, bytes: 0, reason: NOT_HERE_YET };
      const begun: readonly Item[] = missing === undefined ? [] : [{ gap: missing, hash: hashFromHex(missing.hash) }];
      const { events, input } = first;
      const items = continued(begun, events);
      this.#put(row.runId, withItems({ row: { replica: null, ...row, lastSeq: NO_SEQ, lastTs: 0 }, items, inputs: of(input) }));
    });
  }

  append({ runId, events, input, meta, replica, durable }: AppendRequest): Promise<void> {
    return this.#write(durable, () => {
      const { row, items, inputs } = this.#session(runId);
      if (input !== undefined && inputs.has(input.inputId)) throw new StoreError('input-exists', 'It was recorded before.');
      const grown = replica === undefined ? continued(items, events) : continuedReplica(items, events, replica);
      this.#put(
        runId,
        withItems({
          row: { ...row, ...meta, ...(replica === undefined ? {} : { replica: replica.state }) },
          items: grown,
          inputs: new Map([...inputs, ...of(input)]),
        }),
      );
    });
  }

  missing(runId: RunId): ReturnType<Store['missing']> {
    return this.#ask(() => {
      const gap = this.#session(runId).items.find((item) => isGap(item) && item.gap.reason === NOT_HERE_YET);
      return gap === undefined || !isGap(gap) ? null : { fromSeq: gap.gap.fromSeq, toSeq: gap.gap.toSeq };
    });
  }

  fill(runId: RunId, piece: readonly LogEvent[] | LostRun): Promise<void> {
    return this.#write(false, () => {
      const session = this.#session(runId);
      this.#put(runId, { ...session, items: filled(session.items, piece) });
    });
  }

  durableSeq(runId: RunId): Seq {
    return this.#durable.get(runId) ?? NO_SEQ;
  }

  sync(): Promise<void> {
    return this.#write(true, () => {});
  }

  updateSession(runId: RunId, change: { readonly status: string; readonly meta: Json }): Promise<void> {
    return this.#write(false, () => {
      const session = this.#session(runId);
      this.#put(runId, { ...session, row: { ...session.row, ...change } });
    });
  }

  listSessions(): Promise<readonly SessionRow[]> {
    return this.#ask(() => [...this.#disk.sessions.values()].map(({ row }) => row));
  }

  deleteSession(runId: RunId): Promise<void> {
    return this.#write(true, () => {
      this.#session(runId);
      this.#disk.put(this.#disk.sessions, runId, undefined);
      this.#durable.delete(runId);
    });
  }

  findInput(runId: RunId, inputId: string): Promise<InputRecord | null> {
    return this.#ask(() => this.#session(runId).inputs.get(inputId) ?? null);
  }

  read({ runId, after = NO_SEQ, upTo, channels, limit, maxBytes }: Parameters<Store['read']>[0]): ReturnType<Store['read']> {
    return this.#ask(() => {
      const fits = (item: Item) => lastOf(item) > after && lastOf(item) <= (upTo ?? Number.POSITIVE_INFINITY);
      const events = this.#session(runId)
        .items.filter(fits)
        .map((item) => shown(runId, item));
      return page(events, channels, limit, maxBytes);
    });
  }

  readBack({ runId, before, channels, limit, maxBytes }: Parameters<Store['readBack']>[0]): ReturnType<Store['readBack']> {
    return this.#ask(() => {
      const items = this.#session(runId).items.filter((item) => lastOf(item) < (before ?? Number.POSITIVE_INFINITY));
      const events = items.map((item) => shown(runId, item)).reverse();
      return [...page(events, channels, limit, maxBytes)].reverse();
    });
  }

  readChained({ runId, after, upTo, maxBytes }: Parameters<Store['readChained']>[0]): Promise<ChainedPage> {
    return this.#ask(() => chainedPage(this.#session(runId).items, after, upTo, maxBytes));
  }

  /** Swaps the oldest output for a gap; the newest event stays. */
  compactOutput(runId: RunId, keepBytes: number): ReturnType<Store['compactOutput']> {
    return this.#write(false, () => {
      const session = this.#session(runId);
      const { items, freedBytes, throughSeq } = compacted(session.items, keepBytes);
      if (freedBytes > 0) this.#put(runId, { ...session, items });
      return { freedBytes, throughSeq };
    });
  }

  outputBytes(): ReturnType<Store['outputBytes']> {
    return this.#ask(() => new Map([...this.#disk.sessions].map(([runId, { items }]) => [runId, outputOf(items)])));
  }

  async screen(): ReturnType<Store['screen']> {
    return null;
  }
  async putScreen(): Promise<void> {}
  async listChildren(): ReturnType<Store['listChildren']> {
    return [];
  }

  listOutbox(): Promise<readonly OutboxRow[]> {
    return this.#ask(() => [...this.#disk.outbox.values()]);
  }
  putOutbox(row: OutboxRow): Promise<void> {
    return this.#write(true, () => {
      if (!this.#disk.outbox.has(row.inputId)) this.#disk.put(this.#disk.outbox, row.inputId, row);
    });
  }
  removeOutbox(inputId: string): Promise<void> {
    return this.#write(false, () => this.#disk.put(this.#disk.outbox, inputId, undefined));
  }

  listDocuments(): Promise<readonly DocumentRow[]> {
    return this.#ask(() => [...this.#disk.documents.values()].map(({ row }) => row));
  }
  readDocument(name: string): Promise<readonly Uint8Array[]> {
    return this.#ask(() => this.#disk.documents.get(name)?.updates ?? []);
  }
  writeDocument(name: string, change: DocumentChange): Promise<void> {
    return this.#write(false, () => {
      this.#disk.put(this.#disk.documents, name, changed(name, this.#disk.documents.get(name), change));
    });
  }
  deleteDocument(name: string): Promise<void> {
    return this.#write(true, () => this.#disk.put(this.#disk.documents, name, undefined));
  }
  async oldDrafts(): ReturnType<Store['oldDrafts']> {
    return [];
  }

  getFact(name: string): Promise<Json> {
    return this.#ask(() => this.#disk.facts.get(name) ?? null);
  }
  setFact(name: string, value: Json): Promise<void> {
    return this.#write(true, () => this.#disk.put(this.#disk.facts, name, value));
  }
}

const of = (input: InputRecord | undefined): Map<string, InputRecord> =>
  new Map(input === undefined ? [] : [[input.inputId, input]]);

function withItems(session: DiskSession): DiskSession {
  const last = session.items.at(-1);
  if (last === undefined) return session;
  const lastTs = isGap(last) ? last.gap.ts : last.event.ts;
  return { ...session, row: { ...session.row, lastSeq: lastOf(last), lastTs } };
}

function page(
  events: readonly LogEvent[],
  channels: readonly string[] | undefined,
  limit: number,
  maxBytes: number,
): readonly LogEvent[] {
  const found: LogEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (channels !== undefined && !channels.includes(event.channel)) continue;
    bytes += event.payload instanceof Uint8Array ? event.payload.byteLength : 100;
    if (found.length === limit || (found.length > 0 && bytes > maxBytes)) break;
    found.push(event);
  }
  return found;
}

function changed(name: string, before: DiskDocument | undefined, change: DocumentChange): DiskDocument {
  const { update, replaces, unsent, sync } = change;
  const row = before?.row ?? { name, unsent: false, sync: null };
  const kept = replaces === true ? [] : (before?.updates ?? []);
  const updates = update === undefined ? (before?.updates ?? []) : [...kept, update];
  return { row: { name, unsent: unsent ?? row.unsent, sync: sync ?? row.sync }, updates };
}
