import type { Json, LogEvent } from '../../src-shared/events.ts';
import { newEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import { type ChainHash, hashFromHex, hashOfStored, hashToHex, NO_HASH } from './chain.ts';
import { NOT_HERE_YET } from './gaps.ts';
import type {
  AppendRequest,
  ChainedEvent,
  ChainedGap,
  ChainedPage,
  InputRecord,
  LostRun,
  OutboxRow,
  ReplicaAppend,
  SessionRow,
  Store,
} from './store.ts';
import { StoreError } from './store-error.ts';

interface StoredEvent {
  readonly event: LogEvent;
  readonly isJson: boolean;
  readonly bytes: Buffer;
  readonly hash: ChainHash;
}
interface StoredGap {
  readonly gap: Omit<ChainedGap, 'hash'>;
  readonly hash: ChainHash | null;
}
type Item = StoredEvent | StoredGap;

const isGap = (item: Item): item is StoredGap => 'gap' in item;
const firstOf = (item: Item): number => (isGap(item) ? item.gap.fromSeq : item.event.seq);
const lastOf = (item: Item): Seq => (isGap(item) ? item.gap.toSeq : item.event.seq);
const epochOf = (item: Item): number => (isGap(item) ? item.gap.epoch : item.event.epoch);

/** One session as it is on the disk. Never changed, only replaced: what was before can be put back. */
interface DiskSession {
  readonly row: SessionRow;
  readonly items: readonly Item[];
  readonly inputs: ReadonlyMap<string, InputRecord>;
}

/**
 * What outlasts the process that wrote it. Commits come in the order of the calls; what is committed outlasts a kill of the process,
 * what is fsynced a power cut too. Keeps the rules of the store in SQLite; for simulations only.
 */
export class MemoryDisk {
  readonly sessions = new Map<RunId, DiskSession>();
  readonly facts = new Map<string, Json>();
  readonly outbox = new Map<string, OutboxRow>();
  /** Takes back what is not fsynced, the newest last. */
  #unsynced: (() => void)[] = [];

  put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
    const before = map.get(key);
    this.#unsynced.push(() => {
      if (before === undefined) map.delete(key);
      else map.set(key, before);
    });
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }

  sync(): void {
    this.#unsynced = [];
  }

  powerCut(): void {
    for (const undo of this.#unsynced.reverse()) undo();
    this.#unsynced = [];
  }

  log(runId: RunId): readonly LogEvent[] {
    return (this.sessions.get(runId)?.items ?? []).map((item) => shown(runId, item));
  }

  /** The last event of a session, the chain's hash there as hex, and whether its beginning is missing here. */
  headOf(runId: RunId): { readonly seq: Seq; readonly hash: string | null; readonly isWhole: boolean } {
    const items = this.sessions.get(runId)?.items ?? [];
    const last = items.at(-1);
    const isWhole = !items.some((item) => isGap(item) && item.gap.reason === NOT_HERE_YET);
    if (last === undefined) return { seq: NO_SEQ, hash: hashToHex(NO_HASH), isWhole };
    return { seq: lastOf(last), hash: last.hash && hashToHex(last.hash), isWhole };
  }

  /** The chain as it is here: the hash of every event that is known, by its number. */
  *hashes(runId: RunId): Generator<readonly [seq: Seq, hash: ChainHash]> {
    for (const item of this.sessions.get(runId)?.items ?? []) if (item.hash !== null) yield [lastOf(item), item.hash];
  }
}

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

