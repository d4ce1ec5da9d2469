import type { LogEvent } from '../src-shared/events.ts';
import type { RunId, Seq } from '../src-shared/ids.ts';
import type { Screen } from '../src-shared/operations.ts';
import type { Input, LiveText } from '../src-shared/protocol.ts';
import type { Refusal } from '../src-shared/refusal.ts';
import type { SessionState, SessionSummary } from '../src-shared/session.ts';

/**
 * What the workspace gives a pane, and what a pane may ask for.
 *
 * `terminal/terminal-pane.tsx` exports `TerminalPane(props: PaneProps)`, `claude/claude-pane.tsx` exports
 * `ClaudePane(props: PaneProps)`. The workspace draws everything around them: tab, buttons, the bar of an ended session, the
 * status line, the error boundary.
 *
 * - the session: `useAttachment(runId, {isOn, onStart, onEvents})` from attachment.ts
 * - commands (find, copy, clear …): `usePaneCommands(runId, handlers)` from workspace/pane-hooks.ts; their keys come from the one
 *   keymap, in the contexts that the focused element stands in: put `data-context="terminal"` (claude, permission, find) on the
 *   element inside which such keys work
 * - the keyboard: `usePaneFocus(runId, takeFocus)`; a search result that is opened here: `usePaneReveal(runId, ({seq, match}) => …)`
 * - operations (history.read, draft.set …): `call(name, params)` from engine.ts
 * - settings: `useWindow((window) => window.settings)` from store.ts
 * - words: `useTranslation('terminal')` / `useTranslation('claude')`, texts/terminal.json and texts/claude.json
 */
export interface PaneProps {
  readonly runId: RunId;
  /** This pane is the one that commands and keys are for. */
  readonly active: boolean;
  /** Its tab is in front. A hidden pane stays mounted but is out of the document: it should attach nothing and draw nothing. */
  readonly visible: boolean;
}

export interface AttachmentOptions {
  /** False detaches; true again resumes after the last event that was handed to `onEvents`. */
  readonly isOn: boolean;
  /** The size of a terminal's pane when it attaches; null for others. Read at the moment of attaching. */
  readonly viewport?: () => { cols: number; rows: number } | null;
  /**
   * What the pane shows begins anew: forget everything. A terminal starts from `screen`; the first event handed over next is the
   * one after `after`. Not called when a reconnect could continue where it stood.
   */
  readonly onStart: (start: AttachmentStart) => void;
  /** In `seq` order, each once. Called outside of React's rendering; terminal output may come often. */
  readonly onEvents: (events: readonly LogEvent[]) => void;
}

export interface AttachmentStart {
  readonly after: Seq;
  /** The log's end when this was sent. */
  readonly lastSeq: Seq;
  readonly screen: Screen | null;
}

/** attaching: nothing known yet. live: up to date. stale: was live, the wire is being restored. */
export type AttachmentIs = 'off' | 'attaching' | 'live' | 'stale' | 'refused';

export interface Attachment {
  readonly is: AttachmentIs;
  /** Why it is 'refused'. */
  readonly refusal: Refusal | null;
  readonly session: SessionSummary | null;
  /** Folded from every event so far. */
  readonly state: SessionState | null;
  /**
   * Texts being written now, each complete from its beginning (offset 0), in the order they began. They leave when the turn ends
   * and when the log begins anew; a pane leaves out those whose message it has already got from the log.
   */
  readonly live: readonly LiveText[];
  /** This window's typing decides the terminal's size. */
  readonly isDriving: boolean;
  /** The name of the client whose typing decides it; null: nobody's. */
  readonly driver: string | null;
  /** The clients that have the session attached, this one among them. */
  readonly viewers: readonly { readonly clientId: string; readonly name: string }[];
  /** A command with an `inputId`: resolves with the event that records it, rejects with a RefusalError. */
  readonly send: (command: CommandDraft) => Promise<Seq>;
  readonly keys: (data: Uint8Array) => void;
  readonly setViewport: (cols: number, rows: number) => void;
  /** `bytes` more of terminal output have been parsed: lets the host send on. */
  readonly parsed: (bytes: number) => void;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
/** A command without its `inputId`: `send` makes one, so that a resend after a reconnect is the same command. */
export type CommandDraft = DistributiveOmit<Extract<Input, { inputId: unknown }>, 'inputId'>;
