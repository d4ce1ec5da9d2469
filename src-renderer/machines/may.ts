import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { allows, type MachineList, type Rights } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useWindow } from '../store.ts';

/** Where a session runs, this machine may do what needs these rights. Of a machine that is none of the user's any more nothing is said. */
export function mayDo(list: MachineList | null, session: SessionSummary, needed: Rights): boolean {
  if (session.remote === null) return true;
  const host = list?.machines.find(({ machineId }) => machineId === session.machineId);
  return host === undefined || allows(host.may, needed);
}

/** Why this machine may look at a session and no more; null: it may type, too. */
export function useLooksOnly(runId: RunId): string | null {
  const { t } = useTranslation('machines');
  const session = useWindow((window) => window.sessions.get(runId));
  const list = useWindow((window) => window.machines);
  if (session === undefined || mayDo(list, session, 'type')) return null;
  const own = list?.machines.find(({ self }) => self)?.rights;
  return t(own === 'view' ? 'looksOnly.rights' : 'looksOnly.host', { name: session.machine });
}
