import { type Fact, factSize } from './conversation-fact.ts';
import { type ConversationEvent, readFacts } from './conversation-facts.ts';
import { EMPTY_FOLD, type FoldState } from './conversation-fold.ts';
import type { Turn } from './conversation-items.ts';
import { applyFact } from './conversation-turns.ts';

/**
 * Folds a stretch of a session's events into the conversation they tell. Window and command line use this one fold.
 *
 * - It may begin anywhere in the log; older events can be put in front later, and the view is the same as if they had always
 *   been there.
 * - An event that lies within the stretch already changes nothing.
 * - What does not change keeps its identity, so that what shows it need not be drawn again.
 * - It keeps no events, only what is shown of them.
 */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** The stretch of the log that is folded; both 0 while nothing is. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Characters held, roughly: what `trimConversation` counts. */
  readonly size: number;
  readonly fold: FoldState;
  /** Newest first. */
  readonly facts: FactList | null;
}

interface FactList {
  readonly fact: Fact;
  readonly before: FactList | null;
}

export const EMPTY_CONVERSATION: Conversation = {
  turns: [],
  firstSeq: 0,
  lastSeq: 0,
  size: 0,
  fold: EMPTY_FOLD,
  facts: null,
};

/** The conversation after `event`; events come in the order of their seq. */
export function foldConversation(view: Conversation, event: ConversationEvent): Conversation {
  if (event.seq <= view.lastSeq) return view;
  return addFacts({ ...view, firstSeq: view.firstSeq || event.seq, lastSeq: event.seq }, readFacts(event));
}

/** Folds several events at once. */
export function foldEvents(view: Conversation, events: readonly ConversationEvent[]): Conversation {
  return events.reduce(foldConversation, view);
}

function addFacts(view: Conversation, facts: readonly Fact[]): Conversation {
  if (facts.length === 0) return view;
  let { fold, size, facts: list } = view;
  for (const fact of facts) {
    fold = applyFact(fold, fact);
    size += factSize(fact);
    list = { fact, before: list };
  }
  return { ...view, fold, turns: fold.turns, size, facts: list };
}

/** Puts older events in front. Those that the view has already change nothing. */
export function prependEvents(view: Conversation, events: readonly ConversationEvent[]): Conversation {
  if (view.firstSeq === 0) return foldEvents(view, inOrder(events));
  const older = inOrder(events).filter((event) => event.seq < view.firstSeq);
  const first = older[0];
  if (first === undefined) return view;
  const facts = [...older.flatMap(readFacts), ...factsOf(view)];
  return addFacts({ ...EMPTY_CONVERSATION, firstSeq: first.seq, lastSeq: view.lastSeq }, facts);
}

/** By seq, each once. */
function inOrder(events: readonly ConversationEvent[]): readonly ConversationEvent[] {
  return [...new Map(events.map((event) => [event.seq, event])).values()].sort((a, b) => a.seq - b.seq);
}

function factsOf(view: Conversation): readonly Fact[] {
  const facts: Fact[] = [];
  for (let list = view.facts; list !== null; list = list.before) facts.push(list.fact);
  return facts.reverse();
}

/**
 * Lets go of whole turns at one end, until about `maxSize` characters are left: of the oldest (`start`) while the newest are
 * read, of the newest (`end`) while somebody reads far up. What was let go can be read from the log again. The last turn that
 * is left is never let go.
 */
export function trimConversation(view: Conversation, maxSize: number, from: 'start' | 'end'): Conversation {
  if (view.size <= maxSize || view.turns.length < 2) return view;
  const facts = factsOf(view);
  const starts = view.turns.map((turn) => turn.seq);
  const sizes = sizesOf(facts, starts);
  let left = view.size;
  if (from === 'start') {
    let at = 0;
    while (at < starts.length - 1 && left > maxSize) left -= sizes[at++] ?? 0;
    const firstSeq = starts[at] ?? view.firstSeq;
    return refold(
      facts.filter((fact) => fact.seq >= firstSeq),
      firstSeq,
      view.lastSeq,
    );
  }
  let at = starts.length - 1;
  while (at > 0 && left > maxSize) left -= sizes[at--] ?? 0;
  const lastSeq = (starts[at + 1] ?? view.lastSeq + 1) - 1;
  return refold(
    facts.filter((fact) => fact.seq <= lastSeq),
    view.firstSeq,
    lastSeq,
  );
}

function refold(facts: readonly Fact[], firstSeq: number, lastSeq: number): Conversation {
  return addFacts({ ...EMPTY_CONVERSATION, firstSeq, lastSeq }, facts);
}

/** Size of the stretch from each start to the next. */
function sizesOf(facts: readonly Fact[], starts: readonly number[]): readonly number[] {
  const sizes = starts.map(() => 0);
  let at = 0;
  for (const fact of facts) {
    while (at < starts.length - 1 && fact.seq >= (starts[at + 1] ?? Number.POSITIVE_INFINITY)) at += 1;
    sizes[at] = (sizes[at] ?? 0) + factSize(fact);
  }
  return sizes;
}
