import { expect, it, vi } from 'vitest';
import { PassCounter } from './pass-counter.ts';

const fail = (message: string): never => {
  throw new Error(message);
};

it('[machine-9] goes on above everything that was reserved, whether it was given or not', async () => {
  let kept = 0;
  const reserve = async (upTo: number) => {
    kept = upTo;
  };
  const first = await PassCounter.open(kept, 0, reserve, fail);
  const given = [first.next(), first.next(), first.next()];
  expect(given).toEqual([1, 2, 3]);
  // The engine ends here, however.
  const second = await PassCounter.open(kept, 0, reserve, fail);
  expect(second.next()).toBeGreaterThan(3);
  expect(kept).toBeGreaterThan(second.next());
});

it('[machine-9] reserves more before what it has is used up, and gives nothing that is not reserved', async () => {
  let kept = 0;
  let isFailing = false;
  const problems: string[] = [];
  const reserve = async (upTo: number) => {
    if (isFailing) throw new Error('disk full');
    kept = upTo;
  };
  const counter = await PassCounter.open(kept, 0, reserve, (message) => problems.push(message));
  let last = 0;
  for (let count = 0; count < 2_400_000; count++) {
    last = counter.next();
    if (count % 100_000 === 0) await Promise.resolve();
    if (last > kept) throw new Error('not reserved');
  }
  expect(last).toBe(2_400_000);
  isFailing = true;
  await expect(
    (async () => {
      for (;;) {
        if (counter.next() > kept) throw new Error('not reserved');
      }
    })(),
  ).rejects.toThrow('the disk does not take');
  await vi.waitFor(() => expect(problems.length).toBeGreaterThan(0));
});

it('[machine-15] whose data was set back to an old copy does not give numbers that were given since', async () => {
  let nowMs = Date.parse('2026-11-21T10:00:00Z');
  let kept = 0;
  const life = (before: number) =>
    PassCounter.open(
      before,
      nowMs,
      async (upTo) => {
        kept = upTo;
      },
      fail,
    );
  (await life(kept)).next();
  const copy = kept;
  let last = 0;
  for (let lives = 0; lives < 5; lives++) {
    nowMs += 60_000;
    const counter = await life(kept);
    for (let n = 0; n < 1_000; n++) last = counter.next();
  }
  nowMs += 60_000;
  expect((await life(copy)).next()).toBeGreaterThan(last);
  // A clock that is set back takes nothing back.
  nowMs -= 365 * 24 * 60 * 60_000;
  const [before, next] = [kept, (await life(kept)).next()];
  expect(next).toBeGreaterThan(before);
  expect(Number.isSafeInteger(next)).toBe(true);
});
