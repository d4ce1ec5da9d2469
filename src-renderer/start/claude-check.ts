import { useCallback, useEffect, useRef, useState } from 'react';
import type { MachineId } from '../../src-shared/ids.ts';
import type { ResultOf } from '../../src-shared/operations.ts';
import { call } from '../engine.ts';
import { atMachine } from '../machines/at-machine.ts';

export type ClaudeCheck = ResultOf<'claude.check'>;

/** null: not known yet. A check that fails is told as its error. */
export interface ClaudeChecked {
  readonly check: ClaudeCheck | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Whether Claude can work on a machine (null: this one); asked anew when the window comes to the front, since signing in happens elsewhere. */
export function useClaudeCheck(machineId: MachineId | null = null): ClaudeChecked {
  const [check, setCheck] = useState<ClaudeCheck | null>(null);
  const [error, setError] = useState<unknown>(null);
  const newest = useRef(machineId);
  const again = useCallback(() => {
    const asked = machineId;
    newest.current = asked;
    const take = (result: ClaudeCheck | null, reason: unknown) => {
      if (newest.current !== asked) return;
      if (result !== null) setCheck(result);
      setError(reason);
    };
    call('claude.check', atMachine(machineId)).then(
      (result) => take(result, null),
      (reason: unknown) => take(null, reason),
    );
  }, [machineId]);
  useEffect(() => {
    setCheck(null);
    again();
    window.addEventListener('focus', again);
    return () => window.removeEventListener('focus', again);
  }, [again]);
  return { check, error, again };
}
