import {
  type Conversation,
  EMPTY_CONVERSATION,
  foldConversation,
  foldEvents,
  prependEvents,
  trimConversation,
} from '../../../src-shared/conversation/conversation.ts';
import type { ConversationEvent } from '../../../src-shared/conversation/conversation-facts.ts';

/** What is read of the log: events after one, or the last ones before one. */
export interface HistoryPage {
  readonly events: readonly ConversationEvent[];
  /** There are more in the direction that was asked for. */
  readonly more: boolean;
}
export type ReadHistory = (range: { before: number } | { after: number }) => Promise<HistoryPage>;

/**
 * Characters of conversation that are held at most, about 400 ordinary turns: of a longer one the end that is out of sight is let
 * go, and read again when somebody scrolls there.
 */
export const WINDOW_CHARS = 6_000_000;
/** Let go of more than needed, so that it does not happen with every event. */
const TRIMMED_CHARS = 4_500_000;

export interface HistoryState {
  readonly view: Conversation;
  /** The newest events are in the view, and new ones go into it. */
  readonly isAtTail: boolean;
  readonly hasOlder: boolean;
  readonly isLoading: 'older' | 'newer' | null;
  readonly failure: unknown;
}

const START: HistoryState = { view: EMPTY_CONVERSATION, isAtTail: true, hasOlder: false, isLoading: null, failure: null };

/** The stretch of a conversation that a pane holds: a window on the log that follows its end, or the reader upwards. */
export class History {
  #state: HistoryState = START;
  /** Where the view begins while it holds no event yet. */
  #after = 0;
  /** The newest event that is known of, in the view or not. */
  #newestSeq = 0;
  /** Grows when the view begins anew: a page that was asked for before is no longer wanted. */
  #generation = 0;
  readonly #read: ReadHistory;
  readonly #listeners = new Set<() => void>();
  readonly #windowChars: number;

  constructor(read: ReadHistory, windowChars: number = WINDOW_CHARS) {
    this.#read = read;
    this.#windowChars = windowChars;
  }

  get state(): HistoryState {
    return this.#state;
  }

  get newestSeq(): number {
    return this.#newestSeq;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  #set(change: Partial<HistoryState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** The log begins anew for this client: events after `after` follow. */
  start(after: number): void {
    this.#generation += 1;
    this.#after = after;
    this.#newestSeq = after;
    this.#set({ ...START, hasOlder: after > 0 });
  }

  /** Events as they happen. `isReaderAtEnd`: what lies far above is out of sight and may go. */
  add(events: readonly ConversationEvent[], isReaderAtEnd: boolean): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#newestSeq = Math.max(this.#newestSeq, last.seq);
    if (!this.#state.isAtTail) return;
    const view = events.reduce(foldConversation, this.#state.view);
    if (isReaderAtEnd && view.size > this.#windowChars) {
      const trimmed = trimConversation(view, this.#trimmedChars, 'start');
      this.#set({ view: trimmed, hasOlder: this.#state.hasOlder || trimmed.firstSeq > view.firstSeq });
    } else this.#set({ view });
  }

  get #trimmedChars(): number {
    return (this.#windowChars * TRIMMED_CHARS) / WINDOW_CHARS;
  }

  async loadOlder(): Promise<void> {
    const { hasOlder, view } = this.#state;
    if (!hasOlder) return;
    await this.#load('older', { before: view.firstSeq || this.#after + 1 }, ({ events, more }) => {
      const longer = prependEvents(this.#state.view, events);
      // The reader is at the top: what is let go lies below.
      const kept = longer.size > this.#windowChars ? trimConversation(longer, this.#trimmedChars, 'end') : longer;
      this.#set({
        view: kept,
        hasOlder: more && events.length > 0,
        isAtTail: this.#state.isAtTail && kept.lastSeq === longer.lastSeq,
      });
    });
  }

  async loadNewer(): Promise<void> {
    if (this.#state.isAtTail) return;
    await this.#load('newer', { after: this.#state.view.lastSeq }, ({ events, more }) => {
      const longer = foldEvents(this.#state.view, events);
      const kept = longer.size > this.#windowChars ? trimConversation(longer, this.#trimmedChars, 'start') : longer;
      // Without a further page the log's end is reached, unless something was written while this page was on its way.
      const isAtTail = !more && (longer.lastSeq >= this.#newestSeq || events.length === 0);
      this.#set({ view: kept, hasOlder: this.#state.hasOlder || kept.firstSeq > longer.firstSeq, isAtTail });
    });
  }

  /** Begins the view at an event further up: where somebody had been reading. */
  async openAt(seq: number): Promise<void> {
    const { view } = this.#state;
    if (view.firstSeq !== 0 && seq >= view.firstSeq) return;
    await this.#load('older', { after: seq - 1 }, ({ events, more }) => {
      const opened = foldEvents(EMPTY_CONVERSATION, events);
      this.#set({ view: opened, hasOlder: seq > 1, isAtTail: !more && opened.lastSeq >= this.#newestSeq });
    });
  }

  /** Back to the end, wherever the view is. */
  async jumpToEnd(): Promise<void> {
    if (this.#state.isAtTail) return;
    const before = this.#newestSeq + 1;
    await this.#load('newer', { before }, ({ events, more }) => {
      const view = foldEvents(EMPTY_CONVERSATION, events);
      this.#set({ view, hasOlder: more, isAtTail: this.#newestSeq < before });
    });
    if (!this.#state.isAtTail && this.#state.failure === null) await this.loadNewer();
  }

  async #load(what: 'older' | 'newer', range: Parameters<ReadHistory>[0], take: (page: HistoryPage) => void): Promise<void> {
    if (this.#state.isLoading !== null) return;
    const generation = this.#generation;
    this.#set({ isLoading: what, failure: null });
    try {
      const page = await this.#read(range);
      if (generation === this.#generation) take(page);
    } catch (failure) {
      if (generation === this.#generation) this.#set({ failure });
    } finally {
      if (generation === this.#generation) this.#set({ isLoading: null });
    }
  }
}
