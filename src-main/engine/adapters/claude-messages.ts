import * as z from 'zod/mini';
import { CHANNELS, type EventOf, type NewEvent, newEvent, type Usage } from '../../../src-shared/events.ts';

/**
 * Messages of the SDK as events of the log. The conversation itself is logged as transcript entries, text in the making is live,
 * and what is only true for a moment is not logged at all; everything else is, known or not, as it came.
 */
const Kind = z.object({ type: z.string(), subtype: z.optional(z.string()) });

const NOT_LOGGED = new Set([
  // The transcript has them.
  'assistant',
  'user',
  // Live.
  'stream_event',
  // True for a moment.
  'command_lifecycle',
  'keep_alive',
  'tool_progress',
  'system/thinking_tokens',
  'system/session_state_changed',
]);

const Init = z.object({
  type: z.literal('system'),
  subtype: z.literal('init'),
  session_id: z.string(),
  model: z.string(),
  permissionMode: z.string(),
  claude_code_version: z.optional(z.string()),
  tools: z.array(z.string()),
  mcp_servers: z.array(z.object({ name: z.string(), status: z.string() })),
});

const Status = z.object({ type: z.literal('system'), subtype: z.literal('status'), permissionMode: z.string() });

const SlashCommand = z.object({ name: z.string(), description: z.string(), argumentHint: z.string() });
const CommandsChanged = z.object({
  type: z.literal('system'),
  subtype: z.literal('commands_changed'),
  commands: z.array(SlashCommand),
});

const ModelTotals = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadInputTokens: z.number(),
  cacheCreationInputTokens: z.number(),
  contextWindow: z.optional(z.number()),
});

const Result = z.object({
  type: z.literal('result'),
  subtype: z.string(),
  is_error: z.boolean(),
  duration_ms: z.number(),
  num_turns: z.number(),
  result: z.optional(z.string()),
  errors: z.optional(z.array(z.string())),
  total_cost_usd: z.optional(z.number()),
  modelUsage: z.optional(z.record(z.string(), ModelTotals)),
  terminal_reason: z.optional(z.string()),
  user_message_uuid: z.optional(z.string()),
  user_message_uuids: z.optional(z.array(z.string())),
  origin: z.optional(z.object({ kind: z.string() })),
});
export type TurnResult = z.infer<typeof Result>;

const CallUsage = z.object({
  input_tokens: z.optional(z.nullable(z.number())),
  cache_read_input_tokens: z.optional(z.nullable(z.number())),
  cache_creation_input_tokens: z.optional(z.nullable(z.number())),
  output_tokens: z.optional(z.nullable(z.number())),
});
const CallEvent = z.object({
  type: z.literal('stream_event'),
  parent_tool_use_id: z.null(),
  event: z.discriminatedUnion('type', [
    z.object({ type: z.literal('message_start'), message: z.object({ usage: CallUsage }) }),
    z.object({ type: z.literal('message_delta'), usage: CallUsage }),
  ]),
});

const AuthFailure = z.object({ type: z.literal('assistant'), error: z.literal('authentication_failed') });
const AuthRetry = z.object({
  type: z.literal('system'),
  subtype: z.literal('api_retry'),
  error: z.literal('authentication_failed'),
});

type Ready = EventOf<'claude:init', 'ready'>['payload'];
type Commands = Ready['slashCommands'];

export const NOT_SIGNED_IN =
  'Claude is not signed in: run "claude" in a terminal and sign in there, or set an API key in the settings.';
export const TRANSCRIPT_LOST =
  "A part of this conversation could not be written into Baton's log. Restart the session: Baton then takes it from Claude's own transcript file.";
const KEY_REFUSED =
  'Claude refused the key it was given: sign in again ("claude" in a terminal), or correct the API key in the settings.';

/** What the child was known to be before it has said it: from the SDK's first answer and the session's own choices. */
export interface Introduction extends Ready {
  readonly isSignedIn: boolean;
}

export class MessageReader {
  #ready: Ready | null = null;
  #isBlocked = false;
  #commands: Commands = [];
  #contextTokens: number | null = null;
  #turns: number;

  constructor(turnsBefore: number) {
    this.#turns = turnsBefore;
  }

