import { create } from 'zustand';
import type { MachineId, RunId } from '../src-shared/ids.ts';
import type { Keybinding } from '../src-shared/keymap.ts';
import type { MachineList, PairingState } from '../src-shared/machines.ts';
import type { OutboxItem } from '../src-shared/operations.ts';
import type { SessionState, SessionSummary } from '../src-shared/session.ts';
import { DEFAULT_SETTINGS, type Settings } from '../src-shared/settings.ts';
import { DEFAULT_PREFERENCES, type Preferences } from './preferences.ts';

/** How this window stands with the engine. `since` is ms since 1970. */
export type Connection =
  | { readonly is: 'connecting'; readonly since: number }
  | { readonly is: 'live'; readonly since: number }
  /** Reconnecting by itself. What is on screen is as old as `since`. */
  | { readonly is: 'lost'; readonly since: number; readonly reason: string }
  /** The engine refuses this window for good (another version). */
  | { readonly is: 'refused'; readonly since: number; readonly reason: string };

export interface Host {
  readonly machineId: MachineId;
  readonly machine: string;
  readonly engineVersion: string;
  /** `process.platform` of the engine. */
  readonly platform: string;
}

/** What floats above the panes; one at a time. */
export type Overlay =
  | { readonly is: 'palette' }
  | { readonly is: 'goToSession' }
  /** `machineId`: there from the start; null: on this machine, until another one is chosen. */
  | { readonly is: 'newClaude'; readonly machineId: MachineId | null }
  | { readonly is: 'newTerminal'; readonly machineId: MachineId | null }
  | { readonly is: 'rename'; readonly runId: RunId }
  | { readonly is: 'closePane'; readonly paneId: string; readonly runId: RunId }
  | { readonly is: 'deleteSessions'; readonly runIds: readonly RunId[] }
  | { readonly is: 'addMachine' }
  | { readonly is: 'joinMachine' }
  | { readonly is: 'renameMachine'; readonly machineId: MachineId }
  | { readonly is: 'revokeMachine'; readonly machineId: MachineId }
  | { readonly is: 'leaveWorkspace' };

/** Who looks at a session that this window shows, on whatever machine. */
export interface Presence {
  /** Whose typing decides a terminal's size; null: nobody's. */
  readonly driver: string | null;
  readonly viewers: readonly { readonly clientId: string; readonly name: string }[];
}

/** By what road a browser reaches its server. */
export type Road = 'websocket' | 'polling' | 'unreachable';

/** Why a browser shows nothing but the way in. */
export type SignInState =
  | { readonly is: 'needed' }
  /** It was signed in, until `reason`. */
  | { readonly is: 'ended'; readonly reason: string }
  /** The code it came with was not accepted. */
  | { readonly is: 'refused' }
  | { readonly is: 'unreachable'; readonly reason: string };

export interface SettingsFile {
  readonly path: string;
  readonly problems: readonly string[];
}

export interface WindowState {
  readonly connection: Connection;
  /** null: a window of the desktop app, or nothing tried yet. */
  readonly road: Road | null;
  /** null: let in. */
  readonly signIn: SignInState | null;
  readonly host: Host | null;
  readonly sessions: ReadonlyMap<RunId, SessionSummary>;
  /** What is known in full of the sessions that this window has attached. */
  readonly states: ReadonlyMap<RunId, SessionState>;
  /** What this machine keeps for others until they have answered, by session. Those without have no entry. */
  readonly outboxes: ReadonlyMap<RunId, readonly OutboxItem[]>;
  readonly presence: ReadonlyMap<RunId, Presence>;
  /** The user's machines and their relay; null: not known yet. */
  readonly machines: MachineList | null;
  readonly pairing: PairingState;
  readonly settings: Settings;
  readonly settingsFile: SettingsFile | null;
  readonly keybindings: readonly Keybinding[];
  readonly preferences: Preferences;
  readonly overlay: Overlay | null;
  /** Sessions whose notes are unfolded. */
  readonly openNotes: ReadonlySet<RunId>;
  /** In a narrow window the sidebar covers the panes while it is wanted. */
  readonly isSidebarOverPanes: boolean;
  /** The pane that commands are for, and the session in it. */
  readonly activePane: string | null;
  readonly activeRun: RunId | null;
  readonly openRuns: ReadonlySet<RunId>;
  /** Those whose tab is in front. */
  readonly visibleRuns: ReadonlySet<RunId>;
  /** A screen reader runs, as far as the desktop shell knows. */
  readonly screenReader: boolean;
}

export const useWindow = create<WindowState>(() => ({
  connection: { is: 'connecting', since: Date.now() },
  road: null,
  signIn: null,
  host: null,
  sessions: new Map(),
  states: new Map(),
  outboxes: new Map(),
  presence: new Map(),
  machines: null,
  pairing: { is: 'none' },
  settings: DEFAULT_SETTINGS,
  settingsFile: null,
  keybindings: [],
  preferences: DEFAULT_PREFERENCES,
  overlay: null,
  openNotes: new Set(),
  isSidebarOverPanes: false,
  activePane: null,
  activeRun: null,
  openRuns: new Set(),
  visibleRuns: new Set(),
  screenReader: false,
}));
