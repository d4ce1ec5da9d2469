import * as Y from 'yjs';
import type { Json } from '../../../src-shared/events.ts';
import type { DocumentRow, Store } from '../../store/store.ts';

export type DocumentStore = Pick<
  Store,
  'listDocuments' | 'readDocument' | 'writeDocument' | 'deleteDocument' | 'oldDrafts' | 'forgetOldDraft'
>;

/** So many updates lie one on the other before they are made one. */
const MAX_UPDATES = 100;
/** What is read from the store is not written to it again. */
const FROM_STORE = 'store';

export interface SharedDocumentOptions {
  readonly name: string;
  readonly row: DocumentRow | undefined;
  readonly store: DocumentStore;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** One document in memory, each change of which is written down. */
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
  readonly #onProblem: SharedDocumentOptions['onProblem'];
  #updates = 0;
  #bytesOnTop = 0;
  #wholeBytes = 0;
  #writes = 0;
  #written: Promise<void> = Promise.resolve();

  private constructor({ name, row, store, onProblem }: SharedDocumentOptions) {
    this.name = name;
    this.unsent = row?.unsent ?? false;
    this.sync = row?.sync ?? null;
    this.#store = store;
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
  get isWriting(): boolean {
    return this.#writes > 0;
  }

  /** `change` in the place where it is called, behind the changes before it. */
  note(change: Parameters<DocumentStore['writeDocument']>[1]): Promise<void> {
    this.#writes++;
    if (change.sync !== undefined) this.sync = change.sync;
    const written = this.#store.writeDocument(this.name, change).finally(() => {
      this.#writes--;
    });
    this.#written = written;
    written.catch((error: unknown) => this.#onProblem('a shared document could not be written', error));
    return written;
  }

  #keep(update: Uint8Array, isRemote: boolean): void {
    if (!isRemote) this.unsent = true;
    const mark = isRemote ? {} : { unsent: true };
    this.#updates++;
    this.#bytesOnTop += update.byteLength;
    // Rarely enough that writing the whole costs no more than its changes did.
    if (this.#updates < MAX_UPDATES || this.#bytesOnTop * 2 < this.#wholeBytes) {
      void this.note({ update, ...mark });
      return;
    }
    const whole = Y.encodeStateAsUpdate(this.doc);
    this.#updates = 1;
    this.#bytesOnTop = 0;
    this.#wholeBytes = whole.byteLength;
    void this.note({ update: whole, replaces: true, ...mark });
  }
}
