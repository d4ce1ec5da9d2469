import { describe, expect, it } from 'vitest';
import { cellsIn, fontToFit } from './geometry.ts';

describe('cellsIn', () => {
  it('counts whole cells', () => {
    expect(cellsIn({ width: 805, height: 399 }, { width: 8, height: 16 })).toEqual({ cols: 100, rows: 24 });
  });
  it('stays within what the protocol allows', () => {
    expect(cellsIn({ width: 3, height: 3 }, { width: 8, height: 16 })).toEqual({ cols: 2, rows: 1 });
    expect(cellsIn({ width: 99_999, height: 99_999 }, { width: 8, height: 16 })).toEqual({ cols: 1000, rows: 1000 });
  });
  it('knows nothing while nothing can be measured', () => {
    expect(cellsIn({ width: 0, height: 0 }, { width: 8, height: 16 })).toBeNull();
    expect(cellsIn({ width: 800, height: 400 }, { width: 0, height: 0 })).toBeNull();
  });
});

describe('fontToFit', () => {
  it('keeps the wished size where there is room', () => {
    expect(fontToFit(13, { cols: 80, rows: 24 }, { cols: 100, rows: 30 })).toBe(13);
  });
  it('shrinks to what fits in both directions', () => {
    expect(fontToFit(13, { cols: 200, rows: 24 }, { cols: 100, rows: 30 })).toBe(6.5);
    expect(fontToFit(12, { cols: 80, rows: 60 }, { cols: 100, rows: 45 })).toBe(9);
  });
  it('stops where it cannot be read', () => {
    expect(fontToFit(13, { cols: 500, rows: 24 }, { cols: 100, rows: 30 })).toBe(6);
  });
  it('does not enlarge a small font', () => {
    expect(fontToFit(5, { cols: 500, rows: 24 }, { cols: 100, rows: 30 })).toBe(5);
  });
});
