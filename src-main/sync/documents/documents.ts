import type { Clock } from '../../../src-shared/client.ts';
import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import {
  followIn,
  followsOthersIn,
  forgetSession,
  onFollows,
  onText,
  onTitles,
  readText,
  SESSION_TEXTS,
  type SessionText,
  sessionDocument,
  sessionOfDocument,
  setFollow,
  setFollowsOthers,
  setTitle,
  titleIn,
  WORKSPACE_DOCUMENT,
  writeText,
} from '../../../src-shared/workspace-documents.ts';
import type { SessionDocuments, TextNow } from '../../engine/session-documents.ts';
import type { DocumentRow } from '../../store/store.ts';
import { type DocumentStore, SharedDocument } from './shared-document.ts';

/** Documents in memory, the workspace's own apart; of more, the ones used longest ago leave it. */
const MAX_LOADED = 200;

export interface DocumentsOptions {
  readonly store: DocumentStore;
  readonly clock: Clock;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** What others are told of documents. */
export interface DocumentsListener {
  /** It is in memory from now on. */
  handleLoaded?(document: SharedDocument): void;
  /** It leaves memory; what is in it stays in the store. */
  handleUnloaded?(document: SharedDocument): void;
  /** It is no more on this machine. */
  handleForgotten?(name: string): void;
}

/**
 * The documents of this machine: titles, drafts and notes, kept in its store whether or not there are other machines. A session's is
 * read when somebody asks for it.
 */
export class Documents implements SessionDocuments {
  readonly workspace: SharedDocument;
  readonly #options: DocumentsOptions;
  readonly #rows: Map<string, DocumentRow>;
  /** The one used last comes last. */
  readonly #loaded = new Map<string, Promise<SharedDocument>>();
  readonly #inMemory = new Map<string, SharedDocument>();
  readonly #listeners = new Set<DocumentsListener>();
  readonly #textListeners = new Set<Parameters<SessionDocuments['onText']>[0]>();
  #version = 0;

  static async open(options: DocumentsOptions): Promise<Documents> {
    const { store, clock, onProblem } = options;
    const rows = await store.listDocuments();
    const workspace = await SharedDocument.load({
      name: WORKSPACE_DOCUMENT,
      row: rows.find(({ name }) => name === WORKSPACE_DOCUMENT),
      store,
      clock,
      onProblem,
    });
    const documents = new Documents(options, rows, workspace);
    await documents.#takeOldDrafts();
    return documents;
  }

  private constructor(options: DocumentsOptions, rows: readonly DocumentRow[], workspace: SharedDocument) {
    this.#options = options;
    this.#rows = new Map(rows.map((row) => [row.name, row]));
    this.workspace = workspace;
  }

  /** Each machine kept its drafts for itself once: what is left of that is taken over and forgotten. */
  async #takeOldDrafts(): Promise<void> {
    const { store } = this.#options;
    for (const { runId, text } of await store.oldDrafts()) {
      if (text !== '' && !this.#rows.has(sessionDocument(runId))) await this.setText(runId, 'draft', text, null);
      await store.forgetOldDraft(runId);
    }
  }

  title(runId: RunId): string | null | undefined {
    return titleIn(this.workspace.doc, runId);
  }

  async setTitle(runId: RunId, title: string | null): Promise<void> {
    setTitle(this.workspace.doc, runId, title);
    await this.workspace.written();
  }

  onTitles(listener: (runIds: readonly RunId[]) => void): void {
    onTitles(this.workspace.doc, listener);
  }

  follow(runId: RunId, machine: MachineId): boolean | undefined {
    return followIn(this.workspace.doc, runId, machine);
  }

  followsOthers(machine: MachineId): boolean {
    return followsOthersIn(this.workspace.doc, machine);
  }

  async setFollow(runId: RunId, machine: MachineId, follows: boolean): Promise<void> {
    setFollow(this.workspace.doc, runId, machine, follows);
    await this.workspace.written();
  }

