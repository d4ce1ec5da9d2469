import type { RawData, WebSocket } from 'ws';
import { PATHS } from '../../src-shared/http-api.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Routes } from './server.ts';
import type { ServerStats } from './stats.ts';
import { MAX_UNSENT_BYTES } from './wires.ts';

/** A peer that does not answer the goodbye in this time is cut off. */
const GOODBYE_MS = 1_000;
const MAX_REASON_BYTES = 123;

/** `GET /api/v1/wire` as a WebSocket: a message is a frame. */
export const websocketRoutes: Routes = (app, { wires, stats }) => {
  app.get(PATHS.wire, { websocket: true, config: { access: 'wire' } }, (socket, { wireToken }) => {
    if (wireToken === null) throw new Error('a wire came past the gate without a token');
    wires.open(new SocketWire(socket, stats), wireToken, 'websocket');
  });
};

class SocketWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #socket: WebSocket;
  readonly #stats: ServerStats;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  /** Came before anyone listened. */
  #early: Uint8Array[] = [];
  #isClosed = false;

  constructor(socket: WebSocket, stats: ServerStats) {
    this.#socket = socket;
    this.#stats = stats;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', (code, reason) => this.#closed({ code, reason: reason.toString() || 'the other end is gone' }));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    for (const frame of handler === null ? [] : this.#early.splice(0)) handler?.(frame);
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      this.close(CLOSE.tooSlow);
      return;
    }
    this.#stats.sent(frame.byteLength);
    this.#socket.send(frame);
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#socket.close(why.code, Buffer.from(why.reason).subarray(0, MAX_REASON_BYTES).toString());
    const cut = setTimeout(() => this.#socket.terminate(), GOODBYE_MS);
    this.#socket.once('close', () => clearTimeout(cut));
    this.#closed(why);
  }

  /** Nothing is accepted from a wire that was closed, whatever still arrives [token-8]. */
  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    if (!isBinary || !Buffer.isBuffer(data)) {
      this.close(CLOSE.malformedFrame);
      return;
    }
    this.#stats.received(data.byteLength);
    if (this.#onFrame === null) this.#early.push(data);
    else this.#onFrame(data);
  }

  #closed(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.(why);
  }
}
