import { WebsocketProvider } from 'y-websocket';
import type { RunId } from '../../../src-shared/ids.ts';
import { sessionDocument, WORKSPACE_DOCUMENT } from '../../../src-shared/workspace-documents.ts';
import type { SyncContext } from '../sync-context.ts';
import { DOCUMENT_MEASURES, DocumentChannel, type DocumentMeasures } from './document-channel.ts';
import { DocumentCheck, DocumentChecks, type StartCheckThread } from './document-checks.ts';
import { documentSocket } from './document-socket.ts';
import { DocumentState } from './document-state.ts';
import type { Documents, DocumentsListener } from './documents.ts';
import type { SharedDocument } from './shared-document.ts';

/** The sessions whose documents are wanted: the engine's. */
export interface KnownSessions {
  readonly sessions: ReadonlyMap<RunId, unknown>;
  onSession(listener: (session: { readonly runId: RunId }) => void): () => void;
}

export interface DocumentSyncOptions {
  readonly context: SyncContext;
  readonly documents: Documents;
  readonly sessions: KnownSessions;
  readonly measures?: DocumentMeasures;
  /** Where updates are tried: absent, in a worker thread. */
  readonly startCheckThread?: StartCheckThread;
}

/** Between tries of a document that could not be synced; y-websocket's own doubling leads up to it. */
const MAX_RETRY_MS = 30_000;
/** Documents that are brought to the relay at the same time, after a while without it. */
const BROUGHT_AT_ONCE = 8;

interface Synced {
  readonly document: SharedDocument;
  readonly provider: WebsocketProvider;
  readonly check: DocumentCheck;
}

/**
 * The documents of a machine in its workspace. Those in memory have a provider each, over the machine's one connection; of the others it
 * is followed whether there is anything new, and then they come into memory.
 */
export class DocumentSync implements DocumentsListener {
  readonly #context: SyncContext;
  readonly #documents: Documents;
  readonly #checks: DocumentChecks;
  readonly #measures: DocumentMeasures;
  readonly #synced = new Map<string, Synced>();
  readonly #follows = new Map<string, () => void>();
  /** They hold what the relay does not have. */
  readonly #due = new Set<string>();
  readonly #brought = new Set<string>();
  readonly #ends: (() => void)[];
  #isLive = false;

  constructor({ context, documents, sessions, measures = DOCUMENT_MEASURES, startCheckThread }: DocumentSyncOptions) {
    this.#context = context;
    this.#documents = documents;
    this.#measures = measures;
    this.#checks = new DocumentChecks(context.clock, context.onProblem, startCheckThread);
    this.#ends = [
      documents.listen(this),
      sessions.onSession(({ runId }) => this.#watch(sessionDocument(runId))),
      context.link.onState(() => this.#handleLink()),
      context.onMembership(() => this.#retry()),
    ];
    for (const document of documents.loaded) this.handleLoaded(document);
    for (const runId of sessions.sessions.keys()) this.#watch(sessionDocument(runId));
    this.#handleLink();
  }

  /** Everything that was written here is stored at the relay, and what was there is here. */
  isSynced(name: string): boolean {
    const synced = this.#synced.get(name);
    return synced?.provider.synced === true && !synced.document.unsent;
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    for (const end of this.#follows.values()) end();
    for (const name of [...this.#synced.keys()]) this.#detach(name);
    await this.#checks.stop();
  }

  handleLoaded(document: SharedDocument): void {
    const { name, doc } = document;
    const check = new DocumentCheck(this.#checks, name, doc, (origin) => origin === document.remote);
    const socket = documentSocket((events) => {
      const place = placeOf(this.#context);
      const onIdle = () => this.#handleIdle(name);
      return place === null
        ? null
        : new DocumentChannel({ context: this.#context, document, check, measures: this.#measures }, place, {
            ...events,
            onIdle,
          });
    });
    const provider = new WebsocketProvider('relay:', name, doc, {
      connect: false,
      disableBc: true,
      maxBackoffTime: MAX_RETRY_MS,
      WebSocketPolyfill: socket,
    });
    // It would say that it is gone when the process ends, to nobody; Node warns of more than ten who wait for that.
    process.off('exit', provider._exitHandler);
    document.remote = provider;
    // Ended now, so that nothing of it is on the way when the channel begins to follow.
    this.#endFollow(name);
    this.#synced.set(name, { document, provider, check });
    if (this.#isLive) provider.connect();
  }

  handleUnloaded({ name }: SharedDocument): void {
    this.#detach(name);
    this.#watch(name);
  }

  handleForgotten(name: string): void {
    this.#endFollow(name);
    this.#due.delete(name);
  }

  #endFollow(name: string): void {
    this.#follows.get(name)?.();
    this.#follows.delete(name);
  }

  #detach(name: string): void {
    const synced = this.#synced.get(name);
    if (synced === undefined) return;
    this.#synced.delete(name);
    synced.provider.destroy();
    synced.provider.awareness.destroy();
    synced.check.close();
  }

  /** Hears of changes of a document that is not in memory. */
  #watch(name: string): void {
    if (this.#synced.has(name) || this.#follows.has(name)) return;
    const end = this.#context.link.follow(this.#context.keyring.streamName('document', name), {
      lane: 'rest',
      cursor: () => this.#positionOf(name),
      onBatch: () => this.#load(name),
    });
    this.#follows.set(name, end);
  }

  #positionOf(name: string): number {
    const sync = this.#documents.row(name)?.sync ?? null;
    return DocumentState.placeOf(sync) === placeOf(this.#context) ? DocumentState.positionOf(sync) : 0;
  }

  #load(name: string): void {
    this.#documents.load(name).catch((error: unknown) => {
      this.#context.onProblem('a shared document cannot be read', error);
      this.#handleIdle(name);
    });
  }

  #handleLink(): void {
    const place = placeOf(this.#context);
    const isLive = place !== null;
    if (isLive === this.#isLive) return;
    this.#isLive = isLive;
    this.#brought.clear();
    for (const { provider } of this.#synced.values()) {
      if (isLive) provider.connect();
      else provider.disconnect();
    }
    if (!isLive) return;
    for (const { name, unsent, sync } of this.#documents.rows) {
      const isNew = sync !== null && DocumentState.placeOf(sync) !== place;
      if ((unsent || isNew) && name !== WORKSPACE_DOCUMENT && !this.#synced.has(name)) this.#due.add(name);
    }
    this.#bring();
  }

  /** Those that are not in memory come into it, some at a time, and are sent by that. */
  #bring(): void {
    for (const name of this.#due) {
      if (this.#brought.size >= BROUGHT_AT_ONCE || !this.#isLive) return;
      this.#due.delete(name);
      this.#brought.add(name);
      this.#load(name);
    }
  }

  #handleIdle(name: string): void {
    if (this.#brought.delete(name)) this.#bring();
  }

  /** Somebody was added, or the key is another one: what was refused because of that need not wait. */
  #retry(): void {
    if (!this.#isLive) return;
    for (const { provider } of this.#synced.values()) {
      if (provider.wsconnected) continue;
      provider.disconnect();
      provider.connect();
    }
  }
}

/** Which relay's state a document's positions are of: its streams belong to one workspace in one life of the relay. Null without one. */
function placeOf({ link: { state }, membership }: SyncContext): string | null {
  return state.is === 'live' ? `${membership.workspace} ${state.welcome.incarnation}` : null;
}
