import type { MachineId } from '../../src-shared/ids.ts';
import { allows, type Machine, type MachineList } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { isOver } from '../session-actions.ts';
import { useWindow } from '../store.ts';

/** How a machine stands, in a word: shape and text say it, colour only repeats it. */
export type Standing = 'self' | 'cut' | 'online' | 'asleep' | 'away' | 'unknown' | 'never';

/** `cut`: this machine, while it does not reach the others; of them it then knows nothing. */
export function standingOf({ self, online, state, lastSeen, version }: Machine): Standing {
  if (self) return online ? 'self' : 'cut';
  if (online) return state === 'asleep' ? 'asleep' : 'online';
  if (state === 'asleep') return 'asleep';
  if (lastSeen === null) return version === null ? 'never' : 'unknown';
  return state === 'unknown' ? 'unknown' : 'away';
}

const noMachines: readonly Machine[] = [];

export function useMachines(): readonly Machine[] {
  return useWindow((window) => window.machines?.machines ?? noMachines);
}

/** How many of the sessions that this window knows run there. */
export function useHosted(machineId: MachineId): number {
  return useWindow(
    ({ sessions }) => [...sessions.values()].filter((each) => each.machineId === machineId && !isOver(each)).length,
  );
}

/** There is somebody to tell apart. */
export function useHasSeveral(): boolean {
  return useWindow(({ machines }) => hasSeveral(machines));
}

export function hasSeveral(list: MachineList | null): boolean {
  return (list?.machines.length ?? 0) > 1;
}

export function machineById(machineId: MachineId): Machine | undefined {
  return useWindow.getState().machines?.machines.find((machine) => machine.machineId === machineId);
}

/** Who is asked about the others may change them: rights, names, membership. A machine alone may do with itself what it likes. */
export function mayManage(list: MachineList | null): boolean {
  return (list?.machines.find(({ self }) => self)?.rights ?? 'start') === 'start';
}

/** Where a session can be started now: here, and on the others that are there and let this machine. */
export function startable(list: MachineList | null): readonly Machine[] {
  return (list?.machines ?? []).filter(
    (machine) => machine.self || (standingOf(machine) === 'online' && allows(machine.may, 'start')),
  );
}

/** The name of the machine that a session runs on, where that is not this one. */
export function otherMachine(session: SessionSummary): string | null {
  return session.remote === null ? null : session.machine;
}
