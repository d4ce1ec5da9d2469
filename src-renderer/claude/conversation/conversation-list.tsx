import { ArrowDown } from 'lucide-react';
import { type Ref, useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type IndexLocationWithAlign, Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import type { Turn } from '../../../src-shared/conversation-items.ts';
import { Button } from '../../ui/button.tsx';
import { describeFailure } from '../../ui/toasts.tsx';
import { EndRow } from './end-row.tsx';
import { FIRST_INDEX, nextFirstIndex } from './first-index.ts';
import { GroupRow } from './group-row.tsx';
import type { HistoryState } from './history.ts';
import { ItemBody } from './item-row.tsx';
import { PromptRow } from './prompt-row.tsx';
import type { Row } from './rows.ts';
import type { Anchor } from './scroll-memory.ts';
import { WorkingRow } from './working-row.tsx';

/** Rows drawn above and below what is seen, so that scrolling shows no blank. */
const OVERDRAW_PX = 600;
/** Nearer to the end than this counts as at the end. */
const END_PX = 40;
const savePlaceMs = 250;

export interface ConversationListProps {
  readonly rows: readonly Row[];
  readonly history: Pick<HistoryState, 'isAtTail' | 'hasOlder' | 'isLoading' | 'failure'>;
  /** Where to begin; null: at the end. Read once. */
  readonly startPlace: () => Anchor | null;
  readonly onPlace: (place: Anchor | null) => void;
  readonly onOlder: () => void;
  readonly onNewer: () => void;
  readonly onLatest: () => Promise<void>;
  readonly turnActions: TurnActions;
  readonly ref?: Ref<ConversationListHandle>;
}

export interface TurnActions {
  readonly canFork: (turn: Turn) => boolean;
  readonly canRetry: (turn: Turn) => boolean;
  readonly onForkBefore: (turn: Turn) => void;
  readonly onForkAfter: (turn: Turn) => void;
  /** Sends the turn's prompt again. */
  readonly onRetry: (turn: Turn) => void;
}

export interface ConversationListHandle {
  /** Goes to the end and stays there while it grows. */
  readonly toEnd: () => void;
}

interface Context {
  readonly history: ConversationListProps['history'];
  readonly onOlder: () => void;
}

/** The conversation, drawn as far as it is seen. Growing text never moves what the reader looks at. */
export function ConversationList(props: ConversationListProps) {
  const { rows, history, startPlace, onPlace, onOlder, onNewer, onLatest, turnActions, ref } = props;
  const { t } = useTranslation('claude');
  const virtuoso = useRef<VirtuosoHandle>(null);
  const scroller = useRef<HTMLElement | null>(null);
  const [place] = useState(startPlace);
  const [start] = useState(() => startOf(rows, place));
  const [isAtEnd, setAtEnd] = useState(place === null);
  const firstIndex = useFirstIndex(rows);
  const hasNews = useNews(rows, isAtEnd);

  const toEnd = useCallback(() => {
    void onLatest().then(() => virtuoso.current?.scrollToIndex({ index: 'LAST', align: 'end' }));
  }, [onLatest]);
  useImperativeHandle(ref, () => ({ toEnd }), [toEnd]);

  const context = useMemo((): Context => ({ history, onOlder }), [history, onOlder]);
  const drawRow = useCallback((_: number, row: Row) => <RowView row={row} turnActions={turnActions} />, [turnActions]);
  usePlaceSaver(scroller, isAtEnd && history.isAtTail, onPlace);

  return (
    <div className="relative min-h-0 flex-1">
      <Virtuoso<Row, Context>
        ref={virtuoso}
        scrollerRef={(element) => {
          scroller.current = element instanceof HTMLElement ? element : null;
        }}
        role="region"
        aria-label={t('conversation.label')}
        tabIndex={0}
        data={rows}
        context={context}
        components={{ Header, Footer }}
        computeItemKey={keyOfRow}
        itemContent={drawRow}
        firstItemIndex={firstIndex}
        initialTopMostItemIndex={start}
        followOutput={(isAtBottom) => (isAtBottom ? 'auto' : false)}
        atBottomThreshold={END_PX}
        atBottomStateChange={setAtEnd}
        startReached={onOlder}
        endReached={onNewer}
        increaseViewportBy={OVERDRAW_PX}
        className="h-full [overflow-anchor:none]"
      />
      {!(isAtEnd && history.isAtTail) && (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
          <Button size="sm" icon={ArrowDown} onClick={toEnd} className="pointer-events-auto rounded-full bg-raised shadow-float">
            {hasNews || !history.isAtTail ? t('conversation.newBelow') : t('conversation.toEnd')}
          </Button>
        </div>
      )}
    </div>
  );
}

const keyOfRow = (_: number, row: Row): string => row.key;

function startOf(rows: readonly Row[], place: Anchor | null): IndexLocationWithAlign {
  if (place === null || rows.length === 0) return { index: 'LAST', align: 'end' };
  const same = rows.findIndex((row) => row.key === place.key);
  if (same >= 0) return { index: same, align: 'start', offset: place.offsetPx };
  // Rows may be cut otherwise than they were; the place in the log stays.
  const near = rows.findIndex((row) => (seqOf(row) ?? 0) >= place.seq);
  return near < 0 ? { index: 'LAST', align: 'end' } : { index: near, align: 'start' };
}

/** The number of the first row: it falls by as many as are put in front, so that the others keep theirs and their places. */
function useFirstIndex(rows: readonly Row[]): number {
  const known = useRef({ rows, index: FIRST_INDEX });
  if (known.current.rows !== rows) {
    const { rows: before, index } = known.current;
    known.current = { rows, index: nextFirstIndex(before, index, rows) };
  }
  return known.current.index;
}

/** Whether the end has changed since the reader left it. */
function useNews(rows: readonly Row[], isAtEnd: boolean): boolean {
  const last = rows.at(-1);
  const [left, setLeft] = useState(last);
  if (isAtEnd && left !== last) setLeft(last);
  return !isAtEnd && left !== last;
}

/** Remembers the row at the top and how far it is scrolled: now and then while the reader scrolls. */
function usePlaceSaver(
  scroller: { readonly current: HTMLElement | null },
  isAtEnd: boolean,
  onPlace: (place: Anchor | null) => void,
) {
  useEffect(() => {
    if (isAtEnd) {
      onPlace(null);
      return;
    }
    const element = scroller.current;
    if (element === null) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const save = () => {
      timer = null;
      const place = placeOf(element);
      if (place !== null) onPlace(place);
    };
    const onScroll = () => {
      timer ??= setTimeout(save, savePlaceMs);
    };
    onScroll();
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      element.removeEventListener('scroll', onScroll);
      if (timer !== null) clearTimeout(timer);
    };
  }, [scroller, isAtEnd, onPlace]);
}

