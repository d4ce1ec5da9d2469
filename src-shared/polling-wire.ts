import { FRAMES_CONTENT_TYPE, FramesReceived, packFrames, unpackFrames, WireGone, wireFramesPath, wirePath } from './http-api.ts';
import { bearer, type HttpAnswer, type HttpFetch, type HttpRequest, refusalIn } from './http-fetch.ts';
import { CLOSE, type CloseReason } from './refusal.ts';
import type { Wire } from './wire.ts';

export interface PollingWireOptions {
  readonly origin: string;
  readonly wireId: string;
  readonly fetch: HttpFetch;
  /** The newest one: it is renewed while the wire is open. */
  readonly token: () => string | null;
  /** Rejects unless the server is the one that knows the token. */
  readonly prove: () => Promise<void>;
  /** A live connection of the same client is being opened: the server closes this one as soon as it is. */
  readonly isChangingOver: () => boolean;
  readonly onEnd: () => void;
}

/** Frames of one request. A single larger one goes alone. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Whatever stands between the ends may drop a request now and then: so often it is tried again before the wire is given up. */
const RETRIES = 2;
const RETRY_MS = 250;
const NO_TOKEN: CloseReason = { code: 4404, reason: 'this browser was signed out on the machine' };

/**
 * A wire for where a WebSocket cannot be had: frames go out by POST, one request at a time, and come in by GETs that wait for them.
 * Both directions are numbered, so that a request that is tried again does nothing twice.
 */
export class PollingWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #options: PollingWireOptions;
  readonly #gone = new AbortController();
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  /** Not yet known to have arrived; the first one has number `#first`. */
  #outgoing: Uint8Array[] = [];
  #first = 1;
  #bufferedBytes = 0;
  #isSending = false;
  #received = 0;
  #isClosed = false;
  #untaken: readonly Uint8Array[] = [];

  constructor(options: PollingWireOptions) {
    this.#options = options;
  }

  get onFrame() {
    return this.#onFrame;
  }
  /** Nothing is fetched before somebody takes it. */
  set onFrame(handler) {
    const isFirst = this.#onFrame === null && handler !== null;
    this.#onFrame = handler;
    if (isFirst) void this.#receiveAll();
  }
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }
  get untaken(): readonly Uint8Array[] {
    return this.#untaken;
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return;
    this.#outgoing.push(frame);
    this.#bufferedBytes += frame.byteLength;
    if (!this.#isSending) void this.#sendAll();
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    const { origin, wireId, fetch } = this.#options;
    // Nobody waits for it: a wire that nobody asks about is closed by the server as well.
    fetch(origin + wirePath(wireId), { method: 'DELETE', headers: this.#headers(), keepalive: true }).catch(() => {});
    this.#end(why);
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      // Frames that are sent in the same turn leave together.
      await Promise.resolve();
      while (this.#outgoing.length > 0 && !this.#isClosed) await this.#sendSome();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isSending = false;
    }
  }

  async #sendSome(): Promise<void> {
    const frames = this.#nextFrames();
    const answer = await this.#ask(wireFramesPath(this.#options.wireId), {
      method: 'POST',
      headers: { 'content-type': FRAMES_CONTENT_TYPE },
      body: packFrames(this.#first, frames),
    });
    if (answer === null) return;
    const { received } = FramesReceived.parse(await answer.json());
    if (this.#forgetTaken(received) === 0) throw new Error('the server takes no frame');
  }

  /** The server has the frames up to number `received`; gives how many of them it was not known to have. */
  #forgetTaken(received: number): number {
    const taken = this.#outgoing.splice(0, Math.max(0, received + 1 - this.#first));
    this.#first += taken.length;
    this.#bufferedBytes -= taken.reduce((sum, frame) => sum + frame.byteLength, 0);
    return taken.length;
  }

  #nextFrames(): readonly Uint8Array[] {
    let bytes = 0;
    const end = this.#outgoing.findIndex((frame, index) => {
      bytes += frame.byteLength;
      return index > 0 && bytes > MAX_BODY_BYTES;
    });
    return end < 0 ? [...this.#outgoing] : this.#outgoing.slice(0, end);
  }

  async #receiveAll(): Promise<void> {
    try {
      while (!this.#isClosed) {
        const path = `${wireFramesPath(this.#options.wireId)}?after=${this.#received}`;
        const answer = await this.#ask(path, { method: 'GET' });
        if (answer !== null) this.#deliver(new Uint8Array(await answer.arrayBuffer()));
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #deliver(body: Uint8Array): void {
    const { first, frames } = unpackFrames(body);
    if (first > this.#received + 1 && frames.length > 0) throw new Error('the server left out frames');
    for (const frame of frames.slice(this.#received + 1 - first)) {
      if (this.#isClosed) return;
      this.#received += 1;
      this.#onFrame?.(frame);
    }
  }

  /** null: the wire is closed by now. */
  async #ask(path: string, request: HttpRequest): Promise<HttpAnswer | null> {
    const { origin, fetch, prove } = this.#options;
    for (let tries = 0; ; tries++) {
      try {
        const headers = { ...request.headers, ...this.#headers() };
        const answer = await fetch(origin + path, { ...request, headers, signal: this.#gone.signal });
        if (answer.ok) return this.#isClosed ? null : answer;
        await this.#handleRefused(answer);
        return null;
      } catch (error) {
        if (this.#isClosed) return null;
        if (tries >= RETRIES) throw error;
        await new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS * 2 ** tries));
        // Whoever listens there now may be another.
        await prove();
      }
    }
  }

  async #handleRefused(answer: HttpAnswer): Promise<void> {
    if (answer.status === 410) {
      const { close, received } = WireGone.parse(await answer.json());
      if (this.#isClosed) return;
      this.#forgetTaken(received);
      this.#untaken = this.#outgoing;
      this.#end(close.code === CLOSE.superseded.code && this.#options.isChangingOver() ? CLOSE.otherRoad : close);
    } else if (answer.status === 401) this.#end(NO_TOKEN);
    else this.#end({ code: 1006, reason: (await refusalIn(answer)).message });
  }

  #headers(): Record<string, string> {
    const token = this.#options.token();
    return token === null ? {} : bearer(token);
  }

  #fail(error: unknown): void {
    this.#end({ code: CLOSE.silent.code, reason: error instanceof Error ? error.message : String(error) });
  }

  #end(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone.abort();
    this.#outgoing = [];
    this.#bufferedBytes = 0;
    this.#options.onEnd();
    this.onClose?.(why);
  }
}
