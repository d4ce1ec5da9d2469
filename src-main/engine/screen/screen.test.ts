import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LogEvent, newEvent } from '../../../src-shared/events.ts';
import { FIRST_EPOCH, RunId, Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { type ScreenHandle, type Screens, startScreens } from './screen.ts';
import type { HistoryPage, HistorySource } from './screen-history.ts';
import type { Details } from './screen-listen.ts';
import { SCREEN_INTERVAL_BYTES, UNPARSED_BYTES } from './screen-protocol.ts';

const COLORS = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: Array<string>(16).fill('#808080') };
const ALL = { scrollbackLines: 1000 };

let screens: Screens;
let problems: string[];
beforeEach(() => {
  problems = [];
  screens = startScreens({ colors: COLORS, onProblem: (message) => problems.push(message) });
});
afterEach(() => screens.stop());

/** A session's log and the screens stored beside it. */
class Log {
  readonly runId = RunId.parse(crypto.randomUUID());
  readonly events: LogEvent[] = [];
  readonly stored: Screen[] = [];
  readonly replies: string[] = [];
  readonly details: Details[] = [];
  readonly failures: string[] = [];
  reads = 0;
  /** What is behind this is on its way into the log. */
  readableSeq = Number.POSITIVE_INFINITY;
  handle: ScreenHandle | null = null;

  get lastSeq(): Seq {
    return Seq.parse(this.events.length);
  }

  open(from: Screen | null = null): ScreenHandle {
    this.handle = screens.open(this.runId, {
      cols: 80,
      rows: 24,
      from,
      lastSeq: this.lastSeq,
      answers: true,
      readOutput: this.readOutput,
      events: {
        onReply: (bytes) => void this.replies.push(Buffer.from(bytes).toString('latin1')),
        onDetails: (details) => void this.details.push({ ...details }),
        onScreen: (screen) => void this.stored.push(screen),
        onFailed: (message) => void this.failures.push(message),
      },
    });
    return this.handle;
  }

  write(output: string | Uint8Array): void {
    const bytes = Buffer.from(output);
    const seq = this.append(newEvent('pty:stdout', 'data', bytes));
    this.handle?.write(seq, bytes);
  }

  resize(cols: number, rows: number): void {
    const seq = this.append(newEvent('pty:resize', 'resized', { cols, rows }));
    this.handle?.resize(seq, cols, rows);
  }

  append(event: Pick<LogEvent, 'channel' | 'type' | 'payload'>): Seq {
    const seq = Seq.parse(this.events.length + 1);
    this.events.push({ ...event, runId: this.runId, seq, epoch: FIRST_EPOCH, ts: 0 });
    return seq;
  }

  readonly readOutput = async (after: Seq, maxBytes: number): Promise<readonly LogEvent[]> => {
    this.reads++;
    const found: LogEvent[] = [];
    let bytes = 0;
    for (const event of this.events.slice(after)) {
      if (bytes >= maxBytes || event.seq > this.readableSeq) break;
      found.push(event);
      bytes += event.payload instanceof Uint8Array ? event.payload.length : 0;
    }
    return found;
  };

  readonly source: HistorySource = {
    runId: this.runId,
    cols: 80,
    rows: 24,
    readOutput: this.readOutput,
    lastSeq: () => this.lastSeq,
    screen: async (atOrBefore = this.lastSeq) => this.stored.findLast((screen) => screen.seq <= atOrBefore) ?? null,
  };

  /** Its whole past, page by page. */
  async allLines(limit: number): Promise<readonly string[]> {
    const pages: HistoryPage[] = [];
    for (let page: HistoryPage | undefined; page?.complete !== true; ) {
      page = await screens.history(this.source, { beforeLine: page?.firstLine, limit });
      expect(page.firstLine).toBeLessThan(pages.at(-1)?.firstLine ?? Number.POSITIVE_INFINITY);
      pages.push(page);
    }
    return pages.reverse().flatMap(({ lines }) => lines);
  }
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `line ${from + index}`);
const flood = (bytes: number) => 'a line of a flood\r\n'.repeat(Math.ceil(bytes / 19));
/** Nothing of this can be skipped. */
const hardFlood = (bytes: number) => 'a line\x1b[1A\r\n\n'.repeat(Math.ceil(bytes / 13));

