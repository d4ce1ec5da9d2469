import { useCallback, useEffect, useState } from 'react';
import type { ResultOf } from '../../src-shared/operations.ts';
import { call } from '../engine.ts';

export type ClaudeCheck = ResultOf<'claude.check'>;

/** null: not known yet. A check that fails is told as its error. */
export interface ClaudeChecked {
  readonly check: ClaudeCheck | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Whether Claude can work on this machine; asked anew when the window comes to the front, since signing in happens elsewhere. */
export function useClaudeCheck(): ClaudeChecked {
  const [check, setCheck] = useState<ClaudeCheck | null>(null);
  const [error, setError] = useState<unknown>(null);
  const again = useCallback(() => {
    call('claude.check', {}).then(
      (result) => {
        setCheck(result);
        setError(null);
      },
      (reason: unknown) => setError(reason),
    );
  }, []);
  useEffect(() => {
    again();
    window.addEventListener('focus', again);
    return () => window.removeEventListener('focus', again);
  }, [again]);
  return { check, error, again };
}
