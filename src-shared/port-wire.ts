import { CLOSE, type CloseReason } from './refusal.ts';
import type { Wire } from './wire.ts';

/** What the page's MessagePort, Electron's MessagePortMain and Node's have in common, once each is adapted by `asPort`. */
export interface Port {
  postMessage(message: unknown): void;
  /** Delivery begins with this call; what came earlier was kept. */
  listen(onMessage: (data: unknown) => void, onClose: () => void): void;
  close(): void;
}

/** A message that is a frame is bytes; this one says that the other end closes, and why: ports carry no close reason themselves. */
const isGoodbye = (data: unknown): data is { readonly close: CloseReason } =>
  typeof data === 'object' && data !== null && 'close' in data && typeof data.close === 'object';

class PortWire implements Wire {
  /** A port does not tell what it holds; flow is bounded by the viewers' windows. */
  readonly bufferedBytes = 0;
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #port: Port;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #isClosed = false;

  constructor(port: Port) {
    this.#port = port;
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    const isFirst = this.#onFrame === null && handler !== null;
    this.#onFrame = handler;
    if (isFirst) {
      this.#port.listen(
        (data) => this.#receive(data),
        () => this.#closed({ code: 1006, reason: 'the other end is gone' }),
      );
    }
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.#port.postMessage(frame);
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#port.postMessage({ close: why });
    this.#port.close();
    this.#closed(why);
  }

  #receive(data: unknown): void {
    if (data instanceof Uint8Array) this.#onFrame?.(data);
    else if (isGoodbye(data)) this.#closed({ code: Number(data.close.code), reason: String(data.close.reason) });
    else this.close(CLOSE.malformedFrame);
  }

  #closed(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    this.onClose?.(why);
  }
}

/** A wire over a message port, whatever world the port is from. */
export function portWire(port: Port): Wire {
  return new PortWire(port);
}
