import type { Machine } from '../../src-shared/machines.ts';
import { editDistance, isNear } from './edit-distance.ts';
import { EXIT, Failure } from './failure.ts';
import { oneLine } from './output.ts';

type Named = Pick<Machine, 'machineId' | 'name'>;

/** The machine that `wanted` means: its id, its name, or a unique beginning of its name or beginning or end of its id. */
export function findMachine<M extends Named>(machines: readonly M[], wanted: string): M {
  const low = wanted.toLowerCase();
  const isIdLike = /^[0-9a-f-]{4,}$/.test(low);
  const found =
    [
      machines.filter(({ machineId }) => machineId === low),
      machines.filter(({ name }) => name === wanted),
      machines.filter(({ name }) => name.toLowerCase() === low),
      isIdLike ? machines.filter(({ machineId }) => machineId.startsWith(low) || machineId.endsWith(low)) : [],
      low === '' ? [] : machines.filter(({ name }) => name.toLowerCase().startsWith(low)),
    ].find(({ length }) => length > 0) ?? [];
  const [first, second] = found;
  if (first === undefined) throw notFound(machines, wanted);
  if (second === undefined) return first;
  throw new Failure(EXIT.usage, `“${oneLine(wanted)}” means ${found.length} machines.`, `Give more of it: ${listed(found)}`);
}

function notFound(machines: readonly Named[], wanted: string): Failure {
  const low = wanted.toLowerCase();
  const near = machines.filter(({ name }) => isNear(editDistance(name.toLowerCase().slice(0, 64), low.slice(0, 64)), low));
  const hint =
    near.length > 0
      ? `Did you mean ${listed(near)}?`
      : machines.length > 0
        ? `There are: ${listed(machines)}`
        : 'This one is in no workspace.';
  return new Failure(EXIT.notFound, `There is no machine “${oneLine(wanted)}”.`, hint);
}

function listed(machines: readonly Named[]): string {
  return machines.map(({ name, machineId }) => `${oneLine(name)} (${machineId.slice(-8)})`).join(', ');
}
