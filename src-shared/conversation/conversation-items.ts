import type { Json, PermissionDecision, TurnOutcome, Usage } from '../events.ts';

/** What a conversation shows: turns of items. Every key is stable: it comes from the event or message the item was made from. */
export interface PromptImage {
  readonly mediaType: string;
  readonly base64: string;
  readonly name: string | null;
}

interface ItemBase {
  readonly key: string;
  /** The event that brought it. */
  readonly seq: number;
  /** Milliseconds since 1970, by the clock of the machine where it happened. */
  readonly ts: number;
}

export interface TextItem extends ItemBase {
  readonly kind: 'text';
  readonly text: string;
  /** Still being written: not in the log yet. */
  readonly live: boolean;
}

export interface ThinkingItem extends ItemBase {
  readonly kind: 'thinking';
  /** Empty where the model keeps its thinking to itself. */
  readonly text: string;
  readonly live: boolean;
}

export interface PatchHunk {
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly string[];
}

export interface Todo {
  readonly content: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
  readonly activeForm: string | null;
}

/** What a tool tells beside the text the model reads. */
export type ToolDetail =
  | {
      readonly kind: 'patch';
      readonly path: string;
      readonly hunks: readonly PatchHunk[];
      readonly isNew: boolean;
      readonly userModified: boolean;
    }
  | {
      readonly kind: 'command';
      readonly stdout: string;
      readonly stderr: string;
      readonly interrupted: boolean;
      readonly backgroundTaskId: string | null;
    }
  | { readonly kind: 'file'; readonly path: string; readonly lines: number; readonly totalLines: number }
  | { readonly kind: 'matches'; readonly files: number; readonly lines: number | null }
  | { readonly kind: 'todos'; readonly todos: readonly Todo[] }
  /** Question -> answer, as the user gave it. */
  | { readonly kind: 'answers'; readonly answers: Readonly<Record<string, string>> }
  | {
      readonly kind: 'subagent';
      readonly agentId: string;
      readonly text: string;
      readonly durationMs: number | null;
      readonly tokens: number | null;
      readonly toolUses: number | null;
    };

export interface ToolResult {
  readonly isError: boolean;
  readonly text: string;
  readonly images: readonly PromptImage[];
  readonly detail: ToolDetail | null;
  /** How the user refused it, by Claude Code's word; null where nobody did. */
  readonly denial: string | null;
}

export interface PermissionMark {
  readonly requestId: string;
  readonly decision: PermissionDecision | null;
  readonly clientId: string | null;
  readonly reason: string | null;
  /** True when it was answered because nobody could any more: the turn ended, the process died. */
  readonly moot: boolean;
}

/** running: no result yet; waiting: for the user's permission; stopped: the turn ended without a result. */
export type ToolStatus = 'running' | 'waiting' | 'ok' | 'error' | 'denied' | 'stopped';

export interface Subagent {
  readonly subpath: string;
  /** The tool call that started it; null while unknown. */
  readonly toolUseId: string | null;
  readonly agentType: string | null;
  readonly description: string | null;
  readonly finished: boolean;
  readonly items: readonly Item[];
}

export interface ToolItem extends ItemBase {
  readonly kind: 'tool';
  readonly toolUseId: string;
  readonly name: string;
  readonly input: { readonly [key: string]: Json | undefined };
  /** Input as far as it has been written, while it is; null once it is whole. */
  readonly partialInput: string | null;
  readonly status: ToolStatus;
  readonly result: ToolResult | null;
  readonly endedTs: number | null;
  readonly permission: PermissionMark | null;
  readonly subagent: Subagent | null;
}

/** A permission that belongs to no tool call of the transcript. */
export interface PermissionItem extends ItemBase {
  readonly kind: 'permission';
  readonly toolName: string;
  readonly mark: PermissionMark;
}

/** The model's provider refused or failed. */
export interface ErrorItem extends ItemBase {
  readonly kind: 'error';
  readonly text: string;
  readonly status: number | null;
}

export type Notice =
  | { readonly type: 'interrupted' }
  | { readonly type: 'compacted'; readonly trigger: string; readonly before: number | null; readonly after: number | null }
  | { readonly type: 'summary'; readonly text: string }
  | { readonly type: 'command-output'; readonly text: string }
  | { readonly type: 'task'; readonly text: string }
  /** What was said before is no longer in Claude's context. */
  | { readonly type: 'cleared' }
  | { readonly type: 'retry'; readonly attempt: number; readonly of: number; readonly delayMs: number; readonly reason: string }
  | { readonly type: 'message'; readonly text: string; readonly level: 'info' | 'warning' }
  | { readonly type: 'crashed'; readonly lastSeenTs: number; readonly reason: string }
  | { readonly type: 'exited'; readonly exitCode: number | null; readonly signal: string | null; readonly reason: string | null }
  | { readonly type: 'started' }
  | { readonly type: 'gap'; readonly bytes: number; readonly reason: string }
  | { readonly type: 'forked'; readonly runId: string }
  | { readonly type: 'model'; readonly model: string | null }
  | { readonly type: 'mode'; readonly mode: string };

export interface NoticeItem extends ItemBase {
  readonly kind: 'notice';
  readonly notice: Notice;
}

/** Something this version does not know, whole. */
export interface RawItem extends ItemBase {
  readonly kind: 'raw';
  readonly label: string;
  readonly value: Json;
}

/** Book-keeping that a conversation does not show: its event can be read from the log on demand. */
export interface QuietItem extends ItemBase {
  readonly kind: 'quiet';
  readonly label: string;
}

/** Where the turn ended; its outcome is the turn's. */
export interface EndItem extends ItemBase {
  readonly kind: 'end';
}

export type Item = TextItem | ThinkingItem | ToolItem | PermissionItem | ErrorItem | NoticeItem | RawItem | QuietItem | EndItem;

export interface TurnPrompt {
  /** null: it came from a transcript, not through Baton. */
  readonly inputId: string | null;
  readonly clientId: string | null;
  /** null while only its acceptance is known. */
  readonly text: string | null;
  readonly images: readonly PromptImage[];
  /** Its entry in the transcript; null until Claude Code has written it. */
  readonly uuid: string | null;
}

export interface TurnEnd {
  readonly outcome: TurnOutcome;
  readonly message: string | null;
  readonly ts: number;
  readonly seq: number;
}

export interface TurnResult {
  readonly usage: Usage;
  readonly durationMs: number;
  readonly subtype: string;
  readonly isError: boolean;
}

export interface Turn {
  readonly key: string;
  readonly seq: number;
  readonly ts: number;
  /** null: it begins before what is loaded, or the program began it itself. */
  readonly prompt: TurnPrompt | null;
  readonly items: readonly Item[];
  readonly end: TurnEnd | null;
  readonly result: TurnResult | null;
}
