import { describe, expect, it, vi } from 'vitest';
import { Seq } from '../../src-shared/ids.ts';
import { type FetchLines, HistoryPages, PAGE_LINES, type Wanted } from './history-pages.ts';

/** A past of that many lines; their positions are their numbers times ten. */
function past(total: number): FetchLines {
  return async (wanted: Wanted) => {
    const end =
      'beforeLine' in wanted
        ? wanted.beforeLine / 10
        : 'afterLine' in wanted
          ? wanted.afterLine / 10 + 1 + wanted.limit
          : 'atSeq' in wanted
            ? wanted.atSeq + wanted.limit / 2
            : total;
    const to = Math.min(total, end);
    const from = Math.max(0, 'afterLine' in wanted ? wanted.afterLine / 10 + 1 : to - wanted.limit);
    const lines = Array.from({ length: to - from }, (_, at) => `line ${from + at}`);
    return { lines, firstLine: from * 10, lastLine: (to - 1) * 10, complete: from === 0, atEnd: to === total };
  };
}
const shown = (pages: HistoryPages) => {
  const { firstIndex, count } = pages.state();
  return [pages.line(firstIndex), pages.line(firstIndex + count - 1), count];
};

describe('HistoryPages', () => {
  it('begins at the end and grows backwards to the beginning, keeping the index of each line', async () => {
    const pages = new HistoryPages(past(2500));
    await pages.openEnd();
    expect(shown(pages)).toEqual(['line 1500', 'line 2499', 1000]);
    const index = pages.state().firstIndex;
    await pages.older();
    await pages.older();
    expect(shown(pages)).toEqual(['line 0', 'line 2499', 2500]);
    expect(pages.line(index)).toBe('line 1500');
    expect(pages.state()).toMatchObject({ hasOlder: false, hasNewer: false });
  });

  it('begins with as many lines as are needed', async () => {
    const pages = new HistoryPages(past(9000));
    await pages.openEnd(1234);
    expect(shown(pages)).toEqual(['line 7766', 'line 8999', 1234]);
    await pages.openEnd(99_999);
    expect(pages.state().count).toBe(5000);
  });

  it('opens around an event and grows in both directions', async () => {
    const pages = new HistoryPages(past(10_000));
    await pages.openAt(Seq.parse(5000));
    expect(shown(pages)).toEqual(['line 4500', 'line 5499', 1000]);
    await pages.newer();
    await pages.older();
    expect(shown(pages)).toEqual(['line 3500', 'line 6499', 3000]);
  });

  it('gives back what is far from the reader, and fetches it again', async () => {
    const pages = new HistoryPages(past(9000), 25_000);
    await pages.openEnd();
    await pages.older();
    await pages.older();
    expect(shown(pages)).toEqual(['line 6000', 'line 7999', 2000]);
    expect(pages.state().hasNewer).toBe(true);
    const index = pages.state().firstIndex + 500;
    expect(pages.line(index)).toBe('line 6500');
    await pages.newer();
    expect(shown(pages)).toEqual(['line 7000', 'line 8999', 2000]);
    expect(pages.line(index + 1000)).toBe('line 7500');
    expect(pages.state()).toMatchObject({ hasNewer: false, hasOlder: true });
  });

  it('asks once, however often it is told that the reader has come to the top', async () => {
    const fetch = vi.fn(past(5000));
    const pages = new HistoryPages(fetch);
    await pages.openEnd();
    await Promise.all([pages.older(), pages.older(), pages.older()]);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(fetch).toHaveBeenLastCalledWith({ limit: PAGE_LINES, beforeLine: 40_000 });
  });

  it('drops an answer that came after something else was opened', async () => {
    const answers: (() => void)[] = [];
    const real = past(3000);
    const pages = new HistoryPages((wanted) => new Promise((resolve) => answers.push(() => resolve(real(wanted)))));
    const first = pages.openEnd();
    const second = pages.openAt(Seq.parse(100));
    answers[1]?.();
    expect(await second).toBe(true);
    answers[0]?.();
    expect(await first).toBe(false);
    expect(shown(pages)).toEqual(['line 0', 'line 599', 600]);
  });

  it('says what went wrong and tries again when asked', async () => {
    const fetch = vi.fn(past(2000));
    const pages = new HistoryPages(fetch);
    await pages.openEnd();
    fetch.mockRejectedValueOnce(new Error('the disk is gone'));
    await pages.older();
    expect(pages.state()).toMatchObject({ problem: new Error('the disk is gone'), loading: null, hasOlder: true, count: 1000 });
    await pages.older();
    expect(pages.state()).toMatchObject({ problem: null, count: 2000 });
  });
});
