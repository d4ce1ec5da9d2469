import { FolderTree, ListFilter, PanelLeftClose, Search, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useKeyLabel } from '../navigation/keymap.ts';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Icon } from '../ui/icon.tsx';
import { NARROW, useMedia } from '../ui/media.ts';
import { changePreferences } from '../workspace/saved-layout.ts';
import { SessionList } from './session-list.tsx';
import { SidebarFoot } from './sidebar-foot.tsx';
import { SidebarHandle } from './sidebar-handle.tsx';
import { toggleSidebar, useSidebarShown } from './sidebar-shown.ts';

/** Sessions at a glance: what needs the user first. Beside the panes, or above them in a narrow window. */
export function Sidebar() {
  const { t } = useTranslation();
  const width = useWindow((window) => window.preferences.sidebar.width);
  const isNarrow = useMedia(NARROW);
  const isShown = useSidebarShown();
  const [query, setQuery] = useState('');
  if (!isShown) return null;
  return (
    <>
      {isNarrow && <div aria-hidden className="fixed inset-0 z-30 bg-scrim" onPointerDown={toggleSidebar} />}
      <nav
        data-region="sidebar"
        aria-label={t('sidebar.name')}
        style={{ width }}
        className={classes(
          'flex h-full min-w-0 shrink-0 flex-col border-r border-line bg-sunken',
          isNarrow ? 'fixed inset-y-0 left-0 z-30 max-w-[85vw] shadow-float animate-appear' : 'relative',
        )}
      >
        <Head query={query} onQuery={setQuery} isNarrow={isNarrow} />
        <SessionList query={query} />
        <SidebarFoot />
        {!isNarrow && <SidebarHandle width={width} />}
      </nav>
    </>
  );
}

function Head({ query, onQuery, isNarrow }: { query: string; onQuery: (query: string) => void; isNarrow: boolean }) {
  const { t } = useTranslation();
  const groupBy = useWindow((window) => window.preferences.sidebar.groupBy);
  const sidebarKey = useKeyLabel('view.sidebar');
  const toggleGrouping = () =>
    changePreferences(({ sidebar }) => ({
      sidebar: { ...sidebar, groupBy: sidebar.groupBy === 'state' ? 'project' : 'state' },
    }));
  return (
    <div className="flex h-9 shrink-0 items-center gap-0.5 pr-1.5 pl-3">
      <Icon of={Search} size={14} className="text-faint" />
      <input
        type="search"
        aria-label={t('sidebar.filter')}
        placeholder={t('sidebar.filterHint')}
        spellCheck={false}
        value={query}
        onChange={(event) => onQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && query !== '') {
            event.stopPropagation();
            onQuery('');
          }
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            document.querySelector<HTMLElement>('[data-session-list] [tabindex="0"]')?.focus();
          }
        }}
        className="h-6 min-w-0 flex-1 rounded-sm bg-transparent px-2 select-text"
      />
      {query !== '' && <IconButton icon={X} label={t('sidebar.clearFilter')} onClick={() => onQuery('')} />}
      <IconButton
        icon={groupBy === 'state' ? FolderTree : ListFilter}
        label={groupBy === 'state' ? t('sidebar.groupByProject') : t('sidebar.groupByState')}
        onClick={toggleGrouping}
      />
      <IconButton icon={isNarrow ? X : PanelLeftClose} label={t('sidebar.hide')} shortcut={sidebarKey} onClick={toggleSidebar} />
    </div>
  );
}
