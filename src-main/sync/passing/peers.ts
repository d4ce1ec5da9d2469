import { randomUUID } from 'node:crypto';
import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import { liveMember, liveMembers } from '../../../src-shared/membership.ts';
import {
  type Beat,
  encodePeerFrame,
  encodePeerMessage,
  encodeShow,
  FRESH_MS,
  isDeed,
  MAX_PEER_MESSAGE_BYTES,
  MIN_PEER_PART_BYTES,
  PEER_VERSION,
  type PeerDeed,
  type PeerFrame,
  type PeerShow,
  type PeerWord,
  parsePeerFrame,
  parsePeerMessage,
  parseShow,
} from '../../../src-shared/peer-protocol.ts';
import { EMPTY_STREAM, receiveBatch, type StreamState } from '../../../src-shared/receive-batch.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { FromRelay } from '../../../src-shared/relay-protocol.ts';
import { randomBytes, toHex } from '../../../src-shared/seal.ts';
import { MAX_PAYLOAD_BYTES, NO_BATCH_HASH } from '../../../src-shared/sealed-batch.ts';
import type { LinkState } from '../link/link.ts';
import { type SyncContext, seal } from '../sync-context.ts';
import { PeerPartSize, PeerParts } from './peer-parts.ts';

const BEAT_EVERY_MS = 20_000;
/** A beat that is known for longer is not relied on: its owner is asked for a new one first. */
const RELIABLE_MS = FRESH_MS / 2;
/** Who asks for a beat waits so long; on the road to a machine that is there it takes a moment. */
const BEAT_ANSWER_MS = 5_000;
/** A part that reached nobody (the relay drops what passes where a line is full) is sent again after a moment. */
const PART_RETRY_MS = 250;
const MAX_PART_TRIES = 120;
/** How far the streams have come that were watched and may be watched again. */
const MAX_KNOWN_SHOWS = 1_000;

export type PeerMessage = PeerDeed | PeerWord;
/** `missed`: nobody got it, for certain. `unknown`: the relay was lost before it said, or knows a newer chain than this machine. */
export type Delivery = 'reached' | 'missed' | 'unknown';
type Passing = 'input' | 'live';
type SeenListener = (machine: MachineId, online: boolean) => void;
type MessageListener = (from: MachineId, message: PeerMessage) => void;

/**
 * How machines speak to each other while both are there: frames that pass the relay. Every frame is checked like any other batch, names
 * its sender, comes at most once, and changes nothing where it is not well formed. Deeds are only taken while they are fresh.
 */
export class Peers {
  readonly #context: SyncContext;
  readonly #boot = toHex(randomBytes(16));
  readonly #online = new Set<MachineId>();
  readonly #heard = new Map<MachineId, { readonly beat: Beat; readonly atMs: number }>();
  readonly #beatWaiters = new Map<MachineId, Set<(isFresh: boolean) => void>>();
  readonly #parts = new PeerParts();
  /** Messages in parts go one behind the other to each machine. */
  readonly #sending = new Map<MachineId, Promise<unknown>>();
  readonly #shows = new Map<string, StreamState>();
  readonly #seenListeners = new Set<SeenListener>();
  readonly #messageListeners = new Set<MessageListener>();
  readonly #ends: (() => void)[] = [];
  #cancelBeat: () => void = () => {};
  #own: StreamState = EMPTY_STREAM;

