import { type AttachmentListener, type AttachOptions, ClientAttachment } from './client-attachment.ts';
import { ClientRequests, type CommandProgress, type RequestOptions } from './client-requests.ts';
import type { LogEvent } from './events.ts';
import type { ReconnectToken } from './http-api.ts';
import { type ClientId, type InputId, type RunId, Seq } from './ids.ts';
import { OPERATIONS, type OperationName, type ParamsOf, type ResultOf } from './operations.ts';
import {
  type ClientMessage,
  type Command,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseClientMessage,
  parseHostMessage,
} from './protocol.ts';
import { CLOSE, type CloseReason, RefusalError } from './refusal.ts';
import type { SessionSummary } from './session.ts';
import type { Wire } from './wire.ts';

export type { AttachmentListener, AttachOptions } from './client-attachment.ts';
export { ClientAttachment } from './client-attachment.ts';
export type { CommandProgress } from './client-requests.ts';

type HostMessageOf<T extends HostMessage['type']> = Extract<HostMessage, { type: T }>;
export type Welcome = HostMessageOf<'welcome'>;

/** How a client stands with its host. `sinceMs`: when that began, by the client's clock. */
export type ConnectionState =
  | { readonly is: 'connecting'; readonly sinceMs: number }
  | { readonly is: 'live'; readonly sinceMs: number }
  /** Reconnecting by itself. */
  | { readonly is: 'lost'; readonly sinceMs: number; readonly why: string }
  /** For good: coming back with the same words would be refused again. */
  | { readonly is: 'refused'; readonly sinceMs: number; readonly why: string }
  | { readonly is: 'stopped'; readonly sinceMs: number };

export interface ClientOptions {
  /** Opens a new wire to the host. Called again after each loss. A RefusalError is final, anything else is tried again. */
  readonly connect: () => Promise<Wire>;
  readonly clientId: ClientId;
  readonly kind: Extract<ClientMessage, { type: 'client:hello' }>['kind'];
  readonly name: string;
  /** What opens the next wire over a network: to be kept, for it takes the place of the one before. */
  readonly onReconnectToken?: (token: ReconnectToken) => void;
  /** Given by simulations. */
  readonly clock?: Clock;
}

export interface Clock {
  nowMs(): number;
  setTimer(run: () => void, delayMs: number): () => void;
  /** 0 <= n < 1 */
  random(): number;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const LOOK_EVERY_MS = 5_000;
/** A wire that is silent for so long is asked whether it is alive. */
const PING_AFTER_MS = 10_000;
/** Without any frame for so long the wire is dead, whatever it says of itself [wire-9]. */
export const SILENT_AFTER_MS = 25_000;
/**
 * The one client: window, command line, browser, other machines, tests and benchmarks use it over whatever wire they have.
 * It keeps its clientId, reconnects by itself, resends what was not answered and continues every attachment where it stood [wire-8].
 */
export class RunSessionClient {
  readonly clientId: ClientId;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  #wire: Wire | null = null;
  #connection: ConnectionState;
  #welcome: Welcome | null = null;
  #sessions: ReadonlyMap<RunId, SessionSummary> = new Map();
  #attempt = 0;
  #isOpening = false;
  /** The last wire ended by a failure of the host: whatever caused it may come again at once, so that coming back gets slower. */
  #isHostFailing = false;
  #nextCallId = 1;
  #lastHeardMs = 0;
  #cancelTimer: (() => void) | null = null;
  readonly #attachments = new Map<RunId, ClientAttachment>();
  /** Keys: `call:<callId>` and `input:<inputId>`. */
  readonly #requests = new ClientRequests((message) => this.#transmit(message));
  readonly #connectionListeners = new Set<(state: ConnectionState) => void>();
  readonly #sessionListeners = new Set<(sessions: ReadonlyMap<RunId, SessionSummary>) => void>();
  readonly #messageListeners = new Set<(message: HostMessage) => void>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.clientId = options.clientId;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#connection = { is: 'connecting', sinceMs: this.#clock.nowMs() };
    void this.#open();
  }

  get connection(): ConnectionState {
    return this.#connection;
  }
  /** What the host said of itself; null before the first welcome. */
  get host(): Welcome | null {
    return this.#welcome;
  }
  /** Every session of the host, kept up to date. A new map after each change. */
  get sessions(): ReadonlyMap<RunId, SessionSummary> {
    return this.#sessions;
  }

  onConnection(listener: (state: ConnectionState) => void): () => void {
    return subscribe(this.#connectionListeners, listener);
  }
  onSessions(listener: (sessions: ReadonlyMap<RunId, SessionSummary>) => void): () => void {
    return subscribe(this.#sessionListeners, listener);
  }
  /** Messages that are nobody's answer: settings, key bindings, the desktop shell's. */
  onMessage(listener: (message: HostMessage) => void): () => void {
    return subscribe(this.#messageListeners, listener);
  }

  /** Resolves when the host has answered hello; rejects when it refuses for good. */
  ready(): Promise<Welcome> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#connection.is === 'live' && this.#welcome !== null) resolve(this.#welcome);
        else if (this.#connection.is === 'refused' || this.#connection.is === 'stopped') {
          reject(
            new RefusalError('not-ready', this.#connection.is === 'refused' ? this.#connection.why : 'the client was stopped'),
          );
        } else return false;
        return true;
      };
      if (look()) return;
      const release = this.onConnection(() => {
        if (look()) release();
      });
    });
  }

