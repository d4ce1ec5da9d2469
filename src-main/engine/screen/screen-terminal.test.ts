import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Seq } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import type { Details } from './screen-listen.ts';
import { SCREEN_INTERVAL_BYTES, SCREEN_SCROLLBACK_LINES } from './screen-protocol.ts';
import { ScreenTerminal } from './screen-terminal.ts';
import { openTerminal, written } from './screen-xterm.ts';

const COLORS = { foreground: '#ffffff', background: '#102030', cursor: '#00ff00', palette: Array<string>(16).fill('#0000ff') };
const SIZE = { cols: 80, rows: 24 };

/** A terminal that is fed and stepped as the worker does it. */
class Stage {
  readonly replies: string[] = [];
  readonly details: Details[] = [];
  readonly stored: Screen[] = [];
  parsedBytes = 0;
  steps = 0;
  readonly terminal: ScreenTerminal;
  private seq: number;

  constructor(options: Partial<ConstructorParameters<typeof ScreenTerminal>[0]> = {}) {
    this.seq = options.from?.seq ?? 0;
    this.terminal = new ScreenTerminal(
      { ...SIZE, from: null, pastSeq: Seq.parse(0), answers: true, colors: COLORS, ...options },
      {
        onParsed: (_, bytes) => {
          this.parsedBytes += bytes;
        },
        onReply: (text) => void this.replies.push(text),
        onDetails: (details) => void this.details.push(details),
        onStore: (screen) => void this.stored.push(screen),
      },
    );
  }

  feed(output: string | Uint8Array): this {
    this.terminal.feed({ kind: 'output', seq: Seq.parse(++this.seq), bytes: Buffer.from(output) });
    return this;
  }

  resize(cols: number, rows: number): this {
    this.terminal.feed({ kind: 'resize', seq: Seq.parse(++this.seq), cols, rows });
    return this;
  }

  async parsed(): Promise<this> {
    while (this.terminal.hasWork) {
      await this.terminal.step();
      this.steps++;
    }
    return this;
  }

  async show(...outputs: readonly (string | Uint8Array)[]): Promise<this> {
    for (const output of outputs) this.feed(output);
    return this.parsed();
  }
}

const stage = (options: ConstructorParameters<typeof Stage>[0] = {}) => new Stage(options);

/** What another terminal shows after a screen, and then after more output. */
async function shownAfter(screen: Pick<Screen, 'cols' | 'rows' | 'data'>, more = ''): Promise<string> {
  const { terminal, serializer } = openTerminal(screen, SCREEN_SCROLLBACK_LINES);
  await written(terminal, screen.data);
  await written(terminal, more);
  return JSON.stringify([serializer.serialize(), terminal.buffer.active.cursorX, terminal.buffer.active.cursorY, terminal.modes]);
}

