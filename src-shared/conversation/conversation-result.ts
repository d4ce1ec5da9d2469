import * as z from 'zod/mini';
import type { PromptImage, ToolDetail, ToolResult } from './conversation-items.ts';

/** Reads what a tool gave back: the text the model reads, and what Claude Code notes about it beside that (`toolUseResult`). */
const Patch = z.object({
  filePath: z.string(),
  type: z.optional(z.string()),
  userModified: z.optional(z.boolean()),
  content: z.optional(z.string()),
  structuredPatch: z.array(
    z.object({
      oldStart: z.int(),
      oldLines: z.int(),
      newStart: z.int(),
      newLines: z.int(),
      lines: z.array(z.string()),
    }),
  ),
});
const Command = z.object({
  stdout: z.string(),
  stderr: z.string(),
  interrupted: z.optional(z.boolean()),
  backgroundTaskId: z.optional(z.string()),
});
const FileRead = z.object({
  file: z.object({ filePath: z.string(), numLines: z.optional(z.int()), totalLines: z.optional(z.int()) }),
});
const Matches = z.object({ numFiles: z.int(), numLines: z.optional(z.int()) });
export const Todos = z.array(
  z.object({
    content: z.string(),
    status: z.enum(['pending', 'in_progress', 'completed']),
    activeForm: z.optional(z.string()),
  }),
);
const NewTodos = z.object({ newTodos: Todos });
const TaskList = z.object({
  tasks: z.array(z.object({ subject: z.string(), status: z.enum(['pending', 'in_progress', 'completed']) })),
});
const Answers = z.object({ questions: z.array(z.unknown()), answers: z.record(z.string(), z.string()) });
const Agent = z.object({
  agentId: z.string(),
  content: z.optional(z.array(z.unknown())),
  totalDurationMs: z.optional(z.number()),
  totalTokens: z.optional(z.number()),
  totalToolUseCount: z.optional(z.number()),
});

const Block = z.object({ type: z.string() });
const TextBlock = z.object({ text: z.string() });
const ImageBlock = z.object({ source: z.object({ type: z.literal('base64'), media_type: z.string(), data: z.string() }) });

interface Given {
  readonly content: unknown;
  readonly isError: boolean;
  /** Claude Code's own note about the result. */
  readonly extra?: unknown;
  readonly denial?: string | null;
}

export function readToolResult({ content, isError, extra, denial }: Given): ToolResult {
  const blocks = Array.isArray(content) ? content : [];
  const text = typeof content === 'string' ? content : plainText(blocks);
  return {
    isError,
    text: text.replace(/^<tool_use_error>([\s\S]*)<\/tool_use_error>$/, '$1'),
    images: readImages(blocks),
    detail: readDetail(extra),
    denial: denial ?? null,
  };
}

function readDetail(extra: unknown): ToolDetail | null {
  if (typeof extra !== 'object' || extra === null) return null;
  return (
    readPatch(extra) ??
    readCommand(extra) ??
    readFile(extra) ??
    readMatches(extra) ??
    readTodos(extra) ??
    readAnswers(extra) ??
    readAgent(extra)
  );
}

function readPatch(extra: object): ToolDetail | null {
  const patch = Patch.safeParse(extra);
  if (!patch.success) return null;
  const { filePath, type, content, structuredPatch, userModified } = patch.data;
  const isNew = type === 'create';
  const hunks = isNew && structuredPatch.length === 0 && content !== undefined ? [wholeFile(content)] : structuredPatch;
  return { kind: 'patch', path: filePath, hunks, isNew, userModified: userModified ?? false };
}

/** A new file as the one hunk that adds all of it. */
export function wholeFile(content: string) {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return { oldStart: 0, oldLines: 0, newStart: 1, newLines: lines.length, lines: lines.map((line) => `+${line}`) };
}

function readCommand(extra: object): ToolDetail | null {
  const command = Command.safeParse(extra);
  if (!command.success) return null;
  const { stdout, stderr, interrupted, backgroundTaskId } = command.data;
  return { kind: 'command', stdout, stderr, interrupted: interrupted ?? false, backgroundTaskId: backgroundTaskId ?? null };
}

function readFile(extra: object): ToolDetail | null {
  const read = FileRead.safeParse(extra);
  if (!read.success) return null;
  const { filePath, numLines, totalLines } = read.data.file;
  return { kind: 'file', path: filePath, lines: numLines ?? 0, totalLines: totalLines ?? numLines ?? 0 };
}

function readMatches(extra: object): ToolDetail | null {
  const matches = Matches.safeParse(extra);
  return matches.success ? { kind: 'matches', files: matches.data.numFiles, lines: matches.data.numLines ?? null } : null;
}

function readTodos(extra: object): ToolDetail | null {
  const written = NewTodos.safeParse(extra);
  if (written.success) return { kind: 'todos', todos: toTodos(written.data.newTodos) };
  const listed = TaskList.safeParse(extra);
  if (!listed.success) return null;
  return {
    kind: 'todos',
    todos: listed.data.tasks.map(({ subject, status }) => ({ content: subject, status, activeForm: null })),
  };
}

export function toTodos(todos: z.infer<typeof Todos>) {
  return todos.map(({ content, status, activeForm }) => ({ content, status, activeForm: activeForm ?? null }));
}

function readAnswers(extra: object): ToolDetail | null {
  const given = Answers.safeParse(extra);
  return given.success ? { kind: 'answers', answers: given.data.answers } : null;
}

function readAgent(extra: object): ToolDetail | null {
  const agent = Agent.safeParse(extra);
  if (!agent.success) return null;
  const { agentId, content, totalDurationMs, totalTokens, totalToolUseCount } = agent.data;
  // The first block names the tools it used: a note for the model, not for people.
  const blocks = (content ?? []).filter((block) => !plainText([block]).startsWith('<tools-used-before-summary>'));
  return {
    kind: 'subagent',
    agentId,
    text: plainText(blocks),
    durationMs: totalDurationMs ?? null,
    tokens: totalTokens ?? null,
    toolUses: totalToolUseCount ?? null,
  };
}

/** The text blocks of a message, one below the other. */
export function plainText(blocks: readonly unknown[]): string {
  const texts: string[] = [];
  for (const block of blocks) {
    const kind = Block.safeParse(block);
    const text = TextBlock.safeParse(block);
    if (kind.success && kind.data.type === 'text' && text.success) texts.push(text.data.text);
  }
  return texts.join('\n');
}

export function readImages(blocks: readonly unknown[]): readonly PromptImage[] {
  const images: PromptImage[] = [];
  for (const block of blocks) {
    const image = ImageBlock.safeParse(block);
    if (image.success) images.push({ mediaType: image.data.source.media_type, base64: image.data.source.data, name: null });
  }
  return images;
}
