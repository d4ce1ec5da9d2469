import type { ReconnectToken } from '../../src-shared/http-api.ts';
import type { ClientId, RunId } from '../../src-shared/ids.ts';
import { OPERATIONS, type OperationName, type ParamsOf, type ResultOf, type Road } from '../../src-shared/operations.ts';
import {
  type ClientMessage,
  encodeMessage,
  type HostMessage,
  PROTOCOL_VERSION,
  parseClientMessage,
} from '../../src-shared/protocol.ts';
import { CLOSE, type CloseReason, type Refusal, RefusalError } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Store } from '../store/store.ts';
import type { EngineSession } from './engine-session.ts';
import { parse } from './parse.ts';
import type { SessionCommand } from './session-commands.ts';
import { RunViewer } from './viewer.ts';

/** Without any frame for so long a wire is dead, whatever it says of itself [wire-9]. */
export const SILENT_AFTER_MS = 25_000;
/** Before that it is asked: the timers of a hidden page may be too slow for pings of its own, its answers are not. */
const ASK_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 5_000;
/** Calls of one wire that are being executed at the same time; a client that wants more waits for answers first. */
const MAX_CALLS_UNDER_WAY = 1_000;

export type OperationHandler<N extends OperationName> = (params: ParamsOf<N>, caller: Caller) => Promise<ResultOf<N>>;
export type OperationHandlers = { readonly [N in OperationName]?: OperationHandler<N> };

export interface Caller {
  readonly clientId: ClientId;
  /** Aborted when the caller is gone: nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  readonly road: Road;
}

export interface ConnectionHost {
  readonly store: Pick<Store, 'read' | 'readBack'>;
  welcome(reconnect: ReconnectToken | null): Extract<HostMessage, { type: 'welcome' }>;
  session(runId: RunId): EngineSession | undefined;
  readonly operations: OperationHandlers;
  /** The connection's client is known now. */
  handleHello(connection: Connection): void;
  handleClosed(connection: Connection, why: CloseReason): void;
  onProblem(message: string, error?: unknown): void;
}

export interface ConnectionOptions {
  /** What the desktop shell behind this wire does (`shell.*`). */
  readonly shell?: OperationHandlers;
  /** On this machine: its terminal may hold a program's output back [pty-4]. */
  readonly isLocal: boolean;
  readonly road: Road;
  /** Set on a wire from the network. */
  readonly admission?: Admission;
}

/** Who may speak on a wire, and what brings its client back. */
export interface Admission {
  /** The only client that may; null: any. */
  readonly clientId: ClientId | null;
  reconnect(clientId: ClientId): Promise<ReconnectToken>;
  /** Another client wanted to speak. */
  handleForeign(clientId: ClientId): void;
  handleClosed(): void;
}

/** One wire: its client, the sessions it has attached, and the door that every frame passes. */
export class Connection {
  readonly #wire: Wire;
  readonly #host: ConnectionHost;
  readonly #options: ConnectionOptions;
  readonly #viewers = new Map<RunId, RunViewer>();
  readonly #watch: ReturnType<typeof setInterval>;
  #client: Extract<ClientMessage, { type: 'client:hello' }> | null = null;
  #heardMs = performance.now();
  #lookedMs = performance.now();
  #callsUnderWay = 0;
  #isWelcome = false;
  #isClosed = false;
  readonly #gone = new AbortController();

  constructor(wire: Wire, host: ConnectionHost, options: ConnectionOptions) {
    this.#wire = wire;
    this.#host = host;
    this.#options = options;
    this.#watch = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#watch.unref();
    wire.onClose = (why) => this.#handleClose(why);
    wire.onFrame = (frame) => this.#handleFrame(frame);
  }

