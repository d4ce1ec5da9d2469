import type { Json, LogEvent, NewEvent, PermissionDecision, PromptContent } from '../../../src-shared/events.ts';
import type { InputId, RunId, Seq } from '../../../src-shared/ids.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import type { SessionSpec, SessionState } from '../../../src-shared/session.ts';

/**
 * The contract between a session and what runs in it. contract.ts holds every adapter to these promises.
 *
 * 1. An adapter never numbers, stores or shows anything: it hands events to its host, in the order in which they happened.
 * 2. `start` may be called again after `exited`; the same log goes on. Between `exited` and the next `start` there is no child.
 * 3. All output of a child has been handed over before `exited` is.
 * 4. Exactly one `exited` for each successful `start`.
 * 5. After `close` has resolved no child of this adapter is alive and nothing more is handed to the host.
 * 6. Every turn begun by `prompt` ends with exactly one `turnEnded`, also when the child dies.
 * 7. A method that cannot do what it is asked throws RefusalError and changes nothing.
 */
export interface Adapter {
  /** Starts the child (or whatever runs). Resolves when it runs; the adapter has appended `system:status started` by then. */
  start(): Promise<void>;
  /** Typed bytes. Never awaited, never logged. */
  write(data: Uint8Array): void;
  resize(cols: number, rows: number): void;
  /** One prompt; the next one comes only after `turnEnded`. */
  prompt(prompt: { readonly inputId: InputId; readonly content: PromptContent }): Promise<void>;
  /** The first valid answer to a request; the session has checked that it is pending and has logged it already. */
  answer(answer: {
    readonly requestId: string;
    readonly decision: PermissionDecision;
    readonly reason: string | null;
    /** Allowed, but with this input instead of the one that was asked with. */
    readonly updatedInput?: Readonly<Record<string, Json>> | undefined;
  }): Promise<void>;
  /** Ends the turn, or what the foreground program does. Without one it does nothing. */
  interrupt(): Promise<void>;
  setOptions(options: { readonly model?: string | null; readonly permissionMode?: string }): Promise<void>;
  /** Output that the child may still produce before its reader asks it to stop; called by the session for back-pressure. */
  pauseOutput(): void;
  resumeOutput(): void;
  /** Texts that are being written now, for a viewer that joins in the middle. */
  liveTexts(): readonly LiveText[];
  /** Ends the child: politely, then by force after `graceMs`. Safe to call twice and without a child. */
  close(graceMs: number): Promise<void>;
}

/** What a session gives its adapter. */
export interface AdapterHost {
  readonly runId: RunId;
  readonly spec: SessionSpec;
  /** The session's state now, folded from its log. */
  readonly state: SessionState;
  /** Environment for children: the machine's, cleaned of Electron's and Baton's own variables, plus what a pane sets. */
  childEnv(): Record<string, string>;
  /** Appends events. The promise resolves with the last one's seq when they are fsynced (`durable`) or accepted by the writer (otherwise). */
  append(events: readonly NewEvent[], options?: { readonly durable?: boolean }): Promise<Seq>;
  /** Terminal output: coalesced by the session (first chunk at once, then about every 4 ms or 64 KB) into `pty:stdout` events. */
  output(bytes: Uint8Array): void;
  /** Text being written; not logged. */
  live(text: LiveText): void;
  /** Reads the log of this session, or of another one (a fork's origin), in order. */
  readLog(options: {
    readonly runId?: RunId;
    readonly after?: Seq;
    readonly upTo?: Seq;
    readonly channels?: readonly string[];
  }): AsyncIterable<LogEvent>;
  /** A child process exists (or no longer does): recorded with its start time, so that a crash of the engine leaves none unseen. */
  child(pid: number | null): Promise<void>;
  /** The turn begun by `prompt` (or by the program itself, inputId null) is over. */
  turnEnded(end: {
    readonly inputId: InputId | null;
    readonly outcome: 'done' | 'interrupted' | 'failed';
    readonly message: string | null;
  }): void;
  /** The child is gone. */
  exited(exit: { readonly exitCode: number | null; readonly signal: string | null; readonly reason: string | null }): void;
}

export type AdapterFactory = (host: AdapterHost) => Adapter;
