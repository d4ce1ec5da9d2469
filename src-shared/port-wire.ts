import type { CloseReason } from './refusal.ts';
import type { Wire } from './wire.ts';

/** What a wire needs of a MessagePort; the DOM's and Node's both have it. */
export interface PortLike {
  postMessage(message: unknown): void;
  close(): void;
  start(): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close' | 'messageerror', listener: () => void): void;
}

/** A port cannot say why it was closed: the last message of a wire that is closed on purpose does. */
interface Farewell {
  readonly closing: CloseReason;
}

function isFarewell(data: unknown): data is Farewell {
  if (typeof data !== 'object' || data === null || !('closing' in data)) return false;
  const { closing } = data;
  return (
    typeof closing === 'object' &&
    closing !== null &&
    'code' in closing &&
    typeof closing.code === 'number' &&
    'reason' in closing &&
    typeof closing.reason === 'string'
  );
}

const LOST: CloseReason = { code: 1006, reason: 'the other end is gone' };
const GARBLED: CloseReason = { code: 4400, reason: 'malformed frame' };

class PortWire implements Wire {
  readonly #port: PortLike;
  readonly bufferedBytes = 0;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  onClose: ((why: CloseReason) => void) | null = null;
  #isClosed = false;

  constructor(port: PortLike) {
    this.#port = port;
    port.addEventListener('message', ({ data }) => {
      if (this.#isClosed) return;
      if (data instanceof Uint8Array) this.#onFrame?.(data);
      else if (isFarewell(data)) this.#end(data.closing);
      else this.close(GARBLED);
    });
    port.addEventListener('messageerror', () => this.close(GARBLED));
    port.addEventListener('close', () => this.#end(LOST));
  }

  get onFrame() {
    return this.#onFrame;
  }
  /** A port keeps what comes before it is started. */
  set onFrame(handler) {
    this.#onFrame = handler;
    if (handler) this.#port.start();
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.#port.postMessage(frame);
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    const farewell: Farewell = { closing: why };
    this.#port.postMessage(farewell);
    this.#end(why);
  }

  #end(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    this.onClose?.(why);
  }
}

/** A wire over a MessagePort. */
export function portWire(port: PortLike): Wire {
  return new PortWire(port);
}
