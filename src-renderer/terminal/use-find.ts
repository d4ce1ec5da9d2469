import { useCallback, useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { describeFailure } from '../ui/toasts.tsx';
import { FIND_LIMIT, type FindQuery, NO_QUERY, regexProblem } from './find.ts';
import type { FindResult } from './find-bar.tsx';
import type { HistoryFind, HistoryFindState } from './history-find.ts';
import { NO_TERMINAL, type TerminalView } from './terminal-view.ts';
import type { TerminalHistory } from './use-history.ts';

/** While one types, the history is searched when the hand rests. */
const TYPING_REST_MS = 250;

export interface TerminalFinding {
  readonly isOpen: boolean;
  readonly query: FindQuery;
  readonly result: FindResult | null;
  /** Grows with each wish to find. */
  readonly wish: number;
  readonly show: () => void;
  readonly close: () => void;
  readonly setQuery: (query: FindQuery) => void;
  readonly step: (direction: 'next' | 'previous') => void;
}

/** One find bar for the live lines and for the history, whichever is seen. */
export function useFind(view: TerminalView | null, history: TerminalHistory, takeFocus: () => void): TerminalFinding {
  const [isOpen, setOpen] = useState(false);
  const [query, change] = useState(NO_QUERY);
  const [wish, setWish] = useState(0);
  const live = useLiveResult(view, query);
  const { isOpen: isHistory, find: historyFind } = history;
  useSearchWhileTyping(isOpen && isHistory, query.text, historyFind);

  const setQuery = useCallback(
    (next: FindQuery) => {
      change(next);
      if (!isHistory) view?.find.go(next, 'typing');
    },
    [view, isHistory],
  );
  const show = useCallback(() => {
    setOpen(true);
    setWish((before) => before + 1);
  }, []);
  const close = useCallback(() => {
    setOpen(false);
    view?.find.clear();
    historyFind.clear();
    takeFocus();
  }, [view, historyFind, takeFocus]);
  const step = useCallback(
    (direction: 'next' | 'previous') => {
      if (query.text === '') show();
      else if (isHistory) void historyFind.step(direction === 'previous' ? 'older' : 'newer');
      else view?.find.go(query, direction);
    },
    [query, isHistory, historyFind, view, show],
  );
  const result = isHistory ? historyResult(history.found) : live;
  return useMemo(
    () => ({ isOpen, query, result, wish, show, close, setQuery, step }),
    [isOpen, query, result, wish, show, close, setQuery, step],
  );
}

function useLiveResult(view: TerminalView | null, query: FindQuery): FindResult | null {
  const found = useStore(view?.ui ?? NO_TERMINAL, (ui) => ui.found);
  const problem = regexProblem(query);
  if (problem !== null) return { index: -1, count: 0, hasMore: false, isBusy: false, problem };
  return found && { ...found, hasMore: found.count >= FIND_LIMIT, isBusy: false, problem: null };
}

function useSearchWhileTyping(isOn: boolean, text: string, find: HistoryFind): void {
  useEffect(() => {
    if (!isOn || text === '') return;
    const timer = setTimeout(() => void find.begin(text), TYPING_REST_MS);
    return () => clearTimeout(timer);
  }, [isOn, text, find]);
}

function historyResult({ text, index, count, hasMore, isBusy, problem }: HistoryFindState): FindResult | null {
  if (text === '') return null;
  return { index, count, hasMore, isBusy, problem: problem === null ? null : describeFailure(problem) };
}
