import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RunId, Seq } from '../../src-shared/ids.ts';
import { HistoryFind, type HistoryFindState, locate, NOTHING_FOUND } from './history-find.ts';
import { HistoryPages } from './history-pages.ts';

const runId = RunId.parse('0198f000-0000-7000-8000-000000000001');
const hit = (seq: number, before = '', match = 'needle', after = '') => ({
  runId,
  seq: Seq.parse(seq),
  ts: 0,
  channel: 'pty:stdout',
  before,
  match,
  after,
});
const found = (lines: readonly string[]) => ({
  state: () => ({ ...new HistoryPages(async () => empty).state(), firstIndex: 100, count: lines.length }),
  line: (index: number) => lines[index - 100] ?? '',
});
const empty = { lines: [], firstLine: 0, lastLine: 0, complete: true, atEnd: true };

describe('locate', () => {
  it('finds the text whatever its colours and letters’ size', () => {
    expect(locate(found(['', 'a \u001b[31mNee\u001b[0mdle b']), hit(1))).toEqual({ line: 101, offset: 2, length: 6 });
  });
  it('decides between several by what stands around them', () => {
    const lines = ['x needle y', 'second needle here', 'x needle z'];
    expect(locate(found(lines), hit(1, 'second ', 'needle', ' here'))?.line).toBe(101);
    expect(locate(found(lines), hit(1, 'x ', 'needle', ' z'))?.line).toBe(102);
  });
  it('takes the nearest to the middle where nothing else decides', () => {
    expect(locate(found(['needle', '', 'needle', '', '', '', 'needle']), hit(1))?.line).toBe(102);
  });
  it('knows when the text is not there', () => {
    expect(locate(found(['hay']), hit(1))).toBeNull();
  });
});

describe('HistoryFind', () => {
  let state: HistoryFindState;
  const opened: number[] = [];
  const search = vi.fn();
  function make() {
    opened.length = 0;
    state = NOTHING_FOUND;
    search.mockReset();
    const pages = new HistoryPages(async (wanted) => {
      if ('atSeq' in wanted) opened.push(wanted.atSeq);
      return { ...empty, lines: ['a needle'] };
    });
    return new HistoryFind({ pages, search, onChange: (next) => (state = next) });
  }
  let find: HistoryFind;
  beforeEach(() => {
    find = make();
  });

  it('shows the newest place first, and walks to older and newer ones', async () => {
    search.mockResolvedValue({ hits: [hit(30), hit(20)], cursor: null });
    await find.begin('needle');
    expect(state).toMatchObject({ index: 0, count: 2, isBusy: false, here: { offset: 2, length: 6 } });
    await find.step('older');
    await find.step('older');
    await find.step('newer');
    await find.step('newer');
    expect(opened).toEqual([30, 20, 30]);
    expect(state.index).toBe(0);
  });

  it('asks for more places when it comes to the end of those it knows', async () => {
    search.mockResolvedValueOnce({ hits: [hit(30)], cursor: 'more' }).mockResolvedValueOnce({ hits: [hit(10)], cursor: null });
    await find.begin('needle');
    expect(state.hasMore).toBe(true);
    await find.step('older');
    expect(search).toHaveBeenLastCalledWith('needle', 'more');
    expect(state).toMatchObject({ index: 1, count: 2, hasMore: false });
  });

  it('forgets an answer to what is no longer looked for', async () => {
    let answer: (result: unknown) => void = () => {};
    search.mockReturnValueOnce(new Promise((resolve) => (answer = resolve))).mockResolvedValueOnce({ hits: [], cursor: null });
    const first = find.begin('nee');
    await find.begin('needle');
    answer({ hits: [hit(1)], cursor: null });
    await first;
    expect(opened).toEqual([]);
    expect(state).toMatchObject({ text: 'needle', count: 0, index: -1 });
  });

  it('says what went wrong', async () => {
    search.mockRejectedValue(new Error('no index'));
    await find.begin('needle');
    expect(state).toMatchObject({ isBusy: false, problem: new Error('no index') });
  });

  it('goes to a place that was found elsewhere', async () => {
    expect(await find.reveal(Seq.parse(7), 'needle')).toBe(true);
    expect(opened).toEqual([7]);
    expect(await find.reveal(Seq.parse(8), 'other')).toBe(false);
  });
});
