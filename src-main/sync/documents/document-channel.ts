import * as Y from 'yjs';
import type { MachineId } from '../../../src-shared/ids.ts';
import { EMPTY_STREAM, type Received, receiveBatch, type StreamState, writerOf } from '../../../src-shared/receive-batch.ts';
import { NO_BATCH_HASH, readBatch } from '../../../src-shared/sealed-batch.ts';
import { RelayRefusedError } from '../link/link.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import type { DocumentCheck } from './document-checks.ts';
import { decodePiece, encodePieces, MAX_UPDATE_BYTES, PIECE_BYTES, Pieces } from './document-payload.ts';
import { DocumentState } from './document-state.ts';
import type { SharedDocument } from './shared-document.ts';

/** What a channel tells the socket that it belongs to. */
export interface ChannelEvents {
  /** Somebody else's changes, checked. */
  onUpdate(update: Uint8Array): void;
  /** Everything that was stored has been told. `atRelay`: what the relay has of each Yjs client; null where it has all that is here. */
  onCaughtUp(atRelay: Uint8Array | null): void;
  /** Nothing is under way. */
  onIdle(): void;
  /** It cannot go on. */
  onFailed(why: string): void;
}

export interface ChannelOptions {
  readonly context: SyncContext;
  readonly document: SharedDocument;
  readonly check: DocumentCheck;
  readonly measures: DocumentMeasures;
}

/** How a document lies at the relay. Machines may differ in them. */
export interface DocumentMeasures {
  /** Positions of the stream that this divides: whose update is there writes a snapshot, if it is worth it. */
  readonly snapshotEvery: number;
  /** Of less, the updates may lie one on the other as they are. */
  readonly snapshotAboveBytes: number;
  /** What is larger is cut. */
  readonly pieceBytes: number;
}
export const DOCUMENT_MEASURES: DocumentMeasures = {
  snapshotEvery: 64,
  snapshotAboveBytes: 64 * 1024,
  pieceBytes: PIECE_BYTES,
};
/** Batches that are looked at together. */
const BATCHES_AT_ONCE = 256;
/** How long it waits for the entry of the chain that a batch names. */
const CHAIN_WITHIN_MS = 10_000;

/** No operations, and none taken back. */
const EMPTY_UPDATE_BYTES = 2;

type Own = { counter: number; hash: string };

interface Incoming {
  readonly frame: Uint8Array;
  readonly position: number;
  readonly taken: () => void;
}

/**
 * One connection of a document with its stream at the relay, from catching up to its end. What arrives is opened, checked on a copy
 * and handed on; what is written here is sealed and stored. A change counts as sent when the relay has stored it.
 */
export class DocumentChannel {
  readonly #context: SyncContext;
  readonly #document: SharedDocument;
  readonly #check: DocumentCheck;
  readonly #measures: DocumentMeasures;
  readonly #events: ChannelEvents;
  readonly #stream: string;
  readonly #state: DocumentState;
  readonly #pieces = new Pieces();
  /** Updates behind a snapshot that is not whole yet; with as much as a document may have they wait no longer. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #incoming: Incoming[] = [];
  #outgoing: Uint8Array[] = [];
  readonly #own: Record<'document' | 'snapshot', Own> = {
    document: { counter: 0, hash: NO_BATCH_HASH },
    snapshot: { counter: 0, hash: NO_BATCH_HASH },
  };
  #endFollow: () => void = () => {};
  #isTaking = false;
  /** Something was opened that is not in the document yet: nobody may go on from where the state stands [doc-12]. */
  #isUnread = false;
  /** Of an update of this machine, after which it is its turn to write a snapshot; 0: it is not. */
  #turnAt = 0;
  #isSending = false;
  #isAtEnd = false;
  /** Not everything that was stored when it began has been looked at yet. */
  #isReading = true;
  #isCaughtUp = false;
  #isClosed = false;
  /** How often it has begun again; what was under way for an earlier time is void. */
  #beginnings = 0;

  constructor({ context, document, check, measures }: ChannelOptions, place: string, events: ChannelEvents) {
    this.#context = context;
    this.#document = document;
    this.#check = check;
    this.#measures = measures;
    this.#events = events;
    this.#stream = context.keyring.streamName('document', document.name);
    this.#state = DocumentState.from(document.sync, place);
    if (DocumentState.placeOf(document.sync) !== place && document.doc.store.clients.size > 0) document.unsent = true;
    document.isBusy = true;
    void this.#start().catch((error: unknown) => this.#fail(error));
  }

