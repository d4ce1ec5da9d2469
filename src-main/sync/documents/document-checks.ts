import { Worker } from 'node:worker_threads';
import * as Y from 'yjs';
import type { Clock } from '../../../src-shared/client.ts';
import { entryPath } from '../../entry-path.ts';

/** Messages between main and the document worker: threads of one process and one build, so that types are enough. */
export type ToDocumentWorker =
  /** The copy of a document is in this state; one from before is forgotten. */
  | { readonly type: 'open'; readonly document: number; readonly name: string; readonly state: Uint8Array }
  /** It was changed here. */
  | { readonly type: 'change'; readonly document: number; readonly update: Uint8Array }
  | { readonly type: 'check'; readonly check: number; readonly document: number; readonly updates: readonly Uint8Array[] }
  | { readonly type: 'close'; readonly document: number };

export interface FromDocumentWorker {
  readonly check: number;
  /** So many updates are fine; the next one is not, where there is one. */
  readonly passed: number;
  /** Those as one. */
  readonly accepted: Uint8Array | null;
  /** Which operations of whom are in it: from, and to before. */
  readonly reached: readonly (readonly [client: number, from: number, to: number])[];
  readonly why: string | null;
}

export type Checked = Omit<FromDocumentWorker, 'check'>;

/** For what would never end. The worker itself measures the rest, by what it uses of a processor. */
const CHECK_WITHIN_MS = 5_000;
/**
 * For one that was not through by then: what is refused is missing for good, so that a machine with far too much to do (a hundred
 * threads that start on two processors) is not taken for a bad update.
 */
const ALONE_WITHIN_MS = 60_000;
const MS_A_BYTE = 0.01;
export const TOO_LONG = 'it takes too long';
/** Less than main's own, so that nesting which passes here does not overflow there. */
const STACK_MB = 0.5;
const MEMORY_MB = 512;

/** Where updates are tried: a thread of its own. */
export interface CheckThread {
  post(message: ToDocumentWorker): void;
  end(): Promise<unknown>;
}
export interface CheckThreadEvents {
  onAnswer(answer: FromDocumentWorker): void;
  onError(error: unknown): void;
}
export type StartCheckThread = (events: CheckThreadEvents) => CheckThread;

const startWorker: StartCheckThread = ({ onAnswer, onError }) => {
  const worker = new Worker(entryPath('document-worker'), {
    name: 'baton-documents',
    execArgv: [],
    resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: MEMORY_MB },
  });
  worker.unref();
  worker.on('message', onAnswer);
  worker.on('error', onError);
  return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
};

interface Waiting {
  readonly resolve: (checked: Checked | null) => void;
  readonly cancel: () => void;
}

/** Tries updates of other machines out in a worker thread [doc-9]. It is started at the first one. */
export class DocumentChecks {
  readonly #clock: Clock;
  readonly #onProblem: (message: string, error?: unknown) => void;
  readonly #startThread: StartCheckThread;
  #thread: CheckThread | null = null;
  /** Grows with each thread: what an earlier one knew is gone. */
  #generation = 0;
  #nextDocument = 1;
  #nextCheck = 1;
  readonly #waiting = new Map<number, Waiting>();

  constructor(clock: Clock, onProblem: (message: string, error?: unknown) => void, startThread = startWorker) {
    this.#clock = clock;
    this.#onProblem = onProblem;
    this.#startThread = startThread;
  }

  get generation(): number {
    return this.#generation;
  }

  newDocument(): number {
    return this.#nextDocument++;
  }

  post(message: ToDocumentWorker): void {
    this.#thread ??= this.#start();
    this.#thread.post(message);
  }

  /** Null where the thread did not come to an end with it, and was ended. */
  check(document: number, updates: readonly Uint8Array[], forMs = CHECK_WITHIN_MS): Promise<Checked | null> {
    const check = this.#nextCheck++;
    const withinMs = updates.reduce((ms, { byteLength }) => ms + byteLength * MS_A_BYTE, forMs);
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(() => void this.stop(), withinMs);
      this.#waiting.set(check, { resolve, cancel });
      this.post({ type: 'check', check, document, updates });
    });
  }

  /** Ends the thread; what waits is answered with null. Another one is started when it is needed. */
  async stop(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    this.#generation += 1;
    for (const { resolve, cancel } of this.#waiting.values()) {
      cancel();
      resolve(null);
    }
    this.#waiting.clear();
    await thread?.end();
  }

  #start(): CheckThread {
    const thread = this.#startThread({
      onAnswer: ({ check, ...checked }) => {
        const waiting = this.#waiting.get(check);
        this.#waiting.delete(check);
        waiting?.cancel();
        waiting?.resolve(checked);
      },
      onError: (error) => {
        if (thread !== this.#thread) return;
        this.#onProblem('the thread that checks shared documents failed', error);
        void this.stop();
      },
    });
    return thread;
  }
}

/** The checks of one document. The thread's copy follows it by itself. */
export class DocumentCheck {
  readonly #checks: DocumentChecks;
  readonly #name: string;
  readonly #doc: Y.Doc;
  readonly #isRemote: (origin: unknown) => boolean;
  readonly #document: number;
  /** Of the thread that has the copy. */
  #generation: number | null = null;

  constructor(checks: DocumentChecks, name: string, doc: Y.Doc, isRemote: (origin: unknown) => boolean) {
    this.#checks = checks;
    this.#name = name;
    this.#doc = doc;
    this.#isRemote = isRemote;
    this.#document = checks.newDocument();
    doc.on('update', this.#handleUpdate);
  }

  readonly #handleUpdate = (update: Uint8Array, origin: unknown): void => {
    if (this.#generation === this.#checks.generation && !this.#isRemote(origin)) {
      this.#checks.post({ type: 'change', document: this.#document, update });
    }
  };

  /**
   * As many of `updates` as are fine, from the first on. The caller applies them before it asks again: the copy has them already. One
   * that takes too long is tried a second time, alone: the machine may have been busy, or asleep.
   */
  async check(updates: readonly Uint8Array[]): Promise<Checked> {
    const first = await this.#try(updates);
    const checked = first ?? (await this.#try(updates.slice(0, 1), ALONE_WITHIN_MS));
    if (checked?.why !== null) this.#generation = null;
    return checked ?? { passed: 0, accepted: null, reached: [], why: TOO_LONG };
  }

  #try(updates: readonly Uint8Array[], forMs?: number): Promise<Checked | null> {
    if (this.#generation !== this.#checks.generation) {
      const state = Y.encodeStateAsUpdate(this.#doc);
      this.#checks.post({ type: 'open', document: this.#document, name: this.#name, state });
      this.#generation = this.#checks.generation;
    }
    return this.#checks.check(this.#document, updates, forMs);
  }

  close(): void {
    this.#doc.off('update', this.#handleUpdate);
    if (this.#generation === this.#checks.generation) this.#checks.post({ type: 'close', document: this.#document });
    this.#generation = null;
  }
}
