import { Terminal } from '@xterm/xterm';
import { describe, expect, it } from 'vitest';
import { swallowQueries } from './queries.ts';

function terminal() {
  const made = new Terminal({
    allowProposedApi: true,
    cols: 20,
    rows: 5,
    windowOptions: { getWinSizeChars: true, getWinSizePixels: true, getCellSizePixels: true },
  });
  const answers: string[] = [];
  made.onData((data) => answers.push(data));
  return { made, answers };
}
const write = (to: Terminal, data: string) => new Promise<void>((done) => to.write(data, done));

const QUERIES = {
  'primary device attributes': '\u001b[c',
  'secondary device attributes': '\u001b[>c',
  'tertiary device attributes': '\u001b[=c',
  status: '\u001b[5n',
  'cursor position': '\u001b[6n',
  'private cursor position': '\u001b[?6n',
  'a mode': '\u001b[4$p',
  'a private mode': '\u001b[?2026$p',
  version: '\u001b[>q',
  'size in characters': '\u001b[18t',
  'size in pixels': '\u001b[14t',
  'a setting': '\u001bP$qm\u001b\\',
  'the keyboard protocol': '\u001b[?u',
  'a palette colour': '\u001b]4;1;?\u0007',
  foreground: '\u001b]10;?\u0007',
  'background with ST': '\u001b]11;?\u001b\\',
  'foreground, background and cursor': '\u001b]10;?;?;?\u0007',
};

describe('swallowQueries', () => {
  it.each(Object.entries(QUERIES))('[pty-6] answers nothing when a program asks for %s', async (_, query) => {
    const { made, answers } = terminal();
    swallowQueries(made.parser);
    await write(made, `before${query}after`);
    expect(answers).toEqual([]);
    expect(made.buffer.active.getLine(0)?.translateToString(true)).toBe('beforeafter');
  });

  it('is needed: xterm by itself does answer', async () => {
    const { made, answers } = terminal();
    await write(made, '\u001b[c\u001b[6n');
    expect(answers).toHaveLength(2);
  });

  it('lets typed keys through', () => {
    const { made, answers } = terminal();
    swallowQueries(made.parser);
    made.input('ls\r');
    expect(answers).toEqual(['ls\r']);
  });
});
