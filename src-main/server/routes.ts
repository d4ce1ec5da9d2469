import type { OperationName } from '../../src-shared/operations.ts';
import { MACHINE_ROUTES } from './machine-routes.ts';
import type { Route } from './route.ts';
import { SESSION_ROUTES } from './session-routes.ts';

/** Every route that is made from the table of operations, and those that carry out a session's commands. */
export const ROUTES: readonly Route[] = [...SESSION_ROUTES, ...MACHINE_ROUTES];

/** Why an operation has no route; null: it has one. */
export function whyNotOverHttp(operation: OperationName): string | null {
  if (operation.startsWith('shell.')) return 'it is done by the desktop shell, for the window that asks';
  if (operation === 'machines.unlock') return 'a passphrase is only taken from clients on this machine';
  return operation === 'server.loginCode' ? 'it lets a browser in: only for clients on this machine that need no token' : null;
}
