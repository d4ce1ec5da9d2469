import { encodeRelayMessage, FOLLOW_WINDOW_BYTES } from '../../src-shared/relay-protocol.ts';
import type { Soon } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import type { StoredBatch } from './storage/storage.ts';

/** Streams that one machine may follow. */
export const MAX_FOLLOWS = 20_000;
const PAGE_BYTES = 256 * 1024;
/** There is always room for so much at once, if there is any: a batch that is cut is not cut into crumbs. */
const MIN_PART_BYTES = 16 * 1024;
/** Streams that are read before others get their turn. */
const READS_A_TURN = 100;

export type Lane = 'watch' | 'rest';

/** Where a machine is in a stream. */
export interface Follow {
  readonly stream: string;
  readonly lane: Lane;
  cursor: number;
  /** It has everything that is stored: what comes next can go straight to it. */
  isCaughtUp: boolean;
  /** The batch behind the cursor, where only the first `sentBytes` of it had room. */
  cut: { readonly batch: StoredBatch; sentBytes: number } | null;
  readonly read: (after: number, maxBytes: number) => readonly StoredBatch[];
  /** The stream's last position on the disk. */
  readonly end: () => number;
}

/**
 * What one machine follows. A follow is a cursor: nothing is queued for a machine that is slow or far behind, it is read from the
 * storage when there is room again. Only so many bytes are on their way as the machine has given credit for; streams that somebody
 * watches come before those that are filled in at rest.
 */
export class Follows {
  readonly #connection: Connection;
  readonly #soon: Soon;
  readonly #byStream = new Map<string, Follow>();
  readonly #behind: Readonly<Record<Lane, Set<Follow>>> = { watch: new Set(), rest: new Set() };
  /** Bytes that may still be sent: what the machine gives, it decides how much is on the way to it. */
  #room = 0;
  #isPumpPlanned = false;

  constructor(connection: Connection, soon: Soon) {
    this.#connection = connection;
    this.#soon = soon;
  }

  get size(): number {
    return this.#byStream.size;
  }

  streams(): IterableIterator<string> {
    return this.#byStream.keys();
  }

  get(stream: string): Follow | undefined {
    return this.#byStream.get(stream);
  }

  start(follow: Follow): void {
    this.stop(follow.stream);
    this.#byStream.set(follow.stream, follow);
    this.#isBehind(follow);
  }

  stop(stream: string): void {
    const follow = this.#byStream.get(stream);
    if (follow === undefined) return;
    this.#byStream.delete(stream);
    this.#behind[follow.lane].delete(follow);
  }

  clear(): void {
    this.#byStream.clear();
    for (const lane of Object.values(this.#behind)) lane.clear();
  }

  credit(bytes: number): void {
    this.#room = Math.min(FOLLOW_WINDOW_BYTES, this.#room + bytes);
    this.#planPump();
  }

  /** A batch was stored in a stream that it follows. `encoded`: the message, the same for all. */
  offer(follow: Follow, batch: StoredBatch, encoded: Uint8Array): void {
    if (batch.position <= follow.cursor || !follow.isCaughtUp) return;
    if (this.#room < batch.frame.byteLength || !this.#connection.pass(encoded)) {
      this.#isBehind(follow);
      return;
    }
    follow.cursor = batch.position;
    this.#room -= batch.frame.byteLength;
  }

  #isBehind(follow: Follow): void {
    follow.isCaughtUp = false;
    this.#behind[follow.lane].add(follow);
    this.#planPump();
  }

  #planPump(): void {
    if (this.#isPumpPlanned || this.#connection.isClosed) return;
    if (this.#behind.watch.size === 0 && this.#behind.rest.size === 0) return;
    if (this.#room <= 0) return;
    this.#isPumpPlanned = true;
    this.#soon(() => {
      this.#isPumpPlanned = false;
      try {
        this.#pump();
      } catch (error) {
        this.#connection.fail(error);
      }
    });
  }

  #pump(): void {
    for (let reads = 0; reads < READS_A_TURN; reads++) {
      const [follow] = this.#behind.watch.size > 0 ? this.#behind.watch : this.#behind.rest;
      if (follow === undefined || this.#room <= 0 || this.#connection.isClosed) return;
      this.#sendPage(follow, Math.min(PAGE_BYTES, this.#room));
    }
    this.#planPump();
  }

  #sendPage(follow: Follow, maxBytes: number): void {
    const { stream, lane } = follow;
    const page = follow.cut === null ? follow.read(follow.cursor, maxBytes) : [follow.cut.batch];
    if (page.length === 0) {
      this.#behind[lane].delete(follow);
      follow.isCaughtUp = true;
      this.#connection.send({ type: 'caught-up', stream, position: follow.end() });
      return;
    }
    for (const batch of page) {
      if (this.#room <= 0 || !this.#sendBatch(follow, batch)) break;
      follow.cursor = batch.position;
    }
    // What it has begun comes to its end first: a machine need not keep the beginnings of many batches.
    if (follow.cut !== null) return;
    // Behind the others of its lane, which have their turn now.
    this.#behind[lane].delete(follow);
    this.#behind[lane].add(follow);
  }

  /** False: only some of it had room. What passes and what is watched goes between its parts. */
  #sendBatch(follow: Follow, batch: StoredBatch): boolean {
    const { stream } = follow;
    const { position, frame } = batch;
    const most = Math.max(this.#room, MIN_PART_BYTES);
    if (follow.cut === null && frame.byteLength <= most) {
      this.#connection.send({ type: 'batch', stream, position, frame });
      this.#room -= frame.byteLength;
      return true;
    }
    const from = follow.cut?.sentBytes ?? 0;
    const bytes = frame.subarray(from, from + most);
    this.#connection.send({ type: 'part', stream, position, from, of: frame.byteLength, bytes });
    this.#room -= bytes.byteLength;
    const sentBytes = from + bytes.byteLength;
    follow.cut = sentBytes < frame.byteLength ? { batch, sentBytes } : null;
    return follow.cut === null;
  }
}

/** One message for everybody who follows the stream. */
export function encodeBatch(stream: string, position: number | null, frame: Uint8Array): Uint8Array {
  return encodeRelayMessage({ type: 'batch', stream, position, frame });
}
