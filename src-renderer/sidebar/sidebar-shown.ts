import { useWindow } from '../store.ts';
import { NARROW, useMedia } from '../ui/media.ts';
import { changePreferences } from '../workspace/saved-layout.ts';

/** Beside the panes it is as the user left it; in a narrow window it covers them, and only for as long as it is wanted. */
export function useSidebarShown(): boolean {
  const isNarrow = useMedia(NARROW);
  const isHidden = useWindow((window) => window.preferences.sidebar.isHidden);
  const isOverPanes = useWindow((window) => window.isSidebarOverPanes);
  return isNarrow ? isOverPanes : !isHidden;
}

export function toggleSidebar(): void {
  if (matchMedia(NARROW).matches) useWindow.setState(({ isSidebarOverPanes }) => ({ isSidebarOverPanes: !isSidebarOverPanes }));
  else changePreferences(({ sidebar }) => ({ sidebar: { ...sidebar, isHidden: !sidebar.isHidden } }));
}
