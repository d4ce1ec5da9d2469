import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstRange, moveRange, OVERDRAW_PX, rangeFor, rowsBetween } from './visible-range.ts';

const rows = (...keys: string[]) => keys.map((key) => ({ key }));

describe('the rows that are drawn', () => {
  it('are those between two heights', () => {
    expect(rowsBetween([10, 20, 30, 40], 15, 45)).toEqual({ from: 1, to: 3 });
    expect(rowsBetween([10, 20, 30], -100, 5)).toEqual({ from: 0, to: 1 });
    expect(rowsBetween([10, 20, 30], 1000, 2000)).toEqual({ from: 2, to: 3 });
    expect(rowsBetween([], 0, 100)).toEqual({ from: 0, to: 0 });
  });

  it('cover what is seen, always, and are no more than needed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.nat(200),
        (heights, top, view, drawnTo) => {
          const total = heights.reduce((sum, height) => sum + height, 0);
          const topPx = Math.min(top, Math.max(0, total - view));
          const { from, to } = rangeFor(heights, { from: 0, to: Math.min(drawnTo, heights.length) }, topPx, view);
          const offset = (index: number) => heights.slice(0, index).reduce((sum, height) => sum + height, 0);
          expect(offset(from)).toBeLessThanOrEqual(topPx);
          expect(offset(to)).toBeGreaterThanOrEqual(Math.min(total, topPx + view));
          const seen = rowsBetween(heights, topPx - OVERDRAW_PX, topPx + view + OVERDRAW_PX);
          expect(to - from).toBeLessThanOrEqual(4 * (seen.to - seen.from) + 200);
        },
      ),
    );
  });

  it('stay as they are while they cover enough, and while nothing is measured', () => {
    const drawn = { from: 10, to: 60 };
    const heights = Array.from({ length: 100 }, () => 100);
    expect(rangeFor(heights, drawn, 2000, 800)).toBe(drawn);
    expect(rangeFor(heights, drawn, 5000, 0)).toBe(drawn);
  });

  it('keep to their rows when others come in front, go away, or come at the end', () => {
    const before = rows('c', 'd', 'e');
    expect(moveRange({ from: 0, to: 2 }, before, rows('a', 'b', 'c', 'd', 'e'), false)).toEqual({ from: 2, to: 4 });
    expect(moveRange({ from: 1, to: 3 }, before, rows('d', 'e'), false)).toEqual({ from: 0, to: 2 });
    expect(moveRange({ from: 0, to: 3 }, before, rows('c', 'd', 'e', 'f', 'g'), true)).toEqual({ from: 0, to: 5 });
    expect(moveRange({ from: 0, to: 3 }, before, rows('c', 'd', 'e', 'f'), false)).toEqual({ from: 0, to: 3 });
  });

  it('begin anew when none of them is left', () => {
    const after = rows('x', 'y', 'z');
    expect(moveRange({ from: 0, to: 2 }, rows('a', 'b'), after, true)).toEqual(firstRange(3, null));
    expect(firstRange(1000, null)).toEqual({ from: 960, to: 1000 });
    expect(firstRange(1000, 500)).toEqual({ from: 480, to: 540 });
  });
});
