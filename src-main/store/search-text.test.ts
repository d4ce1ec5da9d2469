import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newEvent } from '../../src-shared/events.ts';
import { OutputText, textOf } from './search-text.ts';

function strip(...pieces: readonly (string | Uint8Array)[]): string {
  const output = new OutputText();
  const target = Buffer.alloc(1_000_000);
  let end = 0;
  for (const piece of pieces) end = output.strip(typeof piece === 'string' ? Buffer.from(piece) : piece, target, end);
  return target.toString('utf8', 0, end);
}

describe('the text of terminal output', () => {
  it.each([
    ['colours', '\x1b[1;31merror\x1b[0m: no', 'error: no'],
    ['true colour with colons', '\x1b[38:2::1:2:3mred\x1b[m', 'red'],
    ['titles ended by BEL and by ST', '\x1b]0;title\x07one\x1b]2;title\x1b\\two', 'onetwo'],
    ['links', '\x1b]8;;http://x.example\x1b\\text\x1b]8;;\x1b\\', 'text'],
    ['device control and private strings', '\x1bPq#0~\x1b\\a\x1b_kitty\x1b\\b\x1b^pm\x1b\\c', 'abc'],
    ['cursor movement as a space', 'left\x1b[20Gright\x1b[3Bdown', 'left right down'],
    ['modes and erasing as nothing', 'a\x1b[?25lb\x1b[2Kc\x1b[0Jd', 'abcd'],
    ['character sets and single escapes', '\x1b(Ba\x1b=b\x1b7c\x1bMd', 'abcd'],
    ['line ends', 'one\r\ntwo\rthree\nfour\r\r\n', 'one\ntwo\nthree\nfour\n\n'],
    ['tabs, bells, backspaces', 'a\tb\x07c\bd\x7f', 'a bcd'],
    ['what is not ASCII', 'größe ☃ 🎉', 'größe ☃ 🎉'],
  ])('drops how it looks: %s', (_, bytes, text) => {
    expect(strip(bytes)).toBe(text);
  });

  it('is the same wherever the output is cut', () => {
    const bytes = Buffer.from('a\x1b[1;31mé\x1b]0;t\x1b\\b\r\n\x1b(B☃\x1b[3Cc\x1bP1\x1b\\\x1b[38;5;1md🎉\r\n');
    const whole = strip(bytes);
    expect(whole).toBe('aéb\n☃ cd🎉\n');
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        expect(strip(...at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toBe(whole);
      }),
    );
  });
});

describe('the text of other events', () => {
  const of = ({ channel, type, payload }: ReturnType<typeof newEvent>) =>
    payload instanceof Uint8Array ? '' : textOf(channel, type, payload);

  it('is what people wrote and read', () => {
    const inputId = '0197f000-0000-7000-8000-0000000000aa' as never;
    const content = { text: 'fix it', images: [] };
    expect(of(newEvent('run:prompt', 'queued', { inputId, clientId: 'c', content }))).toBe('fix it');
    expect(of(newEvent('run:prompt', 'edited', { inputId, target: inputId, text: 'fix it well' }))).toBe('fix it well');
    expect(of(newEvent('system:status', 'renamed', { title: 'my title' }))).toBe('my title');
    expect(of(newEvent('run:prompt', 'accepted', { inputId }))).toBe('');
    const asked = { requestId: 'r', toolName: 'Bash', input: { command: 'rm x', list: ['y'] } };
    expect(
      of(newEvent('run:permission', 'asked', { ...asked, toolUseId: null, sessionRule: null, title: null, reason: null })),
    ).toBe('Bash\nrm x\ny');
  });

  it('is all text of a transcript, of tools too, but no image', () => {
    const block = (type: string, rest: object) => ({ type, ...rest });
    const content = [
      block('text', { text: 'an answer' }),
      block('thinking', { thinking: 'a thought', signature: 'xyz' }),
      block('tool_use', { name: 'Edit', input: { file_path: '/a.ts', edits: [{ old: 'o', new: 'n' }] } }),
      block('tool_result', { content: [{ type: 'text', text: 'a result' }] }),
      block('image', { source: { data: 'AAAA' } }),
    ];
    const entries = [
      { type: 'user', message: { role: 'user', content: 'a question' } },
      { type: 'assistant', message: { content } },
      { type: 'summary', summary: 'a summary' },
      { type: 'unknown', message: 7 },
    ];
    const text = of(newEvent('claude:transcript', 'entries', { subpath: null, entries } as never));
    expect(text.split('\n')).toEqual(['a question', 'an answer', 'a thought', '/a.ts', 'o', 'n', 'a result', 'a summary']);
  });

  it('is nothing for an event that this version does not know', () => {
    expect(textOf('later:channel', 'thing', { text: 'x' })).toBe('');
    expect(textOf('run:prompt', 'queued', { content: 7 })).toBe('');
  });
});
