import i18next from 'i18next';
import type { RunId } from '../src-shared/ids.ts';
import type { Handler, Handlers } from './commands.ts';
import { call } from './engine.ts';
import { mayManage } from './machines/machine-state.ts';
import { focusRegion } from './navigation/regions.ts';
import {
  canInterrupt,
  endSession,
  forkSession,
  interruptSession,
  isBusy,
  isOver,
  quickTerminal,
  restartSession,
  sessionOf,
} from './session-actions.ts';
import { shell } from './shell.ts';
import { nextWaiting } from './sidebar/grouping.ts';
import { toggleSidebar } from './sidebar/sidebar-shown.ts';
import { type Overlay, useWindow } from './store.ts';
import { showNotice } from './ui/toasts.tsx';
import {
  activeContent,
  activePanel,
  canReopen,
  canZoom,
  contentById,
  type Direction,
  goInDirection,
  goToTab,
  openPane,
  paneInDirection,
  removePane,
  reopenPane,
  stepTab,
  tabs,
  toggleZoom,
} from './workspace/workspace.ts';

function show(overlay: Overlay): void {
  useWindow.setState({ overlay });
}

/** The session that a command is for: the row of the list that has the focus, else the active pane's. */
function activeSession() {
  const focused = document.activeElement?.closest('[data-run-id]')?.getAttribute('data-run-id');
  const row = [...useWindow.getState().sessions.values()].find((session) => session.runId === focused);
  if (row) return row;
  const content = activeContent();
  return content?.is === 'session' ? sessionOf(content.runId) : undefined;
}

type Session = NonNullable<ReturnType<typeof activeSession>>;

/** A command on the active session, offered only while `fits`. */
function onSession(fits: (session: Session) => boolean, run: (runId: RunId) => void | Promise<void>): Handler {
  return {
    isEnabled: () => {
      const session = activeSession();
      return session !== undefined && fits(session);
    },
    run: () => {
      const session = activeSession();
      return session && run(session.runId);
    },
  };
}

/** Closing a pane ends no program by itself: what still works asks what to do, unless the user has said so for good. */
export async function closePane(paneId: string): Promise<void> {
  const content = contentById(paneId);
  const session = content?.is === 'session' ? sessionOf(content.runId) : undefined;
  const { closingPane } = useWindow.getState().preferences;
  if (session && isBusy(session) && closingPane === 'ask') {
    show({ is: 'closePane', paneId, runId: session.runId });
    return;
  }
  removePane(paneId);
  if (session && isBusy(session) && closingPane === 'end') await endSession(session.runId);
}

const go = (direction: Direction): Handler => ({
  isEnabled: () => paneInDirection(direction) !== undefined,
  run: () => goInDirection(direction),
});
const tab = (n: number | 'last'): Handler => ({
  isEnabled: () => tabs().length >= (n === 'last' ? 1 : n),
  run: () => goToTab(n),
});

async function changeFont(by: number): Promise<void> {
  const zoom = useWindow.getState().settings['appearance.zoom'];
  const next = by === 0 ? 1 : Math.min(3, Math.max(0.5, Math.round((zoom + by) * 10) / 10));
  await call('settings.set', { changes: { 'appearance.zoom': next } });
}

function goToAttention(): void {
  const { sessions, activeRun } = useWindow.getState();
  const next = nextWaiting([...sessions.values()], activeRun);
  if (next) openPane({ is: 'session', runId: next.runId });
}

async function installCommand(): Promise<void> {
  const { path, isOnPath } = await call('shell.installCommand', {});
  const folder = path.replace(/\/[^/]*$/, '');
  const text = isOnPath ? 'installCommand.tryIt' : 'installCommand.addToPath';
  showNotice(i18next.t('installCommand.done', { path }), { description: i18next.t(text, { folder }) });
}

