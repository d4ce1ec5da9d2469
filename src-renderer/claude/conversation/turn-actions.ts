import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Turn } from '../../../src-shared/conversation/conversation-items.ts';
import { type RunId, Seq } from '../../../src-shared/ids.ts';
import { forkSessionAt } from '../../session-actions.ts';
import { showFailure } from '../../ui/toasts.tsx';
import { useLatest } from '../stable.ts';
import type { TurnActions } from './conversation-list.tsx';

export interface TurnSource {
  readonly turns: readonly Turn[];
  readonly lastSeq: number;
  /** The prompt's text and pictures, sent again. */
  readonly onRetry: (turn: Turn) => void;
  /** Nothing runs: a failed turn can be tried again. */
  readonly isIdle: boolean;
}

/** What can be done with a turn: go another way from before it or from after it, or try it again. */
export function useTurnActions(runId: RunId, source: TurnSource): TurnActions {
  const { t } = useTranslation('claude');
  const latest = useLatest(source);
  const { isIdle } = source;
  const last = source.turns.at(-1)?.key;
  return useMemo(() => {
    const fork = (seq: number, draft: string) => {
      forkSessionAt(runId, Seq.parse(Math.max(0, seq)), draft).catch((error: unknown) => showFailure(t('fork.failed'), error));
    };
    return {
      // A log can be cut between events only: turns that came in one piece, from another session, cannot be told apart there.
      canFork: (turn) => turn.prompt?.inputId != null,
      canRetry: (turn) => isIdle && turn.key === last,
      onForkBefore: (turn) => fork(turn.seq - 1, turn.prompt?.text ?? ''),
      onForkAfter: (turn) => {
        const { turns, lastSeq } = latest.current;
        const next = turns[turns.findIndex((each) => each.key === turn.key) + 1];
        fork(next === undefined ? lastSeq : next.seq - 1, '');
      },
      onRetry: (turn) => latest.current.onRetry(turn),
    };
  }, [runId, t, latest, isIdle, last]);
}
