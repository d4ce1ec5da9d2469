import i18next from 'i18next';
import { call, thisClient, whenReady } from '../engine.ts';
import type { Preferences } from '../preferences.ts';
import { useWindow } from '../store.ts';
import { describeFailure, showFailure, showNotice } from '../ui/toasts.tsx';
import { LAYOUT_VERSION, readLayout, type SavedLayout } from './layout.ts';
import { restoreDock, saveDock } from './workspace.ts';

/** One change fires many events; and a drag fires changes without end, of which one is written every so often. */
const settleMs = 30;
const writeEveryMs = 200;

let timer: ReturnType<typeof setTimeout> | null = null;
let writtenAt = Number.NEGATIVE_INFINITY;
/** Nothing is written before what is stored has been read: a window that opens must not overwrite its own layout. */
let isRestored = false;
let hasToldOfFailure = false;

/** Reads this client's arrangement and puts it in place. Called once, when the sessions are known and the dock is there. */
export async function restoreLayout(): Promise<void> {
  isRestored = false;
  if (timer !== null) clearTimeout(timer);
  timer = null;
  await whenReady();
  const { layout: stored } = await call('layout.get', { clientId: thisClient() });
  const { layout, problem } = readLayout(stored);
  useWindow.setState({ preferences: layout.preferences });
  const isInPlace = restoreDock(layout.dock, layout.closed);
  isRestored = true;
  if (problem !== null) tellOfLoss(problem);
  else if (!isInPlace) tellOfLoss(i18next.t('layout.refused'));
}

function tellOfLoss(problem: string): void {
  showNotice(i18next.t('layout.lost'), { description: `${problem} ${i18next.t('layout.fresh')}` });
}

export function changePreferences(change: (preferences: Preferences) => Partial<Preferences>): void {
  useWindow.setState(({ preferences }) => ({ preferences: { ...preferences, ...change(preferences) } }));
  layoutChanged();
}

/** To be called at every change of panes or preferences. */
export function layoutChanged(): void {
  if (!isRestored || timer !== null) return;
  const waitMs = Math.max(settleMs, writtenAt + writeEveryMs - performance.now());
  timer = setTimeout(() => void writeLayout(), waitMs);
}

/** Writes at once what waits to be written: the window is being closed. */
export function flushLayout(): void {
  if (timer !== null) void writeLayout();
}

async function writeLayout(): Promise<void> {
  if (timer !== null) clearTimeout(timer);
  timer = null;
  writtenAt = performance.now();
  const layout: SavedLayout = { version: LAYOUT_VERSION, ...saveDock(), preferences: useWindow.getState().preferences };
  try {
    // The dock's JSON has undefined members, which a wire would carry and a store would not: settle it here.
    await call('layout.set', { clientId: thisClient(), layout: JSON.parse(JSON.stringify(layout)) });
    hasToldOfFailure = false;
  } catch (error) {
    // Once per spell of failures: it will be tried again at the next change.
    if (!hasToldOfFailure) showFailure(i18next.t('layout.notSaved'), new Error(describeFailure(error)));
    hasToldOfFailure = true;
  }
}
