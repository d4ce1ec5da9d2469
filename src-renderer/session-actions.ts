import type { MachineId, RunId, Seq } from '../src-shared/ids.ts';
import { type NewSession, specOf } from '../src-shared/new-session.ts';
import type { PermissionMode, SessionStatus, SessionSummary } from '../src-shared/session.ts';
import { call, closeSession, expectSession, newInputId, sendCommand } from './engine.ts';
import { atMachine } from './machines/at-machine.ts';
import { withRecent } from './preferences.ts';
import { useWindow } from './store.ts';
import { changePreferences } from './workspace/saved-layout.ts';
import { activeContent, openPane, type Place } from './workspace/workspace.ts';

/** What a user does to sessions. Refusals are thrown: who asked tells the user. */
export interface NewTerminal {
  /** null: the shell of the settings, else the login shell. */
  readonly command: string | null;
  readonly args: readonly string[];
  readonly cwd: string;
  /** null: this machine. */
  readonly machineId: MachineId | null;
}

/** Until the pane has measured itself. */
const usualSize = { cols: 100, rows: 30 };
const home = '~';

export function sessionOf(runId: RunId): SessionSummary | undefined {
  return useWindow.getState().sessions.get(runId);
}

/** The folder that a new session starts in: the active session's where that runs on the same machine, else home. */
export function currentFolder(machineId: MachineId | null = null): string {
  const content = activeContent();
  const session = content?.is === 'session' ? sessionOf(content.runId) : undefined;
  if (session === undefined) return home;
  return (session.remote === null ? null : session.machineId) === machineId ? session.cwd : home;
}

export async function startTerminal(terminal: NewTerminal, place: Place = 'tab'): Promise<RunId> {
  const { command, args, cwd, machineId } = terminal;
  const program = command === null ? {} : { command, args: [...args] };
  return start({ kind: 'pty', cwd, ...usualSize, ...program }, place, machineId);
}

/** A terminal as one expects it at a key: the usual shell, in the folder of the pane one is in. */
export async function quickTerminal(place: Place = 'tab', machineId: MachineId | null = null): Promise<void> {
  const there = isThisMachine(machineId) ? null : machineId;
  await startTerminal({ command: null, args: [], cwd: currentFolder(there), machineId: there }, place);
}

function isThisMachine(machineId: MachineId | null): boolean {
  return machineId === useWindow.getState().host?.machineId;
}

interface NewClaude {
  readonly cwd: string;
  readonly model: string;
  readonly permissionMode: PermissionMode;
}

/** `machineId` null: on this machine. */
export async function startClaude(choice: NewClaude, machineId: MachineId | null): Promise<void> {
  const { cwd, model, permissionMode } = choice;
  await start({ kind: 'claude', cwd, model: model || null, permissionMode }, 'tab', machineId);
  if (machineId !== null) return;
  // Doing without questions is chosen each time anew, never by habit.
  const remembered = choice.permissionMode === 'bypassPermissions' ? { ...choice, permissionMode: 'default' as const } : choice;
  changePreferences((preferences) => ({
    newClaude: remembered,
    recentFolders: withRecent(preferences.recentFolders, choice.cwd),
  }));
}

async function start(wanted: NewSession, place: Place, machineId: MachineId | null): Promise<RunId> {
  const spec = specOf(wanted, useWindow.getState().settings, machineId !== null);
  const asked = { inputId: newInputId(), spec, title: null, ...atMachine(machineId) };
  const { session } = await call('session.create', asked);
  show(session, place);
  return session.runId;
}

export async function forkSession(runId: RunId): Promise<void> {
  const origin = sessionOf(runId);
  if (origin) await forkSessionAt(runId, origin.lastSeq, '');
}

/** Goes another way from event `seq` on; `draft` is the prompt that is proposed there. */
export async function forkSessionAt(runId: RunId, seq: Seq, draft: string): Promise<void> {
  const { session } = await call('session.fork', { inputId: newInputId(), runId, seq });
  if (draft !== '') await call('draft.set', { runId: session.runId, text: draft });
  show(session, 'tab');
}

function show(session: SessionSummary, place: Place): void {
  expectSession(session);
  openPane({ is: 'session', runId: session.runId }, place);
}

export async function renameSession(runId: RunId, title: string): Promise<void> {
  const cleaned = title.trim();
  await call('session.rename', { runId, title: cleaned === '' ? null : cleaned });
}

export async function restartSession(runId: RunId): Promise<void> {
  await sendCommand(runId, { kind: 'restart' });
}

export async function interruptSession(runId: RunId): Promise<void> {
  await sendCommand(runId, { kind: 'interrupt' });
}

/** Ends the session's program; its log stays. */
export async function endSession(runId: RunId): Promise<void> {
  await closeSession(runId);
}

export async function deleteSessions(runIds: readonly RunId[]): Promise<void> {
  for (const runId of runIds) await call('session.delete', { runId });
}

const overStatuses: ReadonlySet<SessionStatus> = new Set(['ended', 'interrupted']);
const busyStatuses: ReadonlySet<SessionStatus> = new Set(['starting', 'running', 'waiting', 'moving']);

/** Its program does not run. */
export function isOver(session: SessionSummary): boolean {
  return overStatuses.has(session.status);
}
/** It does something that ending it would cut off. */
export function isBusy(session: SessionSummary): boolean {
  return busyStatuses.has(session.status);
}
/** There is a turn, or a program, to interrupt. */
export function canInterrupt(session: SessionSummary): boolean {
  return session.kind === 'pty' ? !isOver(session) : session.status === 'running' || session.status === 'waiting';
}
