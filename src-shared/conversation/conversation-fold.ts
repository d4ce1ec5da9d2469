import type { Fact } from './conversation-fact.ts';
import type { Item, PermissionMark, PromptImage, Subagent, ToolItem, Turn } from './conversation-items.ts';

export interface QueuedContent {
  readonly clientId: string;
  readonly text: string;
  readonly images: readonly PromptImage[];
}

/** What the fold carries from fact to fact. Pure: every step returns a new state that shares what did not change. */
export interface FoldState {
  readonly turns: readonly Turn[];
  /** Prompts that wait for their turn. */
  readonly queued: Readonly<Record<string, QueuedContent>>;
  /** Subagents whose tool call has not been seen: its entry comes later, or is older than what is loaded. */
  readonly strays: readonly Subagent[];
  /** Permissions asked for tool calls that have not been seen. */
  readonly asked: readonly { readonly toolUseId: string; readonly mark: PermissionMark }[];
}

export const EMPTY_FOLD: FoldState = { turns: [], queued: {}, strays: [], asked: [] };

export function newTurn(fact: Fact, prompt: Turn['prompt']): Turn {
  return { key: `turn:${placeOf(fact)}`, seq: fact.seq, ts: fact.ts, prompt, items: [], end: null, result: null };
}

/** A fact's place in the log. */
export const placeOf = (fact: Fact): string => `${fact.seq}.${fact.index}`;

/** The turn in progress; null between turns. */
export function openTurn({ turns }: FoldState): Turn | null {
  const last = turns.at(-1);
  return last === undefined || last.end !== null ? null : last;
}

/** Changes the last turn; makes one where what is loaded begins in the middle of it. */
export function withLastTurn(state: FoldState, fact: Fact, change: (turn: Turn) => Turn): FoldState {
  const last = state.turns.at(-1);
  const changed = change(last ?? newTurn(fact, null));
  if (changed === last) return state;
  return { ...state, turns: last === undefined ? [changed] : [...state.turns.slice(0, -1), changed] };
}

/** Changes the newest tool call that matches, wherever it is nested; the same state where none does. */
export function updateTool(
  state: FoldState,
  matches: (tool: ToolItem) => boolean,
  change: (tool: ToolItem) => ToolItem,
): FoldState {
  const turns = updateLast(state.turns, (turn) => {
    const items = updateItems(turn.items, matches, change);
    return items === turn.items ? turn : { ...turn, items };
  });
  if (turns !== state.turns) return { ...state, turns };
  const strays = updateLast(state.strays, (stray) => {
    const items = updateItems(stray.items, matches, change);
    return items === stray.items ? stray : { ...stray, items };
  });
  return strays === state.strays ? state : { ...state, strays };
}

export function updateItems(
  items: readonly Item[],
  matches: (tool: ToolItem) => boolean,
  change: (tool: ToolItem) => ToolItem,
): readonly Item[] {
  return updateLast(items, (item) => {
    if (item.kind !== 'tool') return item;
    if (matches(item)) return change(item);
    if (item.subagent === null) return item;
    const nested = updateItems(item.subagent.items, matches, change);
    return nested === item.subagent.items ? item : { ...item, subagent: { ...item.subagent, items: nested } };
  });
}

/** Offers the elements from the last to the first until `change` changes one. */
export function updateLast<T>(list: readonly T[], change: (element: T) => T): readonly T[] {
  for (let at = list.length - 1; at >= 0; at -= 1) {
    const element = list[at] as T;
    const changed = change(element);
    if (changed !== element) return list.map((present, index) => (index === at ? changed : present));
  }
  return list;
}

/** Nothing runs in it any more: tool calls without a result have been stopped. */
export function stopTools(items: readonly Item[]): readonly Item[] {
  const stopped = items.map((item): Item => {
    if (item.kind !== 'tool' || (item.status !== 'running' && item.status !== 'waiting')) return item;
    return { ...item, status: 'stopped', subagent: item.subagent && { ...item.subagent, items: stopTools(item.subagent.items) } };
  });
  return stopped.every((item, index) => item === items[index]) ? items : stopped;
}
