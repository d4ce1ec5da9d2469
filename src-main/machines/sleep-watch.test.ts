import { expect, it } from 'vitest';
import { watchSleep } from './sleep-watch.ts';

it('[machine-12] sleep is noticed by two clocks of which one stood still, and not for any other reason', () => {
  let [bootMs, awakeMs, woke] = [5_000_000, 4_000_000, 0];
  const due: (() => void)[] = [];
  const setTimer = (run: () => void) => {
    due.push(run);
    return () => void due.splice(due.indexOf(run), 1);
  };
  const end = watchSleep({
    clock: { setTimer },
    onWoke: () => {
      woke += 1;
    },
    bootMs: () => bootMs,
    awakeMs: () => awakeMs,
  });
  const pass = (sleptMs: number, lateMs = 0) => {
    bootMs += 2_000 + lateMs + sleptMs;
    awakeMs += 2_000 + lateMs;
    due.shift()?.();
  };
  pass(0);
  // Busy for a minute is not asleep.
  pass(0, 60_000);
  pass(10);
  expect(woke).toBe(0);
  pass(3_600_000);
  expect(woke).toBe(1);
  pass(0);
  expect(woke).toBe(1);
  pass(2_000);
  expect(woke).toBe(2);
  end();
  expect(due).toEqual([]);
});