  /** Asks for an operation. Waits through a reconnect; operations of the desktop shell do not, for nobody wants a dialog later. */
  async call<N extends OperationName>(operation: N, params: ParamsOf<N>): Promise<ResultOf<N>> {
    const callId = this.#nextCallId++;
    const message: ClientMessage = { type: 'call', callId, operation, params };
    const result = await this.#ask(`call:${callId}`, message, { survivesReconnect: !operation.startsWith('shell.') });
    return OPERATIONS[operation].result.parse(result) as ResultOf<N>;
  }

  /** Executed exactly once: sent again with the same inputId until it is answered. Resolves with the event that records it. */
  async send(runId: RunId, command: Command, onProgress?: (progress: CommandProgress) => void): Promise<Seq> {
    const message: ClientMessage = { type: 'run:input', runId, epoch: null, input: command };
    return Seq.parse(await this.#ask(`input:${command.inputId}`, message, { survivesReconnect: true, onProgress }));
  }

  /** Ends the session's program; its log stays. */
  async close(runId: RunId, inputId: InputId): Promise<Seq> {
    return Seq.parse(await this.#ask(`input:${inputId}`, { type: 'run:close', runId, inputId }, { survivesReconnect: true }));
  }

  /** Follows a session. One attachment per session and client: a second one replaces the first [wire-3]. */
  attach(runId: RunId, options: AttachOptions, listener: AttachmentListener): ClientAttachment {
    this.#attachments.get(runId)?.detach();
    const attachment: ClientAttachment = new ClientAttachment(
      runId,
      options,
      listener,
      (message) => this.#transmit(message),
      () => {
        if (this.#attachments.get(runId) === attachment) this.#attachments.delete(runId);
      },
    );
    this.#attachments.set(runId, attachment);
    if (this.#connection.is === 'live') attachment.request();
    return attachment;
  }

  /** Tries a lost connection at once: there is a reason to think that it would succeed now. */
  retry(): void {
    if (this.#connection.is !== 'lost' || this.#isOpening || this.#wire !== null) return;
    this.#cancelTimer?.();
    this.#attempt = 0;
    void this.#open();
  }

  /** Closes the wire for good; what waits for an answer is refused. */
  stop(): void {
    if (this.#connection.is === 'stopped') return;
    this.#cancelTimer?.();
    this.#setConnection({ is: 'stopped', sinceMs: this.#clock.nowMs() });
    this.#wire?.close({ code: 1000, reason: 'client stopped' });
    this.#wire = null;
    this.#requests.refuseAll('the client was stopped');
  }

  #ask(key: string, message: ClientMessage, options: RequestOptions): Promise<unknown> {
    const { is } = this.#connection;
    if (is === 'stopped' || is === 'refused') {
      return Promise.reject(new RefusalError('not-ready', 'There is no connection to the engine.'));
    }
    return this.#requests.ask(key, message, is === 'live', options);
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    try {
      const wire = await this.#options.connect();
      this.#isOpening = false;
      if (this.#connection.is === 'stopped') {
        wire.close({ code: 1000, reason: 'client stopped' });
        return;
      }
      this.#wire = wire;
      this.#lastHeardMs = this.#clock.nowMs();
      wire.onClose = (why) => this.#handleClose(wire, why);
      wire.onFrame = (frame) => this.#handleFrame(wire, frame);
      const { clientId, kind, name } = this.#options;
      this.#transmit({ type: 'client:hello', protocol: PROTOCOL_VERSION, clientId, kind, name });
      this.#watch(wire);
    } catch (error) {
      this.#isOpening = false;
      if (error instanceof RefusalError) this.#refuse(error.message);
      else this.#lose(error instanceof Error ? error.message : String(error));
    }
  }

  /** Pings, and gives up a wire that has gone silent. A late timer (sleep) pings first: the wire may well be alive. */
  #watch(wire: Wire): void {
    const askedMs = this.#clock.nowMs();
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.setTimer(() => {
      if (this.#wire !== wire) return;
      const now = this.#clock.nowMs();
      const wasAsleep = now - askedMs > 2 * LOOK_EVERY_MS;
      const silentMs = now - this.#lastHeardMs;
      if (!wasAsleep && silentMs >= SILENT_AFTER_MS) {
        wire.close(CLOSE.silent);
        return;
      }
      if (silentMs >= PING_AFTER_MS) this.#transmit({ type: 'ping', sentAt: now });
      if (wasAsleep) this.#lastHeardMs = now;
      this.#watch(wire);
    }, LOOK_EVERY_MS);
  }

  #transmit(message: ClientMessage): void {
    this.#wire?.send(encodeMessage(message));
  }

  #handleFrame(wire: Wire, frame: Uint8Array): void {
    if (wire !== this.#wire) return;
    this.#lastHeardMs = this.#clock.nowMs();
    let message: HostMessage;
    try {
      message = parseHostMessage(frame);
    } catch (error) {
      wire.close({ ...CLOSE.malformedFrame, reason: error instanceof Error ? error.message.slice(0, 100) : 'malformed frame' });
      return;
    }
    this.#handleMessage(message);
  }

  #handleMessage(message: HostMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#handleWelcome(message);
        return;
      case 'reconnect:token':
        this.#options.onReconnectToken?.(message.reconnect);
        return;
      case 'run:attached':
        this.#attachments.get(message.runId)?.handleAttached(message);
        return;
      case 'run:refused':
        this.#attachments.get(message.runId)?.handleRefused(message);
        return;
      case 'run:resync':
        this.#attachments.get(message.runId)?.handleResync(message);
        return;
      case 'run:events':
        // WireEvent is LogEvent with an unread payload: JSON or bytes by the encoding's nature.
        this.#attachments.get(message.runId)?.handleEvents(message.events as unknown as readonly LogEvent[]);
        return;
      case 'run:live':
        this.#attachments.get(message.runId)?.handleLive(message.live);
        return;
      case 'run:viewers':
        this.#attachments.get(message.runId)?.handleViewers(message, message.driver === this.clientId);
        return;
      case 'run:input-result': {
        const { outcome } = message;
        this.#requests.answer(`input:${message.inputId}`, outcome.ok ? { ok: true, value: outcome.seq } : outcome);
        return;
      }
      case 'reply': {
        const { outcome } = message;
        this.#requests.answer(`call:${message.callId}`, outcome.ok ? { ok: true, value: outcome.result } : outcome);
        return;
      }
      case 'session:changed':
        this.#setSessions(new Map(this.#sessions).set(message.session.runId, message.session));
        return;
      case 'session:removed': {
        const sessions = new Map(this.#sessions);
        sessions.delete(message.runId);
        this.#setSessions(sessions);
        this.#attachments.get(message.runId)?.handleRemoved();
        return;
      }
      case 'ping':
        this.#transmit({ type: 'pong', sentAt: message.sentAt });
        return;
      case 'pong':
        return;
      default:
        for (const listener of this.#messageListeners) listener(message);
    }
  }

  #handleWelcome(message: Welcome): void {
    if (!this.#isHostFailing) this.#attempt = 0;
    this.#welcome = message;
    if (message.reconnect !== null) this.#options.onReconnectToken?.(message.reconnect);
    this.#setSessions(new Map(message.sessions.map((session) => [session.runId, session])));
    // Before anyone hears of it: what they attach to and ask for then is sent by itself.
    for (const attachment of [...this.#attachments.values()]) attachment.request();
    this.#requests.sendAgain();
    this.#setConnection({ is: 'live', sinceMs: this.#clock.nowMs() });
  }

  #handleClose(wire: Wire, why: CloseReason): void {
    if (wire !== this.#wire) return;
    this.#wire = null;
    this.#cancelTimer?.();
    this.#isHostFailing = why.code === CLOSE.failed.code;
    const isChangingOver = why.code === CLOSE.otherRoad.code;
    for (const attachment of this.#attachments.values()) attachment.wireLost(isChangingOver);
    if (isChangingOver) this.#changeOver(wire.untaken ?? []);
    else if (why.code >= 4400 && why.code < 4500) this.#refuse(why.reason);
    else this.#lose(why.reason);
  }

  /** The next wire is open already. What was asked goes over it again; keys that the last one did not take, for the first time. */
  #changeOver(untaken: readonly Uint8Array[]): void {
    for (const message of untaken.map(parseClientMessage)) {
      if (message.type === 'run:input' && message.input.kind === 'keys') {
        this.#attachments.get(message.runId)?.keys(message.input.data);
      }
    }
    this.#requests.handleLoss();
    this.#setConnection({ is: 'lost', sinceMs: this.#clock.nowMs(), why: CLOSE.otherRoad.reason });
    void this.#open();
  }

  #refuse(why: string): void {
    if (this.#connection.is === 'stopped') return;
    this.#setConnection({ is: 'refused', sinceMs: this.#clock.nowMs(), why });
    this.#requests.refuseAll(why);
  }

  #lose(why: string): void {
    if (this.#connection.is === 'stopped') return;
    const was = this.#connection;
    this.#setConnection({ is: 'lost', sinceMs: was.is === 'lost' ? was.sinceMs : this.#clock.nowMs(), why });
    this.#requests.handleLoss();
    const cap = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    this.#cancelTimer = this.#clock.setTimer(() => void this.#open(), cap / 2 + (cap / 2) * this.#clock.random());
  }

  #setConnection(state: ConnectionState): void {
    this.#connection = state;
    for (const listener of [...this.#connectionListeners]) listener(state);
  }

  #setSessions(sessions: ReadonlyMap<RunId, SessionSummary>): void {
    this.#sessions = sessions;
    for (const listener of [...this.#sessionListeners]) listener(sessions);
  }
}

function subscribe<L>(listeners: Set<L>, listener: L): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
