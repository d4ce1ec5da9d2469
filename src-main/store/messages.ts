import type { Json } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import type { Gap } from './gaps.ts';
import type {
  ChainedPage,
  DocumentChange,
  DocumentRow,
  InputRecord,
  NewSessionRow,
  OutboxRow,
  ReplicaAppend,
  SearchHit,
  SessionRow,
} from './store.ts';
import type { StoreFailure } from './store-error.ts';

/** Everything that passes between the store and its workers. Sessions are named by their integer key. */
export type WorkerRole =
  | { readonly role: 'writer'; readonly file: string }
  | { readonly role: 'reader'; readonly file: string }
  /** Runs once and ends: looks for damaged pages. */
  | { readonly role: 'check'; readonly file: string }
  /** Runs until the search index has caught up, and ends. */
  | { readonly role: 'indexer'; readonly file: string };

/** What a write does beside appending events. One that throws changes nothing. */
export type WriteExtra =
  | {
      readonly op: 'create';
      readonly key: number;
      readonly row: NewSessionRow;
      readonly input: InputRecord | null;
      /** The log begins behind this run. */
      readonly missing: Gap | null;
    }
  | {
      readonly op: 'annotate';
      readonly key: number;
      readonly input: InputRecord | null;
      readonly meta: SessionChange | null;
      readonly replica?: ReplicaAppend | null;
    }
  | { readonly op: 'delete'; readonly key: number }
  /** The write's events, or this run that is no longer there, take the place of what is missing at the log's beginning. */
  | { readonly op: 'fill'; readonly key: number; readonly gap: Gap | null }
  | { readonly op: 'screen'; readonly key: number; readonly screen: Screen }
  | { readonly op: 'layout'; readonly clientId: string; readonly layout: Json; readonly ts: number }
  | { readonly op: 'old-draft-gone'; readonly key: number }
  | { readonly op: 'document'; readonly name: string; readonly change: DocumentChange }
  | { readonly op: 'document-gone'; readonly name: string }
  | { readonly op: 'outbox'; readonly row: OutboxRow }
  | { readonly op: 'outbox-gone'; readonly inputId: string }
  /** Nothing but the fsync of its transaction. */
  | { readonly op: 'sync' }
  | { readonly op: 'fact'; readonly name: string; readonly value: Json }
  | { readonly op: 'child'; readonly key: number; readonly pid: number; readonly startTime: string }
  | { readonly op: 'child-gone'; readonly key: number; readonly pid: number };

export interface SessionChange {
  readonly status: string;
  readonly meta: Json;
}

/** One transaction. `bytes` (see batch.ts) holds the operations in order; `extras` what some of them name. */
export interface Batch {
  readonly id: number;
  readonly durable: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly extras: readonly WriteExtra[];
}

/** Answer of a worker to a call. */
export interface Answer {
  readonly kind: 'answer';
  readonly callId: number;
  readonly outcome: { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly failure: StoreFailure };
}

export type ToWriter =
  /** Answered with OpenedLog. */
  | { readonly kind: 'open'; readonly callId: number }
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** Answered with Compacted. */
  | { readonly kind: 'compact'; readonly callId: number; readonly key: number; readonly keepBytes: number }
  | { readonly kind: 'close' };

