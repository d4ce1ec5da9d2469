import { CLOSE, type CloseReason } from './refusal.ts';
import type { Wire } from './wire.ts';

/** What a wire needs of a WebSocket; the browser's and the package `ws` both have it. Binary messages come as ArrayBuffer. */
export interface WebSocketLike {
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export interface WebSocketWireOptions {
  readonly open: () => WebSocketLike;
  /** Something between the ends that swallows the handshake answers nothing, for ever. */
  readonly timeoutMs: number;
  /** The wire has ended without having delivered a single frame: something between the ends lets sockets open and nothing through. */
  readonly onDumb?: () => void;
}

/** What a close frame has room for. */
const MAX_REASON_BYTES = 123;
/** Smaller ones come from whatever lies between, or from the socket itself. */
const FIRST_OWN_CODE = 4000;

class WebSocketWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #socket: WebSocketLike;
  readonly #onDumb: (() => void) | undefined;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];
  #hasHeard = false;
  #isClosed = false;

  constructor(socket: WebSocketLike, onDumb: (() => void) | undefined) {
    this.#socket = socket;
    this.#onDumb = onDumb;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code, reason }) => {
      if (!this.#hasHeard && !this.#isClosed && code < FIRST_OWN_CODE) this.#onDumb?.();
      this.#end({ code, reason: reason || 'the connection was lost' });
    });
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    while (this.#onFrame !== null && this.#early.length > 0) this.#onFrame(this.#early.shift() as Uint8Array);
  }
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: Uint8Array): void {
    // Frames never lie in shared memory, which is all that the narrower type rules out.
    if (!this.#isClosed) this.#socket.send(frame as Uint8Array<ArrayBuffer>);
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#socket.close(why.code, fitting(why.reason));
    this.#end(why);
  }

  #receive(data: unknown): void {
    if (this.#isClosed) return;
    if (!(data instanceof ArrayBuffer)) {
      this.close(CLOSE.malformedFrame);
      return;
    }
    this.#hasHeard = true;
    const frame = new Uint8Array(data);
    if (this.#onFrame === null) this.#early.push(frame);
    else this.#onFrame(frame);
  }

  #end(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.(why);
  }
}

function fitting(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES)).read);
}

/** Resolves when the socket is open; rejects when it cannot be. */
export function openWebSocketWire({ open, timeoutMs, onDumb }: WebSocketWireOptions): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = open();
    const timer = setTimeout(() => {
      reject(new Error('the handshake of the live connection was not answered'));
      socket.close();
    }, timeoutMs);
    const fail = () => {
      clearTimeout(timer);
      reject(new Error('a live connection could not be opened'));
    };
    socket.addEventListener('error', fail);
    socket.addEventListener('close', fail);
    socket.addEventListener('open', () => {
      clearTimeout(timer);
      resolve(new WebSocketWire(socket, onDumb));
    });
  });
}
