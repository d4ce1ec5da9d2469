import * as Y from 'yjs';
import type { Clock } from '../../../src-shared/client.ts';
import type { Json } from '../../../src-shared/events.ts';
import type { DocumentChange, DocumentRow, Store } from '../../store/store.ts';

export type DocumentStore = Pick<
  Store,
  'listDocuments' | 'readDocument' | 'writeDocument' | 'deleteDocument' | 'oldDrafts' | 'forgetOldDraft'
>;

/** So many updates lie one on the other before they are made one. */
const MAX_UPDATES = 100;
/** Between two tries to write what the disk has refused. */
const RETRY_MS = 500;
/** What is read from the store is not written to it again. */
const FROM_STORE = 'store';

export interface SharedDocumentOptions {
  readonly name: string;
  readonly row: DocumentRow | undefined;
  readonly store: DocumentStore;
  readonly clock: Clock;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * One document in memory, each change of which is written down. What the store has of where it stands with the relay never goes beyond
 * what it has of the document [doc-11]: else what is missing would be asked for no more.
 */
export class SharedDocument {
  readonly name: string;
  readonly doc = new Y.Doc();
  /** The origin of changes that come from other machines. */
  remote: unknown = null;
  /** It has to stay in memory: somebody is sending it, or hears others' changes. */
  isBusy = false;
  /** It holds changes that the relay has not stored. */
  unsent: boolean;
  /** Where it stands with the relay, as it was noted last. */
  sync: Json;
  readonly #store: DocumentStore;
  readonly #clock: Clock;
  readonly #onProblem: SharedDocumentOptions['onProblem'];
  #updates = 0;
  #bytesOnTop = 0;
  #wholeBytes = 0;
  #writes = 0;
  #written: Promise<void> = Promise.resolve();
  /** Never rejects: every write so far has come to its end. */
  #settled: Promise<unknown> = Promise.resolve();
  /** The store lacks a change: it gets the whole. */
  #isTorn = false;
  #cancelRetry: (() => void) | null = null;
  #isClosed = false;

  private constructor({ name, row, store, clock, onProblem }: SharedDocumentOptions) {
    this.name = name;
    this.unsent = row?.unsent ?? false;
    this.sync = row?.sync ?? null;
    this.#store = store;
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  static async load(options: SharedDocumentOptions): Promise<SharedDocument> {
    const document = new SharedDocument(options);
    const updates = await options.store.readDocument(options.name);
    document.#take(updates);
    return document;
  }

  #take(updates: readonly Uint8Array[]): void {
    this.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(this.doc, update, FROM_STORE);
    }, FROM_STORE);
    this.#updates = updates.length;
    this.#wholeBytes = updates[0]?.byteLength ?? 0;
    this.#bytesOnTop = updates.slice(1).reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.doc.on('update', (update, origin) => {
      if (origin !== FROM_STORE) this.#keep(update, origin === this.remote && origin !== null);
    });
  }

  /** Resolves when every change so far is in the store. Rejects where one could not be written. */
  written(): Promise<void> {
    return this.#written;
  }
  /** About what the whole document takes. */
  get wholeBytes(): number {
    return this.#wholeBytes;
  }
  /** Something of it is in memory only. */
  get isWriting(): boolean {
    return this.#writes > 0 || this.#cancelRetry !== null;
  }

  /** It leaves memory. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.doc.destroy();
  }

  /** Where it stands with the relay is kept as soon as every change before this is. */
  note({ sync, isSent = false }: { readonly sync: Json; readonly isSent?: boolean }): void {
    this.sync = sync;
    if (isSent) this.unsent = false;
    this.#writes++;
    void this.#settled.then(() => {
      this.#writes--;
      // What is written again then holds this too.
      if (!this.#isClosed && this.#cancelRetry === null) void this.#write({ sync, unsent: this.unsent }).catch(() => {});
    });
  }

  #keep(update: Uint8Array, isRemote: boolean): void {
    if (!isRemote) this.unsent = true;
    const mark = isRemote ? {} : { unsent: true };
    this.#updates++;
    this.#bytesOnTop += update.byteLength;
    // Rarely enough that writing the whole costs no more than its changes did.
    const isWhole = this.#updates >= MAX_UPDATES && this.#bytesOnTop * 2 >= this.#wholeBytes;
    this.#written = this.#write({ ...(isWhole ? this.#whole() : { update }), ...mark });
    this.#written.catch(() => {});
  }

  #whole(): DocumentChange {
    const update = Y.encodeStateAsUpdate(this.doc);
    this.#updates = 1;
    this.#bytesOnTop = 0;
    this.#wholeBytes = update.byteLength;
    return { update, replaces: true };
  }

  #write(change: DocumentChange): Promise<void> {
    this.#writes++;
    const written = this.#store.writeDocument(this.name, change).finally(() => {
      this.#writes--;
    });
    this.#settled = written.catch((error: unknown) => this.#refused(change, error));
    return written;
  }

  /** Told once; tried again until the disk takes it. */
  #refused({ update }: DocumentChange, error: unknown): void {
    if (update !== undefined) this.#isTorn = true;
    if (this.#cancelRetry !== null || this.#isClosed) return;
    this.#onProblem('a shared document could not be written', error);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#cancelRetry = this.#clock.setTimer(() => {
      const { sync, unsent } = this;
      const whole = this.#isTorn ? this.#whole() : {};
      this.#isTorn = false;
      const noted = sync === null ? {} : { sync };
      this.#writes++;
      this.#store
        .writeDocument(this.name, { ...whole, ...noted, unsent })
        .then(
          () => {
            this.#cancelRetry = null;
            if (this.#isTorn) this.#retryLater();
            else if (this.sync !== sync || this.unsent !== unsent) this.note({ sync: this.sync });
          },
          () => {
            this.#isTorn ||= 'update' in whole;
            if (!this.#isClosed) this.#retryLater();
          },
        )
        .finally(() => {
          this.#writes--;
        });
    }, RETRY_MS);
  }
}
