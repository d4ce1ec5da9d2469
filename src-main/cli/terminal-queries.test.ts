import { describe, expect, it } from 'vitest';
import { TerminalQueries } from './terminal-queries.ts';

const pass = (queries: TerminalQueries, text: string) =>
  Buffer.from(queries.pass(Buffer.from(text, 'latin1'))).toString('latin1');

const QUESTIONS: Readonly<Record<string, string>> = {
  'primary attributes': '\x1b[c',
  'secondary attributes': '\x1b[>0c',
  'tertiary attributes': '\x1b[=c',
  DECID: '\x1bZ',
  status: '\x1b[5n',
  cursor: '\x1b[6n',
  'extended cursor': '\x1b[?6n',
  'colour scheme': '\x1b[?996n',
  mode: '\x1b[?2026$p',
  version: '\x1b[>q',
  'window size': '\x1b[18t',
  'cell size': '\x1b[16t',
  title: '\x1b[21t',
  keyboard: '\x1b[?u',
  'modify other keys': '\x1b[?4m',
  graphics: '\x1b[?2;1;0S',
  foreground: '\x1b]10;?\x07',
  'background, ST': '\x1b]11;?\x1b',
  palette: '\x1b]4;1;?;2;?\x07',
  clipboard: '\x1b]52;c;?\x07',
  'cell size of iTerm': '\x1b]1337;ReportCellSize\x07',
  'setting string': '\x1bP$qm\x1b',
  capability: '\x1bP+q544e\x1b',
  image: '\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b',
  answerback: '\x05',
};

const OUTPUT: Readonly<Record<string, string>> = {
  text: 'hällo\r\n',
  colours: '\x1b[1;38;5;12mx\x1b[m',
  'modify other keys': '\x1b[>4;2m',
  'insert lines': '\x1b[2L',
  cursor: '\x1b[?25l\x1b[12;1H\x1b[2 q',
  'window title': '\x1b]0;what?\x07',
  link: '\x1b]8;;https://example.org/?a=b\x1b\\text\x1b]8;;\x1b\\',
  'clipboard write': '\x1b]52;c;aGVsbG8=\x07',
  'colour set': '\x1b]11;#101010\x07',
  'title stack': '\x1b[22;2t\x1b[23;2t',
  resize: '\x1b[8;24;80t',
  'sixel image': '\x1bPq#0;2;0;0;0~~\x1b\\',
  'keyboard push': '\x1b[>1u',
};

describe('[pty-6] TerminalQueries', () => {
  it.each(Object.entries(QUESTIONS))('drops the question for %s', (_, question) => {
    expect(pass(new TerminalQueries(), `a${question}`)).toBe('a');
    const inPieces = new TerminalQueries();
    expect(
      [...`a${question.replace(/\x1b$/, '\x1b\\')}b`]
        .map((char) => pass(inPieces, char))
        .join('')
        .replace('\x1b\\', ''),
    ).toBe('ab');
  });

  it.each(Object.entries(OUTPUT))('passes %s on, whole and in pieces', (_, output) => {
    const bytes = Buffer.from(output).toString('latin1');
    expect(pass(new TerminalQueries(), bytes)).toBe(bytes);
    const inPieces = new TerminalQueries();
    expect([...`${bytes}.`].map((char) => pass(inPieces, char)).join('')).toBe(`${bytes}.`);
  });

  it('hands over the very bytes where there is nothing to drop', () => {
    const bytes = Buffer.from('plain \x1b[1mtext');
    expect(new TerminalQueries().pass(bytes)).toBe(bytes);
  });

  it('does not keep a long string back', () => {
    const queries = new TerminalQueries();
    const image = `\x1bPq${'~'.repeat(10_000)}`;
    expect(pass(queries, image)).toBe(image);
    expect(pass(queries, '~~\x1b\\x')).toBe('~~\x1b\\x');
  });

  it('puts back what was switched on, and the alternate screen last', () => {
    const queries = new TerminalQueries();
    pass(queries, '\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h\x1b[?25l\x1b[?7l\x1b[>1u\x1b]11;#000000\x07\x1b[?2004l');
    const restore = queries.restore();
    for (const expected of ['\x1b[?1000l', '\x1b[?1006l', '\x1b[?25h', '\x1b[?7h', '\x1b[<99u', '\x1b]111\x07']) {
      expect(restore).toContain(expected);
      expect(restore.indexOf(expected)).toBeLessThan(restore.indexOf('\x1b[?1049l'));
    }
    expect(restore).not.toContain('\x1b[?2004l');
    expect(new TerminalQueries().restore()).not.toContain('\x1b[?1049l');
  });
});