  /** Changes that were made here. Before it has caught up they are not taken: they are asked for then. */
  send(update: Uint8Array): void {
    if (!this.#isCaughtUp || this.#isClosed) return;
    this.#outgoing.push(update);
    this.#startSending();
  }

  #startSending(): void {
    if (!this.#isSending) void this.#send().catch((error: unknown) => this.#fail(error));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endFollow();
    for (const { taken } of this.#incoming.splice(0)) taken();
    this.#idle();
  }

  #idle(): void {
    this.#document.isBusy = false;
    this.#events.onIdle();
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    const isExpected =
      this.#context.link.state.is !== 'live' ||
      // That its session was deleted this machine hears from the one that did it.
      (error instanceof RelayRefusedError && (error.why === 'wrong-generation' || error.why === 'removed'));
    if (!isExpected) this.#context.onProblem('a shared document is not synced at the moment', error);
    this.close();
    this.#events.onFailed(error instanceof Error ? error.message : String(error));
  }

  async #start(): Promise<void> {
    const { link } = this.#context;
    try {
      const answer = await link.ask({ type: 'stream:read', stream: this.#stream });
      if (answer.type !== 'stream') throw new Error(`the relay answered ${answer.type}`);
      for (const { kind, counter, hash } of answer.own) {
        if (kind === 'document' || kind === 'snapshot') this.#own[kind] = { counter, hash };
      }
      // The relay was set back to a state of before: what was acknowledged may be gone.
      if (answer.lastPosition < this.#state.position || this.#hasForgotten()) this.#restart({ isLost: true });
    } catch (error) {
      if (!(error instanceof RelayRefusedError && error.why === 'unknown-stream')) throw error;
      if (this.#state.position > 0) this.#restart({ isLost: true });
    }
    if (!this.#isClosed) this.#follow();
  }

  /** What it stored of this machine last it does not know any more, though the stream may have grown since by what others wrote. */
  #hasForgotten(): boolean {
    const known = this.#state.stream.writers.get(writerOf({ kind: 'document', machine: this.#context.signer.machine }));
    return known !== undefined && this.#own.document.counter < known.counter;
  }

  /** From the first position on. `isLost`: the relay does not have what was stored there. */
  #restart({ isLost }: { readonly isLost: boolean }): void {
    this.#beginnings += 1;
    this.#isAtEnd = false;
    this.#isReading = true;
    this.#isUnread = false;
    this.#held = [];
    this.#heldBytes = 0;
    this.#state.position = 0;
    this.#state.received(EMPTY_STREAM);
    this.#pieces.clear();
    if (!isLost) return;
    this.#state.atRelay.clear();
    this.#document.unsent = true;
  }

  #follow(): void {
    this.#endFollow = this.#context.link.follow(this.#stream, {
      lane: 'rest',
      cursor: () => this.#state.position,
      onBatch: (frame, position) =>
        new Promise((taken) => {
          if (position === null || this.#isClosed) return taken();
          this.#incoming.push({ frame, position, taken });
          this.#take();
        }),
      onCaughtUp: () => {
        this.#isAtEnd = true;
        this.#take();
      },
    });
  }

  // ——— what arrives ———

  #take(): void {
    if (this.#isTaking || this.#isClosed) return;
    this.#isTaking = true;
    this.#takeAll()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isTaking = false;
        // Several messages may come in one turn: one that came while the last step was ending is taken now.
        if (this.#incoming.length > 0) this.#take();
      });
  }

