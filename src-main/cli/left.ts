import { constants } from 'node:os';
import type { SessionState } from '../../src-shared/session.ts';

/** Why an attached session was left. */
export type Left =
  | { readonly is: 'detached' }
  | { readonly is: 'ended'; readonly exit: NonNullable<SessionState['exit']> }
  /** The engine stopped or died while the program ran. */
  | { readonly is: 'interrupted' };

/** How a session in this state leaves whoever has it attached; null: it goes on. */
export function leftBy({ status, exit }: SessionState): Left | null {
  if (status === 'interrupted') return { is: 'interrupted' };
  return status === 'ended' ? { is: 'ended', exit: exit ?? { exitCode: null, signal: null, reason: null } } : null;
}

/** The shell's convention for how a program ended. null: nobody knows. */
export function exitCodeOf({ exitCode, signal }: NonNullable<SessionState['exit']>): number | null {
  if (signal !== null) {
    const numbers: Readonly<Record<string, number | undefined>> = constants.signals;
    const number = numbers[signal];
    if (number !== undefined) return 128 + number;
  }
  return exitCode;
}
