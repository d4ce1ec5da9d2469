import { expect, it } from 'vitest';
import { MachineId } from '../../src-shared/ids.ts';
import { findMachine } from './find-machine.ts';

const machine = (name: string, end: string) => ({
  name,
  machineId: MachineId.parse(`0193f3a0-0000-7000-8000-0000${end}`),
});
const laptop = machine('laptop', 'aaaa0001');
const lab = machine('lab', 'bbbb0002');
const desk = machine('Desk', 'cccc0003');
const all = [laptop, lab, desk];

it.each([
  ['laptop', laptop],
  ['LAPTOP', laptop],
  ['lap', laptop],
  // The whole name of one goes before the beginning of another.
  ['lab', lab],
  ['d', desk],
  ['aaaa0001', laptop],
  [desk.machineId, desk],
])('finds a machine by %s', (wanted, found) => {
  expect(findMachine(all, wanted)).toBe(found);
});

it.each([
  ['la', 'means 2 machines', 'laptop (aaaa0001), lab (bbbb0002)'],
  ['labtop', 'There is no machine “labtop”', 'Did you mean laptop (aaaa0001)'],
  ['xyzzy', 'There is no machine', 'There are: laptop'],
  ['', 'There is no machine', 'There are: laptop'],
])('says what is there when “%s” names none or several', (wanted, message, hint) => {
  const find = () => findMachine(all, wanted);
  expect(find).toThrow(message);
  expect(find).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
});
