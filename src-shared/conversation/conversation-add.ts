import type { BlockContent, EntryFact, Fact } from './conversation-fact.ts';
import { placeOf } from './conversation-fold.ts';
import type { Item, ToolItem } from './conversation-items.ts';

/** Adds what an entry says to a list of items; an item that is there already is replaced, so that nothing shows twice. */
export function addEntry(items: readonly Item[], fact: Fact): readonly Item[] {
  const item = entryItem(items, fact);
  if (item === null) return items;
  const last = items.at(-1);
  // A second attempt replaces the first: what matters is that it goes on.
  if (isRetry(item) && last !== undefined && isRetry(last)) return [...items.slice(0, -1), { ...item, key: last.key }];
  const at = items.findLastIndex((present) => present.key === item.key);
  return at < 0 ? [...items, item] : items.map((present, index) => (index === at ? item : present));
}

const isRetry = (item: Item): boolean => item.kind === 'notice' && item.notice.type === 'retry';

function entryItem(items: readonly Item[], fact: Fact): Item | null {
  const { body, seq, ts } = fact;
  const at = { key: placeOf(fact), seq, ts };
  switch (body.kind) {
    case 'block':
      return blockItem(items, fact, body);
    case 'api-error':
      return { kind: 'error', ...at, text: body.text, status: body.status };
    case 'notice':
      return { kind: 'notice', ...at, notice: body.notice };
    case 'raw':
      return { kind: 'raw', ...at, label: body.label, value: body.value };
    case 'quiet':
      return { kind: 'quiet', ...at, label: body.label };
    default:
      return null;
  }
}

type Block = Extract<EntryFact, { kind: 'block' }>;

/** One key for a block, written or being written. Older versions of Claude Code do not number blocks: they come in order. */
export function blockKey(messageId: string, block: number): string {
  return `${messageId}:${block}`;
}

function keyOf(items: readonly Item[], { messageId, block }: Block): string {
  return blockKey(messageId, block ?? items.filter((item) => item.key.startsWith(`${messageId}:`)).length);
}

function blockItem(items: readonly Item[], fact: Fact, body: Block): Item {
  const { content } = body;
  const at = { key: keyOf(items, body), seq: fact.seq, ts: fact.ts };
  switch (content.kind) {
    case 'text':
      return { kind: 'text', ...at, text: content.text, live: false };
    case 'thinking':
      return { kind: 'thinking', ...at, text: content.text, live: false };
    case 'raw':
      return { kind: 'raw', ...at, label: content.label, value: content.value };
    case 'tool':
      return newTool(at, content);
  }
}

function newTool(
  at: { key: string; seq: number; ts: number },
  { toolUseId, name, input }: Extract<BlockContent, { kind: 'tool' }>,
): ToolItem {
  const unknown = { result: null, endedTs: null, permission: null, subagent: null };
  return { kind: 'tool', ...at, toolUseId, name, input, partialInput: null, status: 'running', ...unknown };
}
