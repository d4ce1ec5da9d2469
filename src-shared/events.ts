import * as z from 'zod/mini';
import { type Epoch, InputId, type RunId, Seq } from './ids.ts';

/**
 * The log's events. A session's log is the only truth about it: everything a face shows can be rebuilt from (runId, seq).
 *
 * Adding a channel: add its payload schemas to `CHANNELS` (and, if it changes what a session *is*, a case to session-state.ts).
 * Store, engine, wire and replication carry channels they have never heard of, unread.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Raw bytes are kept for terminal output only; everything else is JSON. */
export type Payload = Uint8Array | Json;

export interface LogEvent {
  readonly runId: RunId;
  readonly seq: Seq;
  readonly epoch: Epoch;
  /** Milliseconds since 1970 by the host's clock. For people to read; nothing is ordered by it. */
  readonly ts: number;
  /** Who speaks: `pty:stdout`, `claude:transcript`, `run:prompt` … */
  readonly channel: string;
  /** What is said on that channel. */
  readonly type: string;
  readonly payload: Payload;
}

/** An event before the host has numbered it. */
export type NewEvent = Pick<LogEvent, 'channel' | 'type' | 'payload'>;

export const Image = z.object({
  mediaType: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
  /** The file's bytes, base64. */
  base64: z.string().check(z.maxLength(14_000_000)),
  name: z.optional(z.string().check(z.maxLength(256))),
});
export type Image = z.infer<typeof Image>;

export const PromptContent = z.object({
  text: z.string().check(z.maxLength(1_000_000)),
  images: z.array(Image).check(z.maxLength(20)),
});
export type PromptContent = z.infer<typeof PromptContent>;

/** What a prompt's turn ended as. Every started turn ends in exactly one of them. */
export const TurnOutcome = z.enum(['done', 'interrupted', 'failed']);
export type TurnOutcome = z.infer<typeof TurnOutcome>;

export const PermissionDecision = z.enum(['allow', 'allow-session', 'deny']);
export type PermissionDecision = z.infer<typeof PermissionDecision>;

export const Usage = z.object({
  inputTokens: z.int(),
  outputTokens: z.int(),
  cacheReadTokens: z.int(),
  cacheWriteTokens: z.int(),
  /** US dollars as the provider reports them; null where it does not. */
  costUsd: z.nullable(z.number()),
  /** Tokens now in the model's context, and how many fit; null while unknown. */
  contextTokens: z.nullable(z.int()),
  contextWindow: z.nullable(z.int()),
  turns: z.int(),
});
export type Usage = z.infer<typeof Usage>;

const json = z.json() as unknown as z.ZodMiniType<Json, Json>;
const jsonObject = z.record(z.string(), json);

export const PermissionAsked = z.object({
  requestId: z.string(),
  toolName: z.string(),
  /** The tool's whole input, shown before anything is allowed. */
  input: jsonObject,
  toolUseId: z.nullable(z.string()),
  /** The rule that "allow for session" would add, as a sentence; null where there is none to offer. */
  sessionRule: z.nullable(z.string()),
  title: z.nullable(z.string()),
  reason: z.nullable(z.string()),
});
export type PermissionAsked = z.infer<typeof PermissionAsked>;

/** A terminal's columns, or rows. Of more of them somebody would run out of memory. */
export const Cells = z.int().check(z.gte(1), z.lte(1000));

