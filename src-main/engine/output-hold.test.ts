import { beforeEach, expect, it } from 'vitest';
import { OutputHold } from './output-hold.ts';

const MB = 1024 * 1024;
let changes: boolean[];
let hold: OutputHold;
beforeEach(() => {
  changes = [];
  hold = new OutputHold((isHeld) => changes.push(isHeld));
});

it('holds above its bound and lets go well below it: no stop and go at each byte', () => {
  hold.update('driver', MB);
  expect(changes).toEqual([]);
  hold.update('driver', MB + 1);
  hold.update('driver', MB / 2);
  expect(changes).toEqual([true]);
  hold.update('driver', MB / 4);
  expect(changes).toEqual([true, false]);
});

it('holds until nobody is behind any more', () => {
  hold.update('driver', 2 * MB);
  hold.update('store', 2 * MB);
  hold.update('driver', 0);
  expect(changes).toEqual([true]);
  hold.update('store', 0);
  expect(changes).toEqual([true, false]);
});

it('holds nothing that is to end, until the next program begins', () => {
  hold.update('disk', Number.POSITIVE_INFINITY);
  hold.turnOff();
  hold.update('driver', 2 * MB);
  expect(changes).toEqual([true, false]);
  hold.turnOn();
  hold.update('driver', 2 * MB);
  expect(changes).toEqual([true, false, true]);
});
