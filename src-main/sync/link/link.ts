import { type Clock, SYSTEM_CLOCK } from '../../../src-shared/client.ts';
import type { Signer } from '../../../src-shared/membership-keys.ts';
import { MessageParts } from '../../../src-shared/message-parts.ts';
import { CLOSE, type CloseReason, RefusalError } from '../../../src-shared/refusal.ts';
import {
  creditCost,
  encodeRelayMessage,
  FOLLOW_WINDOW_BYTES,
  type FromRelay,
  type Lane,
  leaseBytes,
  MAX_SEEN_MACHINES,
  type MachineSeen,
  MIN_PART_BYTES,
  PING_EVERY_MS,
  parseFromRelay,
  RELAY_CLOSE,
  RELAY_SILENT_AFTER_MS,
  type RelayRefusal,
  relayRefusalText,
  type ToRelay,
} from '../../../src-shared/relay-protocol.ts';
import { sign } from '../../../src-shared/seal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { BulkQueue, type Question } from './bulk-queue.ts';
import { CreditWindow } from './credit-window.ts';
import { Handshake, type Welcome } from './handshake.ts';

/** How a machine stands with its relay. `sinceMs`: when that began. */
export type LinkState =
  | { readonly is: 'connecting'; readonly sinceMs: number }
  | { readonly is: 'live'; readonly sinceMs: number; readonly welcome: Welcome; readonly relayKey: Uint8Array }
  | { readonly is: 'lost'; readonly sinceMs: number; readonly why: string }
  /** For good, until the user has done something. */
  | { readonly is: 'refused'; readonly sinceMs: number; readonly why: string }
  | { readonly is: 'stopped'; readonly sinceMs: number };

export interface LinkOptions {
  readonly connect: () => Promise<Wire>;
  readonly signer: Signer;
  readonly workspace: string;
  readonly chain: () => readonly Uint8Array[];
  readonly relayKey: Uint8Array | null;
  /** Somebody who follows a stream failed on a batch: the stream is not followed any more, its cursor tells where it stopped. */
  readonly onFailure: (stream: string, error: unknown) => void;
  readonly clock?: Clock;
}

/** The relay has refused; `why` is what an owner acts on. */
export class RelayRefusedError extends Error {
  readonly why: RelayRefusal;
  constructor(why: RelayRefusal) {
    super(relayRefusalText(why));
    this.name = 'RelayRefusedError';
    this.why = why;
  }
}

export interface Following {
  readonly lane: Lane;
  /** The last position that is kept here: after a reconnect the relay goes on behind it. */
  readonly cursor: () => number;
  /** Called in order, without waiting for the one before. Resolves when it is kept; only then the relay may send as many bytes more. */
  readonly onBatch: (frame: Uint8Array, position: number | null) => Promise<void> | void;
  readonly onCaughtUp?: (position: number) => void;
  /** It hears what passes. Without it: what is stored; anybody may let something pass in a stream that is somebody else's. */
  readonly isPassing?: true;
}

type Answer = Extract<FromRelay, { ask: number | null }>;
type Asking = Extract<ToRelay, { ask: number | null }>;
type WithoutAsk<M> = M extends { ask: number | null } ? Omit<M, 'ask'> : never;
export type Request = WithoutAsk<Asking>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** What was given is at most one window, and a relay may round up. */
const MAX_UNKEPT_BYTES = 2 * FOLLOW_WINDOW_BYTES;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
/** A connection that lasted so long was a good one: the next loss is retried at once. */
const GOOD_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
/** A timer that is so late has slept with its machine: the connection has to prove that it is still there. */
const SLEPT_AFTER_MS = 3 * LOOK_EVERY_MS;
/** For the answer to a ping after sleep. */
const AWAKE_ANSWER_MS = 5_000;

