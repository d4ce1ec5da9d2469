import * as z from 'zod/mini';
import type { BlockContent, EntryFact } from './conversation-fact.ts';
import { plainText, readImages, readToolResult } from './conversation-result.ts';

/**
 * Reads one transcript entry as Claude Code wrote it. Total: an entry or a block of an unknown kind comes out raw, an unknown
 * field is not looked at, and nothing here throws.
 */
const Kind = z.object({ type: z.string(), subtype: z.optional(z.string()), uuid: z.optional(z.string()) });

const AssistantEntry = z.object({
  uuid: z.optional(z.string()),
  apiBlockIndex: z.optional(z.int()),
  isApiErrorMessage: z.optional(z.boolean()),
  apiErrorStatus: z.optional(z.nullable(z.number())),
  message: z.object({ id: z.string(), model: z.optional(z.string()), content: z.union([z.string(), z.array(z.unknown())]) }),
});

/** What Claude Code writes itself, in the model's place, when it picks up a conversation that was broken off. */
const FILLER = { model: '<synthetic>', text: 'No response requested.' };

const UserEntry = z.object({
  uuid: z.optional(z.string()),
  isMeta: z.optional(z.boolean()),
  isCompactSummary: z.optional(z.boolean()),
  promptSource: z.optional(z.string()),
  origin: z.optional(z.object({ kind: z.string() })),
  toolUseResult: z.optional(z.unknown()),
  toolDenialKind: z.optional(z.string()),
  message: z.object({ content: z.union([z.string(), z.array(z.unknown())]) }),
});

const Compaction = z.object({
  compactMetadata: z.object({
    trigger: z.string(),
    preTokens: z.optional(z.number()),
    postTokens: z.optional(z.number()),
  }),
});
/** Entries of type `system` that are measurements or tell again what other entries tell. */
const QUIET_SYSTEM: ReadonlySet<string> = new Set([
  'turn_duration',
  'stop_hook_summary',
  'api_error',
  'away_summary',
  'microcompact_boundary',
  'bridge_status',
  'memory_saved',
]);
const LocalCommand = z.object({ content: z.string() });
const Informational = z.object({ content: z.string(), level: z.optional(z.string()) });
const AgentMetadata = z.object({
  toolUseId: z.optional(z.string()),
  agentType: z.optional(z.string()),
  description: z.optional(z.string()),
  finished: z.optional(z.boolean()),
});
const QueuedCommand = z.object({ attachment: z.object({ type: z.literal('queued_command'), prompt: z.string() }) });

const JsonValue = z.json();
const Block = z.object({ type: z.string() });
const TextBlock = z.object({ text: z.string() });
const ThinkingBlock = z.object({ thinking: z.string() });
const ToolUseBlock = z.object({ id: z.string(), name: z.string(), input: z.record(z.string(), JsonValue) });
const ToolResultBlock = z.object({
  tool_use_id: z.string(),
  content: z.optional(z.unknown()),
  is_error: z.optional(z.boolean()),
});

export function readEntry(entry: unknown): readonly EntryFact[] {
  const kind = Kind.safeParse(entry);
  if (!kind.success) return [rawFact('entry', entry)];
  switch (kind.data.type) {
    case 'assistant':
      return readAssistant(entry);
    case 'user':
      return readUser(entry);
    case 'system':
      return [readSystem(entry, kind.data.subtype ?? '')];
    case 'attachment':
      return [readAttachment(entry)];
    case 'agent_metadata': {
      const agent = AgentMetadata.safeParse(entry);
      if (!agent.success) return [rawFact('agent_metadata', entry)];
      const { toolUseId, agentType, description, finished } = agent.data;
      return [
        {
          kind: 'agent',
          toolUseId: toolUseId ?? null,
          agentType: agentType ?? null,
          description: description ?? null,
          finished: finished ?? false,
        },
      ];
    }
    default:
      // Links of the chain have a uuid and may be something to read; lines without one are Claude Code's own book-keeping.
      return [kind.data.uuid === undefined ? { kind: 'quiet', label: kind.data.type } : rawFact(kind.data.type, entry)];
  }
}

function rawFact(label: string, value: unknown): EntryFact {
  const json = JsonValue.safeParse(value);
  return { kind: 'raw', label, value: json.success ? json.data : (JSON.stringify(value) ?? String(value)) };
}

function readAssistant(entry: unknown): readonly EntryFact[] {
  const read = AssistantEntry.safeParse(entry);
  if (!read.success) return [rawFact('assistant', entry)];
  const { message, uuid, apiBlockIndex, isApiErrorMessage, apiErrorStatus } = read.data;
  const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  if (isApiErrorMessage === true) return [{ kind: 'api-error', text: plainText(blocks), status: apiErrorStatus ?? null }];
  if (message.model === FILLER.model && plainText(blocks) === FILLER.text) return [{ kind: 'quiet', label: 'assistant' }];
  return blocks.map((block, index): EntryFact => {
    const result = readServerToolResult(block);
    if (result !== null) return result;
    const place = apiBlockIndex === undefined ? null : apiBlockIndex + index;
    return { kind: 'block', messageId: message.id, block: place, uuid: uuid ?? null, content: readBlock(block) };
  });
}

