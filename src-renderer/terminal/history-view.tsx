import { ArrowDown, History } from 'lucide-react';
import {
  type CSSProperties,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { useTranslation } from 'react-i18next';
import { Virtuoso } from 'react-virtuoso';
import type { TerminalPalette } from '../../src-shared/terminal-palettes.ts';
import { Button } from '../ui/button.tsx';
import { ErrorNotice } from '../ui/error-notice.tsx';
import { Icon } from '../ui/icon.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { describeFailure } from '../ui/toasts.tsx';
import { Painter, rangeIn, rowsOf, selectionRanges } from './history-dom.ts';
import type { FoundPlace, HistoryFindState } from './history-find.ts';
import { HistoryLine } from './history-line.tsx';
import type { HistoryState } from './history-pages.ts';
import { plainText } from './sgr.ts';
import type { TerminalHistory } from './use-history.ts';
import { useHistorySelection } from './use-history-selection.ts';

export interface HistoryHandle {
  readonly focus: () => void;
  /** What is selected; null: nothing. */
  readonly selectedText: () => string | null;
  readonly selectAll: () => void;
  readonly scroll: (by: 'pageUp' | 'pageDown' | 'top' | 'bottom') => void;
}

export interface HistoryViewProps {
  readonly history: TerminalHistory;
  readonly palette: TerminalPalette;
  /** Font and height of a line as in the live terminal. */
  readonly look: CSSProperties;
  readonly onClose: () => void;
  readonly ref: Ref<HistoryHandle>;
}

/** The whole past of a terminal: read as it is scrolled, selected, copied and searched like text. */
export function HistoryView({ history, palette, look, onClose, ref }: HistoryViewProps) {
  const { t } = useTranslation('terminal');
  const { pages } = history;
  const state = useSyncExternalStore(pages.subscribe, pages.state);
  const colours = { background: palette.background, color: palette.foreground, '--history-selection': palette.selection };
  return (
    <div className="absolute inset-0 z-10 flex flex-col" style={{ ...colours, ...look }}>
      <Bar />
      <div className="relative min-h-0 flex-1">
        {state.count === 0 || history.found.isGoing ? (
          <Emptiness state={state} isGoing={history.found.isGoing} onRetry={() => void pages.openEnd()} />
        ) : (
          <Lines key={state.opening} {...{ history, state, palette, onClose, ref }} />
        )}
        <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center font-sans">
          <Button
            size="sm"
            icon={ArrowDown}
            onClick={onClose}
            className="pointer-events-auto rounded-full bg-raised text-text shadow-float"
          >
            {t('history.backToLive')}
          </Button>
        </div>
      </div>
    </div>
  );
}

function Bar() {
  const { t } = useTranslation('terminal');
  return (
    <div className="flex h-6 shrink-0 items-center gap-1.5 border-b border-line bg-sunken px-2 font-sans text-11 text-dim">
      <Icon of={History} size={12} />
      {t('history.title')}
    </div>
  );
}

function Emptiness({ state, isGoing, onRetry }: { state: HistoryState; isGoing: boolean; onRetry: () => void }) {
  const { t } = useTranslation('terminal');
  return (
    <div className="flex h-full items-center justify-center p-6 font-sans text-13 text-dim">
      {(state.loading !== null || isGoing) && <Spinner label={t('history.loading')} />}
      {state.loading === null && state.problem === null && !isGoing && t('history.empty')}
      {state.problem !== null && (
        <ErrorNotice
          title={t('history.failed')}
          text={describeFailure(state.problem)}
          action={{ label: t('history.retry'), onSelect: onRetry }}
        />
      )}
    </div>
  );
}

interface LinesProps extends Pick<HistoryViewProps, 'history' | 'palette' | 'onClose' | 'ref'> {
  readonly state: HistoryState;
}

function Lines({ history, state, palette, onClose, ref }: LinesProps) {
  const { t } = useTranslation('terminal');
  const { pages, found, linesToEnd } = history;
  const scroller = useRef<HTMLElement>(null);
  const textOf = useCallback((line: number) => plainText(pages.line(line)), [pages]);
  const selecting = useHistorySelection(scroller, textOf);
  const paint = usePainting(scroller, selecting.selection, found, textOf);
  const { firstIndex, count } = state;
  const [first] = useState(() => firstToSee(state, found, linesToEnd));
  useImperativeHandle(
    ref,
    () => ({
      focus: () => scroller.current?.focus({ preventScroll: true }),
      selectedText: selecting.text,
      selectAll: () => {
        const { firstIndex: from, count: all } = pages.state();
        const last = from + all - 1;
        selecting.set({ anchor: { line: from, offset: 0 }, focus: { line: last, offset: textOf(last).length } });
      },
      scroll: (by) => {
        const box = scroller.current;
        if (by === 'top') history.openBeginning();
        else if (by === 'bottom') onClose();
        else if (box) box.scrollTop += (by === 'pageUp' ? -1 : 1) * Math.max(40, box.clientHeight - 40);
      },
    }),
    [pages, history, selecting.text, selecting.set, textOf, onClose],
  );

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: selecting text with the mouse; the keyboard has commands for it
    <div className="h-full" onMouseDown={selecting.handleMouseDown}>
      <Virtuoso
        scrollerRef={(element) => {
          scroller.current = element instanceof HTMLElement ? element : null;
        }}
        className="h-full cursor-text"
        aria-label={t('history.label')}
        role="region"
        tabIndex={0}
        firstItemIndex={firstIndex}
        totalCount={count}
        initialTopMostItemIndex={first}
        increaseViewportBy={400}
        startReached={() => void pages.older()}
        endReached={() => void pages.newer()}
        rangeChanged={paint}
        onScroll={paint}
        onWheel={(event) => {
          const box = scroller.current;
          const isAtBottom = box !== null && box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
          if (event.deltaY > 0 && isAtBottom && !state.hasNewer) onClose();
        }}
        itemContent={(index) => <HistoryLine index={index} line={pages.line(index)} palette={palette} />}
        components={listParts}
        context={{ state, onRetry: () => void pages.older() }}
      />
    </div>
  );
}

