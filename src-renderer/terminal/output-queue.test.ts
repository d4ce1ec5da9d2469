import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogEvent, type NewEvent, newEvent } from '../../src-shared/events.ts';
import { FIRST_EPOCH, type RunId, RunId as RunIdSchema, Seq } from '../../src-shared/ids.ts';
import { OutputQueue } from './output-queue.ts';

const runId: RunId = RunIdSchema.parse('0198f000-0000-7000-8000-000000000001');
const bytes = (text: string) => new TextEncoder().encode(text);
const seq = (at: number) => Seq.parse(at);
const event = (at: number, given: NewEvent): LogEvent => ({ runId, seq: seq(at), epoch: FIRST_EPOCH, ts: 0, ...given });
const output = (at: number, text: string) => event(at, newEvent('pty:stdout', 'data', bytes(text)));
const resized = (at: number, cols: number) => event(at, newEvent('pty:resize', 'resized', { cols, rows: 10 }));
const screen = (at: number, data: string) => ({ seq: seq(at), cols: 40, rows: 10, data });
const begin = (from: ReturnType<typeof screen>, lastSeq: number) => ({ screen: from, after: from.seq, lastSeq: seq(lastSeq) });

/** A terminal that parses when it is told to; what it did is in `done`. */
function scripted() {
  const done: string[] = [];
  const unparsed: (() => void)[] = [];
  const acked: number[] = [];
  const live: boolean[] = [];
  const queue = new OutputQueue({
    sink: {
      write: (data, handleParsed) => {
        const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
        expect(text).not.toBe('');
        unparsed.push(() => {
          live.push(queue.isLive);
          done.push(text);
          handleParsed();
        });
      },
      resize: (cols) => {
        expect(unparsed).toEqual([]);
        done.push(`<${cols}>`);
      },
      reset: () => {
        expect(unparsed).toEqual([]);
        done.push('<reset>');
      },
    },
    onParsed: (count) => acked.push(count),
    onTurning: (turning) => done.push(`<${turning.type}>`),
    onCaughtUp: () => done.push('<caught up>'),
  });
  const parse = (count = Number.POSITIVE_INFINITY) => {
    for (let left = count; left > 0 && unparsed.length > 0; left -= 1) unparsed.shift()?.();
  };
  const total = () => acked.reduce((sum, each) => sum + each, 0);
  return { queue, done, unparsed, acked, live, parse, total };
}

describe('OutputQueue', () => {
  it('begins with the screen and goes on with the events', () => {
    const { queue, done, parse } = scripted();
    queue.start(begin(screen(3, 'screen'), 3));
    queue.push([output(4, 'a')]);
    parse();
    expect(done).toEqual(['<reset>', '<40>', 'screen', '<caught up>', 'a']);
  });

  it('never writes nothing', () => {
    const { queue, done, unparsed, parse } = scripted();
    queue.start(begin(screen(1, ''), 1));
    queue.push([output(2, '')]);
    expect(unparsed).toEqual([]);
    parse();
    expect(done).toEqual(['<reset>', '<40>', '<caught up>']);
  });

  it('[pty-5] resizes only when all output before it has been parsed', () => {
    const { queue, done, parse } = scripted();
    queue.push([output(1, 'a'), output(2, 'b'), resized(3, 60), output(4, 'c')]);
    parse(1);
    expect(done).toEqual(['a']);
    parse();
    expect(done).toEqual(['a', 'b', '<60>', 'c']);
  });

  it('[wire-5] acknowledges what was parsed, no more and no less', async () => {
    const { queue, parse, total } = scripted();
    queue.push([output(1, 'x'.repeat(10)), output(2, 'y'.repeat(70_000)), output(3, 'z')]);
    parse(1);
    await Promise.resolve();
    expect(total()).toBe(10);
    parse();
    await Promise.resolve();
    expect(total()).toBe(70_011);
  });

  it('gathers the acknowledgements of small pieces that are parsed in one go', async () => {
    const { queue, parse, acked } = scripted();
    queue.push(Array.from({ length: 20 }, (_, at) => output(at + 1, 'x')));
    parse();
    await Promise.resolve();
    expect(acked).toEqual([20]);
  });

  it('does not count the screen, nor output of an earlier attachment', async () => {
    const { queue, parse, total } = scripted();
    queue.push([output(1, 'old')]);
    queue.start(begin(screen(1, 'screen'), 1));
    queue.push([output(2, 'new!')]);
    parse();
    await Promise.resolve();
    expect(total()).toBe(4);
    queue.push([output(3, 'seen')]);
    queue.forgetUnparsed();
    parse();
    await Promise.resolve();
    expect(total()).toBe(4);
  });

  it('lets what is being parsed finish before it begins anew, and drops what waited', () => {
    const { queue, done, parse } = scripted();
    queue.push([output(1, 'a'), resized(2, 60), output(3, 'dropped')]);
    queue.start(begin(screen(9, 'S'), 9));
    parse();
    expect(done).toEqual(['a', '<reset>', '<40>', 'S', '<caught up>']);
  });

  it('says when it has caught up with what had happened when it began', () => {
    const { queue, done, parse } = scripted();
    queue.start(begin(screen(2, 'S'), 4));
    queue.push([output(3, 'missed')]);
    parse();
    expect(done).not.toContain('<caught up>');
    queue.push([event(4, newEvent('system:status', 'details', { cwd: '/' })), output(5, 'new')]);
    parse();
    expect(done).toEqual(['<reset>', '<40>', 'S', 'missed', '<details>', '<caught up>', 'new']);
  });

  it('tells repetitions from what happens now', () => {
    const { queue, live, parse } = scripted();
    queue.start(begin(screen(2, 'S'), 3));
    queue.push([output(3, 'missed'), output(4, 'new')]);
    parse();
    expect(live).toEqual([false, false, true]);
    expect(queue.isLive).toBe(false);
  });

  it('puts life events between the output before and after them', () => {
    const { queue, done, parse } = scripted();
    const started = event(2, newEvent('system:status', 'started', { pid: 1, command: null }));
    queue.push([output(1, 'old shell'), started, output(3, 'new shell')]);
    parse();
    expect(done).toEqual(['old shell', '<started>', 'new shell']);
  });

  it('[seq-2] keeps the order whatever is parsed when', () => {
    const kinds = fc.array(fc.constantFrom('output', 'resize', 'parse'), { maxLength: 60 });
    void fc.assert(
      fc.property(kinds, (steps) => {
        const { queue, done, parse } = scripted();
        const expected: string[] = [];
        steps.forEach((step, at) => {
          if (step === 'parse') {
            parse(1);
            return;
          }
          expected.push(step === 'output' ? `o${at}` : `<${at + 2}>`);
          queue.push([step === 'output' ? output(at + 1, `o${at}`) : resized(at + 1, at + 2)]);
        });
        parse();
        expect(done).toEqual(expected);
      }),
    );
  });
});