/**
 * A machine's one connection to its relay. It keeps nothing that a log does not have: what was not acknowledged when a connection is
 * lost is rejected, and its owner sends it again from the log. Follows go on at their cursors by themselves.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  readonly #follows = new Map<string, Following>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #bulk: BulkQueue<Answer>;
  readonly #credit = new CreditWindow();
  readonly #parts = new MessageParts();
  readonly #stateListeners = new Set<(state: LinkState) => void>();
  readonly #messageListeners = new Set<(message: FromRelay) => void>();
  #state: LinkState;
  #wire: Wire | null = null;
  #relayNonce: Uint8Array = new Uint8Array();
  /** Of stored batches on this connection. */
  #unkeptBytes = 0;
  #nextAsk = 1;
  #attempt = 0;
  #lastHeardMs = 0;
  #lookedMs = 0;
  #lastPingMs = 0;
  /** After sleep: until when the relay has to be heard. */
  #provesByMs: number | null = null;
  #cancelRetry: () => void = () => {};
  #cancelLook: () => void = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#bulk = new BulkQueue({
      clock: this.#clock,
      isLive: () => this.#state.is === 'live',
      question: (frame) => this.#question({ type: 'batch', frame, release: null }),
      send: (encoded) => this.#wire?.send(encoded),
      sendPart: (part) => this.ask({ type: 'part', ...part }),
    });
    this.#state = { is: 'connecting', sinceMs: this.#clock.nowMs() };
    void this.#open();
    this.#planLook();
  }

  get state(): LinkState {
    return this.#state;
  }

  onState(listener: (state: LinkState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** What is nobody's answer and no followed batch: entries of the chain, leases, machines that come and go, mailboxes. */
  onMessage(listener: (message: FromRelay) => void): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /**
   * The relay's answer, in front of whatever bulk is waiting. Rejects with a RelayRefusedError where it refuses, with a RefusalError where
   * it is out of reach.
   */
  ask(request: Request): Promise<Answer> {
    if (this.#state.is !== 'live') return Promise.reject(outOfReach());
    const { encoded, answer } = this.#question(request);
    this.#wire?.send(encoded);
    return answer;
  }

  #question(request: Request): Question<Answer> {
    const ask = this.#nextAsk++;
    const answer = new Promise<Answer>((resolve, reject) => void this.#waiting.set(ask, { resolve, reject }));
    return { encoded: encodeRelayMessage({ ...request, ask } as ToRelay), answer };
  }

  /** Appends a batch: at once if it is small, else as one that can wait. */
  append(frame: Uint8Array, lane: Lane): Promise<Answer> {
    if (frame.byteLength > MIN_PART_BYTES) return this.appendBulk(frame, lane);
    return this.ask({ type: 'batch', frame, release: null });
  }

  /** Appends a batch that can wait: it leaves when the line has room, in parts if it is large, behind what is asked meanwhile. */
  appendBulk(frame: Uint8Array, lane: Lane): Promise<Answer> {
    const { is } = this.#state;
    // It does not come back: nobody is to wait for it.
    if (is === 'refused' || is === 'stopped') return Promise.reject(outOfReach());
    return this.#bulk.add(frame, lane);
  }

  /** How large a batch may be that fills the line for no longer than a moment. */
  get bulkBytes(): number {
    return this.#bulk.roomBytes;
  }

  /** At most once, and only now: dropped when the relay is out of reach. False then. */
  pass(frame: Uint8Array): boolean {
    if (this.#state.is !== 'live') return false;
    this.#send({ type: 'batch', ask: null, frame, release: null });
    return true;
  }

  /** Says something in a pairing's mailbox, or ends it. False where the relay is out of reach. */
  tell(message: Extract<ToRelay, { type: 'mailbox:say' | 'mailbox:close' }>): boolean {
    if (this.#state.is !== 'live') return false;
    this.#send(message);
    return true;
  }

  /** From now on, over every reconnect, until it is ended. Following again replaces what was. */
  follow(stream: string, following: Following): () => void {
    this.#follows.set(stream, following);
    if (this.#state.is === 'live') this.#sendFollow(stream, following);
    return () => {
      if (this.#follows.get(stream) === following) this.#unfollow(stream);
    };
  }

  #unfollow(stream: string): void {
    this.#follows.delete(stream);
    if (this.#state.is === 'live') this.#send({ type: 'unfollow', stream });
  }

  #sendFollow(stream: string, { lane, cursor }: Following): void {
    this.#send({ type: 'follow', stream, after: cursor(), lane });
  }

  /** Signs that `holder` gets the session, for this connection. */
  signLease(stream: string, epoch: number, holder = this.#options.signer.machine): Uint8Array {
    const signed = leaseBytes({ relayNonce: this.#relayNonce, stream, epoch, holder });
    return sign('lease', signed, this.#options.signer.keys.sign.secretKey);
  }

  /** The machine has woken up or has another network: do not wait for what is left of a delay. */
  retryNow(): void {
    if (this.#state.is === 'lost') void this.#open();
    else if (this.#state.is === 'live') this.#askForLife();
  }

  /** There is another way to the relay now. */
  retryIfLost(): void {
    if (this.#state.is === 'lost') void this.#open();
  }

  stop(): void {
    if (this.#state.is === 'stopped') return;
    this.#cancelLook();
    this.#cancelRetry();
    this.#setState({ is: 'stopped', sinceMs: this.#clock.nowMs() });
    this.#drop(CLOSE.shuttingDown);
  }

  async #open(): Promise<void> {
    this.#cancelRetry();
    this.#setState({ is: 'connecting', sinceMs: this.#clock.nowMs() });
    let wire: Wire;
    try {
      wire = await this.#options.connect();
    } catch (error) {
      if (this.#state.is === 'connecting') this.#lost(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#state.is !== 'connecting') {
      wire.close(CLOSE.shuttingDown);
      return;
    }
    this.#wire = wire;
    this.#lastHeardMs = this.#clock.nowMs();
    const { signer, workspace, chain, relayKey } = this.#options;
    const handshake = new Handshake({ signer, workspace, chain, relayKey, send: (frame) => wire.send(frame) });
    wire.onClose = (why) => this.#closed(wire, why);
    wire.onFrame = (frame) => this.#receive(wire, handshake, frame);
  }

  #receive(wire: Wire, handshake: Handshake, frame: Uint8Array): void {
    if (wire !== this.#wire) return;
    this.#lastHeardMs = this.#clock.nowMs();
    this.#provesByMs = null;
    let message: FromRelay;
    try {
      message = parseFromRelay(frame);
    } catch {
      wire.close(CLOSE.malformedFrame);
      return;
    }
    if (this.#state.is === 'connecting') this.#greeted(wire, handshake, message);
    else this.#take(wire, message);
  }

  #greeted(wire: Wire, handshake: Handshake, message: FromRelay): void {
    const shaken = handshake.hear(message);
    if (shaken.is === 'going-on') return;
    if (shaken.is === 'welcome') {
      this.#relayNonce = shaken.relayNonce;
      this.#live(shaken.welcome, shaken.relayKey);
      return;
    }
    if (shaken.is === 'refused') {
      this.#setState({ is: 'refused', sinceMs: this.#clock.nowMs(), why: shaken.why });
      this.#rejectAll();
    } else this.#lost(relayRefusalText(shaken.why));
    this.#wire = null;
    wire.close(CLOSE.shuttingDown);
  }

  #live(welcome: Welcome, relayKey: Uint8Array): void {
    this.#setState({ is: 'live', sinceMs: this.#clock.nowMs(), welcome, relayKey });
    this.#parts.clear();
    this.#unkeptBytes = 0;
    // Answered before anything that needs credit: so long takes what nothing is in front of.
    this.#ping();
    this.#send({ type: 'credit', bytes: this.#credit.restart(this.#clock.nowMs()) });
    for (const [stream, following] of this.#follows) this.#sendFollow(stream, following);
    this.#bulk.restart();
  }

  /** What came in parts is paid for as they come, the last of them when it is kept. */
  #take(wire: Wire, message: FromRelay): void {
    const cost = creditCost(message);
    if (!this.#came(wire, cost)) return;
    if (message.type !== 'part') {
      this.#handle(message, cost);
      return;
    }
    let whole: FromRelay | null;
    try {
      const joined = this.#parts.add(message);
      whole = joined && parseFromRelay(joined);
      if (whole?.type === 'part') throw new Error('a part of a part');
    } catch {
      wire.close(CLOSE.malformedFrame);
      return;
    }
    if (whole === null) this.#giveCredit(cost);
    else this.#handle(whole, cost);
  }

  /** `cost`: what of it has still to be paid for. */
  #handle(message: FromRelay, cost: number): void {
    if (message.type === 'batch') {
      void this.#received(message, cost);
      return;
    }
    this.#giveCredit(cost);
    if ('ask' in message && message.ask !== null) {
      const waiting = this.#waiting.get(message.ask);
      this.#waiting.delete(message.ask);
      if (message.type !== 'refused') waiting?.resolve(message);
      else waiting?.reject(new RelayRefusedError(message.why));
    } else if (message.type === 'dropped') this.#parts.drop(message.lane);
    else if (message.type === 'pong') this.#credit.answered(this.#clock.nowMs());
    else if (message.type === 'caught-up') this.#follows.get(message.stream)?.onCaughtUp?.(message.position);
    else {
      if (message.type === 'machine' && !this.#remember(message.seen)) return;
      for (const listener of this.#messageListeners) listener(message);
    }
  }

  /** Who begins to listen later finds in `state` who is there by then. False for more machines than there can be. */
  #remember(seen: MachineSeen): boolean {
    if (this.#state.is !== 'live') return false;
    const { welcome } = this.#state;
    const machines = [...welcome.machines.filter(({ machine }) => machine !== seen.machine), seen];
    if (machines.length > MAX_SEEN_MACHINES) return false;
    this.#state = { ...this.#state, welcome: { ...welcome, machines } };
    return true;
  }

  async #received({ stream, position, frame }: Extract<FromRelay, { type: 'batch' }>, cost: number): Promise<void> {
    const wire = this.#wire;
    const followed = this.#follows.get(stream);
    const following = (followed?.isPassing === true) === (position === null) ? followed : undefined;
    try {
      await following?.onBatch(frame, position);
    } catch (error) {
      if (following !== undefined && this.#follows.get(stream) === following) this.#unfollow(stream);
      this.#options.onFailure(stream, error);
    }
    if (wire === this.#wire) this.#giveCredit(cost);
  }

  #giveCredit(cost: number): void {
    this.#unkeptBytes -= cost;
    const bytes = cost === 0 ? 0 : this.#credit.kept(cost);
    if (bytes > 0) this.#send({ type: 'credit', bytes });
  }

  /** False where the relay sends more than it was given credit for: what is not kept yet lies in memory. */
  #came(wire: Wire, cost: number): boolean {
    this.#unkeptBytes += cost;
    if (this.#unkeptBytes > MAX_UNKEPT_BYTES) {
      wire.close(CLOSE.malformedFrame);
      return false;
    }
    if (cost > 0 && this.#credit.came(cost, this.#clock.nowMs())) this.#ping();
    return true;
  }

  #send(message: ToRelay): void {
    this.#wire?.send(encodeRelayMessage(message));
  }

  #closed(wire: Wire, why: CloseReason): void {
    if (wire !== this.#wire) return;
    this.#wire = null;
    const isForGood =
      why.code === RELAY_CLOSE.removed.code || why.code === RELAY_CLOSE.elsewhere.code || why.code === CLOSE.versionMismatch.code;
    if (isForGood) {
      this.#setState({ is: 'refused', sinceMs: this.#clock.nowMs(), why: why.reason });
      this.#rejectAll();
    } else this.#lost(why.reason);
  }

  #lost(why: string): void {
    const now = this.#clock.nowMs();
    if (this.#state.is === 'live' && now - this.#state.sinceMs >= GOOD_AFTER_MS) this.#attempt = 0;
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt) * (0.5 + this.#clock.random() / 2);
    this.#attempt++;
    this.#setState({ is: 'lost', sinceMs: now, why });
    this.#rejectAll();
    this.#cancelRetry = this.#clock.setTimer(() => void this.#open(), delayMs);
  }

  #rejectAll(): void {
    const lost = () => new RefusalError('not-ready', 'The connection to the relay was lost.', 'Send it again when it is back.');
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(lost());
    this.#bulk.rejectAll(lost);
  }

  #drop(why: CloseReason): void {
    const wire = this.#wire;
    this.#wire = null;
    wire?.close(why);
    this.#rejectAll();
  }

  #planLook(): void {
    this.#lookedMs = this.#clock.nowMs();
    this.#cancelLook = this.#clock.setTimer(() => {
      this.#look();
      if (this.#state.is !== 'stopped') this.#planLook();
    }, LOOK_EVERY_MS);
  }

  #look(): void {
    const now = this.#clock.nowMs();
    const slept = now - this.#lookedMs >= SLEPT_AFTER_MS;
    if (this.#wire === null) {
      if (slept) this.retryNow();
      return;
    }
    if (slept) this.#askForLife();
    else if (now - this.#lastHeardMs >= RELAY_SILENT_AFTER_MS || (this.#provesByMs !== null && now >= this.#provesByMs)) {
      this.#wire.close(CLOSE.silent);
    } else if (now - this.#lastPingMs >= PING_EVERY_MS) this.#ping();
  }

  /** After sleep silence proves nothing, and an open socket even less. */
  #askForLife(): void {
    const now = this.#clock.nowMs();
    this.#lastHeardMs = now;
    this.#provesByMs = now + AWAKE_ANSWER_MS;
    this.#ping();
  }

  #ping(): void {
    this.#lastPingMs = this.#clock.nowMs();
    if (this.#state.is === 'live') this.#send({ type: 'ping' });
  }

  #setState(state: LinkState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener(state);
  }
}

function outOfReach(): RefusalError {
  return new RefusalError('not-ready', 'The relay is out of reach.', 'It is tried again by itself.');
}
