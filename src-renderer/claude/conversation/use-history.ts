import { useMemo, useSyncExternalStore } from 'react';
import { CONVERSATION_CHANNELS } from '../../../src-shared/conversation/conversation-facts.ts';
import { type RunId, Seq } from '../../../src-shared/ids.ts';
import { call } from '../../engine.ts';
import { History, type HistoryState, type ReadHistory } from './history.ts';

/** Events of a page of history. The engine cuts it at 4 MB besides. */
const PAGE_EVENTS = 400;

function reader(runId: RunId): ReadHistory {
  return async (range) => {
    const place = 'before' in range ? { before: Seq.parse(range.before) } : { after: Seq.parse(Math.max(0, range.after)) };
    const { events, more } = await call('history.read', {
      runId,
      ...place,
      limit: PAGE_EVENTS,
      channels: [...CONVERSATION_CHANNELS],
    });
    return { events, more };
  };
}

export function useHistory(runId: RunId): [history: History, state: HistoryState] {
  const history = useMemo(() => new History(reader(runId)), [runId]);
  return [history, useSyncExternalStore(history.subscribe, () => history.state)];
}