  async #takeAll(): Promise<void> {
    while (this.#incoming.length > 0) {
      const beginning = this.#beginnings;
      const isVoid = () => this.#isClosed || this.#beginnings !== beginning;
      const batches = this.#incoming.slice(0, BATCHES_AT_ONCE);
      const updates: Uint8Array[] = [];
      this.#isUnread = true;
      for (const batch of batches) {
        const whole = await this.#open(batch);
        if (isVoid()) break;
        updates.push(...whole);
      }
      if (isVoid()) continue;
      await this.#apply(updates);
      if (isVoid()) continue;
      this.#isUnread = false;
      this.#note();
      for (const { taken } of this.#incoming.splice(0, batches.length)) taken();
      this.#startSending();
    }
    if (!this.#isAtEnd || !this.#isReading || this.#isClosed) return;
    this.#isReading = false;
    await this.#giveUpSnapshot();
    if (!this.#isCaughtUp && !this.#isClosed) this.#caughtUp();
  }

  /** The updates that are whole with this batch. */
  async #open(batch: Incoming): Promise<readonly Uint8Array[]> {
    let received = this.#receive(batch.frame, this.#state.stream);
    while (received.is === 'refused' && received.why === 'unknown-head' && !this.#isClosed) {
      await this.#nextEntry();
      received = this.#receive(batch.frame, this.#state.stream);
    }
    if (this.#isTorn(received, batch)) {
      if (this.#beginnings === 0) {
        await this.#beginAgain();
        return [];
      }
      this.#refuse('the relay does not show those before it');
      this.#state.forgetWriter(machineOf(batch));
      received = this.#receive(batch.frame, this.#state.stream);
    }
    if (received.is === 'refused' && received.why === 'no-key') throw new Error('the key of a batch is not here');
    this.#state.position = Math.max(this.#state.position, batch.position);
    // Repeated or replayed: one of those that are here already, after a restart or of this machine's own.
    if (received.is === 'repeated' || (received.is === 'refused' && received.why === 'replayed')) return [];
    if (received.is === 'refused') {
      this.#refuse(received.why);
      return [];
    }
    const { header } = received.batch;
    this.#state.received(received.state);
    this.#state.bytesOnTop += batch.frame.byteLength;
    const piece = decodePiece(received.payload);
    if (piece === null) {
      this.#refuse('it is no update');
      return [];
    }
    if (header.kind === 'snapshot') this.#state.covered(piece.covers);
    return this.#release(this.#pieces.take(header.machine, piece), piece.is === 'snapshot');
  }

  /** In an order in which each builds on those before it. Whoever has read everything has what a snapshot holds: nothing waits for it. */
  #release(update: Uint8Array | null, isSnapshot: boolean): readonly Uint8Array[] {
    const mustWait = this.#pieces.isInSnapshot && this.#isReading && this.#heldBytes < MAX_UPDATE_BYTES;
    if (mustWait && update !== null) {
      this.#held.push(update);
      this.#heldBytes += update.byteLength;
    }
    if (mustWait || update === null) return [];
    const held = this.#held.splice(0);
    this.#heldBytes = 0;
    return isSnapshot ? [update, ...held] : [...held, update];
  }

