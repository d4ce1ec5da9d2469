import type { RunSessionClient } from '../../src-shared/client.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, Seq } from '../../src-shared/ids.ts';
import type { ResultOf } from '../../src-shared/operations.ts';
import { EXIT, Failure } from './failure.ts';

const PAGE_EVENTS = 1000;

/** An event with its payload as it came: raw bytes, or JSON. */
export type ReadEvent = ResultOf<'history.read'>['events'][number];

/** Every event after `after`, until the end of what is stored. Gives the last one's seq. */
export async function* readLog(client: RunSessionClient, runId: RunId, after: Seq): AsyncGenerator<ReadEvent, Seq> {
  let cursor = after;
  for (;;) {
    const page = await client.call('history.read', { runId, after: cursor, limit: PAGE_EVENTS });
    yield* page.events;
    cursor = page.events.at(-1)?.seq ?? cursor;
    if (!page.more) return cursor;
  }
}

/** Where a follower that reads slowly goes over to reading pages; until then they wait in memory. */
const MAX_WAITING_EVENTS = 10_000;

/**
 * Every event after `after`, then every new one until the session has ended. What the engine would replace by a screen, because we
 * are behind, is read from the log instead: a log has no holes.
 */
export async function* followLog(client: RunSessionClient, runId: RunId, after: Seq): AsyncGenerator<ReadEvent> {
  let cursor = after;
  for (;;) {
    cursor = yield* readLog(client, runId, cursor);
    const follower = new Follower(client, runId, cursor);
    try {
      for (;;) {
        const events = await follower.next();
        if (events === null) break;
        yield* events;
        cursor = events.at(-1)?.seq ?? cursor;
      }
    } finally {
      follower.stop();
    }
    if (follower.hasEnded) return;
  }
}

/** Events as they come, as long as they follow each other. */
class Follower {
  /** The session is over, and all of it was read. */
  hasEnded = false;
  #isOver = false;
  #takenTo: number;
  /** As far as the log went when it was attached: its state is that of this event, however far back we begin. */
  #lastSeq = 0;
  #waiting: ReadEvent[] = [];
  #isBroken = false;
  #failure: Failure | null = null;
  #wake: () => void = () => {};
  readonly #attachment;

  constructor(client: RunSessionClient, runId: RunId, after: Seq) {
    this.#takenTo = after;
    this.#attachment = client.attach(
      runId,
      { after },
      {
        onStart: (start) => {
          this.#lastSeq = start.lastSeq;
          if (start.after !== after || start.screen !== null) this.#break();
        },
        onEvents: (events) => this.#take(events),
        onState: ({ status }) => {
          this.#isOver = status === 'ended' || status === 'interrupted';
          this.#look();
        },
        onRefused: ({ message, hint }) => {
          this.#failure = new Failure(EXIT.notFound, message, hint);
          this.#wake();
        },
      },
    );
  }

  /** null: there are no more, or the log has to be read. */
  async next(): Promise<readonly ReadEvent[] | null> {
    while (this.#waiting.length === 0) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#isBroken || this.hasEnded) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const events = this.#waiting;
    this.#waiting = [];
    const bytes = events.reduce((sum, { payload }) => sum + (payload instanceof Uint8Array ? payload.length : 0), 0);
    if (bytes > 0) this.#attachment.parsed(bytes);
    return events;
  }

  stop(): void {
    this.#attachment.detach();
  }

  #take(events: readonly LogEvent[]): void {
    if (this.#isBroken) return;
    this.#waiting.push(...events);
    this.#takenTo = events.at(-1)?.seq ?? this.#takenTo;
    if (this.#waiting.length > MAX_WAITING_EVENTS) this.#break();
    else this.#look();
  }

  #look(): void {
    this.hasEnded = this.#isOver && this.#takenTo >= this.#lastSeq;
    this.#wake();
  }

  #break(): void {
    this.#isBroken = true;
    this.#waiting = [];
    this.#wake();
  }
}

export function seqAfter(after: number | undefined): Seq {
  return after === undefined ? NO_SEQ : Seq.parse(after);
}
