import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SessionSummary } from '../../src-shared/session.ts';

/** Whoever types into a terminal whose machine is out of reach is told, once each time it goes away. */
export function useAwayNote(session: SessionSummary | null): { readonly note: string | null; readonly noteTyped: () => void } {
  const { t } = useTranslation('terminal');
  const name = session?.remote?.connection === 'away' ? session.machine : null;
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    if (name === null) setTold(false);
  }, [name]);
  const noteTyped = useCallback(() => {
    if (name !== null) setTold(true);
  }, [name]);
  return { note: isTold && name !== null ? t('hostAway', { name }) : null, noteTyped };
}