const sessionHandlers: Handlers = {
  'session.newTerminal': { run: () => quickTerminal() },
  'session.newTerminalWith': { run: () => show({ is: 'newTerminal', machineId: null }) },
  'session.newClaude': { run: () => show({ is: 'newClaude', machineId: null }) },
  'session.rename': onSession(
    () => true,
    (runId) => show({ is: 'rename', runId }),
  ),
  'session.restart': onSession(isOver, restartSession),
  'session.interrupt': onSession(canInterrupt, interruptSession),
  'session.fork': onSession((session) => session.kind === 'claude' && session.lastSeq > 0, forkSession),
  'session.close': onSession((session) => !isOver(session), endSession),
  'session.delete': onSession(isOver, (runId) => show({ is: 'deleteSessions', runIds: [runId] })),
};

const paneHandlers: Handlers = {
  'pane.close': {
    isEnabled: () => activePanel() !== null,
    run: async () => {
      const panel = activePanel();
      if (panel) await closePane(panel.id);
    },
  },
  'pane.reopen': { isEnabled: canReopen, run: reopenPane },
  'pane.splitRight': { run: () => quickTerminal('right') },
  'pane.splitDown': { run: () => quickTerminal('down') },
  'pane.zoom': { isEnabled: canZoom, run: toggleZoom },
  'pane.focusLeft': go('left'),
  'pane.focusRight': go('right'),
  'pane.focusUp': go('up'),
  'pane.focusDown': go('down'),
  'tab.next': { isEnabled: () => tabs().length > 1, run: () => stepTab(1) },
  'tab.previous': { isEnabled: () => tabs().length > 1, run: () => stepTab(-1) },
  'tab.go1': tab(1),
  'tab.go2': tab(2),
  'tab.go3': tab(3),
  'tab.go4': tab(4),
  'tab.go5': tab(5),
  'tab.go6': tab(6),
  'tab.go7': tab(7),
  'tab.go8': tab(8),
  'tab.goLast': tab('last'),
};

const windowHandlers: Handlers = {
  'go.palette': { run: () => show({ is: 'palette' }) },
  'go.session': { run: () => show({ is: 'goToSession' }) },
  'go.attention': {
    isEnabled: () => nextWaiting([...useWindow.getState().sessions.values()], null) !== null,
    run: goToAttention,
  },
  'go.region': { run: () => focusRegion(1) },
  'go.regionBack': { run: () => focusRegion(-1) },
  'find.everywhere': { run: () => openPane({ is: 'page', page: 'search' }) },
  'view.sidebar': { run: toggleSidebar },
  'view.fontLarger': { run: () => changeFont(0.1) },
  'view.fontSmaller': { run: () => changeFont(-0.1) },
  'view.fontReset': { run: () => changeFont(0) },
  'view.fullScreen': { run: async () => void (await call('shell.window', { action: 'toggle-fullscreen' })) },
  'machines.show': { run: () => openPane({ is: 'page', page: 'machines' }) },
  'machines.add': {
    isEnabled: () => mayManage(useWindow.getState().machines),
    run: () => show({ is: 'addMachine' }),
  },
  'machines.join': {
    isEnabled: () => useWindow.getState().machines?.workspace === null,
    run: () => show({ is: 'joinMachine' }),
  },
  'settings.show': { run: () => openPane({ is: 'page', page: 'settings' }) },
  'settings.openFile': {
    isEnabled: () => useWindow.getState().settingsFile !== null,
    run: async () => {
      const file = useWindow.getState().settingsFile;
      if (file) await call('shell.openPath', { path: file.path, line: null });
    },
  },
  'app.installCommand': { isEnabled: () => shell !== null, run: installCommand },
  'help.shortcuts': { run: () => openPane({ is: 'page', page: 'shortcuts' }) },
  'window.new': { run: async () => void (await call('shell.window', { action: 'new' })) },
  'window.close': { run: async () => void (await call('shell.window', { action: 'close' })) },
  'app.quit': { run: async () => void (await call('shell.window', { action: 'quit' })) },
};

export const frameHandlers: Handlers = { ...sessionHandlers, ...paneHandlers, ...windowHandlers };