  introduce({ isSignedIn, ...ready }: Introduction): NewEvent[] {
    this.#commands = ready.slashCommands.map(inShort);
    const events = this.#readyEvent({ ...ready, slashCommands: this.#commands });
    return isSignedIn ? events : [...events, ...this.#block(NOT_SIGNED_IN)];
  }

  /** The events that a message makes. */
  read(message: unknown): NewEvent[] {
    const kind = Kind.safeParse(message);
    if (!kind.success) return raw(message);
    const label = kind.data.subtype === undefined ? kind.data.type : `${kind.data.type}/${kind.data.subtype}`;
    switch (label) {
      case 'system/init':
        return this.#readInit(message);
      case 'system/status':
        return this.#readStatus(message);
      case 'system/commands_changed':
        return this.#readCommands(message);
      case 'system/api_retry':
        return [...(AuthRetry.safeParse(message).success ? this.#block(KEY_REFUSED) : []), ...raw(message)];
      case 'system/mirror_error':
        return [newEvent('system:status', 'failed', { message: TRANSCRIPT_LOST }), ...raw(message)];
      case 'stream_event':
        this.#measure(message);
        break;
      case 'assistant':
        if (AuthFailure.safeParse(message).success) return this.#block(NOT_SIGNED_IN);
    }
    return NOT_LOGGED.has(label) ? [] : raw(message);
  }

  /** A `result` message: its events, and what it says of the turn; null where it cannot be read. */
  readResult(message: unknown): { readonly events: NewEvent[]; readonly result: TurnResult | null } {
    const read = Result.safeParse(message);
    if (!read.success) return { events: raw(message), result: null };
    const result = read.data;
    this.#turns += 1;
    const event = newEvent('claude:result', 'result', {
      usage: this.#usage(result),
      durationMs: Math.round(result.duration_ms),
      subtype: result.subtype,
      isError: result.is_error,
      text: result.result ?? null,
    });
    const unblocked = !result.is_error && result.num_turns > 0 && this.#isBlocked && this.#ready !== null;
    if (unblocked) this.#isBlocked = false;
    return {
      events: unblocked && this.#ready !== null ? [event, newEvent('claude:init', 'ready', this.#ready)] : [event],
      result,
    };
  }

  #readInit(message: unknown): NewEvent[] {
    const init = Init.safeParse(message);
    if (!init.success) return raw(message);
    const { session_id, model, permissionMode, claude_code_version, tools, mcp_servers } = init.data;
    return this.#readyEvent({
      claudeSessionId: session_id,
      model,
      permissionMode,
      version: claude_code_version ?? null,
      tools,
      mcpServers: mcp_servers,
      slashCommands: this.#commands,
    });
  }

  /** It comes with every turn; the log gets it when it says something new. */
  #readyEvent(ready: Ready): NewEvent[] {
    if (JSON.stringify(ready) === JSON.stringify(this.#ready)) return [];
    this.#ready = ready;
    // The event lifts the block; that is for a turn that goes through to do.
    return this.#isBlocked ? [] : [newEvent('claude:init', 'ready', ready)];
  }

  /** Claude Code left plan mode, an answer to a permission request switched the mode, or it confirms a choice. */
  #readStatus(message: unknown): NewEvent[] {
    const status = Status.safeParse(message);
    return status.success ? this.choose({ permissionMode: status.data.permissionMode }) : [];
  }

  /** What was switched during the conversation; nothing where it is known already. */
  choose({ model, permissionMode }: { readonly model?: string | null; readonly permissionMode?: string }): NewEvent[] {
    const isNewMode = permissionMode !== undefined && permissionMode !== this.#ready?.permissionMode;
    if (isNewMode && this.#ready !== null) this.#ready = { ...this.#ready, permissionMode };
    if (model === undefined && !isNewMode) return [];
    return [
      newEvent('claude:init', 'options', { ...(model === undefined ? {} : { model }), ...(isNewMode ? { permissionMode } : {}) }),
    ];
  }

  #readCommands(message: unknown): NewEvent[] {
    const changed = CommandsChanged.safeParse(message);
    if (!changed.success) return raw(message);
    this.#commands = changed.data.commands.map(inShort);
    return this.#ready === null ? [] : this.#readyEvent({ ...this.#ready, slashCommands: this.#commands });
  }

  #block(message: string): NewEvent[] {
    if (this.#isBlocked) return [];
    this.#isBlocked = true;
    return [blocked(message)];
  }

  /** The tokens of the latest call in the main conversation are what its context holds. */
  #measure(message: unknown): void {
    const call = CallEvent.safeParse(message);
    if (!call.success) return;
    const { event } = call.data;
    const usage = event.type === 'message_start' ? event.message.usage : event.usage;
    const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = usage;
    const read = (input_tokens ?? 0) + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0);
    if (event.type === 'message_start') this.#contextTokens = read;
    else this.#contextTokens = (this.#contextTokens ?? 0) + (output_tokens ?? 0);
  }

  #usage({ modelUsage = {}, total_cost_usd }: TurnResult): Usage {
    const totals = Object.values(modelUsage);
    const sum = (field: Exclude<keyof (typeof totals)[number], 'contextWindow'>) =>
      Math.round(totals.reduce((all, model) => all + model[field], 0));
    const window = modelUsage[this.#ready?.model ?? '']?.contextWindow ?? totals[0]?.contextWindow;
    return {
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      cacheReadTokens: sum('cacheReadInputTokens'),
      cacheWriteTokens: sum('cacheCreationInputTokens'),
      costUsd: total_cost_usd ?? null,
      contextTokens: this.#contextTokens,
      contextWindow: window ?? null,
      turns: this.#turns,
    };
  }
}

/** Skills describe themselves to the model at length; a menu shows a line. */
function inShort({ name, description, argumentHint }: Commands[number]): Commands[number] {
  const [line = ''] = description.split('\n');
  return { name, description: line.length > 200 ? `${line.slice(0, 199)}…` : line, argumentHint };
}

function blocked(message: string): NewEvent {
  return newEvent('claude:init', 'blocked', { code: 'not-signed-in', message });
}

function raw(message: unknown): NewEvent[] {
  const read = CHANNELS['claude:message'].message.safeParse(message);
  return read.success ? [newEvent('claude:message', 'message', read.data)] : [];
}