  /** Something before it is missing, or was another one when it was seen here: the relay was set back, and went on differently. */
  #isTorn(received: Received, batch: Incoming): boolean {
    if (received.is !== 'refused') return false;
    const isOfThePast = received.why === 'replayed' || received.why === 'counter-reused';
    const isNew = batch.position > this.#state.position && machineOf(batch) !== this.#context.signer.machine;
    return received.why === 'gap' || (isOfThePast && isNew);
  }

  #receive(frame: Uint8Array, state: StreamState): Received {
    const { membership, keyring } = this.#context;
    return receiveBatch(frame, { membership, keyring, state });
  }

  /** Something is missing that was there before, perhaps: all of it is read once more. */
  async #beginAgain(): Promise<void> {
    this.#restart({ isLost: false });
    this.#endFollow();
    for (const { taken } of this.#incoming.splice(0)) taken();
    // What was on its way when the follow ended has come by the time of this answer, and was dropped.
    await this.#context.link.ask({ type: 'stream:read', stream: this.#stream });
    if (!this.#isClosed) this.#follow();
  }

  /** [doc-9] What was refused is skipped; the rest goes on. */
  #refuse(why: string): void {
    this.#state.hasRefused = true;
    this.#context.onProblem(`a change of a shared document by another machine was refused: ${why}`);
  }

  async #apply(updates: readonly Uint8Array[]): Promise<void> {
    let left = updates;
    while (left.length > 0) {
      const { passed, accepted, reached, why } = await this.#check.check(left);
      if (this.#isClosed) return;
      if (accepted !== null) this.#events.onUpdate(accepted);
      this.#state.reached(reached);
      if (why !== null) this.#refuse(why);
      left = left.slice(why === null ? passed : passed + 1);
    }
  }

  async #giveUpSnapshot(): Promise<void> {
    if (this.#held.length === 0) return;
    this.#refuse('a snapshot is incomplete');
    this.#pieces.clear();
    this.#heldBytes = 0;
    await this.#apply(this.#held.splice(0));
  }

  #caughtUp(): void {
    this.#isCaughtUp = true;
    this.#note();
    if (!this.#document.unsent) this.#idle();
    this.#events.onCaughtUp(this.#document.unsent ? Y.encodeStateVector(this.#state.atRelay) : null);
  }

  /** Somebody knows an entry of the chain that is on its way here. */
  #nextEntry(): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = this.#context.onMembership(() => {
        end();
        cancel();
        resolve();
      });
      const cancel = this.#context.clock.setTimer(() => {
        end();
        reject(new Error('a batch names an entry of the membership that is not here'));
      }, CHAIN_WITHIN_MS);
    });
  }

  // ——— what leaves ———

  async #send(): Promise<void> {
    this.#isSending = true;
    try {
      while (!this.#isClosed) {
        if (this.#isSnapshotDue()) await this.#sendSnapshot();
        else if (this.#outgoing.length > 0) await this.#sendUpdate(this.#outgoing.splice(0));
        else return;
      }
    } finally {
      this.#isSending = false;
    }
  }

  async #sendUpdate(updates: readonly Uint8Array[]): Promise<void> {
    this.#document.isBusy = true;
    const [first, ...more] = updates;
    if (first === undefined) return;
    const update = more.length === 0 ? first : Y.mergeUpdates([first, ...more]);
    let position = 0;
    // Where everything is there already, what is asked for is empty.
    const { snapshotEvery, pieceBytes } = this.#measures;
    const pieces = update.byteLength === EMPTY_UPDATE_BYTES ? [] : encodePieces('update', update, [], pieceBytes);
    for (const piece of pieces) position = await this.#store('document', piece);
    if (this.#isClosed) return;
    const { from, to } = Y.parseUpdateMeta(update);
    this.#state.reached([...to].map(([client, end]) => [client, from.get(client) ?? 0, end] as const));
    if (this.#outgoing.length === 0) this.#sent();
    else this.#note();
    if (position > 0 && position % snapshotEvery === 0 && this.#isSnapshotWorthIt()) this.#turnAt = position;
  }

  /** [doc-6] Everything that was changed here is stored at the relay. */
  #sent(): void {
    this.#document.note({ isSent: true, sync: this.#isWhole() ? this.#state.toJson() : this.#document.sync });
    this.#idle();
  }

  /** Resolves with its position when the relay has stored it. */
  async #store(kind: 'document' | 'snapshot', payload: Uint8Array, seqTo = 0): Promise<number> {
    const { link } = this.#context;
    const own = this.#own[kind];
    const counter = own.counter + 1;
    const header = { kind, stream: this.#stream, epoch: 0, seqFrom: 0, seqTo, counter, previousHash: own.hash } as const;
    const { frame, hash } = seal(this.#context, header, payload);
    const answer = await link.append(frame, 'rest');
    if (answer.type !== 'stored') throw new Error(`the relay answered ${answer.type}`);
    this.#own[kind] = { counter, hash };
    this.#state.wrote(writerOf({ kind, machine: this.#context.signer.machine }), { counter, hash });
    this.#state.bytesOnTop += frame.byteLength;
    // Nothing of others lies between: the next time the relay need not send it back.
    if (answer.position === this.#state.position + 1 && this.#incoming.length === 0) this.#state.position = answer.position;
    return answer.position;
  }

  /**
   * [doc-7] One machine writes it, without any agreement, and seldom enough that it costs less than what it saves. It has to hold
   * everything that it takes the place of: what was opened and is not in the document yet comes first.
   */
  #isSnapshotDue(): boolean {
    return this.#turnAt > 0 && this.#state.position >= this.#turnAt && this.#isWhole() && this.#isSnapshotWorthIt();
  }

  #isSnapshotWorthIt(): boolean {
    const { bytesOnTop, hasRefused } = this.#state;
    const { snapshotAboveBytes } = this.#measures;
    return !hasRefused && bytesOnTop >= Math.max(snapshotAboveBytes, this.#document.wholeBytes / 2);
  }

  async #sendSnapshot(): Promise<void> {
    this.#turnAt = 0;
    const covered = this.#state.position;
    const covers = this.#state.covers();
    const whole = Y.encodeStateAsUpdate(this.#document.doc);
    const [first, ...rest] = encodePieces('snapshot', whole, covers, this.#measures.pieceBytes);
    if (first === undefined) return;
    // The piece that takes the place of the updates comes last: until then they are there.
    for (const payload of rest) await this.#store('document', payload);
    await this.#store('snapshot', first, covered);
    this.#state.bytesOnTop = 0;
    if (!this.#isClosed) this.#note();
  }

  #note(): void {
    if (this.#isWhole()) this.#document.note({ sync: this.#state.toJson() });
  }

  /** The document holds all that the state says. Not while pieces are open: whoever starts again from here has to see all of them. */
  #isWhole(): boolean {
    return !this.#isUnread && !this.#pieces.isOpen;
  }
}

function machineOf({ frame }: Incoming): MachineId | null {
  return readBatch(frame)?.header.machine ?? null;
}