/** An event as readers see it; a gap stands at the end of its run. */
function shown(runId: RunId, item: Item): LogEvent {
  if (!isGap(item)) return item.event;
  const { fromSeq, toSeq, epoch, ts, bytes, reason } = item.gap;
  return { runId, seq: toSeq, epoch, ts, ...newEvent('system:status', 'gap', { fromSeq, toSeq, bytes, reason }) };
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

function refuse(message: string): never {
  throw new StoreError('not-continuing', message);
}

function stored(event: LogEvent, previous: ChainHash): StoredEvent {
  const { seq, epoch, ts, channel, type, payload } = event;
  const isJson = !(payload instanceof Uint8Array);
  const bytes = Buffer.from(payload instanceof Uint8Array ? payload : JSON.stringify(payload));
  const hash = hashOfStored(previous, { seq, epoch, ts, channel, type, payload: isJson ? bytes.toString() : bytes });
  return { event, isJson, bytes, hash };
}

function continued(items: readonly Item[], events: readonly LogEvent[]): readonly Item[] {
  const all = [...items];
  for (const event of events) {
    const last = all.at(-1);
    const lastSeq = last === undefined ? NO_SEQ : lastOf(last);
    if (event.seq !== lastSeq + 1) refuse(`Cannot append event ${event.seq}: the log ends at ${lastSeq}.`);
    if (last !== undefined && event.epoch < epochOf(last)) refuse(`Cannot append event ${event.seq}: its epoch is over.`);
    all.push(stored(event, last === undefined ? NO_HASH : (last.hash ?? NO_HASH)));
  }
  return all;
}

function continuedReplica(
  items: readonly Item[],
  events: readonly LogEvent[],
  { gaps, headHash }: ReplicaAppend,
): readonly Item[] {
  let all = items;
  let rest = events;
  for (const { hash, ...gap } of gaps) {
    const before = rest.filter(({ seq }) => seq < gap.fromSeq);
    rest = rest.slice(before.length);
    all = continued(all, before);
    const last = all.at(-1);
    const lastSeq = last === undefined ? NO_SEQ : lastOf(last);
    if (gap.fromSeq !== lastSeq + 1) refuse(`Cannot append a gap from ${gap.fromSeq}: the log ends at ${lastSeq}.`);
    all = [...all, { gap, hash: hash === null ? null : hashFromHex(hash) }];
  }
  all = continued(all, rest);
  const hash = all.at(-1)?.hash ?? NO_HASH;
  if (headHash !== null && hash !== hashFromHex(headHash)) throw new StoreError('forked', 'There are two histories.');
  return all;
}

function filled(items: readonly Item[], piece: readonly LogEvent[] | LostRun): readonly Item[] {
  const at = items.findIndex((item) => isGap(item) && item.gap.reason === NOT_HERE_YET);
  const missing = items[at];
  if (missing === undefined || !isGap(missing)) refuse('Cannot fill in the log: nothing of it is missing.');
  const before = items.slice(0, at);
  const { gap, hash } = missing;
  const isRun = 'toSeq' in piece;
  if (isRun && piece.fromSeq !== gap.fromSeq) refuse(`Cannot fill in from event ${piece.fromSeq}.`);
  const added: readonly Item[] = isRun ? [...before, { gap: piece, hash: hashFromHex(piece.hash) }] : continued(before, piece);
  const lastSeq = lastOf(added.at(-1) as Item);
  if (lastSeq > gap.toSeq) refuse(`Cannot fill in event ${lastSeq}: it is here.`);
  const behind = items.slice(at + 1);
  if (lastSeq < gap.toSeq) return [...added, { gap: { ...gap, fromSeq: (lastSeq + 1) as Seq }, hash }, ...behind];
  if (added.at(-1)?.hash !== hash) throw new StoreError('forked', 'What was to be filled in has another history.');
  return [...added, ...behind];
}

function chainedPage(items: readonly Item[], after: Seq, upTo: Seq, maxBytes: number): ChainedPage {
  const found: (ChainedEvent | ChainedGap)[] = [];
  let toSeq = after;
  let bytes = 0;
  const before = items.find((item) => lastOf(item) === after);
  let headHash: ChainHash | null = after === 0 ? NO_HASH : (before?.hash ?? null);
  for (const item of items) {
    if (firstOf(item) <= after) continue;
    if (firstOf(item) !== toSeq + 1 || lastOf(item) > upTo) break;
    if (isGap(item)) found.push({ ...item.gap, hash: item.hash && hashToHex(item.hash) });
    else {
      bytes += item.bytes.byteLength;
      if (found.length > 0 && bytes > maxBytes) break;
      const { seq, epoch, ts, channel, type } = item.event;
      found.push({ seq, epoch, ts, channel, type, isJson: item.isJson, payload: item.bytes });
    }
    toSeq = lastOf(item);
    headHash = item.hash;
  }
  return { items: found, toSeq, headHash: headHash && hashToHex(headHash) };
}

const isOutput = (item: Item): item is StoredEvent => !isGap(item) && item.event.channel === 'pty:stdout';

function outputOf(items: readonly Item[]): number {
  return items.reduce((sum, item) => sum + (isOutput(item) ? item.bytes.byteLength : 0), 0);
}

function compacted(items: readonly Item[], keepBytes: number) {
  let excess = outputOf(items) - keepBytes;
  const kept: Item[] = [];
  let freedBytes = 0;
  let throughSeq = NO_SEQ;
  for (const [index, item] of items.entries()) {
    if (excess <= 0 || !isOutput(item) || index === items.length - 1) {
      kept.push(item);
      continue;
    }
    const { seq, ts, epoch } = item.event;
    const bytes = item.bytes.byteLength;
    excess -= bytes;
    freedBytes += bytes;
    throughSeq = seq;
    const last = kept.at(-1);
    const run = last !== undefined && isGap(last) && last.gap.reason === 'quota' ? last.gap : null;
    if (run !== null) kept.pop();
    const gap = { fromSeq: run?.fromSeq ?? seq, toSeq: seq, ts, epoch, bytes: (run?.bytes ?? 0) + bytes, reason: 'quota' };
    kept.push({ gap, hash: item.hash });
  }
  return { items: kept, freedBytes, throughSeq };
}