describe('the screen of a terminal', () => {
  it('makes another terminal show the same, and names the last event in it', async () => {
    const { terminal } = await stage().show('one\r\n\x1b[31mtwo\x1b[0m\r\n', 'thr', 'ee');
    const screen = terminal.screen(SCREEN_SCROLLBACK_LINES);
    expect(screen).toMatchObject({ seq: 3, cols: 80, rows: 24 });
    expect(await shownAfter(screen)).toBe(await shownAfter({ ...SIZE, data: 'one\r\n\x1b[31mtwo\x1b[0m\r\nthree' }));
  });

  it.each([
    ['the other buffer', '\x1b[?1049h\x1b[5;5Hfull screen'],
    ['a scroll region, with the cursor where it was', '\x1b[3;10r\x1b[7;4Hhere'],
    ['origin mode', '\x1b[3;10r\x1b[?6h\x1b[2;4Hhere'],
    ['colours that are still on', '\x1b[1;38;2;9;8;7;48;5;200m'],
    ['line drawing', '\x1b(0'],
    ['bracketed paste and application keys', '\x1b[?2004h\x1b[?1h\x1b='],
  ])('keeps %s for what comes next', async (_, output) => {
    const more = 'qqq\r\n\x1b[Kmore\n\nand \x1b[2Amore';
    const screen = (await stage().show(`before\r\n${output}`)).terminal.screen(SCREEN_SCROLLBACK_LINES);
    expect(await shownAfter(screen, more)).toBe(await shownAfter({ ...SIZE, data: `before\r\n${output}` }, more));
  });

  it.each([
    ['a hidden cursor', '\x1b[?25l'],
    ['the cursor’s shape', '\x1b[6 q'],
    ['mouse reports and their encoding', '\x1b[?1003h\x1b[?1006h'],
    ['colours of its own', '\x1b]11;#123456\x1b\\'],
  ])('carries %s', async (_, output) => {
    expect((await stage().show(output)).terminal.screen(0).data).toContain(output);
  });

  it.each([
    ['a colour', '\x1b[3', '1mred'],
    ['a title', '\x1b]0;some ti', 'tle\x07text'],
    ['a title’s end', '\x1b]0;title\x1b', '\\text'],
    ['a device string', '\x1bPq#0;2;0', ';0;0\x1b\\text'],
  ])('taken in the middle of %s, shows no rest of it as text', async (_, first, rest) => {
    const screen = (await stage().show(`before ${first}`)).terminal.screen(0);
    expect(await shownAfter(screen, rest)).toBe(await shownAfter({ ...SIZE, data: `before ${first}${rest}` }));
  });

  it('[pty-5] shows every line once when it is resized in a flood', async () => {
    const resized = stage();
    const lines = Array.from({ length: 600 }, (_, index) => `line ${index}`);
    lines.forEach((line, index) => {
      resized.feed(`${line}\r\n`);
      if (index % 7 === 0) resized.resize(60 + (index % 40), 20 + (index % 11));
    });
    const { data } = (await resized.resize(80, 24).parsed()).terminal.screen(SCREEN_SCROLLBACK_LINES);
    const shown = data.split('\r\n').map((line) => line.replace(/\x1b\[[\d;]*[A-Za-z]/g, '').trim());
    expect(shown.filter((line) => line.startsWith('line'))).toEqual(lines);
  });

  it('offers a screen for storing after each stretch of output', async () => {
    const flooded = stage();
    const chunk = 'a line of output\r\n'.repeat(1000);
    for (let bytes = 0; bytes < SCREEN_INTERVAL_BYTES * 1.5; bytes += chunk.length) await flooded.show(chunk);
    expect(flooded.stored).toHaveLength(1);
    expect(flooded.stored[0]?.data).toContain('a line of output');
  });

  it('runs a request for the screen after everything fed before it', async () => {
    const { terminal } = stage().feed('one').feed('two');
    const seen: string[] = [];
    terminal.afterQueue(() => seen.push(terminal.screen(0).data));
    terminal.feed({ kind: 'output', seq: Seq.parse(3), bytes: Buffer.from('three') });
    while (terminal.hasWork) await terminal.step();
    expect(seen).toEqual(['onetwo']);
  });

  it('skips what nobody will see of a flood, and shows the same', async () => {
    const flood = Array.from({ length: 40_000 }, (_, index) => `\x1b[3${index % 8}mline ${index}\x1b[0m of a flood\r\n`);
    const queued = stage();
    for (let from = 0; from < flood.length; from += 500) queued.feed(flood.slice(from, from + 500).join(''));
    await queued.parsed();
    expect(queued.steps).toBeLessThan(5);
    const shown = await shownAfter(queued.terminal.screen(SCREEN_SCROLLBACK_LINES));
    expect(shown).toBe(await shownAfter({ ...SIZE, data: flood.slice(-1100).join('') }));
  });

  it('shows the same however its output is cut and queued', async () => {
    const piece = fc.constantFrom(
      'text\r\n',
      '\x1b[31mred\x1b[0m',
      '\x1b[2A',
      '\x1b[1;5r',
      '\x1b[r',
      '\x1b[?1049h',
      '\x1b[?1049l',
      '\x1b7',
      '\x1b8',
      'é☃😀',
      '\r\n',
    );
    const flood = fc.record({
      lines: fc.array(piece, { minLength: 1, maxLength: 8 }),
      times: fc.integer({ min: 1, max: 30_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(flood, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1000, max: 100_000 }),
        async (floods, cut) => {
          const bytes = Buffer.from(
            floods.map(({ lines, times }) => `${lines.join('')}line\r\n`.repeat(times)).join(''),
          ).subarray(0, 500_000);
          const [queued, direct] = [stage(), openTerminal(SIZE, SCREEN_SCROLLBACK_LINES)];
          for (let from = 0; from < bytes.length; from += cut) queued.feed(bytes.subarray(from, from + cut));
          await queued.parsed();
          await written(direct.terminal, bytes);
          expect(queued.parsedBytes).toBe(bytes.length);
          expect(await shownAfter(queued.terminal.screen(SCREEN_SCROLLBACK_LINES))).toBe(
            await shownAfter({ ...SIZE, data: direct.serializer.serialize() }),
          );
        },
      ),
      { numRuns: 8 },
    );
  });
});

describe('what a program asks its terminal', () => {
  const QUERIES =
    '\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[?6n\x1b[?2026$p\x1b]10;?\x1b\\\x1b]11;?\x07\x1b]12;?\x1b\\\x1b]4;1;?;255;?\x1b\\';
  const ANSWERS = [
    '\x1b[?1;2c',
    '\x1b[>0;276;0c',
    '\x1b[0n',
    '\x1b[1;1R',
    '\x1b[?1;1R',
    '\x1b[?2026;2$y',
    '\x1b]10;rgb:ffff/ffff/ffff\x1b\\',
    '\x1b]11;rgb:1010/2020/3030\x1b\\',
    '\x1b]12;rgb:0000/ffff/0000\x1b\\',
    '\x1b]4;1;rgb:0000/0000/ffff\x1b\\',
    '\x1b]4;255;rgb:eeee/eeee/eeee\x1b\\',
  ];

  it('[pty-6] is answered once', async () => {
    expect((await stage().show(QUERIES)).replies).toEqual(ANSWERS);
  });

  it('[pty-6] is not answered when it belongs to the past, nor where another machine answers', async () => {
    expect((await stage({ pastSeq: Seq.parse(1) }).show(QUERIES)).replies).toEqual([]);
    expect((await stage({ pastSeq: Seq.parse(1) }).show(QUERIES, '\x1b[6n')).replies).toEqual(['\x1b[1;1R']);
    expect((await stage({ answers: false }).show(QUERIES)).replies).toEqual([]);
    const screen = (await stage().show(`${QUERIES}\x1b]0;title\x07`)).terminal.screen(0);
    const restored = stage({ from: screen });
    await restored.terminal.restore();
    expect([restored.replies, restored.details]).toEqual([[], []]);
  });

  it.each([
    ['its title', '\x1b]0;evil\x07\x1b[21t\x1b[20t'],
    ['a setting as a string', '\x1bP$qm\x1b\\'],
    ['its version', '\x1b[>q'],
    ['an answerback', '\x05'],
    ['its clipboard', '\x1b]52;c;?\x07'],
    ['its size in the window', '\x1b[18t\x1b[14t'],
    ['capabilities', '\x1bP+q544e\x1b\\'],
  ])('[pty-6] is not answered when it is %s', async (_, query) => {
    expect((await stage().show(query)).replies).toEqual([]);
  });

  it('is answered with the colours that the program has set, until it resets them', async () => {
    const asked = await stage().show(
      '\x1b]11;rgb:f/0/80\x1b\\\x1b]4;1;#abc\x1b\\\x1b]11;?\x07\x1b]4;1;?\x07\x1b]111\x07\x1b]104;1\x07\x1b]11;?\x07\x1b]4;1;?\x07',
    );
    expect(asked.replies).toEqual([
      '\x1b]11;rgb:ffff/0000/8080\x1b\\',
      '\x1b]4;1;rgb:aaaa/bbbb/cccc\x1b\\',
      '\x1b]11;rgb:1010/2020/3030\x1b\\',
      '\x1b]4;1;rgb:0000/0000/ffff\x1b\\',
    ]);
  });

  it('does not fill memory with answers that nobody reads', async () => {
    const { replies } = await stage().show('\x1b[6n'.repeat(20_000));
    expect(replies.length).toBeLessThan(4000);
  });
});

describe('what a program says about itself', () => {
  const details = async (output: string) => (await stage().show(output)).details;

  it('[pty-8] is its title, cleaned and cut', async () => {
    expect(await details('\x1b]2;a\u202eb\u200bcd\x07')).toEqual([{ programTitle: 'abcd' }]);
    expect(await details(`\x1b]0;${'é'.repeat(300)}\x07`)).toEqual([{ programTitle: 'é'.repeat(256) }]);
    expect(await details('\x1b]0;\u200b \x07')).toEqual([{ programTitle: null }]);
  });

  it.each([
    ['OSC 7', '\x1b]7;file:///home/a%20b\x07', '/home/a b'],
    ['OSC 7 of this machine', '\x1b]7;file://localhost/home\x1b\\', '/home'],
    ['OSC 7 on Windows', '\x1b]7;file:///C:/Users/me\x07', 'C:/Users/me'],
    ['OSC 9;9', '\x1b]9;9;"C:\\Users\\me"\x07', 'C:\\Users\\me'],
    ['OSC 633', '\x1b]633;P;Cwd=/home/a\\x3bb\\\\c\x07', '/home/a;b\\c'],
    ['OSC 1337', '\x1b]1337;CurrentDir=/home/me\x07', '/home/me'],
  ])('is its folder, by %s', async (_, output, cwd) => {
    expect(await details(output)).toEqual([{ cwd }]);
  });

  it.each([
    ['of another machine', '\x1b]7;file://elsewhere.example/home\x07'],
    ['that is none', '\x1b]7;file:///%zz\x07'],
    ['that is relative', '\x1b]1337;CurrentDir=home\x07'],
    ['[pty-8] with invisible characters', '\x1b]7;file:///home/%E2%80%AEevil\x07'],
    ['[pty-8] that is too long', `\x1b]7;file:///${'a'.repeat(300)}\x07`],
  ])('is not taken over from a folder %s', async (_, output) => {
    expect(await details(output)).toEqual([]);
  });

  it.each([
    ['a prompt', '\x1b]133;A\x07$ \x1b]133;B\x07', true],
    ['a prompt with options', '\x1b]133;A;cl=m\x1b\\', true],
    ['a command that runs', '\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07', false],
    ["VS Code's marks", '\x1b]633;A\x07$ \x1b]633;B\x07', true],
  ])('[pty-9] is whether its shell waits for a command: %s', async (_, output, atPrompt) => {
    expect(await details(output)).toEqual([{ atPrompt }]);
  });

  it.each([
    ['OSC 9', '\x1b]9;Build done\x07', { title: null, body: 'Build done' }],
    ['OSC 9 that begins with a number', '\x1b]9;5 tests failed\x07', { title: null, body: '5 tests failed' }],
    ['OSC 777', '\x1b]777;notify;make;all; done\x1b\\', { title: 'make', body: 'all; done' }],
    ['OSC 777 without a body', '\x1b]777;notify;make\x07', { title: null, body: 'make' }],
    ['OSC 99', '\x1b]99;;Hello\x1b\\', { title: null, body: 'Hello' }],
    ['OSC 99 in parts', '\x1b]99;i=1:d=0;Title\x07\x1b]99;i=1:p=body;the body\x07', { title: 'Title', body: 'the body' }],
    ['OSC 99 as base64', `\x1b]99;e=1;${Buffer.from('grüße').toString('base64')}\x07`, { title: null, body: 'grüße' }],
    ['two at once', '\x1b]9;one\x07\x1b]9;two\x07', { title: null, body: 'two' }],
    ['something to clean', `\x1b]9;a\u202eb\n  c${'d'.repeat(300)}\x07`, { title: null, body: `ab c${'d'.repeat(252)}` }],
  ])('[pty-11] hears its notice: %s', async (_, output, notice) => {
    expect(await details(output)).toEqual([{ notice }]);
  });

  it.each([
    ['progress', '\x1b]9;4;1;50\x07'],
    ['a pause', '\x1b]9;1\x07'],
    ['nothing', '\x1b]9;\u200b \x07'],
    ['another order of 777', '\x1b]777;precmd\x07'],
    ['a question of 99', '\x1b]99;i=1:p=?;\x07'],
    ['a notice that is not whole', '\x1b]99;i=1:d=0;Title\x07'],
  ])('[pty-11] takes for no notice: %s', async (_, output) => {
    expect(await details(output)).toEqual([]);
  });

  it('is told once for all that came together, and not when it belongs to the past', async () => {
    expect(await details('\x1b]0;one\x07\x1b]0;two\x07\x1b]7;file:///home\x07')).toEqual([{ programTitle: 'two', cwd: '/home' }]);
    expect((await stage({ pastSeq: Seq.parse(1) }).show('\x1b]0;old\x07')).details).toEqual([]);
  });
});
