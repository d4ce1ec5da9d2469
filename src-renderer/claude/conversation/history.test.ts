import { describe, expect, it } from 'vitest';
import type { LogEvent } from '../../../src-shared/events.ts';
import { SampleLog } from '../../../src-shared/sim/sample-conversation.ts';
import { History, type ReadHistory } from './history.ts';

const PAGE = 20;

function longLog(turns: number): SampleLog {
  const log = new SampleLog();
  for (let n = 1; n <= turns; n += 1) {
    const prompt = log.prompt(`Prompt ${n}`);
    log.text('x'.repeat(500));
    log.end(prompt);
  }
  return log;
}

/** The engine's side: pages of a log that may grow. */
function reader(log: SampleLog): ReadHistory {
  return async (range) => {
    const fits = (event: LogEvent) => ('before' in range ? event.seq < range.before : event.seq > range.after);
    const events = log.events.filter(fits);
    const page = 'before' in range ? events.slice(-PAGE) : events.slice(0, PAGE);
    return { events: page, more: events.length > page.length };
  };
}

const prompts = (history: History) =>
  history.state.view.turns.map((turn) => turn.prompt?.text).filter((text) => text !== undefined);

describe('the stretch of a conversation that a pane holds', () => {
  it('begins at the end and grows upwards until the beginning', async () => {
    const log = longLog(30);
    const history = new History(reader(log));
    history.start(log.events.length - PAGE);
    history.add(log.events.slice(-PAGE), true);
    expect(history.state.hasOlder).toBe(true);
    while (history.state.hasOlder) await history.loadOlder();
    expect(prompts(history)).toEqual(Array.from({ length: 30 }, (_, n) => `Prompt ${n + 1}`));
    expect(history.state.isAtTail).toBe(true);
  });

  it('holds no more than its bound, whichever way the reader goes', async () => {
    const log = longLog(400);
    const bound = 40_000;
    const history = new History(reader(log), bound);
    history.start(0);
    for (const event of log.events) {
      history.add([event], true);
      expect(history.state.view.size).toBeLessThanOrEqual(bound + 2000);
    }
    expect(history.state.hasOlder).toBe(true);
    while (history.state.hasOlder) {
      await history.loadOlder();
      expect(history.state.view.size).toBeLessThanOrEqual(bound + 2000);
    }
    expect(prompts(history)[0]).toBe('Prompt 1');
    expect(history.state.isAtTail).toBe(false);
    while (!history.state.isAtTail) await history.loadNewer();
    expect(prompts(history).at(-1)).toBe('Prompt 400');
    expect(history.state.view.size).toBeLessThanOrEqual(bound + 2000);
  });

  it('lets nothing go above a reader who is reading there', () => {
    const log = longLog(100);
    const history = new History(reader(log), 10_000);
    history.start(0);
    history.add(log.events, false);
    expect(prompts(history)).toHaveLength(100);
  });

  it('begins where somebody had been reading, and finds both ends from there', async () => {
    const log = longLog(60);
    const history = new History(reader(log));
    history.start(log.events.length - PAGE);
    history.add(log.events.slice(-PAGE), true);
    await history.openAt(101);
    expect(history.state).toMatchObject({ hasOlder: true, isAtTail: false });
    expect(history.state.view.firstSeq).toBe(101);
    while (history.state.hasOlder) await history.loadOlder();
    while (!history.state.isAtTail) await history.loadNewer();
    expect(prompts(history)).toHaveLength(60);
  });

  it('misses nothing that happens while the reader is far up', async () => {
    const log = longLog(200);
    const history = new History(reader(log), 30_000);
    history.start(0);
    history.add(log.events, true);
    while (history.state.hasOlder) await history.loadOlder();
    const before = log.events.length;
    log.end(log.prompt('While you were away'));
    history.add(log.events.slice(before), false);
    expect(prompts(history)).not.toContain('While you were away');
    await history.jumpToEnd();
    expect(history.state.isAtTail).toBe(true);
    expect(prompts(history).at(-1)).toBe('While you were away');
  });

  it('goes on to what was written while the last page was on its way', async () => {
    const log = longLog(200);
    const read = reader(log);
    let beforeAnswer: (() => void) | null = null;
    const history = new History(async (range) => {
      const page = await read(range);
      beforeAnswer?.();
      beforeAnswer = null;
      return page;
    }, 30_000);
    history.start(0);
    history.add(log.events, true);
    while (history.state.hasOlder) await history.loadOlder();
    beforeAnswer = () => {
      const before = log.events.length;
      log.end(log.prompt('Just now'));
      history.add(log.events.slice(before), false);
    };
    await history.jumpToEnd();
    expect(history.state.isAtTail).toBe(true);
    expect(prompts(history).at(-1)).toBe('Just now');
  });

  it('drops a page that was asked for before the log began anew', async () => {
    const log = longLog(30);
    let answer: () => void = () => undefined;
    const history = new History(async (range) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return reader(log)(range);
    });
    history.start(50);
    const loading = history.loadOlder();
    history.start(0);
    answer();
    await loading;
    expect(history.state.view.turns).toEqual([]);
    expect(history.state.isLoading).toBe(null);
  });

  it('tells why older turns could not be read, and tries again', async () => {
    const log = longLog(30);
    let isBroken = true;
    const history = new History((range) => (isBroken ? Promise.reject(new Error('no connection')) : reader(log)(range)));
    history.start(log.events.length - PAGE);
    await history.loadOlder();
    expect(history.state.failure).toEqual(new Error('no connection'));
    isBroken = false;
    await history.loadOlder();
    expect(history.state.failure).toBe(null);
    expect(prompts(history).length).toBeGreaterThan(0);
  });
});
