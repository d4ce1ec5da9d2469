import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';

/** What one reader may leave unread; beyond it nothing more is written until it has read. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
/** A reader that has taken nothing for so many heartbeats is cut. It comes back with its cursor and misses nothing. */
const MAX_STALLED_BEATS = 2;
/** How long a browser waits before it comes back by itself. */
const RETRY_MS = 1_000;

const BEAT = Buffer.from(':\n\n');

/** One answer that goes on: server-sent events to one reader. */
export class EventStream {
  /** There is room again. */
  onDrain: () => void = () => {};
  /** Called once, whoever ended it. */
  onEnd: () => void = () => {};
  readonly #response: ServerResponse;
  readonly #beat: NodeJS.Timeout;
  #writtenBytes = 0;
  #stalledBeats = 0;
  #readAtBeat = 0;
  #isOver = false;

  /** Ends when `signal` aborts: whoever reads may no longer. */
  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    response.on('drain', () => this.onDrain());
    const end = () => this.cut();
    // All readers with one token share its signal; how many there are is bounded elsewhere.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', end, { once: true });
    response.once('close', () => {
      signal.removeEventListener('abort', end);
      this.#over();
    });
    this.#beat = setInterval(() => this.#look(), HEARTBEAT_MS);
    if (signal.aborted) this.cut();
  }

  get isFull(): boolean {
    return this.#response.writableLength > MAX_BUFFERED_BYTES;
  }
  get isOver(): boolean {
    return this.#isOver;
  }

  write(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#writtenBytes += chunk.byteLength;
    this.#response.write(chunk);
  }

  /** Behind what was written. */
  end(): void {
    if (!this.#isOver) this.#response.end();
    this.#over();
  }

  /** At once; what was not read yet is lost to this answer, not to the cursor. */
  cut(): void {
    this.#response.destroy();
    this.#over();
  }

  #look(): void {
    const read = this.#writtenBytes - this.#response.writableLength;
    const isStalled = this.#response.writableLength > 0 && read <= this.#readAtBeat;
    this.#stalledBeats = isStalled ? this.#stalledBeats + 1 : 0;
    this.#readAtBeat = read;
    if (this.#stalledBeats >= MAX_STALLED_BEATS) this.cut();
    else this.write(BEAT);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#beat);
    this.onEnd();
  }
}

/** One event in the form of the standard. Without an id the reader's cursor stays where it is. */
export function frameOf(data: unknown, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}
