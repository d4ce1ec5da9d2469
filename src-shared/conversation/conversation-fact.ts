import type { Json, PermissionDecision, TurnOutcome, Usage } from '../events.ts';
import type { Notice, PromptImage, Subagent, ToolResult } from './conversation-items.ts';

/**
 * An event reduced to what a conversation shows of it. Facts are all that a view keeps of its events: they are small, and the
 * view can be made again from them when older ones are put in front.
 */
export type FactBody =
  | {
      readonly kind: 'queued';
      readonly inputId: string;
      readonly clientId: string;
      readonly text: string;
      readonly images: readonly PromptImage[];
    }
  | { readonly kind: 'edited'; readonly target: string; readonly text: string }
  | { readonly kind: 'deleted'; readonly target: string }
  | { readonly kind: 'accepted'; readonly inputId: string }
  | {
      readonly kind: 'turn-ended';
      readonly inputId: string | null;
      readonly outcome: TurnOutcome;
      readonly message: string | null;
    }
  | {
      readonly kind: 'result';
      readonly usage: Usage;
      readonly durationMs: number;
      readonly subtype: string;
      readonly isError: boolean;
    }
  | {
      readonly kind: 'permission-asked';
      readonly requestId: string;
      readonly toolUseId: string | null;
      readonly toolName: string;
    }
  | {
      readonly kind: 'permission-answered';
      readonly requestId: string;
      readonly decision: PermissionDecision;
      readonly clientId: string | null;
      readonly reason: string | null;
      readonly moot: boolean;
    }
  | { readonly kind: 'crashed'; readonly lastSeenTs: number; readonly reason: string }
  | EntryFact;

/** What one transcript entry says. */
export type EntryFact =
  | {
      readonly kind: 'prompt';
      readonly uuid: string | null;
      readonly text: string;
      readonly images: readonly PromptImage[];
    }
  | {
      readonly kind: 'block';
      readonly messageId: string;
      readonly block: number | null;
      readonly uuid: string | null;
      readonly content: BlockContent;
    }
  | { readonly kind: 'tool-result'; readonly toolUseId: string; readonly result: ToolResult }
  | { readonly kind: 'api-error'; readonly text: string; readonly status: number | null }
  | { readonly kind: 'notice'; readonly notice: Notice }
  | ({ readonly kind: 'agent' } & Pick<Subagent, 'toolUseId' | 'agentType' | 'description' | 'finished'>)
  | { readonly kind: 'raw'; readonly label: string; readonly value: Json }
  | { readonly kind: 'quiet'; readonly label: string };

export type BlockContent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  | {
      readonly kind: 'tool';
      readonly toolUseId: string;
      readonly name: string;
      readonly input: { readonly [key: string]: Json | undefined };
    }
  | { readonly kind: 'raw'; readonly label: string; readonly value: Json };

export interface Fact {
  readonly seq: number;
  /** Position within the event. */
  readonly index: number;
  readonly ts: number;
  /** The subagent's transcript it comes from; null: the main one. */
  readonly subpath: string | null;
  readonly body: FactBody;
}

/** Roughly what a fact holds in memory, in characters: what the bound on a window of history counts. */
export function factSize(fact: Fact): number {
  return 200 + sizeOf(fact.body);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 0;
  for (const part of Object.values(value)) size += sizeOf(part);
  return size;
}
