import { useMemo } from 'react';
import type { Item, ToolItem, Turn, TurnPrompt } from '../../../src-shared/conversation/conversation-items.ts';
import { isExploring } from '../tools/describe.ts';

/** A conversation as the list draws it: one row each, with a key that stays the same while the row is the same thing. */
export type Row =
  | { readonly kind: 'prompt'; readonly key: string; readonly turn: Turn }
  | { readonly kind: 'item'; readonly key: string; readonly item: ShownItem }
  /** Several calls in a row that only looked. */
  | { readonly kind: 'group'; readonly key: string; readonly tools: readonly ToolItem[] }
  | { readonly kind: 'end'; readonly key: string; readonly turn: Turn }
  | { readonly kind: 'working'; readonly key: string; readonly sinceTs: number };

export type ShownItem = Exclude<Item, { kind: 'end' }>;

const cached = { plain: new WeakMap<Turn, readonly Row[]>(), verbose: new WeakMap<Turn, readonly Row[]>() };

// While a turn is being written it is another one with every piece; what has not changed in it keeps its row, and is not drawn anew.
const promptRows = new WeakMap<TurnPrompt, Row>();
const itemRows = new WeakMap<Item, Row>();
/** By its first call. */
const groupRows = new WeakMap<ToolItem, Extract<Row, { kind: 'group' }>>();
let lastWorking: Extract<Row, { kind: 'working' }> | null = null;

function promptRow(turn: Turn, prompt: TurnPrompt): Row {
  const row = promptRows.get(prompt) ?? { kind: 'prompt', key: turn.key, turn };
  promptRows.set(prompt, row);
  return row;
}

function itemRow(item: ShownItem): Row {
  const row = itemRows.get(item) ?? { kind: 'item', key: item.key, item };
  itemRows.set(item, row);
  return row;
}

function groupRow(first: ToolItem, tools: readonly ToolItem[]): Row {
  const known = groupRows.get(first);
  if (known !== undefined && known.tools.length === tools.length && known.tools.every((tool, at) => tool === tools[at]))
    return known;
  const row = { kind: 'group' as const, key: `group:${first.key}`, tools };
  groupRows.set(first, row);
  return row;
}

function workingRow(sinceTs: number): Row {
  if (lastWorking?.sinceTs !== sinceTs) lastWorking = { kind: 'working', key: 'working', sinceTs };
  return lastWorking;
}

/** The rows of a turn; the same array for the same turn. */
export function rowsOfTurn(turn: Turn, isVerbose: boolean): readonly Row[] {
  const known = (isVerbose ? cached.verbose : cached.plain).get(turn);
  if (known !== undefined) return known;
  const rows = makeRows(turn, isVerbose);
  (isVerbose ? cached.verbose : cached.plain).set(turn, rows);
  return rows;
}

/** All rows; `workingSince`: a turn runs, and the last row says so. */
export function useRows(turns: readonly Turn[], isVerbose: boolean, workingSince: number | null): readonly Row[] {
  return useMemo(() => {
    const rows = turns.flatMap((turn) => rowsOfTurn(turn, isVerbose));
    return workingSince === null ? rows : [...rows, workingRow(workingSince)];
  }, [turns, isVerbose, workingSince]);
}

/** What the user said, oldest first, without repetitions one after another. */
export function promptsOf(turns: readonly Turn[]): readonly string[] {
  const said = turns.flatMap((turn) => turn.prompt?.text ?? []).filter((text) => text !== '');
  return said.filter((text, index) => text !== said[index - 1]);
}

function makeRows(turn: Turn, isVerbose: boolean): readonly Row[] {
  const rows: Row[] = turn.prompt === null ? [] : [promptRow(turn, turn.prompt)];
  let looked: ToolItem[] = [];
  const flush = (): void => {
    const [first] = looked;
    if (first === undefined) return;
    rows.push(looked.length === 1 ? itemRow(first) : groupRow(first, looked));
    looked = [];
  };
  for (const item of shownItems(turn, isVerbose)) {
    if (item.kind === 'tool' && !isVerbose && canGroup(item)) {
      looked.push(item);
      continue;
    }
    flush();
    rows.push(item.kind === 'end' ? { kind: 'end', key: item.key, turn } : itemRow(item));
  }
  flush();
  return rows;
}

/** A call that waits for the user stands alone, where it is seen. */
function canGroup(tool: ToolItem): boolean {
  return isExploring(tool.name) && tool.status !== 'waiting' && tool.status !== 'denied';
}

/** What of a turn, or of a subagent, is shown at all. */
export function shownItems(turn: Pick<Turn, 'items' | 'end'>, isVerbose: boolean): readonly Item[] {
  if (isVerbose) return turn.items;
  return turn.items.filter((item, index) => isShown(item, turn, index));
}

function isShown(item: Item, turn: Pick<Turn, 'items' | 'end'>, index: number): boolean {
  switch (item.kind) {
    case 'quiet':
      return false;
    case 'thinking':
      return item.live || item.text.trim() !== '';
    case 'text':
      return item.live || item.text.trim() !== '';
    case 'notice':
      return isNoticeShown(item, turn, index);
    default:
      return true;
  }
}

function isNoticeShown(item: Extract<Item, { kind: 'notice' }>, turn: Pick<Turn, 'items' | 'end'>, index: number): boolean {
  switch (item.notice.type) {
    // The turn's end says so too.
    case 'interrupted':
      return turn.end === null;
    // Only a start after an end is news.
    case 'started':
      return turn.items.slice(0, index).some((earlier) => earlier.kind === 'notice' && isStop(earlier.notice.type));
    case 'retry':
      return turn.end === null;
    default:
      return true;
  }
}

const isStop = (type: string): boolean => type === 'exited' || type === 'crashed';

/** Nothing has been said: at most something was set up. */
export function isUntouched(turns: readonly Turn[]): boolean {
  return turns.every((turn) => turn.prompt === null && turn.items.every((item) => item.kind === 'quiet' || isSetUp(item)));
}

function isSetUp(item: Item): boolean {
  return (
    item.kind === 'notice' && (item.notice.type === 'model' || item.notice.type === 'mode' || item.notice.type === 'started')
  );
}