it.runIf(process.platform === 'linux')('let keys and output go first where there are not processors enough', async () => {
  await new Log().open().snapshot(ALL);
  const priorities = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
  expect(priorities).toContain(getPriority() + 5);
});

describe('screens', () => {
  it('answer with everything that was written before', async () => {
    const log = new Log();
    const handle = log.open();
    log.write('one\r\n');
    log.write('two');
    expect(await handle.snapshot(ALL)).toEqual({ seq: 2, cols: 80, rows: 24, data: 'one\r\ntwo' });
    log.resize(40, 10);
    log.write('!');
    expect(await handle.snapshot(ALL)).toEqual({ seq: 4, cols: 40, rows: 10, data: 'one\r\ntwo!' });
  });

  it('are many in one worker, each with its own', async () => {
    const logs = Array.from({ length: 20 }, () => new Log());
    logs.forEach((log, index) => {
      log.open();
      log.write(`this is ${index}`);
    });
    const shown = await Promise.all(logs.map((log) => log.handle?.snapshot(ALL)));
    expect(shown.map((screen) => screen?.data)).toEqual(logs.map((_, index) => `this is ${index}`));
  });

  it('[pty-6] answer what the program asks, in live output only', async () => {
    const log = new Log();
    log.write('\x1b[6n\x1b]0;old\x07');
    const handle = log.open();
    await handle.snapshot(ALL);
    expect(log.replies).toEqual([]);
    log.write('\x1b[c\x1b]0;new\x07');
    await handle.snapshot(ALL);
    expect([log.replies, log.details]).toEqual([['\x1b[?1;2c'], [{ programTitle: 'new' }]]);
  });

  it('tell programs the theme’s colours as they are now', async () => {
    const log = new Log();
    const handle = log.open();
    screens.setColors({ ...COLORS, background: '#00ff00' });
    log.write('\x1b]11;?\x07');
    await handle.snapshot(ALL);
    expect(log.replies).toEqual(['\x1b]11;rgb:0000/ffff/0000\x1b\\']);
  });

  it('leave the bytes that are written to their owner', async () => {
    const log = new Log();
    const handle = log.open();
    const bytes = Buffer.from('mine');
    handle.write(Seq.parse(1), bytes);
    bytes.fill('x');
    expect((await handle.snapshot(ALL)).data).toBe('mine');
  });

  it('begin at a stored screen and get the rest from the log', async () => {
    const log = new Log();
    log.write('lost to the log');
    log.append(newEvent('system:status', 'renamed', { title: 'between' }));
    log.write('two');
    log.resize(90, 30);
    log.append(newEvent('system:status', 'renamed', { title: 'at the end' }));
    const handle = log.open({ seq: Seq.parse(1), cols: 80, rows: 24, data: 'stored ' });
    expect(await handle.snapshot(ALL)).toMatchObject({ cols: 90, rows: 30, data: 'stored two' });
    log.write('three');
    expect(await handle.snapshot(ALL)).toMatchObject({ seq: 6, data: 'stored twothree' });
  });

  it('do not begin at a screen of events that the log has lost', async () => {
    const log = new Log();
    log.write('one');
    const handle = log.open({ seq: Seq.parse(5), cols: 80, rows: 24, data: 'from the future' });
    expect(await handle.snapshot(ALL)).toMatchObject({ seq: 1, data: 'one' });
  });

  it('wait for what was written and is not in the log yet', async () => {
    const log = new Log();
    log.write('one');
    log.readableSeq = 1;
    const handle = log.open();
    log.write('two');
    const snapshot = handle.snapshot(ALL);
    await vi.waitFor(() => expect(log.reads).toBeGreaterThan(2));
    log.readableSeq = 2;
    expect((await snapshot).data).toBe('onetwo');
  });

  it('hold a bounded part of a flood, read the rest back from the log, and miss nothing', async () => {
    const log = new Log();
    const handle = log.open();
    const chunk = hardFlood(64 * 1024);
    for (let bytes = 0; bytes < UNPARSED_BYTES * 1.5; bytes += chunk.length) log.write(chunk);
    log.write('the end');
    expect(handle.behindBytes).toBeGreaterThan(UNPARSED_BYTES);
    expect((await handle.snapshot(ALL)).data.endsWith('the end')).toBe(true);
    expect(log.reads).toBeGreaterThan(0);
    expect(handle.behindBytes).toBe(0);
    log.write(' and on');
    expect((await handle.snapshot(ALL)).data.endsWith('the end and on')).toBe(true);
  });

  it('[pty-7] give the screen as far as it is parsed at once, however much is behind it', async () => {
    const log = new Log();
    const handle = log.open();
    log.write('first');
    await handle.snapshot(ALL);
    const chunk = hardFlood(64 * 1024);
    for (let bytes = 0; bytes < UNPARSED_BYTES; bytes += chunk.length) log.write(chunk);
    const latest = await handle.latest(ALL);
    expect(latest.seq).toBeLessThan(log.lastSeq);
    expect(handle.behindBytes).toBeGreaterThan(0);
  });

  it('refuse when they are closed', async () => {
    const log = new Log();
    const handle = log.open();
    handle.close();
    handle.close();
    handle.write(Seq.parse(1), Buffer.from('late'));
    await expect(handle.snapshot(ALL)).rejects.toThrow(RefusalError);
    await expect(handle.latest(ALL)).rejects.toThrow('it was closed');
  });

  it('give one up whose log cannot be read, and no other', async () => {
    const [broken, whole] = [new Log(), new Log()];
    broken.write('one');
    vi.spyOn(broken, 'readOutput').mockRejectedValue(new Error('the disk is gone'));
    const handle = screens.open(broken.runId, {
      cols: 80,
      rows: 24,
      from: null,
      lastSeq: broken.lastSeq,
      answers: true,
      readOutput: () => Promise.reject(new Error('the disk is gone')),
      events: {
        onReply: () => {},
        onDetails: () => {},
        onScreen: () => {},
        onFailed: (message) => broken.failures.push(message),
      },
    });
    await vi.waitFor(() => expect(broken.failures).toEqual(['the log could not be read: the disk is gone']));
    await expect(handle.snapshot(ALL)).rejects.toThrow('the disk is gone');
    whole.open();
    whole.write('fine');
    expect((await whole.handle?.snapshot(ALL))?.data).toBe('fine');
  });
});