/** What the list begins with: a found place in the middle, or the line that was on top of the live terminal. */
function firstToSee(
  { firstIndex, count, hasOlder }: HistoryState,
  { here }: HistoryFindState,
  linesToEnd: number | null,
): { readonly index: number; readonly align: 'start' | 'center' } {
  if (here !== null) return { index: here.line - firstIndex, align: 'center' };
  if (linesToEnd !== null) return { index: Math.max(0, count - linesToEnd), align: 'start' };
  return { index: hasOlder ? Math.floor(count / 2) : 0, align: 'start' };
}

interface ListContext {
  readonly state: HistoryState;
  readonly onRetry: () => void;
}

/** The top of the list says how it goes on. */
function Top({ context }: { context?: ListContext }) {
  const { t } = useTranslation('terminal');
  if (context === undefined) return null;
  const { state, onRetry } = context;
  return (
    <div className="flex min-h-8 items-center justify-center gap-2 px-4 font-sans text-11 text-faint">
      {!state.hasOlder && t('history.beginning')}
      {state.hasOlder && state.problem === null && <Spinner label={t('history.loading')} />}
      {state.hasOlder && state.problem !== null && (
        <>
          {describeFailure(state.problem)}
          <Button size="sm" onClick={onRetry}>
            {t('history.retry')}
          </Button>
        </>
      )}
    </div>
  );
}
/** Room for the button that leads back. */
function Bottom() {
  return <div className="h-12" />;
}
const listParts = { Header: Top, Footer: Bottom };

/** Paints the selection and what was found on the rows that are there; returns what does it again when they change. */
function usePainting(
  scroller: { readonly current: HTMLElement | null },
  selection: ReturnType<typeof useHistorySelection>['selection'],
  found: HistoryFindState,
  textOf: (line: number) => string,
): () => void {
  const [painter] = useState(() => new Painter());
  const frame = useRef(0);
  const draw = useRef(() => {});
  draw.current = () => {
    const container = scroller.current;
    if (!container) return;
    painter.paint('terminal-selection', selection ? selectionRanges(container, selection) : []);
    const places = found.text === '' ? [] : foundRanges(container, found.text, textOf);
    painter.paint('terminal-found', places);
    painter.paint('terminal-found-here', found.here ? hereRanges(container, found.here) : []);
  };
  const plan = useCallback(() => {
    cancelAnimationFrame(frame.current);
    frame.current = requestAnimationFrame(() => draw.current());
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is painted has changed
  useLayoutEffect(plan, [plan, selection, found]);
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current);
      painter.dispose();
    },
    [painter],
  );
  return plan;
}

function foundRanges(container: HTMLElement, text: string, textOf: (line: number) => string): readonly Range[] {
  const wanted = text.toLowerCase();
  return rowsOf(container).flatMap(({ row, line }) => {
    const ranges: Range[] = [];
    const whole = textOf(line).toLowerCase();
    for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length)) {
      const range = rangeIn(row, at, at + wanted.length);
      if (range) ranges.push(range);
    }
    return ranges;
  });
}

function hereRanges(container: HTMLElement, { line, offset, length }: FoundPlace): readonly Range[] {
  const row = rowsOf(container).find((each) => each.line === line)?.row;
  const range = row && rangeIn(row, offset, offset + length);
  return range ? [range] : [];
}
