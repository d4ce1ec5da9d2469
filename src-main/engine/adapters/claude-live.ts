import * as z from 'zod/mini';
import type { LiveText } from '../../../src-shared/protocol.ts';
import type { Entry } from './claude-transcript-file.ts';

/**
 * The texts that Claude is writing now. A block opens with its first delta and stays until its transcript entry is in the log (or
 * its message is void), so that whoever joins in the middle gets it whole and nobody sees it vanish before its entry arrives.
 */
const StreamEvent = z.object({
  parent_tool_use_id: z.nullable(z.string()),
  event: z.discriminatedUnion('type', [
    z.object({ type: z.literal('message_start'), message: z.object({ id: z.string() }) }),
    z.object({
      type: z.literal('content_block_start'),
      index: z.int(),
      content_block: z.object({ type: z.string(), name: z.optional(z.string()) }),
    }),
    z.object({
      type: z.literal('content_block_delta'),
      index: z.int(),
      delta: z.object({
        text: z.optional(z.string()),
        thinking: z.optional(z.string()),
        partial_json: z.optional(z.string()),
      }),
    }),
  ]),
});

const WrittenEntry = z.object({
  type: z.literal('assistant'),
  message: z.object({ id: z.string() }),
  apiBlockIndex: z.optional(z.int()),
});

const BLOCK_KINDS: Readonly<Record<string, LiveText['blockKind']>> = {
  text: 'text',
  thinking: 'thinking',
  tool_use: 'tool-input',
  server_tool_use: 'tool-input',
  mcp_tool_use: 'tool-input',
};

interface OpenMessage {
  readonly messageId: string;
  /** By block index. */
  readonly blocks: Map<number, LiveText>;
}

export class LiveTexts {
  /** The message that is being written, for each conversation: null is the main one, else the subagent's tool use. */
  readonly #open = new Map<string | null, OpenMessage>();
  readonly #show: (text: LiveText) => void;

  constructor(show: (text: LiveText) => void) {
    this.#show = show;
  }

  /** A `stream_event` message of the SDK; kinds that carry no text pass. */
  read(message: unknown): void {
    const read = StreamEvent.safeParse(message);
    if (!read.success) return;
    const { event, parent_tool_use_id: parent } = read.data;
    if (event.type === 'message_start') {
      // A message that never became a transcript entry broke off, and is being written anew.
      this.#open.set(parent, { messageId: event.message.id, blocks: new Map() });
      return;
    }
    const message_ = this.#open.get(parent);
    if (message_ === undefined) return;
    if (event.type === 'content_block_start') {
      const blockKind = BLOCK_KINDS[event.content_block.type];
      if (blockKind === undefined) return;
      const toolName = blockKind === 'tool-input' ? (event.content_block.name ?? null) : null;
      const { messageId } = message_;
      message_.blocks.set(event.index, {
        messageId,
        block: event.index,
        blockKind,
        toolName,
        parentToolUseId: parent,
        offset: 0,
        text: '',
      });
      return;
    }
    this.#write(message_, event.index, event.delta.text ?? event.delta.thinking ?? event.delta.partial_json ?? '');
  }

  #write({ blocks }: OpenMessage, index: number, text: string): void {
    const block = blocks.get(index);
    if (block === undefined || text === '') return;
    blocks.set(index, { ...block, text: block.text + text });
    this.#show({ ...block, offset: block.text.length, text });
  }

  /** Entries that are in the log now: their texts are no longer live. */
  logged(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const written = WrittenEntry.safeParse(entry);
      if (!written.success) continue;
      for (const { messageId, blocks } of this.#open.values()) {
        if (messageId !== written.data.message.id) continue;
        // One entry holds one block; those of older versions do not say which, but come in order.
        const [first] = blocks.keys();
        const index = written.data.apiBlockIndex ?? first;
        if (index !== undefined) blocks.delete(index);
      }
    }
  }

  /** Everything that is being written, from its beginning. */
  all(): LiveText[] {
    return [...this.#open.values()].flatMap(({ blocks }) => [...blocks.values()].filter(({ text }) => text !== ''));
  }

  clear(): void {
    this.#open.clear();
  }
}
