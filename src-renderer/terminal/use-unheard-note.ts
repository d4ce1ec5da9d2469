import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useLooksOnly } from '../machines/may.ts';

interface UnheardNote {
  /** What there is to say; null: nothing. */
  readonly note: string | null;
  /** Nothing that is typed may go out. */
  readonly isMute: boolean;
  readonly noteTyped: () => void;
}

/** Whoever types into a terminal that does not hear it is told why, once each time it is so: its machine is out of reach, or lets this one only look. */
export function useUnheardNote(runId: RunId, session: SessionSummary | null): UnheardNote {
  const { t } = useTranslation('terminal');
  const looksOnly = useLooksOnly(runId);
  const away = session?.remote?.connection === 'away' ? t('hostAway', { name: session.machine }) : null;
  const why = looksOnly ?? away;
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    if (why === null) setTold(false);
  }, [why]);
  const noteTyped = useCallback(() => {
    if (why !== null) setTold(true);
  }, [why]);
  return { note: isTold ? why : null, isMute: looksOnly !== null, noteTyped };
}
