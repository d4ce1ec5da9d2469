import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { messageYjsSyncStep1, messageYjsSyncStep2, messageYjsUpdate } from 'y-protocols/sync';
import { messageAwareness, messageSync } from 'y-websocket';
import type { ChannelEvents, DocumentChannel } from './document-channel.ts';

/** Outside of the codes with which a provider gives up. */
const TRY_AGAIN = 4500;
/** An update without anything in it. */
const NOTHING = Uint8Array.of(0, 0);

type Channel = Pick<DocumentChannel, 'send' | 'close'>;

/**
 * What y-websocket's provider takes for a WebSocket class: its sockets ride on the machine's one connection. `connect` answers null
 * where there is none.
 */
export function documentSocket(connect: Connect): typeof WebSocket {
  return class extends DocumentSocket {
    constructor() {
      super(connect);
    }
  } as unknown as typeof WebSocket;
}

type Connect = (events: ChannelEvents) => Channel | null;

/** The server's half of y-websocket's protocol, answered out of the relay's sealed batches. */
class DocumentSocket {
  static readonly OPEN = 1;
  readonly OPEN = 1;
  binaryType = 'arraybuffer';
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: Uint8Array }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  #channel: Channel | null = null;

  constructor(connect: Connect) {
    // The provider sets its handlers behind the constructor.
    queueMicrotask(() => this.#open(connect));
  }

  #open(connect: Connect): void {
    if (this.readyState !== 0) return;
    this.#channel = connect({
      onUpdate: (update) => this.#tell(messageYjsUpdate, update),
      onCaughtUp: (atRelay) => {
        this.#tell(messageYjsSyncStep2, NOTHING);
        // Answered at once with what the relay does not have.
        if (atRelay !== null) this.#tell(messageYjsSyncStep1, atRelay);
      },
      onIdle: () => {},
      onFailed: (reason) => this.#end(reason),
    });
    if (this.#channel === null) {
      this.#end('there is no connection');
      return;
    }
    this.readyState = this.OPEN;
    this.onopen?.();
  }

  #tell(step: number, bytes: Uint8Array): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, messageSync);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, bytes);
    this.onmessage?.({ data: encoding.toUint8Array(encoder) });
  }

  /** What the provider says to its server. */
  send(message: Uint8Array): void {
    const decoder = decoding.createDecoder(message);
    const type = decoding.readVarUint(decoder);
    // Who is there goes another way. A server sends it back, and by that the provider knows that the line is alive.
    if (type === messageAwareness) queueMicrotask(() => this.onmessage?.({ data: message }));
    if (type !== messageSync) return;
    const step = decoding.readVarUint(decoder);
    // Its first step needs no answer of its own: what was stored is on its way already.
    if (step !== messageYjsSyncStep1) this.#channel?.send(decoding.readVarUint8Array(decoder));
  }

  close(): void {
    this.readyState = 3;
    this.#channel?.close();
  }

  #end(reason: string): void {
    this.readyState = 3;
    this.onclose?.({ code: TRY_AGAIN, reason });
  }
}
