import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { RunId } from '../../src-shared/ids.ts';
import type { ResultOf } from '../../src-shared/operations.ts';
import { call } from '../engine.ts';

export type Hit = ResultOf<'history.search'>['hits'][number];
export interface HitGroup {
  readonly runId: RunId;
  readonly hits: readonly Hit[];
}

/** Typing asks when it pauses. */
const pauseMs = 200;
const pageSize = 100;

interface Found {
  readonly hits: readonly Hit[];
  readonly cursor: string | null;
}
const nothing: Found = { hits: [], cursor: null };

/** Hits in the order they came, gathered by session: the session with the newest hit first. */
export function groupHits(hits: readonly Hit[]): readonly HitGroup[] {
  const groups = new Map<RunId, Hit[]>();
  for (const hit of hits) {
    const group = groups.get(hit.runId);
    if (group) group.push(hit);
    else groups.set(hit.runId, [hit]);
  }
  return [...groups].map(([runId, members]) => ({ runId, hits: members }));
}

/** Asks the engine for `query`; an answer to an older question is dropped. */
export function useSearch(query: string) {
  const asked = query.trim();
  const [found, setFound] = useState<Found>(nothing);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  /** Grows with each question, so that an answer knows whether it is still wanted. */
  const question = useRef(0);

  const ask = useCallback(async (text: string, before: Found) => {
    const mine = ++question.current;
    setBusy(true);
    try {
      const more = before.cursor === null ? {} : { cursor: before.cursor };
      const { hits, cursor } = await call('history.search', { query: text, limit: pageSize, ...more });
      if (mine !== question.current) return;
      setFound({ hits: [...before.hits, ...hits], cursor });
      setError(null);
    } catch (reason) {
      if (mine === question.current) setError(reason);
    } finally {
      if (mine === question.current) setBusy(false);
    }
  }, []);

  useEffect(() => {
    if (asked === '') {
      question.current++;
      setFound(nothing);
      setBusy(false);
      setError(null);
      return;
    }
    const timer = setTimeout(() => void ask(asked, nothing), pauseMs);
    return () => clearTimeout(timer);
  }, [asked, ask]);

  const groups = useMemo(() => groupHits(found.hits), [found]);
  return {
    groups,
    isBusy,
    error,
    hasMore: found.cursor !== null,
    showMore: () => void ask(asked, found),
    again: () => void ask(asked, nothing),
  };
}
