import type { DockviewApi, IDockviewPanel, SerializedDockview } from 'dockview-react';
import type { RunId } from '../../src-shared/ids.ts';
import { useWindow } from '../store.ts';
import { isPhone } from '../ui/media.ts';
import { type PaneContent, paneIdOf } from './layout.ts';
import { focusPane } from './pane-focus.ts';
import { titleOf } from './pane-title.ts';

/** Where a new pane goes, seen from the active one. */
export type Place = 'tab' | 'right' | 'down';
export type Direction = 'left' | 'right' | 'up' | 'down';

/** Closed panes that can be reopened. */
const CLOSED_LIMIT = 20;

/**
 * The panes of this window: what is open, where, which one is active. Dockview holds the arrangement; this is the only file that
 * changes it.
 */
let dock: DockviewApi | null = null;
let closed: PaneContent[] = [];
/** Asked for before the dock was there. */
let early: (() => void)[] = [];

export function setDock(api: DockviewApi | null): void {
  dock = api;
  if (api === null) return;
  const waiting = early;
  early = [];
  for (const act of waiting) act();
}

function withDock(act: (api: DockviewApi) => void): void {
  if (dock) act(dock);
  else early.push(() => withDock(act));
}

export function contentOf(panel: IDockviewPanel): PaneContent {
  // Panels are made by openPane and by readLayout, both of which know the type.
  return panel.params as PaneContent;
}

/** Shows `content`: the pane it already has, or a new one. */
export function openPane(content: PaneContent, place: Place = 'tab'): void {
  withDock((api) => {
    const id = paneIdOf(content);
    const open = api.getPanel(id);
    // A phone shows one at a time.
    const where = isPhone() ? 'tab' : place;
    if (!open) addPanel(api, content, where);
    else if (where === 'tab') open.api.setActive();
    else moveBeside(api, open, where);
    useWindow.setState({ isSidebarOverPanes: false });
    // There the focus would bring up the keyboard, over what one wants to read.
    if (!isPhone()) focusPane(id);
  });
}

function addPanel(api: DockviewApi, content: PaneContent, place: Place): void {
  const beside = api.activePanel;
  if (place !== 'tab' && api.hasMaximizedGroup()) api.exitMaximizedGroup();
  api.addPanel<PaneContent>({
    id: paneIdOf(content),
    component: 'pane',
    title: titleOf(content, useWindow.getState().sessions),
    params: content,
    ...(beside && place !== 'tab'
      ? { position: { referencePanel: beside, direction: place === 'right' ? 'right' : 'below' } as const }
      : {}),
  });
}

function moveBeside(api: DockviewApi, panel: IDockviewPanel, place: 'right' | 'down'): void {
  const group = api.activeGroup;
  if (group && (group !== panel.group || group.panels.length > 1)) {
    if (api.hasMaximizedGroup()) api.exitMaximizedGroup();
    panel.api.moveTo({ group, position: place === 'right' ? 'right' : 'bottom' });
  }
  panel.api.setActive();
}

export function activePanel(): IDockviewPanel | null {
  return dock?.activePanel ?? null;
}

export function activeContent(): PaneContent | null {
  const panel = activePanel();
  return panel && contentOf(panel);
}

export function contentById(paneId: string): PaneContent | null {
  const panel = dock?.getPanel(paneId);
  return panel ? contentOf(panel) : null;
}

/** Takes the pane away; its session goes on. */
export function removePane(paneId: string): void {
  const panel = dock?.getPanel(paneId);
  if (!dock || !panel) return;
  closed = [contentOf(panel), ...closed].slice(0, CLOSED_LIMIT);
  dock.removePanel(panel);
  const next = dock.activePanel;
  if (isPhone()) useWindow.setState({ isSidebarOverPanes: true });
  else if (next) focusPane(next.id);
}

/** Takes away the panes of sessions that are no more; they cannot be reopened. */
export function forgetSession(runId: RunId): void {
  closed = closed.filter((content) => content.is !== 'session' || content.runId !== runId);
  const panel = dock?.getPanel(paneIdOf({ is: 'session', runId }));
  if (dock && panel) dock.removePanel(panel);
}

export function canReopen(): boolean {
  return closed.length > 0;
}

export function reopenPane(): void {
  const [last, ...rest] = closed;
  if (!last) return;
  closed = rest;
  openPane(last);
}

export function toggleZoom(): void {
  const panel = activePanel();
  if (!dock || !panel) return;
  if (dock.hasMaximizedGroup()) dock.exitMaximizedGroup();
  else dock.maximizeGroup(panel);
  // Rebuilding the grid takes the focus from whatever had it.
  focusPane(panel.id);
}

/** Gives the keyboard back to the active pane when nothing has it. */
export function refocusActivePane(): void {
  const panel = activePanel();
  if (panel && (document.activeElement === null || document.activeElement === document.body)) focusPane(panel.id);
}

export function canZoom(): boolean {
  return (dock?.groups.length ?? 0) > 1;
}

function activate(panel: IDockviewPanel | undefined): void {
  if (!panel) return;
  panel.api.setActive();
  focusPane(panel.id);
}

export function paneInDirection(direction: Direction): IDockviewPanel | undefined {
  const from = dock?.activeGroup;
  if (!dock || !from || dock.hasMaximizedGroup()) return undefined;
  return dock.adjacentGroupInDirection(from, direction)?.activePanel;
}

export function goInDirection(direction: Direction): void {
  activate(paneInDirection(direction));
}

/** The tabs of the active group, in order. */
export function tabs(): readonly IDockviewPanel[] {
  return dock?.activeGroup?.panels ?? [];
}

export function stepTab(by: 1 | -1): void {
  const all = tabs();
  const active = activePanel();
  if (active === null) return;
  const at = all.indexOf(active);
  activate(all[(at + by + all.length) % all.length]);
}

/** `n` counts from 1; 'last' is the last one however many there are. */
export function goToTab(n: number | 'last'): void {
  activate(n === 'last' ? tabs().at(-1) : tabs()[n - 1]);
}

/** The arrangement as it is stored; null while there are no panes. */
export function saveDock(): { readonly dock: SerializedDockview | null; readonly closed: readonly PaneContent[] } {
  return { dock: dock && dock.totalPanels > 0 ? dock.toJSON() : null, closed };
}

/** Puts a stored arrangement in place, without the sessions that are no more. False: it could not be used and all panes are closed. */
export function restoreDock(saved: SerializedDockview | null, savedClosed: readonly PaneContent[]): boolean {
  if (!dock) throw new Error('the panes are restored before the dock is there');
  const { sessions } = useWindow.getState();
  const exists = (content: PaneContent) => content.is !== 'session' || sessions.has(content.runId);
  closed = savedClosed.filter(exists);
  if (saved === null) return true;
  try {
    dock.fromJSON(saved);
  } catch (error) {
    console.warn('the stored layout was refused by the dock', error);
    dock.clear();
    return false;
  }
  for (const panel of [...dock.panels]) if (!exists(contentOf(panel))) dock.removePanel(panel);
  const active = dock.activePanel;
  if (active && !isPhone()) focusPane(active.id);
  return true;
}
