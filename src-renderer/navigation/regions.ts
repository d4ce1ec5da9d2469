/** The parts that F6 goes round, in the order they stand in the document: sidebar, each pane, status line. */
function regions(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-region], .dv-groupview')].filter(
    (region) => region.offsetParent !== null || region === document.body,
  );
}

/** Moves the focus into the next (or previous) region: to where it was last in there, else to its first control. */
export function focusRegion(by: 1 | -1): void {
  const all = regions();
  if (all.length === 0) return;
  const at = all.findIndex((region) => region.contains(document.activeElement));
  const from = at < 0 ? (by === 1 ? -1 : 0) : at;
  const next = all[(from + by + all.length) % all.length];
  if (next) focusInto(next);
}

function focusInto(region: HTMLElement): void {
  const wished = region.querySelector<HTMLElement>('[data-region-focus]');
  const first = region.querySelector<HTMLElement>(
    'button:not(:disabled):not([tabindex="-1"]), input:not(:disabled), textarea:not(:disabled), [tabindex="0"], a[href]',
  );
  (wished ?? first ?? region).focus();
}
