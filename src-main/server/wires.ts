import type { ClientId } from '../../src-shared/ids.ts';
import type { Road } from '../../src-shared/operations.ts';
import { encodeMessage } from '../../src-shared/protocol.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Admission } from '../engine/connection.ts';
import type { Engine } from '../engine/engine.ts';
import type { Logger } from '../logger.ts';
import type { ServerStats } from './stats.ts';
import type { OpenedWire, Tokens } from './tokens.ts';

export interface WiresOptions {
  readonly engine: Pick<Engine, 'attachWire'>;
  readonly tokens: Tokens;
  readonly stats: ServerStats;
  readonly logger: Logger;
}

/** Network wires open at the same time; a further one is told to come back later. */
const MAX_WIRES = 1_000;
/** What a wire may hold unsent, or unacknowledged; a client that reads more slowly is dropped, and catches up by its cursors. */
export const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** A token is renewed when so much of its time is over. */
const RENEW_AT = 2 / 3;

/** The wires that come over the network: who may open one, and what their clients come back with. */
export class Wires {
  readonly #options: WiresOptions;
  readonly #open = new Set<Wire>();

  constructor(options: WiresOptions) {
    this.#options = options;
  }

  /** Gives the wire to the engine, or closes it; the answer is why. */
  open(wire: Wire, token: string, road: Road): CloseReason | null {
    const { engine, tokens, stats } = this.#options;
    const refuse = (why: CloseReason) => {
      wire.close(why);
      return why;
    };
    if (this.#open.size >= MAX_WIRES) return refuse(CLOSE.tooMany);
    const opened = tokens.openWire(token, (why) => wire.close(why));
    if (opened === 'taken') return refuse(CLOSE.tokenTaken);
    if (opened === 'too-often') return refuse(CLOSE.tooMany);
    if (typeof opened === 'string') return refuse(CLOSE.revoked);
    if (opened.isReturn) stats.reconnected();
    this.#open.add(wire);
    engine.attachWire(wire, { isLocal: true, road, admission: this.#admission(wire, opened) });
    return null;
  }

  closeAll(why: CloseReason): void {
    for (const wire of [...this.#open]) wire.close(why);
  }

  #admission(wire: Wire, opened: OpenedWire): Admission {
    let renewal: ReturnType<typeof setTimeout> | null = null;
    const renew = async (clientId: ClientId) => {
      const token = await opened.renew(clientId);
      if (this.#open.has(wire)) {
        const inMs = (token.expiresAt - Date.now()) * RENEW_AT;
        renewal = setTimeout(() => void renewOnWire(clientId), inMs);
        renewal.unref();
      }
      return token;
    };
    const renewOnWire = async (clientId: ClientId) => {
      try {
        const reconnect = await renew(clientId);
        wire.send(encodeMessage({ type: 'reconnect:token', reconnect }));
      } catch (error) {
        // The client keeps the one it has; if that expires, it has to log in again.
        this.#options.logger.error('renewing a reconnect token failed', { clientId, error });
      }
    };
    return {
      clientId: opened.clientId,
      reconnect: renew,
      handleForeign: (clientId) => this.#options.tokens.refuse('foreign', clientId),
      handleClosed: () => {
        if (renewal !== null) clearTimeout(renewal);
        this.#open.delete(wire);
        opened.release();
      },
    };
  }
}
