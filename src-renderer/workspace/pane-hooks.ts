import { useEffect, useRef } from 'react';
import type { RunId } from '../../src-shared/ids.ts';
import { addPaneHandlers, type Handlers } from '../commands.ts';
import { paneIdOf } from './layout.ts';
import { addFocusTaker } from './pane-focus.ts';
import { addRevealer, type Place } from './pane-reveal.ts';

/** Registers a session pane's own commands. `handlers` may be made anew at each render; the newest are used. */
export function usePaneCommands(runId: RunId, handlers: Handlers): void {
  const paneId = paneIdOf({ is: 'session', runId });
  useEffect(() => addPaneHandlers(paneId, handlers), [paneId, handlers]);
}

/** Says how a session's pane takes the keyboard when it becomes the active one by key or by opening it. */
export function usePaneFocus(runId: RunId, takeFocus: () => void): void {
  const newest = useNewest(takeFocus);
  const paneId = paneIdOf({ is: 'session', runId });
  useEffect(() => addFocusTaker(paneId, () => newest.current()), [paneId, newest]);
}

/** Says how a session's pane shows a place of its past (a search result). */
export function usePaneReveal(runId: RunId, reveal: (place: Place) => void): void {
  const newest = useNewest(reveal);
  const paneId = paneIdOf({ is: 'session', runId });
  useEffect(() => addRevealer(paneId, (place) => newest.current(place)), [paneId, newest]);
}

function useNewest<T>(value: T): { readonly current: T } {
  const newest = useRef(value);
  useEffect(() => {
    newest.current = value;
  });
  return newest;
}
