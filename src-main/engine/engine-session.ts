import type { LogEvent } from '../../src-shared/events.ts';
import type { Epoch, RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import type { LiveText } from '../../src-shared/protocol.ts';
import type { SessionSpec, SessionState, SessionSummary } from '../../src-shared/session.ts';
import type { Outcome, SessionCommand } from './session-commands.ts';
import type { SessionScreen } from './session-screen.ts';
import type { SessionViewer, SessionViewers } from './session-viewers.ts';

/** What viewers may know of a session's log. */
export interface ShownLog {
  readonly published: { readonly seq: Seq; readonly state: SessionState };
  /** Published events after `after`, from memory, about `maxBytes` of them (at least one). null: not in memory any more. */
  recent(after: Seq, maxBytes: number): readonly LogEvent[] | null;
  /** Bytes of terminal output that were published after that event and are still in memory. */
  outputAfter(seq: Seq): number;
}

/** A session as viewers, operations and the server see it, wherever it runs: here (Session) or on another machine (RemoteSession). */
export interface EngineSession {
  readonly runId: RunId;
  readonly epoch: Epoch;
  readonly spec: SessionSpec;
  readonly log: ShownLog;
  readonly viewers: SessionViewers;
  readonly screen: SessionScreen;
  /** A program takes keys. */
  readonly isRunning: boolean;
  summary(): SessionSummary;
  /** Executed once, whatever the sender repeats [input-1]. */
  execute(command: SessionCommand, clientId: string): Promise<Outcome>;
  /** Typed bytes: nothing awaited, stored or logged on the way [input-5]. Without a viewer nobody drives because of them. */
  keys(viewer: SessionViewer | null, data: Uint8Array): void;
  /** What is being written at this moment. */
  liveTexts(): readonly LiveText[];
  /** What its terminal shows where it runs, which is further on than the log here; null: the log here is what there is to show. */
  ahead(): Screen | null;
  /** How far the one who drives is behind has changed. */
  watchDriver(): void;
}
