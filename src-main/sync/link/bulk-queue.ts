import type { Clock } from '../../../src-shared/client.ts';
import { CutMessage } from '../../../src-shared/message-parts.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { type Lane, type MessagePart, MIN_PART_BYTES } from '../../../src-shared/relay-protocol.ts';
import { BulkWindow } from './bulk-window.ts';

/** Batches that wait for room; whoever has more waits for those first. */
const MAX_WAITING = 64;

/** A question to the relay that has not left yet, and what it will answer. */
export interface Question<A> {
  readonly encoded: Uint8Array;
  readonly answer: Promise<A>;
}

interface Waiting<A> {
  readonly frame: Uint8Array;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: Error) => void;
  /** Some of it has left. */
  cut: CutMessage | null;
}

export interface BulkQueueOptions<A> {
  readonly clock: Clock;
  readonly isLive: () => boolean;
  /** Asks the relay to store a batch. Its answer rejects when the connection is lost. */
  readonly question: (frame: Uint8Array) => Question<A>;
  readonly send: (encoded: Uint8Array) => void;
  /** Resolves when the relay has it. */
  readonly sendPart: (part: MessagePart) => Promise<unknown>;
}

/**
 * Batches that can wait: each leaves when the line has room, whole or in parts, behind what is asked meanwhile. The lanes take turns, part
 * by part.
 */
export class BulkQueue<A> {
  readonly #options: BulkQueueOptions<A>;
  readonly #window = new BulkWindow();
  readonly #waiting: Record<Lane, Waiting<A>[]> = { watch: [], rest: [] };
  #next: Lane = 'watch';

  constructor(options: BulkQueueOptions<A>) {
    this.#options = options;
  }

  /** How large a batch may be that fills the line for no longer than a moment. */
  get roomBytes(): number {
    return this.#window.windowBytes;
  }

  add(frame: Uint8Array, lane: Lane): Promise<A> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.watch.length + this.#waiting.rest.length >= MAX_WAITING) {
        reject(new RefusalError('queue-full', 'Too many batches wait for the line.', 'Wait for one of them to be stored.'));
        return;
      }
      this.#waiting[lane].push({ frame, resolve, reject, cut: null });
      this.#sendAll();
    });
  }

  /** The connection is another one: nothing is on the way. */
  restart(): void {
    this.#window.restart();
    this.#sendAll();
  }

  rejectAll(why: () => Error): void {
    for (const waiting of Object.values(this.#waiting)) for (const { reject } of waiting.splice(0)) reject(why());
  }

  #sendAll(): void {
    while (this.#options.isLive()) {
      const other = this.#next === 'watch' ? 'rest' : 'watch';
      const lane = this.#waiting[this.#next].length > 0 ? this.#next : other;
      const [first] = this.#waiting[lane];
      if (first === undefined || !this.#send(first, lane)) return;
      if (first.cut?.isSent !== false) this.#waiting[lane].shift();
      this.#next = lane === 'watch' ? 'rest' : 'watch';
    }
  }

  /** False: there is no room. */
  #send(waiting: Waiting<A>, lane: Lane): boolean {
    const { send, sendPart } = this.#options;
    const { frame } = waiting;
    const room = this.#window.roomBytes;
    if (waiting.cut === null && frame.byteLength <= room) {
      const { encoded, answer } = this.#begin(waiting);
      send(encoded);
      this.#onTheWay(frame.byteLength, answer);
      return true;
    }
    if (room < MIN_PART_BYTES) return false;
    waiting.cut ??= new CutMessage(this.#begin(waiting).encoded);
    const part = waiting.cut.next(lane, room);
    this.#onTheWay(part.bytes.byteLength, sendPart(part));
    return true;
  }

  #begin({ frame, resolve, reject }: Waiting<A>): Question<A> {
    const question = this.#options.question(frame);
    question.answer.then(resolve, reject);
    return question;
  }

  #onTheWay(bytes: number, come: Promise<unknown>): void {
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    const carriedBytes = this.#window.sent(bytes);
    const settled = () => {
      this.#window.acknowledged(bytes, carriedBytes, clock.nowMs() - startedMs);
      this.#sendAll();
    };
    come.then(settled, settled);
  }
}
