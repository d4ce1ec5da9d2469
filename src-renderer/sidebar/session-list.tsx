import { type ComponentPropsWithRef, useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import type { RunId } from '../../src-shared/ids.ts';
import { useWindow } from '../store.ts';
import { changePreferences } from '../workspace/saved-layout.ts';
import { openPane } from '../workspace/workspace.ts';
import { filterSessions, groupSessions, type ListRow, listRows } from './grouping.ts';
import { GroupHeading, SessionRow } from './session-row.tsx';

export const ROW_PX = 28;

/** Rows that are kept beyond the edges, in px, so that quick scrolling shows no blanks. */
const overscanPx = ROW_PX * 12;

/** The list is what screen readers know as "Sessions"; the scroller around it is Virtuoso's. */
function List(props: ComponentPropsWithRef<'div'> & { context?: { label: string } }) {
  const { context, children, ...rest } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: Virtuoso sizes and pads this element as a div
    <div {...rest} role="list" aria-label={context?.label}>
      {children}
    </div>
  );
}

function Item(props: ComponentPropsWithRef<'div'> & { item?: ListRow; context?: unknown }) {
  const { item, context: _, ...rest } = props;
  // biome-ignore lint/a11y/useSemanticElements: Virtuoso measures a div
  return <div {...rest} role="listitem" />;
}

/** Keyboard: one tab stop; arrows, Home and End walk, Enter opens, arrow left and right fold and unfold. */
export function SessionList({ query }: { query: string }) {
  const { t } = useTranslation();
  const rows = useRows(query);
  const list = useRef<VirtuosoHandle>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const at = Math.max(
    0,
    rows.findIndex((row) => keyOf(row) === focused),
  );

  const focusRow = useCallback(
    (index: number) => {
      const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
      if (!row) return;
      const key = keyOf(row);
      setFocused(key);
      list.current?.scrollIntoView({ index: rows.indexOf(row), done: () => rowElement(key)?.focus() });
    },
    [rows],
  );

  if (rows.length === 0) return <Nothing isFiltering={query !== ''} />;
  return (
    <Virtuoso
      ref={list}
      data={rows as ListRow[]}
      data-session-list
      tabIndex={-1}
      className="min-h-0 flex-1"
      fixedItemHeight={ROW_PX}
      increaseViewportBy={overscanPx}
      context={{ label: t('sidebar.sessions') }}
      components={{ List, Item }}
      computeItemKey={(_, row) => keyOf(row)}
      onKeyDown={(event) => {
        if (event.key === 'Delete') askToDelete(rows[at]);
        const step = stepFor(event.key, at, rows);
        if (step === null) return;
        event.preventDefault();
        focusRow(step);
      }}
      itemContent={(index, row) =>
        row.is === 'group' ? (
          <GroupHeading
            row={row}
            isTabStop={index === at}
            onFocus={() => setFocused(keyOf(row))}
            onToggle={() => toggleGroup(row)}
          />
        ) : (
          <SessionRow session={row.session} isTabStop={index === at} onFocus={() => setFocused(keyOf(row))} onOpen={open} />
        )
      }
    />
  );
}

export function keyOf(row: ListRow): string {
  return row.is === 'group' ? row.group.key : row.session.runId;
}

function rowElement(key: string): HTMLElement | null {
  return document.querySelector(`[data-session-list] [data-row="${CSS.escape(key)}"]`);
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
  if (
    (key === 'ArrowLeft' && row?.is === 'group' && !row.isFolded) ||
    (key === 'ArrowRight' && row?.is === 'group' && row.isFolded)
  ) {
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

function Nothing({ isFiltering }: { isFiltering: boolean }) {
  const { t } = useTranslation();
  const isConnected = useWindow((window) => window.host !== null);
  return (
    <div className="min-h-0 flex-1 px-3 py-2">
      {/* biome-ignore lint/a11y/useSemanticElements: the same list, empty */}
      <div role="list" aria-label={t('sidebar.sessions')} />
      {isConnected && <p className="text-faint">{isFiltering ? t('sidebar.noMatch') : t('sidebar.none')}</p>}
    </div>
  );
}
