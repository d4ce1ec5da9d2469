import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { allows, type MachineList, type Rights } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { useWindow } from '../store.ts';

const own = (list: MachineList | null) => list?.machines.find(({ self }) => self);
const hostOf = (list: MachineList | null, { machineId }: SessionSummary) =>
  list?.machines.find((machine) => machine.machineId === machineId);

/** Its machine and this one are in no workspace together any more: it is history. */
export function isApart(list: MachineList | null, session: SessionSummary): boolean {
  if (session.remote === null || list === null) return false;
  return own(list) === undefined || hostOf(list, session) === undefined;
}

/** Where a session runs, this machine may do what needs these rights. */
export function mayDo(list: MachineList | null, session: SessionSummary, needed: Rights): boolean {
  if (session.remote === null || list === null) return true;
  return !isApart(list, session) && allows(hostOf(list, session)?.may ?? 'view', needed);
}

/** Why this machine may look at a session and no more; null: it may type, too. */
export function useLooksOnly(runId: RunId): string | null {
  const { t } = useTranslation('machines');
  const session = useWindow((window) => window.sessions.get(runId));
  const list = useWindow((window) => window.machines);
  if (session === undefined || mayDo(list, session, 'type')) return null;
  const name = session.machine;
  if (isApart(list, session)) return t('looksOnly.apart', { name });
  return t(own(list)?.rights === 'view' ? 'looksOnly.rights' : 'looksOnly.host', { name });
}
