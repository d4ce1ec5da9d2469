import { expect, it } from 'vitest';
import { Backlog, BEHIND_BYTES } from './backlog.ts';

const MB = 1024 * 1024;

function heard(...points: readonly (readonly [seq: number, bytes: number])[]): Backlog {
  const backlog = new Backlog();
  for (const [seq, bytes] of points) backlog.heard({ since: 100, seq, bytes });
  return backlog;
}

it('[slow-1] says how much is missing, estimated between what the host told', () => {
  const backlog = heard([200, MB], [300, 3 * MB]);
  expect(backlog.behindBytes(100)).toBe(3 * MB);
  expect(backlog.behindBytes(150)).toBe(2.5 * MB);
  // Until nearly all of it is there.
  expect(backlog.behindBytes(297)).toBe(Math.round(0.06 * MB));
  expect(backlog.behindBytes(299)).toBe(null);
  expect(backlog.behindBytes(297)).toBe(null);
});

it('[slow-1] does not count what is on its way for a moment only, and nothing that is little', () => {
  expect(new Backlog().behindBytes(0)).toBe(null);
  expect(heard([200, BEHIND_BYTES - 1], [200, BEHIND_BYTES - 1]).behindBytes(100)).toBe(null);
  // It has what was told before; of the newest, a second's worth is on its way.
  expect(heard([200, MB], [300, 9 * MB]).behindBytes(200)).toBe(null);
  expect(heard([200, MB], [300, 9 * MB]).behindBytes(199)).toBeGreaterThan(8 * MB);
  // It stopped after the first time that it was told.
  expect(heard([200, MB], [200, MB]).behindBytes(100)).toBe(MB);
});

it('[slow-1] begins anew with another life of the host, and keeps little however long it goes on', () => {
  const backlog = heard([200, 5 * MB]);
  backlog.heard({ since: 210, seq: 300, bytes: MB });
  backlog.heard({ since: 210, seq: 300, bytes: MB });
  // What came before that life is not known.
  expect(backlog.behindBytes(150)).toBe(MB);
  const long = new Backlog();
  for (let told = 1; told <= 10_000; told++) long.heard({ since: 0, seq: told * 10, bytes: told * MB });
  expect(long.behindBytes(50_000)).toBeCloseTo(5_000 * MB, -6);
  expect(long.behindBytes(99_985)).toBe(Math.round(1.5 * MB));
});
