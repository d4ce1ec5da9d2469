import type { Options } from '@anthropic-ai/claude-agent-sdk';
import * as z from 'zod/mini';
import { RefusalError } from '../../../src-shared/refusal.ts';

/**
 * Every option of the Agent SDK that can be given as data, by its own name: a session's `options` and the setting
 * `claude.options` may hold any of them. Where a value is a tree of Claude Code's own (settings, hooks inside them, agents,
 * sandbox), only its outer shape is checked here; Claude Code checks the rest and says what is wrong with it.
 */
const text = z.exactOptional(z.string().check(z.minLength(1)));
const flag = z.exactOptional(z.boolean());
const names = z.exactOptional(z.array(z.string()));
const count = z.exactOptional(z.int().check(z.nonnegative()));
const uuid = z.exactOptional(z.uuid());

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A tree that Claude Code checks itself. */
function tree<K extends keyof Options>(): z.ZodMiniExactOptional<z.ZodMiniCustom<NonNullable<Options[K]>>> {
  return z.exactOptional(z.custom<NonNullable<Options[K]>>(isRecord, 'expected an object'));
}

/** The same, or the path of a file that holds it. */
function treeOrText<K extends keyof Options>(): z.ZodMiniExactOptional<z.ZodMiniCustom<NonNullable<Options[K]>>> {
  return z.exactOptional(
    z.custom<NonNullable<Options[K]>>((value) => typeof value === 'string' || isRecord(value), 'expected a text or an object'),
  );
}

const preset = z.object({ type: z.literal('preset'), preset: z.literal('claude_code') });
const thinkingDisplay = z.exactOptional(z.enum(['summarized', 'omitted']));

export const ClaudeOptions = z.strictObject({
  // Where it works and what it may touch
  additionalDirectories: names,
  projectConfigRoot: text,
  sandbox: tree<'sandbox'>(),
  /** Added to the child's environment. */
  env: z.exactOptional(z.record(z.string(), z.string())),

  // Model and effort
  fallbackModel: text,
  thinking: z.exactOptional(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('adaptive'), display: thinkingDisplay }),
      z.object({ type: z.literal('enabled'), budgetTokens: z.exactOptional(z.int()), display: thinkingDisplay }),
      z.object({ type: z.literal('disabled') }),
    ]),
  ),
  effort: z.exactOptional(z.enum(['low', 'medium', 'high', 'xhigh', 'max'])),
  maxThinkingTokens: count,
  maxTurns: count,
  maxBudgetUsd: z.exactOptional(z.number().check(z.positive())),
  taskBudget: z.exactOptional(z.object({ total: z.int() })),
  betas: z.exactOptional(z.array(z.literal('context-1m-2025-08-07'))),

  // Tools and permissions
  tools: z.exactOptional(z.union([z.array(z.string()), preset])),
  allowedTools: names,
  disallowedTools: names,
  toolAliases: z.exactOptional(z.record(z.string(), z.string())),
  toolConfig: tree<'toolConfig'>(),
  allowDangerouslySkipPermissions: flag,
  permissionPromptToolName: text,
  permissionPrompts: z.exactOptional(z.enum(['host', 'none'])),
  planModeInstructions: text,

  // Prompts and what Claude is
  systemPrompt: z.exactOptional(
    z.union([
      z.string(),
      z.array(z.string()),
      z.object({
        type: z.literal('custom'),
        prompt: z.union([z.string(), z.array(z.string())]),
        snapshot: z.exactOptional(z.boolean()),
      }),
      z.object({
        type: z.literal('preset'),
        preset: z.literal('claude_code'),
        append: z.exactOptional(z.string()),
        excludeDynamicSections: z.exactOptional(z.boolean()),
        snapshot: z.exactOptional(z.boolean()),
      }),
    ]),
  ),
  agent: text,
  agents: tree<'agents'>(),
  skills: z.exactOptional(z.union([z.array(z.string()), z.literal('all')])),
  plugins: z.exactOptional(
    z.array(z.object({ type: z.literal('local'), path: z.string(), skipMcpDiscovery: z.exactOptional(z.boolean()) })),
  ),
  pluginDelivery: z.exactOptional(z.enum(['argv', 'initialize'])),
  outputFormat: z.exactOptional(z.object({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) })),
  verbatimPrompts: flag,

  // Settings; hooks that are commands belong into `settings.hooks`
  settings: treeOrText<'settings'>(),
  managedSettings: tree<'managedSettings'>(),
  settingSources: z.exactOptional(z.array(z.enum(['user', 'project', 'local']))),

  // MCP servers: started or called by Claude Code
  mcpServers: tree<'mcpServers'>(),
  mcpServersDelivery: z.exactOptional(z.enum(['argv', 'initialize'])),
  strictMcpConfig: flag,

  // What it tells besides the conversation
  includeHookEvents: flag,
  forwardSubagentText: flag,
  promptSuggestions: flag,
  agentProgressSummaries: flag,
  enableFileCheckpointing: flag,
  debug: flag,
  debugFile: text,

  // How it is started
  pathToClaudeCodeExecutable: text,
  executable: z.exactOptional(z.enum(['bun', 'deno', 'node'])),
  executableArgs: names,
  extraArgs: z.exactOptional(z.record(z.string(), z.nullable(z.string()))),
  loadTimeoutMs: count,

  // Which conversation: these count at the first start only; afterwards the session's own conversation goes on
  resume: uuid,
  continue: flag,
  forkSession: flag,
  resumeSessionAt: text,
  resumeDropsTurn: text,
  sessionId: uuid,
  title: text,
});
export type ClaudeOptions = z.infer<typeof ClaudeOptions>;

/** Options that the adapter itself needs, or that have a place of their own in a session. */
export const ADAPTER_OPTIONS = [
  'abortController',
  'canUseTool',
  'cwd',
  'hooks',
  'includePartialMessages',
  'model',
  'onElicitation',
  'onUserDialog',
  'permissionMode',
  'persistSession',
  'perTaskStopAffordance',
  'sessionStore',
  'sessionStoreFlush',
  'spawnClaudeCodeProcess',
  'stderr',
  'supportedDialogKinds',
] as const satisfies readonly (keyof Options)[];

/** Reads options as a user wrote them. Throws RefusalError naming what is wrong. */
export function readClaudeOptions(options: unknown): ClaudeOptions {
  const read = ClaudeOptions.safeParse(options, { error: z.locales.en().localeError });
  if (read.success) return read.data;
  const problem = read.error.issues
    .map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`))
    .join('; ');
  throw new RefusalError(
    'bad-request',
    `Claude's options cannot be used: ${problem}.`,
    'Correct the options; their names are those of the Claude Agent SDK.',
  );
}

const FIRST_START_ONLY = [
  'resume',
  'continue',
  'forkSession',
  'resumeSessionAt',
  'resumeDropsTurn',
  'sessionId',
  'title',
] as const;

/** The options without those that chose the conversation. */
export function withoutConversation(options: ClaudeOptions): ClaudeOptions {
  const rest = { ...options };
  for (const name of FIRST_START_ONLY) delete rest[name];
  return rest;
}