  /** What the client said of itself; null before hello. */
  get client(): Extract<ClientMessage, { type: 'client:hello' }> | null {
    return this.#client;
  }
  get road(): Road {
    return this.#options.road;
  }
  /** By `performance.now()`. */
  get heardMs(): number {
    return this.#heardMs;
  }
  /** The sessions that it has attached. */
  get sessions(): RunId[] {
    return [...this.#viewers.keys()];
  }

  hasAttached(runId: RunId): boolean {
    return this.#viewers.has(runId);
  }

  /** Sends a message that every client gets; nothing before welcome. */
  tell(frame: Uint8Array): void {
    if (this.#isWelcome) this.#wire.send(frame);
  }

  /** The session is no more, or its viewer has left: nothing of it is sent any longer. */
  letGo(runId: RunId): void {
    this.#viewers.get(runId)?.detach();
    this.#viewers.delete(runId);
  }

  close(why: CloseReason): void {
    this.#wire.close(why);
  }

  #handleFrame(frame: Uint8Array): void {
    this.#heardMs = performance.now();
    let message: ClientMessage;
    try {
      message = parseClientMessage(frame);
    } catch {
      // [wire-2] Nothing of it was executed. Its content is not logged: it may hold what somebody typed.
      this.close(CLOSE.malformedFrame);
      return;
    }
    try {
      if (this.#client === null) this.#handleHello(message);
      else this.#handleMessage(message, this.#client);
    } catch (error) {
      // A bug of ours: it takes down this wire, not the engine [engine-3].
      this.#host.onProblem(`a ${message.type} message failed`, error);
      this.close(CLOSE.failed);
    }
  }

  #handleHello(message: ClientMessage): void {
    if (message.type !== 'client:hello') this.close(CLOSE.helloExpected);
    else if (message.protocol !== PROTOCOL_VERSION) {
      const reason = `this engine speaks protocol ${PROTOCOL_VERSION}, the client ${message.protocol}: update the older one`;
      this.close({ ...CLOSE.versionMismatch, reason });
    } else {
      const { admission } = this.#options;
      if (admission !== undefined && (admission.clientId ?? message.clientId) !== message.clientId) {
        admission.handleForeign(message.clientId);
        this.close(CLOSE.foreignToken);
        return;
      }
      this.#client = message;
      this.#host.handleHello(this);
      if (admission === undefined) this.#welcome(null);
      else void this.#welcomeBack(admission, message.clientId);
    }
  }

  /** The next token is stored before the client has it: it has to work after a crash. */
  async #welcomeBack(admission: Admission, clientId: ClientId): Promise<void> {
    try {
      this.#welcome(await admission.reconnect(clientId));
    } catch (error) {
      this.#host.onProblem('making a reconnect token failed', error);
      this.close(CLOSE.failed);
    }
  }

