import { beforeEach, describe, expect, it } from 'vitest';
import { RunId } from '../../src-shared/ids.ts';
import { findPlace, placeOf, type Rows, storedPlace, storePlace } from './scroll-memory.ts';

const rows = (lines: readonly string[]): Rows => ({ length: lines.length, text: (row) => lines[row] ?? '' });
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `line ${from + at}`);
const id = (n: number) => RunId.parse(`0198f000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`);

describe('finding a place again', () => {
  const place = placeOf(rows(numbered(0, 100)), 40, false);

  it('remembers nothing where the end was seen', () => {
    expect(placeOf(rows(numbered(0, 100)), 76, true)).toBeNull();
  });
  it('is there when nothing has changed', () => {
    expect(place && findPlace(rows(numbered(0, 100)), place)).toBe(40);
  });
  it('is further up when output has come since', () => {
    expect(place && findPlace(rows(numbered(0, 130)), place)).toBe(40);
  });
  it('follows the text when old rows have gone', () => {
    expect(place && findPlace(rows(numbered(30, 130)), place)).toBe(10);
  });
  it('is lost when its text is no more', () => {
    expect(place && findPlace(rows(numbered(500, 600)), place)).toBeNull();
  });
  it('goes by the distance where there is no text to go by', () => {
    expect(findPlace(rows(Array.from({ length: 20 }, () => '')), { fromEnd: 5, texts: ['', ''] })).toBe(15);
  });
});

describe('keeping places', () => {
  beforeEach(() => localStorage.clear());
  const place = { fromEnd: 12, texts: ['a'] };

  it('keeps one for each session, until it is no longer needed', () => {
    storePlace(id(1), place);
    storePlace(id(2), { fromEnd: 3, texts: ['b'] });
    expect(storedPlace(id(1))).toEqual(place);
    storePlace(id(1), null);
    expect(storedPlace(id(1))).toBeNull();
    expect(storedPlace(id(2))).toEqual({ fromEnd: 3, texts: ['b'] });
  });

  it('keeps a bounded number, the newest ones', () => {
    for (let n = 0; n < 250; n += 1) storePlace(id(n), place);
    expect(storedPlace(id(0))).toBeNull();
    expect(storedPlace(id(249))).toEqual(place);
    expect(Object.keys(JSON.parse(localStorage.getItem('baton.terminal.places') ?? '{}'))).toHaveLength(200);
  });

  it.each(['not json', '[]', '{"x": {"fromEnd": -1, "texts": []}}'])('begins anew with what it cannot read: %s', (stored) => {
    localStorage.setItem('baton.terminal.places', stored);
    expect(storedPlace(id(1))).toBeNull();
    storePlace(id(1), place);
    expect(storedPlace(id(1))).toEqual(place);
  });
});
