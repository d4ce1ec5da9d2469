/** A tab strip that is too short for its tabs scrolls; the active tab is never the one that is out of sight. */
export function showTab(paneId: string): void {
  const show = () =>
    document
      .querySelector(`[data-tab-panel-id="${CSS.escape(paneId)}"]`)
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  // The button for the hidden ones comes a frame later and takes room from the strip.
  requestAnimationFrame(() => {
    show();
    requestAnimationFrame(() => requestAnimationFrame(show));
  });
}