  #welcome(reconnect: ReconnectToken | null): void {
    this.#send(this.#host.welcome(reconnect));
    this.#isWelcome = true;
  }

  #handleMessage(message: ClientMessage, client: Extract<ClientMessage, { type: 'client:hello' }>): void {
    switch (message.type) {
      case 'client:hello':
        return;
      case 'ping':
        this.#send({ type: 'pong', sentAt: message.sentAt });
        return;
      case 'pong':
        return;
      case 'run:attach':
        this.#attach(message, client);
        return;
      case 'run:detach':
        this.letGo(message.runId);
        return;
      case 'run:ack':
        this.#viewers.get(message.runId)?.parsed(message.attachId, message.parsedBytes);
        return;
      case 'run:input':
        this.#handleInput(message, client.clientId);
        return;
      case 'run:close':
        this.#execute(message.runId, { kind: 'close', inputId: message.inputId }, client.clientId);
        return;
      case 'call':
        this.#call(message, client.clientId);
        return;
    }
  }

  #attach(message: Extract<ClientMessage, { type: 'run:attach' }>, client: { clientId: ClientId; name: string }): void {
    const { runId, attachId } = message;
    this.letGo(runId);
    const session = this.#host.session(runId);
    if (session === undefined) {
      this.#send({ type: 'run:refused', runId, attachId, refusal: unknownSession(runId).refusal });
      return;
    }
    const viewer = new RunViewer(session, this.#wire, this.#host.store, { ...client, isLocal: this.#options.isLocal }, message);
    this.#viewers.set(runId, viewer);
    viewer.attach(message).catch((error: unknown) => {
      viewer.detach();
      this.#send({ type: 'run:refused', runId, attachId, refusal: this.#refusalOf('attach', error) });
    });
  }

  #handleInput({ runId, epoch, input }: Extract<ClientMessage, { type: 'run:input' }>, clientId: ClientId): void {
    if (input.kind === 'keys') this.#viewers.get(runId)?.typed(input.data);
    else if (input.kind === 'viewport') this.#viewers.get(runId)?.resized(input.cols, input.rows);
    else if (epoch !== null && epoch !== this.#host.session(runId)?.epoch) {
      const refusal = new RefusalError('wrong-epoch', 'The session has moved to another machine since.').refusal;
      this.#send({ type: 'run:input-result', runId, inputId: input.inputId, outcome: { ok: false, refusal } });
    } else this.#execute(runId, input, clientId);
  }

  #execute(runId: RunId, command: SessionCommand, clientId: ClientId): void {
    const { inputId } = command;
    const session = this.#host.session(runId);
    const executed = session === undefined ? Promise.reject(unknownSession(runId)) : session.execute(command, clientId);
    executed.then(
      (outcome) => this.#send({ type: 'run:input-result', runId, inputId, outcome }),
      (error: unknown) => {
        const refusal = this.#refusalOf(command.kind, error);
        this.#send({ type: 'run:input-result', runId, inputId, outcome: { ok: false, refusal } });
      },
    );
  }

  #call({ callId, operation, params }: Extract<ClientMessage, { type: 'call' }>, clientId: ClientId): void {
    if (this.#callsUnderWay >= MAX_CALLS_UNDER_WAY) {
      const { refusal } = new RefusalError(
        'queue-full',
        `${MAX_CALLS_UNDER_WAY} calls are under way already.`,
        'Wait for their answers.',
      );
      this.#send({ type: 'reply', callId, outcome: { ok: false, refusal } });
      return;
    }
    this.#callsUnderWay += 1;
    this.#perform(operation, params, { clientId, signal: this.#gone.signal, road: this.#options.road })
      .then(
        (result) => this.#send({ type: 'reply', callId, outcome: { ok: true, result } }),
        (error: unknown) => {
          this.#send({ type: 'reply', callId, outcome: { ok: false, refusal: this.#refusalOf(operation, error) } });
        },
      )
      .finally(() => {
        this.#callsUnderWay -= 1;
      });
  }

  async #perform<N extends OperationName>(operation: N, params: unknown, caller: Caller): Promise<ResultOf<N>> {
    const handlers = operation.startsWith('shell.') ? (this.#options.shell ?? {}) : this.#host.operations;
    return perform(handlers, operation, params, caller);
  }

  #refusalOf(doing: string, error: unknown): Refusal {
    if (error instanceof RefusalError) return error.refusal;
    this.#host.onProblem(`${doing} failed`, error);
    const reason = error instanceof Error ? error.message : String(error);
    return { code: 'failed', message: `${doing} failed: ${reason}`, hint: null };
  }

  #send(message: HostMessage): void {
    if (!this.#isClosed) this.#wire.send(encodeMessage(message));
  }

  /** A late look means that this process slept, or was busy: the client had no chance to be heard. */
  #look(): void {
    const now = performance.now();
    const wasLate = now - this.#lookedMs > 2 * LOOK_EVERY_MS;
    this.#lookedMs = now;
    if (wasLate) this.#heardMs = now;
    else if (now - this.#heardMs > SILENT_AFTER_MS) this.close(CLOSE.silent);
    else if (now - this.#heardMs > ASK_AFTER_MS && this.#client !== null) this.#send({ type: 'ping', sentAt: Date.now() });
  }

  #handleClose(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#gone.abort();
    for (const viewer of this.#viewers.values()) viewer.detach();
    this.#viewers.clear();
    this.#options.admission?.handleClosed();
    this.#host.handleClosed(this, why);
  }
}

/** Calls the handler of an operation with parameters that came over a wire: the one place where they are read by their schema. */
export async function perform<N extends OperationName>(
  handlers: OperationHandlers,
  operation: N,
  params: unknown,
  caller: Caller,
): Promise<ResultOf<N>> {
  const handler = handlers[operation] as OperationHandler<N> | undefined;
  if (handler === undefined) throw new RefusalError('unsupported', `${operation} is not available here.`);
  const read = parse(OPERATIONS[operation].params, params, operation);
  return handler(read as ParamsOf<N>, caller);
}

export function unknownSession(runId: RunId): RefusalError {
  return new RefusalError('unknown-session', `There is no session ${runId}.`, 'It may have been deleted.');
}
