import type { EventJsons } from '../../src-shared/event-json.ts';
import type { LogEvent } from '../../src-shared/events.ts';
import type { ClientId, RunId, Seq } from '../../src-shared/ids.ts';
import type { EngineSession } from '../engine/engine-session.ts';
import type { Published, SessionViewer } from '../engine/session-viewers.ts';
import { jsonsAfter } from './event-pages.ts';
import { type EventStream, frameOf } from './event-stream.ts';
import type { RouteCaller } from './route.ts';

/** Events in one piece while a reader is being brought up to date. */
const CATCH_UP_BYTES = 64 * 1024;
const CATCH_UP_EVENTS = 500;

/** What is published in one session as readers of its stream get it: encoded once for all of them. */
class Feed {
  readers = 0;
  readonly #jsons: EventJsons;
  #last: Published | null = null;
  #chunk: Buffer = Buffer.alloc(0);

  /** `jsons` stands behind everything published so far. */
  constructor(jsons: EventJsons) {
    this.#jsons = jsons.copy();
  }

  /** Called for everything that is published, by each reader. */
  chunk(published: Published): Buffer {
    if (published !== this.#last) {
      this.#last = published;
      this.#chunk = encode(this.#jsons, published.events);
    }
    return this.#chunk;
  }

  jsons(): EventJsons {
    return this.#jsons.copy();
  }
}

/** The feeds of the sessions whose streams are read. */
export class Feeds {
  readonly #feeds = new Map<RunId, Feed>();

  join(runId: RunId, jsons: EventJsons): Feed {
    const feed = this.#feeds.get(runId) ?? new Feed(jsons);
    feed.readers += 1;
    this.#feeds.set(runId, feed);
    return feed;
  }

  /** Without a reader nobody would tell it what is published. */
  leave(runId: RunId, feed: Feed): void {
    feed.readers -= 1;
    if (feed.readers === 0) this.#feeds.delete(runId);
  }
}

/**
 * One reader of a session's events: a cursor that moves to the present and stays there [seq-3]. One that reads more slowly than
 * events come goes on from the log, at its own pace, and slows nobody [api-4].
 */
export class SessionStream implements SessionViewer {
  readonly clientId: ClientId;
  readonly name = 'API';
  readonly isLocal = false;
  readonly viewport = null;
  readonly behindBytes = 0;
  readonly #session: EngineSession;
  readonly #source: RouteCaller;
  readonly #stream: EventStream;
  readonly #feeds: Feeds;
  #cursor: Seq;
  #jsons: EventJsons;
  /** null: behind. */
  #feed: Feed | null = null;
  #isPumping = false;

  private constructor(
    session: EngineSession,
    source: RouteCaller,
    stream: EventStream,
    feeds: Feeds,
    cursor: Seq,
    jsons: EventJsons,
  ) {
    this.clientId = source.clientId;
    this.#session = session;
    this.#source = source;
    this.#stream = stream;
    this.#feeds = feeds;
    this.#cursor = cursor;
    this.#jsons = jsons;
  }

  /** `open` begins the answer, once nothing can be refused any more. */
  static async start(
    { runId, after }: { readonly runId: RunId; readonly after: Seq },
    source: RouteCaller,
    feeds: Feeds,
    open: () => EventStream,
  ): Promise<void> {
    const session = source.engine.session(runId);
    const jsons = await jsonsAfter(source, runId, after);
    // It may have been deleted meanwhile.
    source.engine.session(runId);
    const stream = open();
    const reader = new SessionStream(session, source, stream, feeds, after, jsons);
    session.viewers.add(reader);
    const forget = source.engine.onRemoved((removed) => {
      if (removed === runId) stream.end();
    });
    stream.onDrain = () => reader.#pump();
    stream.onEnd = () => {
      forget();
      reader.#fallBehind();
      session.viewers.remove(reader);
    };
    if (stream.isOver) stream.onEnd();
    else reader.#pump();
  }

  publish(published: Published): void {
    if (this.#feed === null) {
      this.#pump();
      return;
    }
    this.#stream.write(this.#feed.chunk(published));
    this.#cursor = (published.events.at(-1) as LogEvent).seq;
    if (this.#stream.isFull) this.#fallBehind();
  }

  /** Who watches and what is being written at this moment are no events. */
  tell(): void {}
  /** It tells the log, as it comes. */
  lookAhead(): void {}
  /** A program gets what is in the log. */
  publishEarly(): void {}
  startOver(): void {}

  #fallBehind(): void {
    if (this.#feed === null) return;
    this.#jsons = this.#feed.jsons();
    this.#feeds.leave(this.#session.runId, this.#feed);
    this.#feed = null;
  }

  /** At most one at a time; never rejects. Cut, a reader comes back with its cursor. */
  #pump(): void {
    if (this.#isPumping || this.#feed !== null || this.#stream.isOver) return;
    this.#isPumping = true;
    this.#catchUp()
      .catch(() => this.#stream.cut())
      .finally(() => {
        this.#isPumping = false;
        if (this.#isBehind() && !this.#stream.isFull) this.#pump();
      });
  }

  #isBehind(): boolean {
    return this.#feed === null && !this.#stream.isOver;
  }

  async #catchUp(): Promise<void> {
    const { log, runId } = this.#session;
    // Not while something is being published: not every reader has been told of it yet.
    await null;
    while (this.#isBehind() && !this.#stream.isFull) {
      if (this.#cursor >= log.published.seq) {
        this.#feed = this.#feeds.join(runId, this.#jsons);
        return;
      }
      const events = log.recent(this.#cursor, CATCH_UP_BYTES) ?? (await this.#stored());
      const last = events.at(-1);
      if (last === undefined) throw new Error(`the log has nothing after ${this.#cursor}, although it goes on`);
      this.#stream.write(encode(this.#jsons, events));
      this.#cursor = last.seq;
    }
  }

  async #stored(): Promise<Parameters<typeof encode>[1]> {
    const page = { runId: this.#session.runId, after: this.#cursor, limit: CATCH_UP_EVENTS };
    return (await this.#source.call('history.read', page)).events;
  }
}

function encode(jsons: EventJsons, events: readonly Parameters<EventJsons['add']>[0][]): Buffer {
  const frames = events.flatMap((event) => jsons.add(event)).map((event) => frameOf(event, event.seq));
  return Buffer.from(frames.join(''));
}
