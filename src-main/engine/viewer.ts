import type { LogEvent } from '../../src-shared/events.ts';
import { type ClientId, NO_SEQ, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { type ClientMessage, encodeMessage, type HostMessage, VIEWER_WINDOW_BYTES } from '../../src-shared/protocol.ts';
import type { Wire } from '../../src-shared/wire.ts';
import type { Store } from '../store/store.ts';
import type { EngineSession } from './engine-session.ts';
import type { Published, SessionViewer } from './session-viewers.ts';

/** A conversation begins with about its last sixty turns; the rest is read when somebody scrolls up. */
const CONVERSATION_TAIL = { limit: 600, maxBytes: 2 * 1024 * 1024 };
/** Output in one frame when a viewer is being brought up to date. */
const CATCH_UP_BYTES = 64 * 1024;
/** What a socket may hold unsent; a reader that is slower waits here, not in memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const CONGESTED_RETRY_MS = 20;

type AttachMessage = Extract<ClientMessage, { type: 'run:attach' }>;

/**
 * One attachment: a cursor into a session's log that moves to the present and stays there [seq-3]. Live and catching up are the
 * same: whenever the window allows, what follows the cursor is sent; if that has left memory, a terminal starts over from its
 * screen [wire-5] and a conversation reads on from the store. Where the log itself is behind what its host shows, the viewer sees those
 * screens, and starts over from the one here when the log has come that far [slow-2].
 */
export class RunViewer implements SessionViewer {
  readonly clientId: ClientId;
  readonly name: string;
  readonly isLocal: boolean;
  viewport: SessionViewer['viewport'];
  readonly #session: EngineSession;
  readonly #wire: Wire;
  readonly #store: Pick<Store, 'read' | 'readBack'>;
  readonly #attachId: number;
  /** null until `run:attached` has been sent. */
  #cursor: Seq | null = null;
  #sentBytes = 0;
  #parsedBytes = 0;
  /** Output published since this attachment began, and how much of it the cursor has passed (less than none: it began further back). */
  #publishedBytes = 0;
  #passedBytes = 0;
  /** The client shows this in place of the log. */
  #shownAhead: Screen | null = null;
  /** It was shown output that is not in the log. */
  #mustStartOver = false;
  #isPumping = false;
  #isGone = false;
  /** Something that may be dropped was: it is told anew, whole, when the viewer is up to date. */
  #hasMissed = false;
  #congested: ReturnType<typeof setTimeout> | null = null;

  constructor(
    session: EngineSession,
    wire: Wire,
    store: Pick<Store, 'read' | 'readBack'>,
    client: { readonly clientId: ClientId; readonly name: string; readonly isLocal: boolean },
    { attachId, viewport }: AttachMessage,
  ) {
    this.#session = session;
    this.#wire = wire;
    this.#store = store;
    this.clientId = client.clientId;
    this.name = client.name;
    this.isLocal = client.isLocal;
    this.#attachId = attachId;
    this.viewport = viewport;
  }

  get behindBytes(): number {
    return Math.max(0, this.#publishedBytes - this.#passedBytes) + Math.max(0, this.#sentBytes - this.#parsedBytes);
  }

  /** Answers `run:attach`, then follows. */
  async attach({ after, afterTs }: Pick<AttachMessage, 'after' | 'afterTs'>): Promise<void> {
    const isForeign = after !== null && !(await this.#isOurs(after, afterTs));
    const start = await this.#startAt(isForeign ? null : after);
    if (this.#isGone) return;
    const { log, runId, epoch, viewers } = this.#session;
    viewers.add(this);
    this.#send({
      type: 'run:attached',
      runId,
      attachId: this.#attachId,
      epoch,
      session: this.#session.summary(),
      state: log.published.state,
      after: start.after,
      lastSeq: log.published.seq,
      reset: isForeign,
      screen: start.screen,
      live: [...this.#session.liveTexts()],
      driving: viewers.driver === this,
    });
    this.#send(viewers.message());
    this.#cursor = start.after;
    this.#passedBytes = this.#publishedBytes - log.outputAfter(start.after);
    this.#pump();
  }

  detach(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#congested !== null) clearTimeout(this.#congested);
    this.#session.viewers.remove(this);
    this.#session.watchDriver();
    this.#session.screen.letGo();
  }

  typed(data: Uint8Array): void {
    if (this.#cursor !== null) this.#session.keys(this, data);
  }

  resized(cols: number, rows: number): void {
    this.viewport = { cols, rows };
    this.#session.viewers.resized(this);
  }

  parsed(attachId: number, parsedBytes: number): void {
    if (attachId !== this.#attachId) return;
    // A running total: an old or repeated one changes nothing; one beyond what was sent counts as all of it.
    this.#parsedBytes = Math.max(this.#parsedBytes, Math.min(parsedBytes, this.#sentBytes));
    this.#session.watchDriver();
    this.#pump();
  }

  publish(published: Published): void {
    this.#publishedBytes += published.outputBytes;
    if (this.#cursor === null) return;
    const { events } = published;
    const isNext = (events[0] as LogEvent).seq === this.#cursor + 1 && this.#shownAhead === null;
    if (isNext && !this.#isPumping && this.#hasCredit()) {
      this.#wire.send(published.frame());
      this.#passed(events, published.outputBytes);
    } else this.#pump();
  }

  publishEarly(published: Published): void {
    const [first] = published.events;
    const isNext = this.#cursor !== null && first?.seq === this.#cursor + 1 && this.#shownAhead === null;
    if (!isNext || this.#isPumping || !this.#hasCredit()) return;
    this.#wire.send(published.frame());
    this.#passed(published.events, published.outputBytes);
  }

  startOver(): void {
    if (this.#cursor === null) return;
    this.#mustStartOver = true;
    this.#pump();
  }

  tell(frame: Uint8Array): void {
    if (this.#cursor === null) return;
    if (this.#hasCredit() && !this.#hasMissed) this.#wire.send(frame);
    else {
      this.#hasMissed = true;
      this.#pump();
    }
  }

  lookAhead(): void {
    if (this.#cursor !== null) this.#pump();
  }

  /**
   * false: the cursor is beyond the log, or the log has another event there [seq-4]. That happens after a crash: output is shown
   * before it is committed, so an engine that died may have shown events that its log never got.
   */
  async #isOurs(after: Seq, afterTs: number | undefined): Promise<boolean> {
    const { log, runId } = this.#session;
    if (after > log.published.seq) return false;
    if (after === NO_SEQ || afterTs === undefined) return true;
    const before = Seq.parse(after - 1);
    const [event] =
      log.recent(before, 0) ?? (await this.#store.read({ runId, after: before, upTo: after, limit: 1, maxBytes: 1 }));
    // Compacted away: a gap stands there, and nothing can be compared.
    return event === undefined || event.seq !== after || event.type === 'gap' || event.ts === afterTs;
  }

  async #startAt(after: Seq | null): Promise<{ after: Seq; screen: Extract<HostMessage, { type: 'run:attached' }>['screen'] }> {
    const { log, runId, screen } = this.#session;
    this.#shownAhead = this.#session.ahead();
    if (this.#shownAhead !== null) return { after: this.#shownAhead.seq, screen: this.#shownAhead };
    if (after !== null && log.recent(after, 0) !== null) return { after, screen: null };
    const current = await screen.latest();
    if (current !== null) return { after: current.seq, screen: current };
    if (after !== null) return { after, screen: null };
    const tail = await this.#store.readBack({ runId, ...CONVERSATION_TAIL });
    const first = tail[0];
    if (first === undefined || first.seq === 1) return { after: NO_SEQ, screen: null };
    const turn = tail.find(({ channel, type }) => channel === 'run:prompt' && type === 'accepted');
    return { after: Seq.parse((turn ?? first).seq - 1), screen: null };
  }

  #hasCredit(): boolean {
    return this.#sentBytes - this.#parsedBytes < VIEWER_WINDOW_BYTES && this.#wire.bufferedBytes < MAX_BUFFERED_BYTES;
  }

  #passed(events: readonly LogEvent[], outputBytes: number): void {
    this.#cursor = (events.at(-1) as LogEvent).seq;
    this.#sentBytes += outputBytes;
    this.#passedBytes += outputBytes;
  }

  /** Sends what follows the cursor as far as the window allows. At most one at a time; never rejects. */
  #pump(): void {
    if (this.#isPumping || this.#isGone) return;
    this.#isPumping = true;
    this.#catchUp()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isPumping = false;
        if (this.#isGone) return;
        if (this.#isBehind() && this.#hasCredit()) this.#pump();
        else if (this.#wire.bufferedBytes >= MAX_BUFFERED_BYTES) this.#pumpLater();
        else if (this.#hasMissed && !this.#isBehind()) this.#tellMissed();
      });
  }

  /** A socket does not say when it has room again. */
  #pumpLater(): void {
    this.#congested ??= setTimeout(() => {
      this.#congested = null;
      this.#pump();
    }, CONGESTED_RETRY_MS);
  }

  #tellMissed(): void {
    this.#hasMissed = false;
    const { runId, viewers } = this.#session;
    this.#send(viewers.message());
    for (const live of this.#session.liveTexts()) this.#send({ type: 'run:live', runId, live });
  }

  #isBehind(): boolean {
    if (this.#isGone || this.#cursor === null) return false;
    if (this.#mustStartOver) return true;
    const ahead = this.#session.ahead();
    if (ahead !== null || this.#shownAhead !== null) return ahead !== this.#shownAhead;
    return this.#cursor < this.#session.log.published.seq;
  }

  async #catchUp(): Promise<void> {
    while (this.#isBehind() && this.#hasCredit()) {
      const cursor = this.#cursor as Seq;
      if (this.#mustStartOver || this.#session.ahead() !== this.#shownAhead) {
        await this.#followAhead();
        continue;
      }
      const events =
        this.#session.log.recent(cursor, CATCH_UP_BYTES) ?? ((await this.#resync(cursor)) ? [] : await this.#fromStore(cursor));
      const [first] = events;
      // Read while another answer moved the cursor, or a screen took its place.
      if (first === undefined || this.#isGone || cursor !== this.#cursor) continue;
      this.#send({ type: 'run:events', runId: this.#session.runId, events: events as LogEvent[] });
      this.#passed(events, outputBytesOf(events));
    }
  }

  /** Shows what the session's host shows; or its log again, which has come that far. */
  async #followAhead(): Promise<void> {
    this.#mustStartOver = false;
    const ahead = this.#session.ahead();
    const screen = ahead ?? (await this.#session.screen.snapshot());
    // The next one came while that was drawn.
    if (this.#isGone || ahead !== this.#session.ahead()) return;
    this.#shownAhead = ahead;
    if (screen !== null) this.#startOver(screen);
  }

  /** False: there is no screen that is further on than the viewer. */
  async #resync(cursor: Seq): Promise<boolean> {
    const screen = await this.#session.screen.latest();
    if (screen === null || screen.seq <= cursor) return false;
    if (!this.#isGone && this.#session.ahead() === null) this.#startOver(screen);
    return true;
  }

  #startOver(screen: Screen): void {
    const { log, runId } = this.#session;
    const { seq: lastSeq, state } = log.published;
    this.#send({ type: 'run:resync', runId, attachId: this.#attachId, session: this.#session.summary(), state, lastSeq, screen });
    this.#cursor = screen.seq;
    this.#passedBytes = this.#publishedBytes - log.outputAfter(screen.seq);
  }

  /** Committed events only: what is not committed yet is in memory anyway. */
  async #fromStore(after: Seq): Promise<readonly LogEvent[]> {
    const events = await this.#store.read({ runId: this.#session.runId, after, limit: 500, maxBytes: VIEWER_WINDOW_BYTES });
    if (events.length === 0) throw new Error(`the log has nothing after ${after}, although it goes on`);
    return events;
  }

  #fail(error: unknown): void {
    if (this.#isGone) return;
    this.detach();
    const reason = error instanceof Error ? error.message : String(error);
    this.#send({
      type: 'run:refused',
      runId: this.#session.runId,
      attachId: this.#attachId,
      refusal: { code: 'failed', message: `The session's history cannot be read: ${reason}`, hint: 'Open the session again.' },
    });
  }

  #send(message: HostMessage): void {
    this.#wire.send(encodeMessage(message));
  }
}

function outputBytesOf(events: readonly LogEvent[]): number {
  return events.reduce((sum, { payload }) => sum + (payload instanceof Uint8Array ? payload.byteLength : 0), 0);
}