function placeOf(scroller: HTMLElement): Anchor | null {
  const { top } = scroller.getBoundingClientRect();
  for (const element of scroller.querySelectorAll<HTMLElement>('[data-row]')) {
    const box = element.getBoundingClientRect();
    const { row: key, seq } = element.dataset;
    if (box.bottom > top + 1 && key !== undefined) return { key, seq: Number(seq ?? 0), offsetPx: Math.round(top - box.top) };
  }
  return null;
}

function Header({ context }: { context?: Context }) {
  const { t } = useTranslation('claude');
  const { history, onOlder } = context ?? {};
  if (history === undefined) return null;
  if (history.failure !== null && history.failure !== undefined)
    return (
      <div className="flex items-center justify-center gap-2 py-3 text-dim">
        <span>{t('conversation.olderFailed', { reason: describeFailure(history.failure) })}</span>
        <Button size="sm" onClick={onOlder}>
          {t('tryAgain')}
        </Button>
      </div>
    );
  // As high whether it loads or not: a jump here would be a jump of everything below.
  return (
    <p className="flex h-8 items-center justify-center text-11 text-faint">{history.hasOlder ? t('conversation.older') : ''}</p>
  );
}

function Footer() {
  return <div className="h-6" />;
}

function RowView({ row, turnActions }: { row: Row; turnActions: TurnActions }) {
  return (
    <div data-row={row.key} data-seq={seqOf(row)} className={spaceAbove(row)}>
      <div className="mx-auto max-w-205 px-6 @max-[560px]:px-3">
        <RowBody row={row} turnActions={turnActions} />
      </div>
    </div>
  );
}

function RowBody({ row, turnActions }: { row: Row; turnActions: TurnActions }) {
  switch (row.kind) {
    case 'prompt':
      return <PromptRow turn={row.turn} onFork={turnActions.canFork(row.turn) ? turnActions.onForkBefore : null} />;
    case 'item':
      return <ItemBody item={row.item} />;
    case 'group':
      return <GroupRow foldKey={row.key} tools={row.tools} />;
    case 'end':
      return (
        <EndRow
          turn={row.turn}
          onForkAfter={turnActions.canFork(row.turn) ? turnActions.onForkAfter : null}
          onRetry={turnActions.canRetry(row.turn) ? turnActions.onRetry : null}
        />
      );
    case 'working':
      return <WorkingRow sinceTs={row.sinceTs} />;
  }
}

function seqOf(row: Row): number | undefined {
  if (row.kind === 'item') return row.item.seq;
  if (row.kind === 'group') return row.tools[0]?.seq;
  return row.kind === 'working' ? undefined : row.turn.seq;
}

/** The rhythm: close together what belongs together, air before a new turn. */
function spaceAbove(row: Row): string {
  switch (row.kind) {
    case 'prompt':
      return 'pt-6';
    case 'end':
      return 'pt-2';
    case 'group':
      return 'pt-1';
    case 'working':
      return 'pt-3';
    case 'item':
      return row.item.kind === 'tool' || row.item.kind === 'thinking' || row.item.kind === 'quiet' || row.item.kind === 'raw'
        ? 'pt-1'
        : 'pt-3';
  }
}
