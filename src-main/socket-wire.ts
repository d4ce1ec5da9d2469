import { type RawData, WebSocket } from 'ws';
import { CLOSE, type CloseReason } from '../src-shared/refusal.ts';
import type { Wire } from '../src-shared/wire.ts';

/** A peer that does not answer the goodbye is left after so long. */
const GOODBYE_MS = 1_000;
/** A network that swallows the handshake answers nothing, for ever. */
const OPEN_TIMEOUT_MS = 10_000;
/** A WebSocket's close frame has room for so many bytes of reason. */
const MAX_REASON_BYTES = 123;

/** A wire over a WebSocket that is open. Each binary message is a frame; there is nothing else. */
class SocketWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #socket: WebSocket;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #isClosed = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', (error) => {
      this.#closed({ code: 1006, reason: error.message });
      socket.terminate();
    });
    socket.on('close', (code, reason) => this.#closed({ code, reason: reason.toString() || 'the other end is gone' }));
    // Frames wait in the socket until somebody listens.
    socket.pause();
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    const isFirst = this.#onFrame === null && handler !== null;
    this.#onFrame = handler;
    if (!isFirst) return;
    this.#socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.resume();
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.#socket.send(frame, { binary: true });
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#socket.close(why.code, Buffer.from(why.reason).subarray(0, MAX_REASON_BYTES).toString());
    setTimeout(() => this.#socket.terminate(), GOODBYE_MS).unref();
    this.#closed(why);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return;
    if (isBinary && Buffer.isBuffer(data)) this.#onFrame?.(data);
    else this.close(CLOSE.malformedFrame);
  }

  #closed(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.(why);
  }
}

export function socketWire(socket: WebSocket): Wire {
  return new SocketWire(socket);
}

/** Resolves when the socket is open; rejects when it cannot be. */
export function openSocketWire(url: string): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: OPEN_TIMEOUT_MS });
    // In the same turn: the other end may speak first.
    socket.once('open', () => resolve(socketWire(socket)));
    socket.once('error', (error: NodeJS.ErrnoException) => reject(new Error(inWords(error, new URL(url)), { cause: error })));
  });
}

/** What people can do something about; the rest as it is. */
function inWords({ code, message }: NodeJS.ErrnoException, { host, hostname }: URL): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${host} (${code})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${hostname} is not known (${code})`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `no way to ${hostname} (${code})`;
    default:
      return message;
  }
}
