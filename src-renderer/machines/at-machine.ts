import type { MachineId } from '../../src-shared/ids.ts';

/** What an operation is told that is meant for another machine; null: for this one. */
export function atMachine(machineId: MachineId | null): { readonly machineId?: MachineId } {
  return machineId === null ? {} : { machineId };
}