function readBlock(block: unknown): BlockContent {
  const kind = Block.safeParse(block);
  const type = kind.success ? kind.data.type : 'block';
  switch (type) {
    case 'text': {
      const text = TextBlock.safeParse(block);
      if (text.success) return { kind: 'text', text: text.data.text };
      break;
    }
    case 'thinking': {
      const thinking = ThinkingBlock.safeParse(block);
      if (thinking.success) return { kind: 'thinking', text: thinking.data.thinking };
      break;
    }
    case 'redacted_thinking':
      return { kind: 'thinking', text: '' };
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use': {
      const tool = ToolUseBlock.safeParse(block);
      if (tool.success) return { kind: 'tool', toolUseId: tool.data.id, name: tool.data.name, input: tool.data.input };
      break;
    }
  }
  const raw = rawFact(type, block);
  return raw.kind === 'raw' ? { kind: 'raw', label: raw.label, value: raw.value } : { kind: 'text', text: '' };
}

/** Tools that the provider runs itself answer within the assistant's own message. */
function readServerToolResult(block: unknown): EntryFact | null {
  const kind = Block.safeParse(block);
  if (!kind.success || !kind.data.type.endsWith('_tool_result')) return null;
  const result = ToolResultBlock.safeParse(block);
  if (!result.success) return null;
  const { tool_use_id, content, is_error } = result.data;
  return { kind: 'tool-result', toolUseId: tool_use_id, result: readToolResult({ content, isError: is_error ?? false }) };
}

function readUser(entry: unknown): readonly EntryFact[] {
  const read = UserEntry.safeParse(entry);
  if (!read.success) return [rawFact('user', entry)];
  const { message, toolUseResult, toolDenialKind } = read.data;
  const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  const results = blocks.flatMap((block): EntryFact[] => {
    const result = ToolResultBlock.safeParse(block);
    if (!result.success) return [];
    const { tool_use_id, content, is_error } = result.data;
    const denial = toolDenialKind ?? null;
    return [
      {
        kind: 'tool-result',
        toolUseId: tool_use_id,
        result: readToolResult({ content, isError: is_error ?? false, extra: toolUseResult, denial }),
      },
    ];
  });
  return results.length > 0 ? results : [readPrompt(read.data, blocks)];
}

function readPrompt(entry: z.infer<typeof UserEntry>, blocks: readonly unknown[]): EntryFact {
  const text = plainText(blocks);
  if (entry.isMeta === true) return { kind: 'quiet', label: 'user/meta' };
  if (entry.isCompactSummary === true) return { kind: 'notice', notice: { type: 'summary', text } };
  if (text.startsWith('[Request interrupted by user')) return { kind: 'notice', notice: { type: 'interrupted' } };
  const output = tagged(text, 'local-command-stdout') ?? tagged(text, 'local-command-stderr');
  if (output !== null) return { kind: 'notice', notice: { type: 'command-output', text: output } };
  if (entry.origin?.kind === 'task-notification')
    return { kind: 'notice', notice: { type: 'task', text: tagged(text, 'summary') ?? text } };
  const uuid = entry.uuid ?? null;
  const command = tagged(text, 'command-name');
  if (command !== null) {
    const args = tagged(text, 'command-args') ?? '';
    return { kind: 'prompt', uuid, text: `${command} ${args}`.trim(), images: [] };
  }
  if (entry.promptSource === 'system') return { kind: 'notice', notice: { type: 'task', text } };
  return { kind: 'prompt', uuid, text, images: readImages(blocks) };
}

function readSystem(entry: unknown, subtype: string): EntryFact {
  const label = `system/${subtype}`;
  switch (subtype) {
    case 'compact_boundary': {
      const compaction = Compaction.safeParse(entry);
      if (!compaction.success) break;
      const { trigger, preTokens, postTokens } = compaction.data.compactMetadata;
      return { kind: 'notice', notice: { type: 'compacted', trigger, before: preTokens ?? null, after: postTokens ?? null } };
    }
    case 'local_command': {
      const command = LocalCommand.safeParse(entry);
      if (!command.success) break;
      const { content } = command.data;
      const text = tagged(content, 'local-command-stdout') ?? tagged(content, 'local-command-stderr');
      return text === null ? { kind: 'quiet', label } : { kind: 'notice', notice: { type: 'command-output', text } };
    }
    case 'informational': {
      const told = Informational.safeParse(entry);
      if (!told.success) break;
      if (told.data.level !== 'warning' && told.data.level !== 'notice') return { kind: 'quiet', label };
      const level = told.data.level === 'warning' ? 'warning' : 'info';
      return { kind: 'notice', notice: { type: 'message', text: told.data.content, level } };
    }
  }
  return QUIET_SYSTEM.has(subtype) ? { kind: 'quiet', label } : rawFact(label, entry);
}

function readAttachment(entry: unknown): EntryFact {
  const queued = QueuedCommand.safeParse(entry);
  if (queued.success) return { kind: 'prompt', uuid: null, text: queued.data.attachment.prompt, images: [] };
  return { kind: 'quiet', label: 'attachment' };
}

/** What stands between `<name>` and `</name>`; null where there is no such element. */
function tagged(text: string, name: string): string | null {
  const open = text.indexOf(`<${name}>`);
  if (open < 0) return null;
  const from = open + name.length + 2;
  const close = text.indexOf(`</${name}>`, from);
  return close < 0 ? null : text.slice(from, close).trim();
}
