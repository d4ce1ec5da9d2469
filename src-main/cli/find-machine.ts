import type { Machine } from '../../src-shared/machines.ts';
import { EXIT, Failure } from './failure.ts';
import { oneLine } from './output.ts';

/** The machine that `wanted` means: its id, a unique beginning or end of one, or its name. */
export function findMachine(machines: readonly Machine[], wanted: string): Machine {
  const low = wanted.toLowerCase();
  const exact = machines.filter(({ machineId }) => machineId === low);
  const byName = machines.filter(({ name }) => name === wanted);
  const byLooseName = machines.filter(({ name }) => name.toLowerCase() === low);
  const isIdLike = /^[0-9a-f-]{4,}$/.test(low);
  const byId = isIdLike ? machines.filter(({ machineId }) => machineId.startsWith(low) || machineId.endsWith(low)) : [];
  const found = [exact, byName, byLooseName, byId].find(({ length }) => length > 0) ?? [];
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const known = machines.map(({ name, machineId }) => `${oneLine(name)} (${machineId.slice(-8)})`).join(', ');
  if (first === undefined) {
    throw new Failure(
      EXIT.notFound,
      `There is no machine “${oneLine(wanted)}”.`,
      known === '' ? 'This one is in no workspace.' : `There are: ${known}`,
    );
  }
  throw new Failure(EXIT.usage, `“${oneLine(wanted)}” means ${found.length} machines.`, `Give the id: ${known}`);
}
