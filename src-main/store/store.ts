import type { Json, LogEvent } from '../../src-shared/events.ts';
import type { Epoch, MachineId, RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { LogStore } from './log-store.ts';
import type { ReaderMethod, Recovered } from './messages.ts';
import { StoreThreads } from './store-threads.ts';

/** One row of `sessions`. `meta` is the engine's: spec, title, folded state; the store never reads it. */
export interface SessionRow {
  readonly runId: RunId;
  readonly kind: string;
  readonly status: string;
  readonly epoch: Epoch;
  readonly createdTs: number;
  readonly meta: Json;
  readonly lastSeq: Seq;
  readonly lastTs: number;
  /** null: this machine hosts it. Else which one does and how far its log was followed; the store never reads it. */
  readonly replica: Json;
}

export type NewSessionRow = Omit<SessionRow, 'lastSeq' | 'lastTs' | 'replica'> & { readonly replica?: Json };

/** A durable answer to a command, found again by its inputId (exactly once). `content` tells a repetition from a reuse. */
export interface InputRecord {
  readonly inputId: string;
  readonly contentHash: string;
  /** The answer that was given. */
  readonly answer: Json;
}

export interface DocumentRow {
  readonly name: string;
  /** It holds changes that no other machine can have yet. */
  readonly unsent: boolean;
  /** Where it stands with the relay; opaque to the store, null at first. */
  readonly sync: Json;
}

/** What is left out stays as it is. */
export interface DocumentChange {
  readonly update?: Uint8Array;
  /** `update` is the whole document: it takes the place of all updates before it. */
  readonly replaces?: boolean;
  readonly unsent?: boolean;
  readonly sync?: Json;
}

/** A command for a session of another machine, until that one has answered. */
export interface OutboxRow {
  readonly inputId: string;
  readonly runId: RunId;
  readonly machineId: MachineId;
  readonly clientId: string;
  readonly sinceMs: number;
  readonly command: Json;
}

export interface AppendRequest {
  readonly runId: RunId;
  /** Numbered by the caller: dense, continuing the log. */
  readonly events: readonly LogEvent[];
  /** Recorded in the same transaction. */
  readonly input?: InputRecord;
  readonly meta?: { readonly status: string; readonly meta: Json };
  /** Of a session that another machine hosts; in the same transaction. */
  readonly replica?: ReplicaAppend;
  /** true: the promise resolves after fsync. false: after the commit (which a power cut, not a crash, may undo). */
  readonly durable: boolean;
}

/** A run of events that its host has given up before anybody else had it. */
export interface LostRun {
  readonly fromSeq: Seq;
  readonly toSeq: Seq;
  /** Of its last event. */
  readonly ts: number;
  readonly epoch: Epoch;
  /** Hex, of its last event. */
  readonly hash: string;
  /** Payload bytes that it held. */
  readonly bytes: number;
  readonly reason: string;
}

export interface FirstEvents extends Omit<AppendRequest, 'runId' | 'meta' | 'replica'> {
  /** The log begins behind this event: all up to it is missing here, and can be filled in later. `hash`: hex, of that event. */
  readonly behind?: { readonly seq: Seq; readonly ts: number; readonly epoch: Epoch; readonly hash: string };
}

/** What a replica's events come with. */
export interface ReplicaAppend {
  /** Takes the place of SessionRow.replica. */
  readonly state: Json;
  /** Runs that the host no longer had; together with the events they continue the log without a hole. In order. */
  readonly gaps: readonly ChainedGap[];
  /** The host's chain hash at the last event, as hex. A log that comes to another one is refused with `forked`. null: not known. */
  readonly headHash: string | null;
}

/** An event with its payload as it is stored: JSON text in UTF-8, or raw bytes. */
export interface ChainedEvent {
  readonly seq: Seq;
  readonly epoch: Epoch;
  readonly ts: number;
  readonly channel: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly payload: Uint8Array;
}

/** A run of events that is no longer there. `hash`: the chain's at its end, as hex; null where it was lost. */
export interface ChainedGap {
  readonly fromSeq: Seq;
  readonly toSeq: Seq;
  readonly epoch: Epoch;
  readonly ts: number;
  readonly bytes: number;
  readonly reason: string;
  readonly hash: string | null;
}

/** Part of a log with what its chain comes to. */
export interface ChainedPage {
  readonly items: readonly (ChainedEvent | ChainedGap)[];
  /** Where the page ends; where it began if it is empty. */
  readonly toSeq: Seq;
  /** The chain's hash there, as hex; null where it was lost. */
  readonly headHash: string | null;
}

export interface SearchHit {
  readonly runId: RunId;
  readonly seq: Seq;
  readonly ts: number;
  readonly channel: string;
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

/**
 * The log and what belongs to it, in SQLite. All work happens in worker threads (one writer, one reader); no call blocks the loop
 * it is called on. Writes are grouped: one transaction holds what came in while the last one was being written.
 * A write that fails rejects its own promise; the store goes on or, if the file itself is unusable, rejects everything with the reason.
 */
export interface Store {
  /** What had to be done about a damaged file when it was opened, for the user to know; normally null. */
  readonly recovered: Recovered | null;
  /**
   * Bytes that were appended and are not committed yet. From a few megabytes on, whoever produces output must be held back until it
   * has fallen; far above that, append refuses.
   */
  readonly pendingBytes: number;
  createSession(row: NewSessionRow, first: FirstEvents): Promise<void>;
  /** The beginning of a session's log that is not here yet; null: nothing of it is missing. */
  missing(runId: RunId): Promise<{ readonly fromSeq: Seq; readonly toSeq: Seq } | null>;
  /**
   * Puts a piece where the log's beginning is missing: it starts at `fromSeq` of what is missing. The last piece has to lead to the
   * hash that the log goes on from; otherwise it is refused as 'forked' and nothing changes.
   */
  fill(runId: RunId, piece: readonly LogEvent[] | LostRun): Promise<void>;
  /**
   * Refuses (rejects) events that do not continue the log: a gap, a repetition or a lower epoch is a bug of the caller. Commits in
   * the order of the calls. After a failure (disk full) the session's later appends are refused as well, until the failed one is
   * repeated. `events` and their payloads are read before this returns.
   */
  append(request: AppendRequest): Promise<void>;
  /** Highest seq of that session that has been fsynced. */
  durableSeq(runId: RunId): Seq;
  /** Resolves when everything that was appended before is fsynced. */
  sync(): Promise<void>;
  updateSession(runId: RunId, change: { readonly status: string; readonly meta: Json }): Promise<void>;
  listSessions(): Promise<readonly SessionRow[]>;
  deleteSession(runId: RunId): Promise<void>;
  findInput(runId: RunId, inputId: string): Promise<InputRecord | null>;
  recordInput(runId: RunId, input: InputRecord): Promise<void>;

  /**
   * In order. At most `limit` events and at most `maxBytes` of payload (but at least one event). Events that were compacted away
   * appear as one `system:status gap` that stands at the last seq of their run, so that reading on after it is right; with
   * `channels` it appears if they contain `pty:stdout` or `system:status`.
   */
  read(query: {
    readonly runId: RunId;
    readonly after?: Seq;
    readonly upTo?: Seq;
    readonly channels?: readonly string[];
    readonly limit: number;
    readonly maxBytes: number;
  }): Promise<readonly LogEvent[]>;
  /** As it is stored, in order, at most up to `upTo` and about `maxBytes` of payload (but at least one event or gap). */
  readChained(query: {
    readonly runId: RunId;
    readonly after: Seq;
    readonly upTo: Seq;
    readonly maxBytes: number;
  }): Promise<ChainedPage>;
  /** The last events before `before` (or of the whole log), in order. Same bounds. */
  readBack(query: {
    readonly runId: RunId;
    readonly before?: Seq;
    readonly channels?: readonly string[];
    readonly limit: number;
    readonly maxBytes: number;
  }): Promise<readonly LogEvent[]>;
  /**
   * Newest first. A page may hold fewer hits than `limit`, or none, and still have a cursor: much was looked through; go on with it.
   */
  search(query: {
    readonly query: string;
    readonly runId?: RunId;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly hits: readonly SearchHit[]; readonly cursor: string | null }>;
  /** Recomputes the session's hash chain [seq-5]; names the first event that does not fit. */
  verify(
    runId: RunId,
  ): Promise<
    { readonly ok: true; readonly headHash: string } | { readonly ok: false; readonly seq: Seq; readonly message: string }
  >;

  /** Screens are caches beside the log: what the terminal showed after `seq`. */
  putScreen(runId: RunId, screen: Screen): Promise<void>;
  /** The newest stored screen at or before `atOrBefore` (default: newest of all). */
  screen(runId: RunId, atOrBefore?: Seq): Promise<Screen | null>;
  /**
   * Swaps the oldest terminal output beyond `keepBytes` for a gap [seq-9]. If a stored screen follows closely, the gap reaches up
   * to it, so that what comes after can be drawn on a known screen: put screens from time to time. Resolves when it is done;
   * writes and reads go on meanwhile. `throughSeq`: output up to there is gone.
   */
  compactOutput(runId: RunId, keepBytes: number): Promise<{ readonly freedBytes: number; readonly throughSeq: Seq }>;
  outputBytes(): Promise<ReadonlyMap<RunId, number>>;

  getLayout(clientId: string): Promise<Json>;
  setLayout(clientId: string, layout: Json): Promise<void>;
  /** Drafts of a time when each machine kept its own, and what forgets one. */
  oldDrafts(): Promise<readonly { readonly runId: RunId; readonly text: string }[]>;
  forgetOldDraft(runId: RunId): Promise<void>;

  /** Shared documents: updates that lie one on the other. What is in them is their owner's business. */
  listDocuments(): Promise<readonly DocumentRow[]>;
  /** Its updates, in order; none where there is no such document. */
  readDocument(name: string): Promise<readonly Uint8Array[]>;
  /** Creates the document where there is none. Committed in the order of the calls. */
  writeDocument(name: string, change: DocumentChange): Promise<void>;
  deleteDocument(name: string): Promise<void>;

  /** In the order in which they were put. */
  listOutbox(): Promise<readonly OutboxRow[]>;
  /** Resolves after fsync. One that is there already stays as it is. */
  putOutbox(row: OutboxRow): Promise<void>;
  removeOutbox(inputId: string): Promise<void>;

  /** Facts of this machine by name (machineId …). */
  getFact(name: string): Promise<Json>;
  setFact(name: string, value: Json): Promise<void>;
  /** Children that the engine started and has not seen end. */
  putChild(child: { readonly runId: RunId; readonly pid: number; readonly startTime: string }): Promise<void>;
  removeChild(runId: RunId, pid: number): Promise<void>;
  listChildren(): Promise<readonly { readonly runId: RunId; readonly pid: number; readonly startTime: string }[]>;

  /** Told how long each question to the reader and each transaction of the writer took. */
  onTimed(listener: TimedListener): () => void;
  /** Bytes on disk: database, WAL, search index. */
  sizeBytes(): Promise<number>;
  /** Writes what is pending, checkpoints and closes. Twice is once. */
  close(): Promise<void>;
}

/** A question by its name, or a transaction. */
export type TimedCall = ReaderMethod | 'write';
export type TimedListener = (call: TimedCall, ms: number) => void;

export interface StoreOptions {
  readonly file: string;
  /**
   * Told what went wrong beside any call, as a sentence for the user: a damaged page was found (the next start sets the file aside
   * and rescues what can be read), the search index cannot be written.
   */
  readonly onProblem?: (message: string) => void;
}

/** Opens the log, or begins one. Rejects with a StoreError whose message says what is wrong and the way out. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return new LogStore(await StoreThreads.open(options));
}
