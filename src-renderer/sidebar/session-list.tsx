import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { useWindow } from '../store.ts';
import { PHONE, useMedia } from '../ui/media.ts';
import { changePreferences } from '../workspace/saved-layout.ts';
import { openPane } from '../workspace/workspace.ts';
import { filterSessions, groupSessions, type ListRow, listRows } from './grouping.ts';
import { GroupHeading, SessionRow } from './session-row.tsx';
import { useWindowed } from './windowed.ts';

const ROW_PX = 28;
/** What a finger meets. */
const PHONE_ROW_PX = 48;

/**
 * Headings and sessions share one column of rows, but not one parent: the list "Sessions" holds sessions and nothing else, the
 * headings that fold them stand beside it.
 *
 * Keyboard: one tab stop; arrows, Home and End walk, Enter opens, arrow left and right fold and unfold, Delete deletes.
 */
export function SessionList({ query }: { query: string }) {
  const { t } = useTranslation();
  const rows = useRows(query);
  const rowPx = useMedia(PHONE) ? PHONE_ROW_PX : ROW_PX;
  const { scroller, onScroll, first, end, reveal } = useWindowed(rows.length, rowPx);
  const [focused, setFocused] = useState<string | null>(null);
  const at = Math.max(
    0,
    rows.findIndex((row) => keyOf(row) === focused),
  );
  const wished = useRef<string | null>(null);
  useEffect(() => {
    if (wished.current === null) return;
    const row = scroller.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(wished.current)}"]`);
    wished.current = null;
    row?.focus();
  });
  const handleKey = (event: KeyboardEvent) => {
    if (event.key === 'Delete') askToDelete(rows[at]);
    const step = stepFor(event.key, at, rows);
    if (step === null) return;
    event.preventDefault();
    const index = Math.min(rows.length - 1, Math.max(0, step));
    const row = rows[index];
    if (!row) return;
    wished.current = keyOf(row);
    setFocused(keyOf(row));
    reveal(index);
  };
  const drawn = rows.map((row, index) => ({ row, index })).filter(({ index }) => (index >= first && index < end) || index === at);
  const total = rows.filter((row) => row.is === 'session').length;
  const props = (row: ListRow, index: number) => ({ isTabStop: index === at, onFocus: () => setFocused(keyOf(row)) });

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: walks between the rows, which are what is pressed
    <div
      ref={scroller}
      data-session-list
      className="relative min-h-0 flex-1 overflow-y-auto"
      onScroll={onScroll}
      onKeyDown={handleKey}
    >
      <Hint isFiltering={query !== ''} isShown={rows.length === 0} />
      <div className="relative min-h-full" style={{ height: rows.length * rowPx }}>
        <div>
          {drawn.map(({ row, index }) =>
            row.is === 'group' ? (
              <At key={keyOf(row)} index={index} rowPx={rowPx}>
                <GroupHeading row={row} {...props(row, index)} onToggle={() => toggleGroup(row)} />
              </At>
            ) : null,
          )}
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: <ul> and <li> would have to be unstyled to be placed by position */}
        <div role="list" aria-label={t('sidebar.sessions')} className="pointer-events-none absolute inset-0">
          {drawn.map(({ row, index }) =>
            row.is === 'session' ? (
              <At key={keyOf(row)} index={index} rowPx={rowPx} item={{ position: positionOf(rows, index), total }}>
                <SessionRow session={row.session} {...props(row, index)} onOpen={open} />
              </At>
            ) : null,
          )}
        </div>
      </div>
    </div>
  );
}

interface AtProps {
  readonly index: number;
  readonly rowPx: number;
  readonly item?: { readonly position: number; readonly total: number };
  readonly children: ReactNode;
}

/** One row at its place. Only what is near is drawn, so an item says where it stands in the whole. */
function At({ index, rowPx, item, children }: AtProps) {
  return (
    <div
      className="pointer-events-auto absolute inset-x-0 top-0"
      style={{ height: rowPx, transform: `translateY(${index * rowPx}px)` }}
      {...(item ? { role: 'listitem', 'aria-posinset': item.position, 'aria-setsize': item.total } : {})}
    >
      {children}
    </div>
  );
}

function keyOf(row: ListRow): string {
  return row.is === 'group' ? row.group.key : row.session.runId;
}

function positionOf(rows: readonly ListRow[], index: number): number {
  return rows.slice(0, index + 1).filter((row) => row.is === 'session').length;
}

function open(runId: RunId): void {
  openPane({ is: 'session', runId });
}

function askToDelete(row: ListRow | undefined): void {
  if (row?.is === 'session' && row.session.status === 'ended')
    useWindow.setState({ overlay: { is: 'deleteSessions', runIds: [row.session.runId] } });
}

/** Where a key leads from row `at`; null: not a key of the list. Arrow left on a session goes to its group's heading. */
function stepFor(key: string, at: number, rows: readonly ListRow[]): number | null {
  if (key === 'ArrowDown') return at + 1;
  if (key === 'ArrowUp') return at - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return rows.length - 1;
  const row = rows[at];
  if (key === 'ArrowLeft' && row?.is === 'session') return rows.findLastIndex((each, index) => index < at && each.is === 'group');
  if (row?.is === 'group' && key === (row.isFolded ? 'ArrowRight' : 'ArrowLeft')) {
    toggleGroup(row);
    return at;
  }
  return null;
}

function toggleGroup({ group, isFolded }: Extract<ListRow, { is: 'group' }>): void {
  changePreferences(({ sidebar }) => ({
    sidebar: {
      ...sidebar,
      folded: isFolded ? sidebar.folded.filter((key) => key !== group.key) : [...sidebar.folded, group.key],
    },
  }));
}

function useRows(query: string): readonly ListRow[] {
  const sessions = useWindow((window) => window.sessions);
  const { groupBy, folded } = useWindow((window) => window.preferences.sidebar);
  return useMemo(() => {
    const shown = filterSessions([...sessions.values()], query);
    return listRows(groupSessions(shown, groupBy), folded, query !== '');
  }, [sessions, query, groupBy, folded]);
}

/** What an empty list says, once it is known that it is empty. */
function Hint({ isFiltering, isShown }: { isFiltering: boolean; isShown: boolean }) {
  const { t } = useTranslation();
  const isKnown = useWindow((window) => window.host !== null);
  if (!isShown || !isKnown) return null;
  return <p className="absolute px-3 py-2 text-faint">{isFiltering ? t('sidebar.noMatch') : t('sidebar.none')}</p>;
}
