import { CutMessage } from '../../src-shared/message-parts.ts';
import {
  creditCost,
  encodeRelayMessage,
  FOLLOW_WINDOW_BYTES,
  type FromRelay,
  LANES,
  type Lane,
  MAX_PAGES_WAITING,
  MIN_PART_BYTES,
} from '../../src-shared/relay-protocol.ts';
import type { Soon } from './commit-queue.ts';
import type { Connection } from './connection.ts';
import type { StoredBatch } from './storage/storage.ts';

/** Streams that one machine may follow. */
export const MAX_FOLLOWS = 20_000;
const PAGE_BYTES = 256 * 1024;
/** Streams that are read before others get their turn. */
const READS_A_TURN = 100;
/** Large frames that have passed, and whose senders wait for room; more are dropped. */
const MAX_ROOM_WAITERS = 64;
/** One turn in so many is not a watched stream's: what is watched may be more than the line carries, for hours. */
const TURNS_TO_REST = 4;

/** Where a machine is in a stream. */
export interface Follow {
  readonly stream: string;
  readonly lane: Lane;
  cursor: number;
  /** It has everything that is stored: what comes next can go straight to it. */
  isCaughtUp: boolean;
  readonly read: (after: number, maxBytes: number) => readonly StoredBatch[];
  /** The stream's last position on the disk. */
  readonly end: () => number;
}

/** What a machine has asked for, read when its turn comes. */
type Page = () => Extract<FromRelay, { type: 'page' }>;

/** A message of which some has been sent. */
interface Begun {
  readonly cut: CutMessage;
  /** Null: a page, which is sent to its end. */
  readonly stream: string | null;
}

/**
 * What one machine gets as it has room: what it follows, and pages that it asked for. A follow is a cursor: nothing is queued for a
 * machine that is slow or far behind, it is read from the storage when there is room again. Only so many bytes are on their way as the
 * machine has given credit for; streams that somebody watches come before everything else that can wait.
 */
export class Follows {
  readonly #connection: Connection;
  readonly #soon: Soon;
  readonly #byStream = new Map<string, Follow>();
  readonly #behind: Readonly<Record<Lane, Set<Follow>>> = { watch: new Set(), rest: new Set() };
  /** In the lane `rest`, in turns with what is followed there. */
  readonly #pages: Page[] = [];
  readonly #begun: Record<Lane, Begun | null> = { watch: null, rest: null };
  #turn = 0;
  /** Bytes that may still be sent: what the machine gives, it decides how much is on the way to it. Below 0 by what has passed. */
  #room = 0;
  #isPumpPlanned = false;
  readonly #roomWaiters: (() => void)[] = [];

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
    const { lane } = follow;
    this.#byStream.delete(stream);
    this.#behind[lane].delete(follow);
    if (this.#begun[lane]?.stream !== stream) return;
    this.#begun[lane] = null;
    this.#connection.send({ type: 'dropped', lane });
  }

  /** The connection is closed. */
  clear(): void {
    this.#byStream.clear();
    this.#pages.length = 0;
    for (const lane of LANES) {
      this.#behind[lane].clear();
      this.#begun[lane] = null;
    }
    this.#tellRoom();
  }

  /** False: it waits for too many already. */
  page(page: Page): boolean {
    if (this.#pages.length >= MAX_PAGES_WAITING) return false;
    this.#pages.push(page);
    this.#planPump();
    return true;
  }

  credit(bytes: number): void {
    this.#room = Math.min(FOLLOW_WINDOW_BYTES, this.#room + bytes);
    if (this.#room > 0) this.#tellRoom();
    this.#planPump();
  }

  /** Something large has passed without waiting: as much less is sent of what can wait. */
  passed(bytes: number): void {
    this.#room -= bytes;
  }

  /** More is passing than the machine takes. */
  get isCrowded(): boolean {
    return this.#roomWaiters.length >= MAX_ROOM_WAITERS;
  }

  /** Called when the machine has room again, or is gone. */
  whenRoom(then: () => void): void {
    if (this.#room > 0 || this.#connection.isClosed) then();
    else this.#roomWaiters.push(then);
  }

  #tellRoom(): void {
    for (const then of this.#roomWaiters.splice(0)) then();
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
    if (this.#isPumpPlanned || this.#connection.isClosed || this.#room <= 0 || !LANES.some((lane) => this.#hasMore(lane))) return;
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
      if (this.#room <= 0 || this.#connection.isClosed) return;
      const lane = this.#nextLane();
      const begun = this.#begun[lane];
      if (begun !== null) this.#sendPart(lane, begun);
      else this.#serve(lane);
    }
    this.#planPump();
  }

  #hasMore(lane: Lane): boolean {
    return this.#begun[lane] !== null || this.#behind[lane].size > 0 || (lane === 'rest' && this.#pages.length > 0);
  }

  #nextLane(): Lane {
    if (!this.#hasMore('watch')) return 'rest';
    if (!this.#hasMore('rest')) return 'watch';
    this.#turn = (this.#turn + 1) % TURNS_TO_REST;
    return this.#turn === 0 ? 'rest' : 'watch';
  }

  /** The next of this lane; the others have their turn after it. */
  #serve(lane: Lane): void {
    const [follow] = this.#behind[lane];
    if (follow !== undefined) this.#sendFollowed(follow);
    // One page for each stream that is followed.
    const page = lane === 'rest' && this.#begun[lane] === null && this.#room > 0 ? this.#pages.shift() : undefined;
    if (page !== undefined) this.#send(lane, page(), null);
  }

  #sendFollowed(follow: Follow): void {
    const { stream, lane } = follow;
    const page = follow.read(follow.cursor, Math.min(PAGE_BYTES, this.#room));
    this.#behind[lane].delete(follow);
    if (page.length === 0) {
      follow.isCaughtUp = true;
      this.#connection.send({ type: 'caught-up', stream, position: follow.end() });
      return;
    }
    this.#behind[lane].add(follow);
    for (const { position, frame } of page) {
      if (this.#room <= 0) break;
      follow.cursor = position;
      this.#send(lane, { type: 'batch', stream, position, frame }, stream);
    }
  }

  /** Whole, if there is room; else in parts, and nothing else of its lane until it has come to its end. */
  #send(lane: Lane, message: FromRelay, stream: string | null): void {
    const cost = creditCost(message);
    if (cost <= Math.max(this.#room, MIN_PART_BYTES)) {
      this.#connection.send(message);
      this.#room -= cost;
    } else this.#sendPart(lane, { cut: new CutMessage(encodeRelayMessage(message)), stream });
  }

  #sendPart(lane: Lane, begun: Begun): void {
    const part = begun.cut.next(lane, this.#room);
    this.#connection.send({ type: 'part', ...part });
    this.#room -= part.bytes.byteLength;
    this.#begun[lane] = begun.cut.isSent ? null : begun;
  }
}

/** One message for everybody who follows the stream. */
export function encodeBatch(stream: string, position: number | null, frame: Uint8Array): Uint8Array {
  return encodeRelayMessage({ type: 'batch', stream, position, frame });
}
