import { useWindow } from '../store.ts';
import { NARROW, PHONE, useMedia } from '../ui/media.ts';
import { changePreferences } from '../workspace/saved-layout.ts';

/**
 * Beside the panes it is as the user left it; in a narrow window it covers them, and only for as long as it is wanted. On a phone
 * it is where one is while no session is open.
 */
export function useSidebarShown(): boolean {
  const isNarrow = useMedia(NARROW);
  const isPhone = useMedia(PHONE);
  const hasPane = useWindow((window) => window.activePane !== null);
  const isHidden = useWindow((window) => window.preferences.sidebar.isHidden);
  const isOverPanes = useWindow((window) => window.isSidebarOverPanes);
  if (isPhone && !hasPane) return true;
  return isNarrow ? isOverPanes : !isHidden;
}

export function toggleSidebar(): void {
  if (matchMedia(NARROW).matches) useWindow.setState(({ isSidebarOverPanes }) => ({ isSidebarOverPanes: !isSidebarOverPanes }));
  else changePreferences(({ sidebar }) => ({ sidebar: { ...sidebar, isHidden: !sidebar.isHidden } }));
}
