import { ArrowDown } from 'lucide-react';
import { memo, type Ref, useCallback, useEffect, useImperativeHandle, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Turn } from '../../../src-shared/conversation/conversation-items.ts';
import { Button } from '../../ui/button.tsx';
import { describeFailure } from '../../ui/toasts.tsx';
import { EndRow } from './end-row.tsx';
import { GroupRow } from './group-row.tsx';
import type { HistoryState } from './history.ts';
import { ItemBody } from './item-row.tsx';
import { PromptRow } from './prompt-row.tsx';
import { guessHeight } from './row-height.ts';
import type { Row } from './rows.ts';
import type { Anchor } from './scroll-memory.ts';
import { type ListStart, WindowList, type WindowListHandle } from './window-list.tsx';
import { WorkingRow } from './working-row.tsx';

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

/** The conversation, drawn as far as it is seen. Growing text never moves what the reader looks at. */
export function ConversationList(props: ConversationListProps) {
  const { rows, history, startPlace, onPlace, onOlder, onNewer, onLatest, turnActions, ref } = props;
  const { t } = useTranslation('claude');
  const list = useRef<WindowListHandle>(null);
  const [start] = useState(() => startOf(rows, startPlace()));
  const [isAtEnd, setAtEnd] = useState(start === null);
  const hasNews = useNews(rows, isAtEnd);
  const { isAtTail } = history;

  const toEnd = useCallback(() => {
    void onLatest().then(() => list.current?.toEnd());
  }, [onLatest]);
  useImperativeHandle(ref, () => ({ toEnd }), [toEnd]);
  const draw = useCallback((row: Row) => <RowView row={row} turnActions={turnActions} />, [turnActions]);
  usePlaceSaver(list, isAtEnd && isAtTail, onPlace);

  return (
    <div className="relative min-h-0 flex-1">
      <WindowList
        ref={list}
        rows={rows}
        draw={draw}
        estimate={guessHeight}
        start={start}
        label={t('conversation.label')}
        header={<Older history={history} onOlder={onOlder} />}
        onNearStart={onOlder}
        onNearEnd={onNewer}
        onAtEnd={setAtEnd}
      />
      {!(isAtEnd && isAtTail) && (
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
          <Button size="sm" icon={ArrowDown} onClick={toEnd} className="pointer-events-auto rounded-full bg-raised shadow-float">
            {hasNews || !isAtTail ? t('conversation.newBelow') : t('conversation.toEnd')}
          </Button>
        </div>
      )}
    </div>
  );
}

function startOf(rows: readonly Row[], place: Anchor | null): ListStart | null {
  if (place === null || rows.length === 0) return null;
  const same = rows.findIndex((row) => row.key === place.key);
  if (same >= 0) return { index: same, offsetPx: place.offsetPx };
  // Rows may be cut otherwise than they were; the place in the log stays.
  const near = rows.findIndex((row) => (seqOf(row) ?? 0) >= place.seq);
  return near < 0 ? null : { index: near, offsetPx: 0 };
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
  list: { readonly current: WindowListHandle | null },
  isAtEnd: boolean,
  onPlace: (place: Anchor | null) => void,
) {
  useEffect(() => {
    if (isAtEnd) {
      onPlace(null);
      return;
    }
    const element = list.current?.scroller() ?? null;
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
  }, [list, isAtEnd, onPlace]);
}

function placeOf(scroller: HTMLElement): Anchor | null {
  const { top } = scroller.getBoundingClientRect();
  for (const element of scroller.querySelectorAll<HTMLElement>('[data-row]')) {
    const box = element.getBoundingClientRect();
    const key = element.dataset.row;
    const seq = element.querySelector<HTMLElement>('[data-seq]')?.dataset.seq;
    if (box.bottom > top + 1 && key !== undefined) return { key, seq: Number(seq ?? 0), offsetPx: Math.round(top - box.top) };
  }
  return null;
}

/** At the top: that there is more, or why it could not be read. As high whatever it says: nothing below it moves. */
function Older({ history, onOlder }: Pick<ConversationListProps, 'history' | 'onOlder'>) {
  const { t } = useTranslation('claude');
  const { failure, hasOlder } = history;
  const hasFailed = failure !== null && failure !== undefined;
  return (
    <div className="flex h-10 items-center justify-center gap-2 px-6 text-11 text-faint">
      {hasFailed ? (
        <>
          <span className="truncate">{t('conversation.olderFailed', { reason: describeFailure(failure) })}</span>
          <Button size="sm" onClick={onOlder}>
            {t('tryAgain')}
          </Button>
        </>
      ) : (
        hasOlder && t('conversation.older')
      )}
    </div>
  );
}

const RowView = memo(function RowView({ row, turnActions }: { row: Row; turnActions: TurnActions }) {
  return (
    <div data-seq={seqOf(row)} className={spaceAbove(row)}>
      {/* With the scroll bar's room at both sides as wide as the composer below. */}
      <div className="mx-auto max-w-200 px-3.5 @max-[560px]:px-0.5">
        <RowBody row={row} turnActions={turnActions} />
      </div>
    </div>
  );
});

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
