import type { Clock } from '../../../src-shared/client.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { BulkWindow } from './bulk-window.ts';

/** Batches that wait for room; whoever has more waits for those first. */
const MAX_WAITING = 64;

interface Waiting<A> {
  readonly frame: Uint8Array;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
}

export interface BulkQueueOptions<A> {
  readonly clock: Clock;
  readonly isLive: () => boolean;
  /** Puts a batch on the line. Rejects when the connection is lost. */
  readonly append: (frame: Uint8Array) => Promise<A>;
}

/** Batches that can wait: each leaves when the line has room, behind what is asked meanwhile. */
export class BulkQueue<A> {
  readonly #options: BulkQueueOptions<A>;
  readonly #window = new BulkWindow();
  #waiting: Waiting<A>[] = [];

  constructor(options: BulkQueueOptions<A>) {
    this.#options = options;
  }

  /** How large a batch may be that fills the line for no longer than a moment. */
  get roomBytes(): number {
    return this.#window.windowBytes;
  }

  add(frame: Uint8Array): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING) {
        reject(new RefusalError('queue-full', 'Too many batches wait for the line.', 'Wait for one of them to be stored.'));
        return;
      }
      this.#waiting.push({ frame, resolve, reject });
      this.#sendAll();
    });
  }

  /** The connection is another one: nothing is on the way. */
  restart(): void {
    this.#window.restart();
    this.#sendAll();
  }

  rejectAll(why: () => Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(why());
  }

  #sendAll(): void {
    while (this.#options.isLive()) {
      const [next] = this.#waiting;
      if (next === undefined || !this.#window.hasRoom(next.frame.byteLength)) return;
      this.#waiting.shift();
      this.#send(next);
    }
  }

  #send({ frame, resolve, reject }: Waiting<A>): void {
    const { clock, append } = this.#options;
    const startedMs = clock.nowMs();
    const carriedBytes = this.#window.sent(frame.byteLength);
    append(frame)
      .finally(() => {
        this.#window.acknowledged(frame.byteLength, carriedBytes, clock.nowMs() - startedMs);
        this.#sendAll();
      })
      .then(resolve, reject);
  }
}
