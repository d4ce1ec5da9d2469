import { canTakeFocus, focusPane } from '../workspace/pane-focus.ts';

const focusable =
  'button:not(:disabled):not([tabindex="-1"]), input:not(:disabled), textarea:not(:disabled), [tabindex="0"], a[href]';

/** What takes the focus in a region: the marked element, else its first control. */
function entryOf(region: HTMLElement): HTMLElement | null {
  return region.querySelector<HTMLElement>('[data-region-focus]') ?? region.querySelector<HTMLElement>(focusable);
}

/**
 * Moves the focus into the next (or previous) part of the window: sidebar, each pane, status line, in the order they stand in the
 * document. A part in which nothing can be done now is passed over.
 */
export function focusRegion(by: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region], .dv-groupview')].filter((region) => entryOf(region));
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const from = at < 0 && by === -1 ? 0 : at;
  const next = regions[(from + by + regions.length) % regions.length];
  if (!next) return;
  const paneId = next.querySelector('.dv-active-tab')?.getAttribute('data-tab-panel-id');
  // A pane knows best what in it takes the keyboard.
  if (paneId && canTakeFocus(paneId)) focusPane(paneId);
  else entryOf(next)?.focus();
}
