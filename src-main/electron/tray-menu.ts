import type { MenuItemConstructorOptions } from 'electron';
import type { RunId } from '../../src-shared/ids.ts';
import type { Machine, MachineList, RelayStatus } from '../../src-shared/machines.ts';
import { needsYou } from '../../src-shared/notify.ts';
import type { SessionStatus, SessionSummary } from '../../src-shared/session.ts';

export interface TrayState {
  /** null: there is no connection to the engine just now. */
  readonly engine: {
    readonly pid: number;
    readonly startedAt: Date;
    readonly isOwn: boolean;
    readonly port: number | null;
  } | null;
  readonly sessions: readonly SessionSummary[];
  /** null: not known yet. */
  readonly machines: MachineList | null;
}

export type TrayAction =
  | { readonly do: 'new-terminal' | 'new-claude' | 'add-machine' | 'show' | 'quit' }
  | { readonly do: 'relay'; readonly isOn: boolean }
  | { readonly do: 'show-session'; readonly runId: RunId };

/** A menu is no list: the window shows them all. */
const MAX_SESSIONS = 15;
const MAX_MACHINES = 8;
const MAX_LABEL_LENGTH = 60;

/** What needs the user first. Sessions that are over are the window's. */
const ORDER: readonly SessionStatus[] = ['waiting', 'running', 'moving', 'starting', 'idle'];
/** Told by shape as well as by word: a menu has no colours. */
const MARKS: Readonly<Record<SessionStatus, string>> = {
  waiting: '▲',
  running: '◐',
  moving: '◐',
  starting: '◐',
  idle: '○',
  ended: '✕',
  interrupted: '✕',
};

/** Everything that the tray offers is in its menu: on Linux a click on the icon may do nothing. */
export function trayMenu(state: TrayState, act: (action: TrayAction) => void): MenuItemConstructorOptions[] {
  const separator = { type: 'separator' } as const;
  return [
    { label: engineLine(state.engine), enabled: false },
    separator,
    ...sessionItems(state.sessions, act),
    separator,
    { label: 'New terminal', click: () => act({ do: 'new-terminal' }) },
    { label: 'New Claude session', click: () => act({ do: 'new-claude' }) },
    separator,
    ...machineItems(state.machines, act),
    separator,
    { label: 'Show Baton', click: () => act({ do: 'show' }) },
    { label: 'Quit Baton', click: () => act({ do: 'quit' }) },
  ];
}

/** The icon has a mark while any session waits for the user. */
export function trayIcon(sessions: readonly SessionSummary[]): 'idle' | 'attention' {
  return waiting(sessions) > 0 ? 'attention' : 'idle';
}

export function trayTooltip(sessions: readonly SessionSummary[]): string {
  const needed = waiting(sessions);
  return needed === 0 ? 'Baton' : `Baton: ${needed === 1 ? 'one session needs' : `${needed} sessions need`} you`;
}

function waiting(sessions: readonly SessionSummary[]): number {
  return sessions.filter(needsYou).length;
}

function engineLine(engine: TrayState['engine']): string {
  if (engine === null) return 'Engine: connecting';
  const since = engine.startedAt.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  const port = engine.port === null ? '' : `, port ${engine.port}`;
  return `${engine.isOwn ? 'Engine' : 'Background engine'} running since ${since} (pid ${engine.pid}${port})`;
}

const RELAY_WORDS: Readonly<Record<RelayStatus['state'], string>> = {
  off: 'none',
  connecting: 'connecting',
  live: 'connected',
  lost: 'out of reach',
  refused: 'not used any more',
};

/** How this machine stands with the others, and the one switch that there is. */
function machineItems(list: MachineList | null, act: (action: TrayAction) => void): MenuItemConstructorOptions[] {
  if (list === null) return [];
  const { workspace, relay, machines } = list;
  const others = machines.filter(({ self }) => !self);
  const shown = others
    .slice(0, MAX_MACHINES)
    .map((machine) => ({ label: machineLine(machine), click: () => act({ do: 'show' }) }));
  const rest = others.length - shown.length;
  const { embedded } = relay;
  return [
    ...(workspace === null ? [] : [{ label: `Relay: ${RELAY_WORDS[relay.state]}`, enabled: false }]),
    ...shown,
    ...(rest === 0 ? [] : [{ label: `${rest} more…`, click: () => act({ do: 'show' }) }]),
    {
      label: embedded?.running ? `Relay on this machine (${embedded.address})` : 'Relay on this machine',
      type: 'checkbox',
      checked: embedded !== null,
      click: () => act({ do: 'relay', isOn: embedded === null }),
    },
    { label: 'Add a machine…', click: () => act({ do: 'add-machine' }) },
  ];
}

function machineLine({ name, online, state }: Machine): string {
  const word = state === 'asleep' ? 'asleep' : online ? 'online' : state === 'unknown' ? 'unknown' : 'offline';
  return `${online ? '●' : '○'} ${labelOf(name)} (${word})`;
}

function sessionItems(sessions: readonly SessionSummary[], act: (action: TrayAction) => void): MenuItemConstructorOptions[] {
  const live = sessions
    .filter(({ status }) => ORDER.includes(status))
    .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status) || (a.lastActivityAt < b.lastActivityAt ? 1 : -1));
  if (live.length === 0) return [{ label: 'No sessions', enabled: false }];
  const shown = live.slice(0, MAX_SESSIONS).map(
    ({ runId, status, title }): MenuItemConstructorOptions => ({
      label: `${MARKS[status]} ${labelOf(title)} (${status === 'waiting' ? 'needs you' : status})`,
      click: () => act({ do: 'show-session', runId }),
    }),
  );
  const rest = live.length - shown.length;
  return rest === 0 ? shown : [...shown, { label: `${rest} more…`, click: () => act({ do: 'show' }) }];
}

/** Menus read & as the mark of a key. */
function labelOf(title: string): string {
  const short = title.length > MAX_LABEL_LENGTH ? `${title.slice(0, MAX_LABEL_LENGTH - 1)}…` : title;
  return short.replaceAll('&', '&&');
}
