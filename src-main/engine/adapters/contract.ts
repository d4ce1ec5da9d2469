import type { LogEvent, NewEvent, PromptContent } from '../../../src-shared/events.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import type { SessionSpec } from '../../../src-shared/session.ts';
import type { Adapter, AdapterFactory, AdapterHost } from './adapter.ts';

/** Everything an adapter told its host, in order. */
export type Told =
  | { readonly kind: 'events'; readonly events: readonly NewEvent[]; readonly durable: boolean }
  | { readonly kind: 'output'; readonly bytes: Uint8Array }
  | { readonly kind: 'live'; readonly text: LiveText }
  | { readonly kind: 'child'; readonly pid: number | null }
  | { readonly kind: 'turnEnded'; readonly end: Parameters<AdapterHost['turnEnded']>[0] }
  | { readonly kind: 'exited'; readonly exit: Parameters<AdapterHost['exited']>[0] };

/** An AdapterHost that keeps everything in memory and folds its log as a session does. */
export interface RecordingHost extends AdapterHost {
  readonly told: readonly Told[];
  readonly log: readonly LogEvent[];
  /** All output so far. */
  outputBytes(): Uint8Array;
  outputText(): string;
  /** Resolves with the first thing told (from the beginning, or after the first `from` ones) that fits. */
  when<T>(find: (told: Told) => T | undefined, from?: number): Promise<T>;
  /** Resolves when the condition, looked at after everything that is told, holds. */
  until(condition: () => boolean): Promise<void>;
}

export declare function recordingHost(
  spec: SessionSpec,
  options?: { readonly env?: Record<string, string>; readonly otherLogs?: readonly (readonly LogEvent[])[] },
): RecordingHost;

export interface AdapterContract {
  /** A fresh factory for one test, and what releases it. */
  readonly open: () => Promise<{ readonly factory: AdapterFactory; readonly dispose: () => Promise<void> }>;
  readonly spec: () => SessionSpec;
  /** Environment of the children. */
  readonly env?: () => Record<string, string>;
  /** Makes the child say something (output, events or live text). */
  readonly produce: (adapter: Adapter) => void | Promise<void>;
  /** Makes the child end by itself right after it has said something that ends with `lastWords`; null: it has no child. */
  readonly end: { readonly run: (adapter: Adapter) => void | Promise<void>; readonly lastWords: string } | null;
  /** A prompt that is answered soon, and one whose turn lasts until it is interrupted; null: takes no prompts. */
  readonly prompts: { readonly short: PromptContent; readonly endless: PromptContent } | null;
  /** Requests that this adapter cannot carry out. */
  readonly impossible: Readonly<Record<string, (adapter: Adapter) => Promise<unknown>>>;
}

/** Declares the tests that hold an adapter to the promises in adapter.ts. Call it at the top level of a test file. */
export declare function describeAdapterContract(name: string, contract: AdapterContract): void;