describe('a terminal’s past', () => {
  it('comes in whole lines with their colours, newest page first', async () => {
    const log = new Log();
    log.write('\x1b[1;31mred\x1b[0m plain\r\n');
    log.write(`${'x'.repeat(100)}\r\n\r\n`);
    log.write('last');
    expect(await screens.history(log.source, { limit: 10 })).toEqual({
      lines: ['\x1b[1;31mred\x1b[0m plain', 'x'.repeat(100), '', 'last'],
      firstLine: 0,
      lastLine: 3,
      complete: true,
      atEnd: true,
    });
    const page = await screens.history(log.source, { limit: 2 });
    expect(page).toMatchObject({ lines: ['', 'last'], complete: false });
    const before = await screens.history(log.source, { beforeLine: page.firstLine, limit: 2 });
    expect(before).toMatchObject({ lines: ['\x1b[1;31mred\x1b[0m plain', 'x'.repeat(100)], complete: true });
  });

  it('[pty-1] is whole, each line once, across stored screens and however it is paged', async () => {
    const log = new Log();
    log.open();
    const lines = numbered(250_000);
    for (let from = 0; from < lines.length; from += 2000) {
      log.write(`${lines.slice(from, from + 2000).join('\r\n')}\r\n`);
      // So that not everything is parsed, and its screens taken, at once.
      if (from % 50_000 === 0) await log.handle?.snapshot(ALL);
    }
    await log.handle?.snapshot(ALL);
    expect(log.stored.length).toBeGreaterThan(0);
    expect(
      log.events.reduce((sum, { payload }) => sum + (payload instanceof Uint8Array ? payload.length : 0), 0),
    ).toBeGreaterThan(SCREEN_INTERVAL_BYTES);
    expect(await log.allLines(5000)).toEqual(lines);
  });

  it('can be read forwards from any line, each line once, to its very end', async () => {
    const log = new Log();
    log.open();
    const lines = numbered(120_000);
    for (let from = 0; from < lines.length; from += 2000) {
      log.write(`${lines.slice(from, from + 2000).join('\r\n')}\r\n`);
      if (from % 30_000 === 0) {
        const screen = await log.handle?.snapshot(ALL);
        if (screen) log.stored.push(screen);
      }
    }
    const oldest = await screens.history(log.source, { afterLine: 99, limit: 10 });
    expect(oldest).toMatchObject({ lines: lines.slice(100, 110), atEnd: false });
    const read = [...oldest.lines];
    for (let page = oldest; !page.atEnd; ) {
      page = await screens.history(log.source, { afterLine: page.lastLine, limit: 5000 });
      read.push(...page.lines);
      if (page.lines.length > 0) expect(page.firstLine).toBeLessThanOrEqual(page.lastLine);
    }
    expect(read).toEqual(lines.slice(100));
  });

  it('shows what is around the output of an event', async () => {
    const log = new Log();
    log.open();
    const seqs = [];
    for (let from = 0; from < 20_000; from += 100) {
      log.write(`${numbered(100, from).join('\r\n')}\r\n`);
      seqs.push(log.lastSeq);
      const screen = from % 5000 === 0 ? await log.handle?.snapshot(ALL) : undefined;
      if (screen) log.stored.push(screen);
    }
    for (const at of [0, 3, 49, 50, 51, 120, 199]) {
      const page = await screens.history(log.source, { atSeq: seqs[at], limit: 400 });
      expect(page.lines).toContain(`line ${at * 100 + 99}`);
      const first = Number(page.lines[0]?.split(' ')[1]);
      expect(page.lines).toEqual(numbered(page.lines.length, first));
      const older = await screens.history(log.source, { beforeLine: page.firstLine, limit: 50 });
      expect(older.lines).toEqual(first === 0 ? [] : numbered(Math.min(50, first), Math.max(0, first - 50)));
    }
  });

  it('stays where it is while more output comes', async () => {
    const log = new Log();
    log.write(`${numbered(100).join('\r\n')}\r\n`);
    const page = await screens.history(log.source, { limit: 10 });
    const again = () => screens.history(log.source, { beforeLine: page.firstLine, limit: 10 });
    const before = await again();
    expect(before.lines).toEqual(numbered(10, 80));
    log.write(`${numbered(5000, 100).join('\r\n')}\r\n`);
    expect(await again()).toEqual(before);
  });

  it('holds what scrolled away before a full-screen program, and not the program’s pictures', async () => {
    const log = new Log();
    log.write(`${numbered(50).join('\r\n')}\r\n`);
    log.write(`\x1b[?1049h\x1b[2J${'picture\r\n'.repeat(100)}\x1b[?1049l`);
    log.write('after');
    expect(await log.allLines(7)).toEqual([...numbered(50), 'after']);
  });

  it('[pty-5] holds every line once when the terminal was resized in between', async () => {
    const log = new Log();
    const lines = numbered(400);
    lines.forEach((line, index) => {
      log.write(`${line}\r\n`);
      if (index % 13 === 0) log.resize(50 + (index % 50), 10 + (index % 20));
    });
    expect(await log.allLines(50)).toEqual(lines);
  });

  it('is empty for a terminal that has said nothing, and before a stretch that is gone', async () => {
    const log = new Log();
    expect(await screens.history(log.source, { limit: 10 })).toMatchObject({ lines: [], firstLine: 0, complete: true });
    const gone = { beforeLine: 77 * 2 ** 22 + 5, limit: 10 };
    expect(await screens.history(log.source, gone)).toMatchObject({ lines: [], firstLine: 0, complete: true });
  });

  it('is a page of what there was when it was asked for, while a program writes on and on', async () => {
    const log = new Log();
    log.write('begin\r\n');
    const endless: HistorySource = {
      ...log.source,
      readOutput: (after, maxBytes) => {
        log.write('more\r\n');
        return log.readOutput(after, maxBytes);
      },
    };
    expect((await screens.history(endless, { limit: 10 })).lines).toEqual(['begin']);
  });

  it('stops being made when nobody waits for it any longer', async () => {
    const log = new Log();
    log.write(flood(2 * 1024 * 1024));
    for (let more = 0; more < 20; more++) log.write(flood(64 * 1024));
    const impatience = new AbortController();
    const page = screens.history(log.source, { limit: 10 }, impatience.signal);
    impatience.abort(new Error('closed'));
    await expect(page).rejects.toThrow('closed');
    expect((await screens.history(log.source, { limit: 1 })).lines).toEqual(['a line of a flood']);
  });
});
