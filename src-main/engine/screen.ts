import type { LogEvent } from '../../src-shared/events.ts';
import type { RunId, Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';

/** Colours as `#rrggbb`: what a program is told when it asks for them (OSC 4, 10, 11, 12). */
export interface TerminalColors {
  readonly foreground: string;
  readonly background: string;
  readonly cursor: string;
  /** The sixteen ANSI colours; the rest of the palette is fixed. */
  readonly palette: readonly string[];
}

/** The logged `pty:stdout` and `pty:resize` events after `after`, in order, about `maxBytes` of them (at least one); empty when there is none yet. */
export type ReadOutput = (after: Seq, maxBytes: number) => Promise<readonly LogEvent[]>;

export type Progress = { readonly state: 'none' | 'normal' | 'error' | 'indeterminate' | 'warning'; readonly percent: number };

/** What a terminal's program says beside its text. Everything is cleaned of control, bidi and zero-width characters and cut. */
export interface ScreenEvents {
  /** Answers to the program's queries, to be written to it. */
  onReply(bytes: Uint8Array): void;
  /** Changed window title (null: removed) or folder. */
  onDetails(details: { readonly programTitle?: string | null; readonly cwd?: string }): void;
  onBell(): void;
  onNotice(notice: { readonly title: string | null; readonly body: string }): void;
  onProgress(progress: Progress): void;
  /** A shell command is over (OSC 133 D). */
  onCommand(command: { readonly exitCode: number | null }): void;
  /** A screen worth storing, about every SCREEN_INTERVAL_BYTES of output: scrolling far up and restarts begin at the stored ones. */
  onScreen(screen: Screen): void;
  /** This terminal's screen cannot be kept any longer; snapshots are refused from now on. The session itself is not concerned. */
  onFailed(message: string): void;
}

export interface OpenScreen {
  readonly cols: number;
  readonly rows: number;
  /** Where to begin; null: an empty terminal before the first event. */
  readonly from: Screen | null;
  /** The log's last event. What lies between `from` and it is read from the log, and nothing in it is answered or announced. */
  readonly lastSeq: Seq;
  /** false where another machine runs the program: nothing is answered at all. */
  readonly answers: boolean;
  readonly readOutput: ReadOutput;
  readonly events: ScreenEvents;
}

export interface ScreenHandle {
  /** The bytes of event `seq`. They are copied; the caller keeps them. */
  write(seq: Seq, bytes: Uint8Array): void;
  resize(seq: Seq, cols: number, rows: number): void;
  /** Output written and not parsed yet. Bounded in memory: what exceeds UNPARSED_BYTES is read back from the log when its turn comes. */
  readonly behindBytes: number;
  /** The screen after everything that was written before this call. */
  snapshot(options: { readonly scrollbackLines: number }): Promise<Screen>;
  /** The screen as far as it is parsed: at once also under flood. Events after its `seq` complete it. */
  latest(options: { readonly scrollbackLines: number }): Promise<Screen>;
  close(): void;
}

export interface HistorySource {
  readonly runId: RunId;
  readonly readOutput: ReadOutput;
  /** The newest stored screen at or before (default: newest of all). */
  screen(atOrBefore?: Seq): Promise<Screen | null>;
  putScreen(screen: Screen): Promise<void>;
}

export interface HistoryPage {
  /** Whole lines (not wrapped), colours kept as SGR. */
  readonly lines: readonly string[];
  /** Position of the first of them: page backwards with it. Positions grow with time but are not dense. */
  readonly firstLine: number;
  /** There is nothing older. */
  readonly complete: boolean;
}

export interface Screens {
  open(runId: RunId, options: OpenScreen): ScreenHandle;
  /** The `limit` lines before `beforeLine` (default: the newest) of a terminal's whole past. */
  history(
    source: HistorySource,
    page: { readonly beforeLine?: number; readonly limit: number },
    signal?: AbortSignal,
  ): Promise<HistoryPage>;
  setColors(colors: TerminalColors): void;
  stop(): Promise<void>;
}

/** Starts the worker thread that keeps the screens of all terminals. */
export declare function startScreens(options: { readonly colors: TerminalColors }): Screens;
