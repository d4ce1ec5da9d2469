import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NO_SEQ, nextSeq, type RunId, type Seq } from '../../src-shared/ids.ts';
import { call } from '../engine.ts';
import { showNotice } from '../ui/toasts.tsx';
import { HistoryFind, type HistoryFindState, NOTHING_FOUND } from './history-find.ts';
import { HistoryPages } from './history-pages.ts';

const SEARCH_LIMIT = 100;
const FIRST_SEQ = nextSeq(NO_SEQ);
/** Fetched above the first line that is to be seen, so that one can go on scrolling at once. */
const SPARE_LINES = 300;

export interface TerminalHistory {
  readonly isOpen: boolean;
  readonly pages: HistoryPages;
  readonly find: HistoryFind;
  readonly found: HistoryFindState;
  /** Lines up to the end of which the first one is to be on top; null: a place that was found is to be seen. */
  readonly linesToEnd: number | null;
  /** Shows the end of the past, so that reading goes on where it was. */
  readonly open: (linesToEnd: number) => void;
  readonly openAt: (seq: Seq, match: string) => void;
  readonly openBeginning: () => void;
  readonly close: () => void;
}

/** The past of one terminal, as far as it has been asked for. */
export function useHistory(runId: RunId): TerminalHistory {
  const { t } = useTranslation('terminal');
  const [isOpen, setOpen] = useState(false);
  const [linesToEnd, setLinesToEnd] = useState<number | null>(null);
  const [found, setFound] = useState(NOTHING_FOUND);
  const { pages, find } = useMemo(() => {
    const pages = new HistoryPages((wanted) => call('history.lines', { runId, ...wanted }));
    const find = new HistoryFind({
      pages,
      search: (query, cursor) =>
        call('history.search', { query, runId, limit: SEARCH_LIMIT, ...(cursor === null ? {} : { cursor }) }),
      onChange: setFound,
    });
    return { pages, find };
  }, [runId]);

  const open = useCallback(
    (lines: number) => {
      setLinesToEnd(lines);
      setOpen(true);
      find.clear();
      void pages.openEnd(lines + SPARE_LINES);
    },
    [pages, find],
  );
  const openAt = useCallback(
    (seq: Seq, match: string) => {
      setLinesToEnd(null);
      setOpen(true);
      void find.reveal(seq, match).then((isThere) => isThere || showNotice(t('history.notFound', { match })));
    },
    [find, t],
  );
  const openBeginning = useCallback(() => {
    setLinesToEnd(null);
    find.clear();
    void pages.openAt(FIRST_SEQ);
  }, [pages, find]);
  const close = useCallback(() => {
    setOpen(false);
    find.clear();
  }, [find]);
  return useMemo(
    () => ({ isOpen, pages, find, found, linesToEnd, open, openAt, openBeginning, close }),
    [isOpen, pages, find, found, linesToEnd, open, openAt, openBeginning, close],
  );
}