/** What the writer says unasked. */
export type WriterEvent =
  /** `bytes`: the batch's own, given back. */
  | { readonly kind: 'committed'; readonly result: BatchResult; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Everything committed so far is fsynced. */
  | { readonly kind: 'synced' }
  | ProblemEvent;

/** For the user, as a sentence. */
export interface ProblemEvent {
  readonly kind: 'problem';
  readonly message: string;
}

export interface Compacted {
  readonly freedBytes: number;
  /** Output up to here is gone. */
  readonly throughSeq: Seq;
}

export interface BatchResult {
  readonly batchId: number;
  /** By the operation's place in the batch; all others are committed. */
  readonly failures: ReadonlyMap<number, StoreFailure>;
  /** Everything committed so far is fsynced. */
  readonly isSynced: boolean;
}

export interface OpenedLog {
  readonly sessions: readonly { readonly runId: RunId; readonly key: number; readonly lastSeq: Seq }[];
  readonly nextKey: number;
  readonly recovered: Recovered | null;
  /** The last process did not close the file. */
  readonly wasUnclean: boolean;
}

/** A damaged file was set aside at start. */
export interface Recovered {
  readonly asidePath: string;
  readonly rescuedSessions: number;
  readonly rescuedEvents: number;
  /** What happened and what the user can do, as one or two sentences. */
  readonly message: string;
}

export interface ReadQuery {
  readonly key: number;
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  readonly channels: readonly string[] | null;
  readonly limit: number;
  readonly maxBytes: number;
  /** The last events of the range instead of the first. */
  readonly fromEnd: boolean;
}

/** Events packed into one transferable buffer; see event-page.ts. */
export interface EventPage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly count: number;
  readonly labels: readonly (readonly [channel: string, type: string])[];
}

export type Verdict =
  | { readonly ok: true; readonly headHash: string }
  | { readonly ok: false; readonly seq: Seq; readonly message: string };

export interface SearchQuery {
  readonly query: string;
  readonly key: number | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface SearchPage {
  readonly hits: readonly SearchHit[];
  readonly cursor: string | null;
}

/** What the reader answers. */
export interface ReaderCalls {
  sessions: { readonly params: null; readonly result: readonly SessionRow[] };
  input: { readonly params: { readonly key: number; readonly inputId: string }; readonly result: InputRecord | null };
  missing: { readonly params: { readonly key: number }; readonly result: { readonly fromSeq: Seq; readonly toSeq: Seq } | null };
  read: { readonly params: ReadQuery; readonly result: readonly EventPage[] };
  chained: {
    readonly params: { readonly key: number; readonly after: number; readonly upTo: number; readonly maxBytes: number };
    readonly result: ChainedPage;
  };
  verify: { readonly params: { readonly key: number }; readonly result: Verdict };
  search: { readonly params: SearchQuery; readonly result: SearchPage };
  screen: { readonly params: { readonly key: number; readonly atOrBefore: number }; readonly result: Screen | null };
  outputBytes: { readonly params: null; readonly result: ReadonlyMap<RunId, number> };
  layout: { readonly params: { readonly clientId: string }; readonly result: Json };
  oldDrafts: { readonly params: null; readonly result: readonly { readonly runId: RunId; readonly text: string }[] };
  documents: { readonly params: null; readonly result: readonly DocumentRow[] };
  document: { readonly params: { readonly name: string }; readonly result: readonly Uint8Array[] };
  outbox: { readonly params: null; readonly result: readonly OutboxRow[] };
  fact: { readonly params: { readonly name: string }; readonly result: Json };
  children: {
    readonly params: null;
    readonly result: readonly { readonly runId: RunId; readonly pid: number; readonly startTime: string }[];
  };
  sizeBytes: { readonly params: null; readonly result: number };
}
export type ReaderMethod = keyof ReaderCalls;

export interface ReaderCall<M extends ReaderMethod = ReaderMethod> {
  readonly method: M;
  readonly params: ReaderCalls[M]['params'];
}

export type ToReader =
  /** Answered with null. */
  | { readonly kind: 'open'; readonly callId: number }
  | { readonly kind: 'ask'; readonly callId: number; readonly call: ReaderCall }
  | { readonly kind: 'close' };

/** The page check is over. `found`: what is wrong with the file; null when nothing is. */
export interface CheckedEvent {
  readonly kind: 'checked';
  readonly found: string | null;
}

/** The indexer has caught up, was told to stop, or could not go on. */
export interface IndexedEvent {
  readonly kind: 'indexed';
  readonly isComplete: boolean;
  readonly problem: string | null;
}
