import type { LiveText } from '../protocol.ts';
import { blockKey } from './conversation-add.ts';
import type { Item, Turn } from './conversation-items.ts';

/**
 * The turns with the texts that are being written now. A live text has the key that its transcript entry will have, so that the
 * one takes the other's place on screen without anything being drawn anew.
 */
export function overlayLive(turns: readonly Turn[], live: readonly LiveText[]): readonly Turn[] {
  if (live.length === 0) return turns;
  const last = turns.at(-1);
  const isBetweenTurns = last === undefined || last.end !== null;
  const open: Turn = isBetweenTurns
    ? { key: 'live', seq: last?.end?.seq ?? 0, ts: last?.end?.ts ?? 0, prompt: null, items: [], end: null, result: null }
    : last;
  const items = overlayItems(open.items, live, null, open);
  if (items === open.items) return turns;
  return isBetweenTurns ? [...turns, { ...open, items }] : [...turns.slice(0, -1), { ...open, items }];
}

function overlayItems(items: readonly Item[], live: readonly LiveText[], parent: string | null, turn: Turn): readonly Item[] {
  const nested = items.map((item): Item => {
    if (item.kind !== 'tool' || !live.some((text) => text.parentToolUseId === item.toolUseId)) return item;
    const subagent = item.subagent ?? {
      subpath: `live:${item.toolUseId}`,
      toolUseId: item.toolUseId,
      agentType: null,
      description: null,
      finished: false,
      items: [],
    };
    const inside = overlayItems(subagent.items, live, item.toolUseId, turn);
    return inside === subagent.items ? item : { ...item, subagent: { ...subagent, items: inside } };
  });
  const fresh = unwritten(items, live, parent).map((text) => liveItem(text, turn));
  if (fresh.length === 0 && nested.every((item, index) => item === items[index])) return items;
  return [...nested, ...fresh];
}

/**
 * Texts that the transcript does not hold yet. One whose message comes before a message that it does hold never will: that
 * attempt was broken off and begun anew.
 */
function unwritten(items: readonly Item[], live: readonly LiveText[], parent: string | null): readonly LiveText[] {
  const mine = live.filter((text) => text.parentToolUseId === parent);
  if (mine.length === 0) return mine;
  const keys = new Set(items.map((item) => item.key));
  const isWritten = (text: LiveText): boolean => keys.has(blockKey(text.messageId, text.block));
  const newest = mine.findLastIndex(isWritten);
  const writing = newest < 0 ? null : (mine[newest]?.messageId ?? null);
  return mine.filter((text, index) => !isWritten(text) && (index > newest || text.messageId === writing));
}

function liveItem(text: LiveText, turn: Turn): Item {
  const at = { key: blockKey(text.messageId, text.block), seq: turn.seq, ts: turn.ts };
  switch (text.blockKind) {
    case 'text':
      return { kind: 'text', ...at, text: text.text, live: true };
    case 'thinking':
      return { kind: 'thinking', ...at, text: text.text, live: true };
    case 'tool-input': {
      const unknown = { result: null, endedTs: null, permission: null, subagent: null };
      const name = text.toolName ?? '';
      return { kind: 'tool', ...at, toolUseId: at.key, name, input: {}, partialInput: text.text, status: 'running', ...unknown };
    }
  }
}