  async setFollowsOthers(machine: MachineId, follows: boolean): Promise<void> {
    setFollowsOthers(this.workspace.doc, machine, follows);
    await this.workspace.written();
  }

  onFollows(listener: Parameters<SessionDocuments['onFollows']>[0]): void {
    onFollows(this.workspace.doc, listener);
  }

  async text(runId: RunId, text: SessionText): Promise<TextNow> {
    const { doc } = await this.load(sessionDocument(runId));
    return { text: readText(doc, text), version: this.#version };
  }

  async setText(runId: RunId, text: SessionText, next: string, base: string | null): Promise<TextNow> {
    const document = await this.load(sessionDocument(runId));
    writeText(document.doc, text, next, base);
    const now = { text: readText(document.doc, text), version: this.#version };
    await document.written();
    return now;
  }

  onText(listener: Parameters<SessionDocuments['onText']>[0]): void {
    this.#textListeners.add(listener);
  }

  async forget(runId: RunId, { everywhere }: { readonly everywhere: boolean }): Promise<void> {
    const name = sessionDocument(runId);
    if (everywhere) forgetSession(this.workspace.doc, runId);
    const loaded = await this.#loaded.get(name);
    if (loaded !== undefined) this.#unload(loaded);
    this.#rows.delete(name);
    for (const listener of this.#listeners) listener.handleForgotten?.(name);
    await this.#options.store.deleteDocument(name);
  }

  // ——— for what carries them to other machines ———

  listen(listener: DocumentsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Those in memory. */
  get loaded(): readonly SharedDocument[] {
    return [this.workspace, ...this.#inMemory.values()];
  }
  row(name: string): DocumentRow | undefined {
    return this.#inMemory.get(name) ?? this.#rows.get(name);
  }
  /** Those that have ever been written or received here, as they stand. */
  get rows(): readonly DocumentRow[] {
    return [...this.#rows.values()].map((row) => this.#inMemory.get(row.name) ?? row);
  }

  /** The document, read from the store where it is not in memory. */
  load(name: string): Promise<SharedDocument> {
    if (name === WORKSPACE_DOCUMENT) return Promise.resolve(this.workspace);
    const before = this.#loaded.get(name);
    const loading = before ?? this.#load(name);
    this.#loaded.delete(name);
    this.#loaded.set(name, loading);
    return loading;
  }

  async #load(name: string): Promise<SharedDocument> {
    await this.#makeRoom();
    const { store, clock, onProblem } = this.#options;
    let document: SharedDocument;
    try {
      document = await SharedDocument.load({ name, row: this.#rows.get(name), store, clock, onProblem });
    } catch (error) {
      this.#loaded.delete(name);
      throw error;
    }
    this.#rows.set(name, { name, unsent: document.unsent, sync: document.sync });
    this.#inMemory.set(name, document);
    const runId = sessionOfDocument(name);
    if (runId !== null) for (const text of SESSION_TEXTS) onText(document.doc, text, () => this.#tell(document, runId, text));
    for (const listener of this.#listeners) listener.handleLoaded?.(document);
    return document;
  }

  #tell({ doc }: SharedDocument, runId: RunId, text: SessionText): void {
    this.#version += 1;
    const now = { text: readText(doc, text), version: this.#version };
    for (const listener of this.#textListeners) listener(runId, text, now);
  }

  async #makeRoom(): Promise<void> {
    for (const loading of [...this.#loaded.values()]) {
      if (this.#loaded.size < MAX_LOADED) return;
      const document = await loading.catch(() => null);
      if (document !== null && !document.isBusy && !document.isWriting) this.#unload(document);
    }
  }

  #unload(document: SharedDocument): void {
    const { name, unsent, sync } = document;
    this.#loaded.delete(name);
    this.#inMemory.delete(name);
    this.#rows.set(name, { name, unsent, sync });
    for (const listener of this.#listeners) listener.handleUnloaded?.(document);
    document.close();
  }
}
