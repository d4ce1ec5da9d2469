import { FolderTree, ListFilter, type LucideIcon, Monitor, PanelLeftClose, Search, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHasSeveral } from '../machines/machine-state.ts';
import { MachinesSection } from '../machines/machines-section.tsx';
import { useKeyLabel } from '../navigation/keymap.ts';
import { ConnectionLabel } from '../status/connection-label.tsx';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Icon } from '../ui/icon.tsx';
import { NARROW, PHONE, useMedia } from '../ui/media.ts';
import { changePreferences } from '../workspace/saved-layout.ts';
import type { GroupBy } from './grouping.ts';
import { SessionList } from './session-list.tsx';
import { SidebarFoot } from './sidebar-foot.tsx';
import { SidebarHandle } from './sidebar-handle.tsx';
import { toggleSidebar, useSidebarShown } from './sidebar-shown.ts';

/** Sessions at a glance: what needs the user first. Beside the panes, or above them in a narrow window. */
export function Sidebar() {
  const { t } = useTranslation();
  const width = useWindow((window) => window.preferences.sidebar.width);
  const isNarrow = useMedia(NARROW);
  const isPhone = useMedia(PHONE);
  const isShown = useSidebarShown();
  const [query, setQuery] = useState('');
  if (!isShown) return null;
  return (
    <>
      {isNarrow && !isPhone && <div aria-hidden className="fixed inset-0 z-30 bg-scrim" onPointerDown={toggleSidebar} />}
      <nav
        data-region="sidebar"
        aria-label={t('sidebar.name')}
        style={isPhone ? {} : { width }}
        className={classes('flex min-w-0 shrink-0 flex-col bg-sunken', places[isPhone ? 'phone' : isNarrow ? 'above' : 'beside'])}
      >
        {isPhone && <PhoneHead />}
        <Head query={query} onQuery={setQuery} isNarrow={isNarrow} isPhone={isPhone} />
        <SessionList query={query} />
        <MachinesSection onFilter={setQuery} />
        <SidebarFoot />
        {!isNarrow && <SidebarHandle width={width} />}
      </nav>
    </>
  );
}

const places = {
  beside: 'relative h-full border-r border-line',
  above: 'fixed inset-y-0 left-0 z-30 max-w-[85vw] border-r border-line shadow-float animate-appear',
  phone: 'fixed inset-x-0 top-0 z-30 safe-area h-(--visible-height,100%)',
};

function PhoneHead() {
  return (
    <div className="flex h-12 shrink-0 items-center gap-3 px-4">
      <span className="flex-1 text-20 font-semibold">Baton</span>
      <ConnectionLabel />
    </div>
  );
}

interface HeadProps {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly isNarrow: boolean;
  readonly isPhone: boolean;
}

const groupIcons: Record<GroupBy, LucideIcon> = { state: ListFilter, project: FolderTree, machine: Monitor };

function Head({ query, onQuery, isNarrow, isPhone }: HeadProps) {
  const { t } = useTranslation();
  const groupBy = useWindow((window) => window.preferences.sidebar.groupBy);
  const sidebarKey = useKeyLabel('view.sidebar');
  const hasSeveral = useHasSeveral();
  const orders: readonly GroupBy[] = hasSeveral ? ['state', 'project', 'machine'] : ['state', 'project'];
  const next = orders[(orders.indexOf(groupBy) + 1) % orders.length] ?? 'state';
  const toggleGrouping = () => changePreferences(({ sidebar }) => ({ sidebar: { ...sidebar, groupBy: next } }));
  return (
    <div className="flex h-9 shrink-0 items-center gap-0.5 pr-1.5 pl-3 phone:h-12 phone:pr-2 phone:pl-4">
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
        className="h-6 min-w-0 flex-1 rounded-sm bg-transparent px-2 select-text phone:h-11"
      />
      {query !== '' && <IconButton icon={X} label={t('sidebar.clearFilter')} onClick={() => onQuery('')} />}
      <IconButton icon={groupIcons[next]} label={t(`sidebar.groupBy.${next}`)} onClick={toggleGrouping} />
      {!isPhone && (
        <IconButton
          icon={isNarrow ? X : PanelLeftClose}
          label={t('sidebar.hide')}
          shortcut={sidebarKey}
          onClick={toggleSidebar}
        />
      )}
    </div>
  );
}
