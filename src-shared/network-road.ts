import { PATHS, ProofAnswer, tokenSubprotocol, WIRE_SUBPROTOCOL, WireGone, WireOpened } from './http-api.ts';
import { bearer, type HttpFetch, jsonBody, refusalIn } from './http-fetch.ts';
import { newChallenge, proofOf, tokenIdOf } from './http-proof.ts';
import { PollingWire } from './polling-wire.ts';
import { CLOSE, type CloseReason, RefusalError } from './refusal.ts';
import { openWebSocketWire, type WebSocketLike } from './websocket-wire.ts';
import type { Wire } from './wire.ts';

/** `unreachable`: nobody answered lately, by whatever road. */
export type NetworkRoadState = 'websocket' | 'polling' | 'unreachable';

export interface NetworkRoadOptions {
  /** Such as `http://127.0.0.1:4567`. */
  readonly origin: string;
  readonly openSocket: (url: string, protocols: string[]) => WebSocketLike;
  readonly fetch: HttpFetch;
  /** The newest token; null: there is none (any more). */
  readonly token: () => string | null;
  readonly onState: (state: NetworkRoadState) => void;
}

const NOT_ACCEPTED = 'this browser was away for too long, or was signed out on the machine';
const HANDSHAKE_MS = 4_000;
/** So many attempts in a row without any answer, and the server is called out of reach. */
const UNREACHABLE_AFTER = 3;
/** While polling, a live connection is tried again so often, ever less. */
const FIRST_PROBE_MS = 2_000;
const MAX_PROBE_MS = 60_000;
/** A live connection is there: so long the polling one may take to say how far it got. */
const CHANGE_OVER_MS = 2_000;

/**
 * The way of a client to a server over HTTP: a WebSocket, or, where none can be had, polling, until a WebSocket can. The client
 * above it asks for a wire after each loss and goes on where it stood; it need not know by what road.
 */
export class NetworkRoad {
  readonly #options: NetworkRoadOptions;
  readonly #host: string;
  #isSocketBlocked = false;
  #failures = 0;
  #probeMs = FIRST_PROBE_MS;
  #cancelProbe: (() => void) | null = null;
  /** A live wire that is being opened to take the place of a polling one. */
  #better: Promise<Wire> | null = null;

  constructor(options: NetworkRoadOptions) {
    this.#options = options;
    this.#host = new URL(options.origin).host;
  }

  /** For RunSessionClient. A refusal is final. */
  readonly connect = async (): Promise<Wire> => {
    this.#cancelProbe?.();
    const better = this.#better;
    this.#better = null;
    try {
      if (better !== null) return this.#taken(await better, 'websocket');
    } catch {
      // Then as at first.
    }
    try {
      await this.#prove();
      return await this.#connectSomehow();
    } catch (error) {
      if (!(error instanceof RefusalError) && ++this.#failures >= UNREACHABLE_AFTER) this.#options.onState('unreachable');
      throw error;
    }
  };

  async #connectSomehow(): Promise<Wire> {
    if (!this.#isSocketBlocked) {
      try {
        return this.#taken(await this.#openSocket(), 'websocket');
      } catch {
        // Whatever is in its way (a proxy that knows no WebSockets, a token that is no more), the other road tells.
      }
    }
    const wire = await this.#openPolling();
    this.#isSocketBlocked = true;
    this.#probeLater(wire);
    return this.#taken(wire, 'polling');
  }

  #taken(wire: Wire, state: 'websocket' | 'polling'): Wire {
    this.#failures = 0;
    if (state === 'websocket') {
      this.#isSocketBlocked = false;
      this.#probeMs = FIRST_PROBE_MS;
    }
    this.#options.onState(state);
    return wire;
  }

  #openSocket(): Promise<Wire> {
    const url = `${this.#options.origin.replace(/^http/, 'ws')}${PATHS.wire}`;
    return openWebSocketWire({
      open: () => this.#options.openSocket(url, [WIRE_SUBPROTOCOL, tokenSubprotocol(this.#token())]),
      timeoutMs: HANDSHAKE_MS,
      onDumb: () => {
        this.#isSocketBlocked = true;
      },
    });
  }

  async #openPolling(): Promise<Wire> {
    const { origin, fetch, token } = this.#options;
    const answer = await fetch(origin + PATHS.wires, { method: 'POST', ...withBearer(jsonBody({}), this.#token()) });
    if (answer.status === 401) throw signInEnded(NOT_ACCEPTED);
    if (answer.status === 410) throw closedAtOnce(WireGone.parse(await answer.json()).close);
    if (!answer.ok) throw new Error((await refusalIn(answer)).message);
    const { wireId } = WireOpened.parse(await answer.json());
    return new PollingWire({
      origin,
      wireId,
      fetch,
      token,
      prove: () => this.#prove(),
      isChangingOver: () => this.#better !== null,
      onEnd: () => this.#cancelProbe?.(),
    });
  }

  /** The token is shown to nobody who does not know it already: another program may listen on the port by now. */
  async #prove(): Promise<void> {
    const token = this.#token();
    const challenge = newChallenge();
    const { origin, fetch } = this.#options;
    const answer = await fetch(origin + PATHS.proof, {
      method: 'POST',
      ...jsonBody({ tokenId: await tokenIdOf(token), challenge }),
    });
    if (answer.status === 401) throw signInEnded(NOT_ACCEPTED);
    if (!answer.ok) throw new Error((await refusalIn(answer)).message);
    const { proof } = ProofAnswer.parse(await answer.json());
    if (proof !== (await proofOf(token, this.#host, challenge)))
      throw signInEnded('whoever answers at this address does not know this sign-in');
  }

  #token(): string {
    const token = this.#options.token();
    if (token === null) throw signInEnded('there is none');
    return token;
  }

  /** While the polling wire is in use, looks for a live one; the client then changes over and goes on where it stood. */
  #probeLater(inUse: Wire): void {
    const delayMs = this.#probeMs / 2 + (this.#probeMs / 2) * Math.random();
    this.#probeMs = Math.min(MAX_PROBE_MS, this.#probeMs * 2);
    let isOver = false;
    const probe = async () => {
      const opening = this.#openSocket();
      this.#better = opening;
      try {
        await opening;
        // The server ends the wire in use by itself, and tells what it had taken of it.
        setTimeout(() => inUse.close(CLOSE.otherRoad), CHANGE_OVER_MS);
      } catch {
        // Still nothing. If the wire in use has ended meanwhile, whoever connects anew has seen to it.
        if (this.#better === opening) this.#better = null;
        if (!isOver) this.#probeLater(inUse);
      }
    };
    const timer = setTimeout(() => void probe(), delayMs);
    this.#cancelProbe = () => {
      isOver = true;
      clearTimeout(timer);
    };
  }
}

function withBearer<T extends { readonly headers: Record<string, string> }>(request: T, token: string): T {
  return { ...request, headers: { ...request.headers, ...bearer(token) } };
}

/** By their codes: see CLOSE. */
function closedAtOnce({ code, reason }: CloseReason): Error {
  return code >= 4400 && code < 4500 ? signInEnded(reason) : new Error(reason);
}

function signInEnded(why: string): RefusalError {
  return new RefusalError('not-allowed', why, 'Sign in again.');
}