/** channel -> type -> payload schema. `null` marks raw bytes. */
export const CHANNELS = {
  'pty:stdout': { data: null },
  'pty:resize': { resized: z.object({ cols: Cells, rows: Cells }) },
  'system:status': {
    created: z.object({
      kind: z.string(),
      cwd: z.string(),
      title: z.nullable(z.string()),
      branchOf: z.nullable(z.object({ runId: z.string(), seq: Seq })),
    }),
    /** A child process runs (again). */
    started: z.object({ pid: z.nullable(z.int()), command: z.nullable(z.string()) }),
    /** The adapter's child ended by itself or was closed. `signal` is a name such as SIGKILL. */
    exited: z.object({ exitCode: z.nullable(z.int()), signal: z.nullable(z.string()), reason: z.nullable(z.string()) }),
    /** Another machine hosts the session from here on, or the same one under another id: the first event of its epoch. */
    hosted: z.object({ machineId: z.string(), machine: z.string() }),
    /** The engine died or was stopped while the session ran: between the last event and this one, something may be missing. */
    interrupted: z.object({ lastSeenTs: z.int(), reason: z.string() }),
    /** Output is missing here on purpose (quota, low disk) or by accident. */
    gap: z.object({ fromSeq: Seq, toSeq: Seq, bytes: z.int(), reason: z.string() }),
    renamed: z.object({ title: z.nullable(z.string()) }),
    /** The adapter could not do what it was asked. `message` says what, why and the way out. */
    failed: z.object({ message: z.string() }),
    /** Facts the program reports about itself: window title (cleaned), folder, and whether a shell waits at its prompt. */
    details: z.object({
      programTitle: z.optional(z.nullable(z.string())),
      cwd: z.optional(z.string()),
      atPrompt: z.optional(z.boolean()),
    }),
  },
  'run:prompt': {
    queued: z.object({ inputId: InputId, clientId: z.string(), content: PromptContent }),
    edited: z.object({ inputId: InputId, target: InputId, text: z.string() }),
    /** `before: null` moves to the end. */
    moved: z.object({ inputId: InputId, target: InputId, before: z.nullable(InputId) }),
    deleted: z.object({ inputId: InputId, target: InputId }),
    /** The host hands this prompt to the adapter: its turn begins. */
    accepted: z.object({ inputId: InputId }),
  },
  'run:turn': {
    ended: z.object({ inputId: z.nullable(InputId), outcome: TurnOutcome, message: z.nullable(z.string()) }),
  },
  'run:permission': {
    asked: PermissionAsked,
    answered: z.object({
      requestId: z.string(),
      /** null when nobody answered: the turn ended, the process died. */
      inputId: z.nullable(InputId),
      clientId: z.nullable(z.string()),
      decision: PermissionDecision,
      reason: z.nullable(z.string()),
      /** The tool was given this input instead of the one it asked with. */
      updatedInput: z.optional(jsonObject),
    }),
  },
  'run:input': {
    /** A command without an event of its own (interrupt, restart, option change) was executed. */
    executed: z.object({ inputId: InputId, kind: z.string() }),
  },
  'claude:init': {
    /** The child told what it is: model, mode, tools, commands, its own session id. */
    ready: z.object({
      claudeSessionId: z.string(),
      model: z.string(),
      permissionMode: z.string(),
      version: z.nullable(z.string()),
      tools: z.array(z.string()),
      mcpServers: z.array(z.object({ name: z.string(), status: z.string() })),
      slashCommands: z.array(z.object({ name: z.string(), description: z.string(), argumentHint: z.string() })),
    }),
    options: z.object({ model: z.optional(z.nullable(z.string())), permissionMode: z.optional(z.string()) }),
    /** Claude cannot work until the user does something (sign in, install). `message` says it in one sentence. */
    blocked: z.object({ code: z.enum(['not-signed-in', 'not-installed', 'too-old']), message: z.string() }),
  },
  /** Transcript entries exactly as Claude Code wrote them, in its order. `subpath` names a subagent's transcript. */
  'claude:transcript': { entries: z.object({ subpath: z.nullable(z.string()), entries: z.array(jsonObject) }) },
  /** End of a turn as the SDK reports it: usage and cost. */
  'claude:result': {
    result: z.object({
      usage: Usage,
      durationMs: z.int(),
      subtype: z.string(),
      isError: z.boolean(),
      text: z.nullable(z.string()),
    }),
  },
  /** Any other message of the SDK, known or not, raw. */
  'claude:message': { message: jsonObject },
} as const;

type Channels = typeof CHANNELS;
type PayloadOf<S> = S extends z.ZodMiniType<infer Out> ? Out : Uint8Array;
export type KnownEvent = {
  [C in keyof Channels]: {
    [T in keyof Channels[C]]: { readonly channel: C; readonly type: T; readonly payload: PayloadOf<Channels[C][T]> };
  }[keyof Channels[C]];
}[keyof Channels];

/** The known event of that channel and type. */
export type EventOf<C extends keyof Channels, T extends keyof Channels[C]> = Extract<KnownEvent, { channel: C; type: T }>;

/** An event whose payload nobody has looked at. */
export interface UnreadEvent {
  readonly channel: string;
  readonly type: string;
  readonly payload: unknown;
}

/** Reads an event's payload by its channel's schema. null: a channel or type that this version does not know, or a payload it cannot read. */
export function readEvent(event: UnreadEvent): KnownEvent | null {
  const channels: Readonly<Record<string, Readonly<Record<string, z.ZodMiniType | null>>>> = CHANNELS;
  // What these objects inherit from has names, too.
  const types = Object.hasOwn(channels, event.channel) ? channels[event.channel] : undefined;
  const schema = types && Object.hasOwn(types, event.type) ? types[event.type] : undefined;
  if (schema === undefined) return null;
  if (schema === null) return event.payload instanceof Uint8Array ? (event as KnownEvent) : null;
  const read = schema.safeParse(event.payload);
  return read.success ? ({ channel: event.channel, type: event.type, payload: read.data } as KnownEvent) : null;
}

/** Writes a known event; the compiler checks channel, type and payload against each other. */
export function newEvent<C extends keyof Channels, T extends keyof Channels[C] & string>(
  channel: C,
  type: T,
  payload: PayloadOf<Channels[C][T]>,
): NewEvent {
  return { channel, type, payload: payload as Payload };
}