  constructor(context: SyncContext) {
    this.#context = context;
    const { link, signer, keyring } = context;
    this.#ends.push(
      link.follow(keyring.streamName('input', signer.machine), {
        lane: 'watch',
        isPassing: true,
        cursor: () => 0,
        onBatch: (frame) => this.#received(frame),
      }),
      link.onState((state) => this.#handleState(state)),
      link.onMessage((message) => this.#handleRelay(message)),
      context.onMembership(() => this.#lookAround()),
    );
    this.#handleState(link.state);
    this.#planBeat();
  }

  stop(): void {
    this.#cancelBeat();
    for (const end of this.#ends) end();
    for (const machine of [...this.#online]) this.#seen(machine, false);
  }

  get self(): MachineId {
    return this.#context.signer.machine;
  }

  /** Those that are connected to the relay now. */
  get online(): readonly MachineId[] {
    return [...this.#online];
  }

  /** It is connected to the relay now, and so is this machine. */
  isOnline(machine: MachineId): boolean {
    return this.#online.has(machine);
  }

  /** Told when a machine comes and goes. */
  onSeen(listener: SeenListener): () => void {
    this.#seenListeners.add(listener);
    return () => this.#seenListeners.delete(listener);
  }

  onMessage(listener: MessageListener): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** At most once, and only now. False where it cannot even leave; true says that it left. */
  pass(to: MachineId, message: PeerMessage): boolean {
    if (!this.#online.has(to) || !this.#mayDo(message)) return false;
    return this.#context.link.pass(this.#seal(to, isDeed(message) ? 'input' : 'live', message));
  }

  /**
   * Of any size. `reached`: it is on the line to the machine, which is not yet that it was understood. Rejects what can never be sent.
   */
  async send(to: MachineId, message: PeerMessage): Promise<Delivery> {
    if (!this.#mayDo(message)) throw new RefusalError('not-allowed', 'This machine may only look at what the others do.');
    const encoded = encodePeerMessage(message);
    if (encoded.byteLength > MAX_PEER_MESSAGE_BYTES) {
      const most = Math.floor(MAX_PEER_MESSAGE_BYTES / 1024 ** 2);
      throw new RefusalError('too-large', `What goes to another machine may have ${most} MB at most.`, 'Leave images out.');
    }
    const kind = isDeed(message) ? 'input' : 'live';
    if (encoded.byteLength <= MIN_PEER_PART_BYTES) return this.#deliver(to, kind, message);
    const before = this.#sending.get(to) ?? Promise.resolve();
    const sent = before.then(() => this.#sendParts(to, kind, encoded));
    this.#sending.set(to, sent);
    return sent;
  }

  /** What is sent to it now will be taken as fresh. */
  isFresh(machine: MachineId): boolean {
    const heard = this.#heard.get(machine);
    return this.#online.has(machine) && heard !== undefined && this.#ageMs(heard.atMs) < RELIABLE_MS;
  }

  /** Resolves with whether this machine has heard of `machine` lately, so that what it sends now will be taken as fresh. */
  fresh(machine: MachineId): Promise<boolean> {
    if (this.isFresh(machine)) return Promise.resolve(true);
    if (!this.pass(machine, { type: 'beat', wantsAnswer: true })) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiters = this.#beatWaiters.get(machine) ?? new Set();
      this.#beatWaiters.set(machine, waiters);
      const settle = (isFresh: boolean) => {
        cancel();
        waiters.delete(settle);
        resolve(isFresh);
      };
      const cancel = this.#context.clock.setTimer(() => settle(false), BEAT_ANSWER_MS);
      waiters.add(settle);
    });
  }

  /** To whoever watches a session of this machine. What is too large for one batch is not shown: false. */
  show(runId: RunId, body: PeerShow): boolean {
    const payload = encodeShow(body);
    if (payload.byteLength > MAX_PAYLOAD_BYTES) return false;
    const { link, keyring } = this.#context;
    // Whoever was removed does not have the key that holds now, and tells nobody anything.
    if (link.state.is !== 'live') return false;
    return link.pass(this.#sealPayload(keyring.streamName('live', runId), 'live', payload));
  }

  /** What `host` shows of a session of its own, until it is ended. */
  watch(runId: RunId, host: MachineId, onShow: (body: PeerShow) => void): () => void {
    const { link, keyring } = this.#context;
    const stream = keyring.streamName('live', runId);
    return link.follow(stream, {
      lane: 'watch',
      isPassing: true,
      cursor: () => 0,
      onBatch: (frame) => {
        const received = this.#open(frame, stream, this.#shows.get(stream) ?? EMPTY_STREAM);
        if (received === null) return;
        this.#rememberShow(stream, received.state);
        const { machine, kind } = received.batch.header;
        const body = machine === host && kind === 'live' ? parseShow(received.payload) : null;
        if (body !== null) onShow(body);
      },
    });
  }

  #rememberShow(stream: string, state: StreamState): void {
    this.#shows.delete(stream);
    this.#shows.set(stream, state);
    const [oldest] = this.#shows.keys();
    if (this.#shows.size > MAX_KNOWN_SHOWS && oldest !== undefined) this.#shows.delete(oldest);
  }

  // ——— sending ———

  #mayDo(message: PeerMessage): boolean {
    return !isDeed(message) || liveMember(this.#context.membership, this.self)?.rights !== 'view';
  }

  #seal(to: MachineId, kind: Passing, body: PeerFrame['body']): Uint8Array {
    const heard = this.#heard.get(to)?.beat ?? null;
    const payload = encodePeerFrame({ v: PEER_VERSION, beat: this.#beat(), heard, body });
    return this.#sealPayload(this.#context.keyring.streamName('input', to), kind, payload);
  }

  #sealPayload(stream: string, kind: Passing, payload: Uint8Array): Uint8Array {
    const counter = this.#context.nextPassCounter();
    const header = { kind, stream, epoch: 0, seqFrom: 0, seqTo: 0, counter, previousHash: NO_BATCH_HASH };
    return seal(this.#context, header, payload).frame;
  }

  async #deliver(to: MachineId, kind: Passing, body: PeerFrame['body']): Promise<Delivery> {
    if (!this.#online.has(to)) return 'missed';
    try {
      const answer = await this.#context.link.ask({ type: 'batch', frame: this.#seal(to, kind, body), release: null });
      return answer.type === 'passed' && answer.receivers > 0 ? 'reached' : 'missed';
    } catch {
      // Whoever sends tries again when that has changed.
      return 'unknown';
    }
  }

  async #sendParts(to: MachineId, kind: Passing, encoded: Uint8Array): Promise<Delivery> {
    const { clock } = this.#context;
    const [id, of, size] = [randomUUID(), encoded.byteLength, new PeerPartSize()];
    let tries = 0;
    for (let from = 0; from < of; ) {
      const bytes = encoded.subarray(from, from + size.bytes);
      const startedMs = clock.nowMs();
      const delivery = await this.#deliver(to, kind, { type: 'part', id, from, of, bytes });
      if (delivery === 'reached') {
        size.passed(bytes.byteLength, clock.nowMs() - startedMs);
        from += bytes.byteLength;
        tries = 0;
        continue;
      }
      tries += 1;
      if (delivery === 'unknown' || !this.#online.has(to) || tries === MAX_PART_TRIES) return delivery;
      await new Promise<void>((resolve) => void clock.setTimer(resolve, PART_RETRY_MS));
    }
    return 'reached';
  }

  // ——— receiving ———

  /** Null for what is refused: nothing has changed by it then. */
  #open(frame: Uint8Array, stream: string, state: StreamState) {
    const { membership, keyring } = this.#context;
    const received = receiveBatch(frame, { membership, keyring, state });
    return received.is === 'opened' && received.batch.header.stream === stream ? received : null;
  }

  #received(frame: Uint8Array): void {
    const received = this.#open(frame, this.#context.keyring.streamName('input', this.self), this.#own);
    if (received === null) return;
    const { kind, machine: from } = received.batch.header;
    const parsed = parsePeerFrame(received.payload);
    if (from === this.self || parsed === null || (kind !== 'input' && kind !== 'live')) return;
    this.#own = received.state;
    this.#hearBeat(from, parsed.beat);
    this.#seen(from, true);
    const { body, heard } = parsed;
    if (body.type !== 'part') {
      this.#take(from, kind, body, heard);
      return;
    }
    const joined = this.#parts.add(`${kind} ${from}`, body);
    const message = joined === null ? null : parsePeerMessage(joined);
    // As fresh as its last part.
    if (message !== null) this.#take(from, kind, message, heard);
  }

  #take(from: MachineId, kind: Passing, message: PeerMessage, heard: Beat | null): void {
    // A deed that was sealed as a word would get around the rights.
    if (isDeed(message) !== (kind === 'input')) return;
    if (message.type === 'beat') {
      if (message.wantsAnswer) this.pass(from, { type: 'beat', wantsAnswer: false });
      return;
    }
    if (isDeed(message) && !this.#isFresh(heard)) {
      const of = idOf(message);
      if (of !== null) this.pass(from, { type: 'expired', of });
      return;
    }
    for (const listener of this.#messageListeners) listener(from, message);
  }

  // ——— beats ———

  #beat(): Beat {
    return { boot: this.#boot, atMs: Math.floor(this.#context.clock.nowMs()) };
  }

  #ageMs(atMs: number): number {
    const age = this.#context.clock.nowMs() - atMs;
    // The clock was set back: what is of the future is not known to be new.
    return age < -1_000 ? Number.POSITIVE_INFINITY : age;
  }

  #isFresh(heard: Beat | null): boolean {
    return heard !== null && heard.boot === this.#boot && this.#ageMs(heard.atMs) <= FRESH_MS;
  }

  #hearBeat(from: MachineId, beat: Beat): void {
    this.#heard.set(from, { beat, atMs: this.#context.clock.nowMs() });
    const waiters = this.#beatWaiters.get(from);
    this.#beatWaiters.delete(from);
    for (const settle of waiters ?? []) settle(true);
  }

  #planBeat(): void {
    this.#cancelBeat = this.#context.clock.setTimer(() => {
      for (const machine of this.#online) this.pass(machine, { type: 'beat', wantsAnswer: false });
      this.#planBeat();
    }, BEAT_EVERY_MS);
  }

  // ——— who is there ———

  #handleState(state: LinkState): void {
    if (state.is !== 'live') {
      for (const machine of [...this.#online]) this.#seen(machine, false);
      return;
    }
    for (const { machine, online } of state.welcome.machines) this.#seen(machine, online);
    // Some may have come since that welcome, where the link is older than this.
    for (const { machine } of liveMembers(this.#context.membership)) if (machine !== this.self) this.#greet(machine);
  }

  #greet(machine: MachineId): void {
    this.#context.link.pass(this.#seal(machine, 'live', { type: 'beat', wantsAnswer: true }));
  }

  #handleRelay(message: FromRelay): void {
    if (message.type === 'machine') this.#seen(message.seen.machine, message.seen.online);
  }

  #seen(machine: MachineId, online: boolean): void {
    if (machine === this.self || this.#online.has(machine) === online) return;
    // A relay may say that anybody is there.
    if (online && liveMember(this.#context.membership, machine) === null) return;
    if (online) {
      this.#online.add(machine);
      this.#greet(machine);
    } else {
      this.#online.delete(machine);
      this.#parts.forget(machine);
      for (const settle of [...(this.#beatWaiters.get(machine) ?? [])]) settle(false);
    }
    for (const listener of this.#seenListeners) listener(machine, online);
  }

  /** Somebody was removed, or added, and may have been there before this machine heard of it. */
  #lookAround(): void {
    const { link, membership } = this.#context;
    for (const machine of [...this.#online]) if (liveMember(membership, machine) === null) this.#seen(machine, false);
    if (link.state.is !== 'live') return;
    for (const { machine, online } of link.state.welcome.machines) if (online) this.#seen(machine, true);
  }
}

function idOf(deed: PeerDeed): string | null {
  if (deed.type === 'call') return deed.callId;
  return deed.type === 'command' ? deed.command.inputId : null;
}
