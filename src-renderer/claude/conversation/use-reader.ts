import { useCallback, useRef, useState } from 'react';
import type { LogEvent } from '../../../src-shared/events.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import type { AttachmentStart } from '../../pane-contract.ts';
import { usePaneReveal } from '../../workspace/pane-hooks.ts';
import type { History, HistoryState } from './history.ts';
import { type Anchor, savedPlace, savePlace } from './scroll-memory.ts';
import { useHistory } from './use-history.ts';

/** What a pane holds of its conversation, and where in it the reader is. */
export interface Reader {
  readonly history: History;
  readonly state: HistoryState;
  /** What was there when it was opened has come: it can be drawn where the reader left it. */
  readonly isReady: boolean;
  /** Changes when the list has to be drawn anew, where the reader is. */
  readonly generation: number;
  /** Where the reader is; null: at the end. */
  readonly placeNow: () => Anchor | null;
  readonly start: (start: AttachmentStart) => void;
  readonly add: (events: readonly LogEvent[]) => void;
  readonly setPlace: (place: Anchor | null) => void;
}

export function useReader(runId: RunId): Reader {
  const [history, state] = useHistory(runId);
  const [isReady, setReady] = useState(false);
  const [generation, setGeneration] = useState(0);
  const place = useRef<Anchor | null | undefined>(undefined);
  if (place.current === undefined) place.current = savedPlace(runId);
  /** The log's end when the pane was attached. */
  const awaitedSeq = useRef(0);

  const setPlace = useCallback(
    (next: Anchor | null) => {
      place.current = next;
      savePlace(runId, next);
    },
    [runId],
  );

  const show = useCallback(() => {
    setGeneration((before) => before + 1);
    setReady(true);
  }, []);

  const finish = useCallback(async () => {
    const at = place.current;
    const { firstSeq } = history.state.view;
    // Further up than what came by itself: read there first, draw once.
    if (at && at.seq > 0 && (firstSeq === 0 || at.seq < firstSeq)) await history.openAt(at.seq);
    show();
  }, [history, show]);

  const start = useCallback(
    ({ after, lastSeq }: AttachmentStart) => {
      awaitedSeq.current = lastSeq;
      history.start(after);
      setReady(false);
      if (after >= lastSeq) void finish();
    },
    [history, finish],
  );

  const add = useCallback(
    (events: readonly LogEvent[]) => {
      const before = history.newestSeq;
      history.add(events, place.current === null);
      if (before < awaitedSeq.current && history.newestSeq >= awaitedSeq.current) void finish();
    },
    [history, finish],
  );

  usePaneReveal(runId, ({ seq }) => {
    place.current = { key: '', seq, offsetPx: 0 };
    if (isReady) void finish();
  });

  return { history, state, isReady, generation, placeNow: () => place.current ?? null, start, add, setPlace };
}
