import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planForward } from './screen-forward.ts';
import { openTerminal, written } from './screen-xterm.ts';

const SIZE = { cols: 20, rows: 5 };
const SCROLLBACK = 10;
const LINES = SIZE.rows + SCROLLBACK;

const line = (index: number) => `line ${index} of plain output\r\n`;
const flood = Array.from({ length: 5000 }, (_, index) => line(index)).join('');
const plan = (text: string) => planForward(Buffer.from(text), LINES);
const bytesOf = (text: string) => Buffer.byteLength(text);

async function shown(parts: readonly (string | Uint8Array)[]): Promise<unknown> {
  const { terminal, serializer } = openTerminal(SIZE, SCROLLBACK);
  await written(terminal, 'what was \x1b[35mthere before\r\n\x1b]0;old title\x07\x1b[1m');
  const titles: string[] = [];
  terminal.onTitleChange((title) => titles.push(title));
  for (const part of parts) await written(terminal, part);
  const { cursorX, cursorY, baseY, length } = terminal.buffer.active;
  return { data: serializer.serialize(), titles, cursorX, cursorY, baseY, length };
}

describe('planForward', () => {
  it('skips a flood of plain output but for its last lines', () => {
    const skip = plan(flood);
    expect(skip.kind).toBe('skip');
    if (skip.kind === 'skip') expect(bytesOf(flood) - skip.skipTo).toBeLessThan(1000);
  });

  it('keeps colours, hyperlinks and titles of what it skips, but no colour that was reset', () => {
    const skip = plan(`\x1b[31mred\x1b[0m\x1b[1;32mgreen\x1b]0;title\x07\x1b]8;;http://a\x1b\\${flood}`);
    expect(skip.kind === 'skip' && Buffer.from(skip.controls).toString()).toBe(
      '\x1b[0m\x1b[1;32m\x1b]0;title\x07\x1b]8;;http://a\x1b\\',
    );
  });

  it.each([
    ['cursor movement', '\x1b[2A'],
    ['a mode', '\x1b[?7l'],
    ['a scroll region', '\x1b[1;3r'],
    ['a saved cursor', '\x1b7'],
    ['the other buffer', '\x1b[?1049h'],
    ['a query', '\x1b[6n'],
  ])('parses up to and including %s, then skips', (_, control) => {
    expect(plan(`before${control}${flood}`)).toEqual({ kind: 'parse', bytes: bytesOf(`before${control}`) });
  });

  it('skips nothing where such a control comes in the last lines, or too little is left', () => {
    const parseAll = (text: string) => expect(plan(text)).toEqual({ kind: 'parse', bytes: bytesOf(text) });
    parseAll(`${flood}\x1b[1;3r`);
    parseAll(flood.slice(0, 20_000));
    parseAll('x'.repeat(200_000));
    parseAll(flood.replaceAll('\r\n', '\n'));
    parseAll(`\u009b3m${flood}`);
  });

  it('parses what follows the last skipped line, an unfinished sequence too', () => {
    const skip = plan(`${flood}\x1b[3`);
    expect(skip.kind).toBe('skip');
  });

  it('gives the very same screen', async () => {
    const control = fc.constantFrom(
      '\x1b[31m',
      '\x1b[0m',
      '\x1b[m',
      '\x1b[0;44m',
      '\x1b[1;38;2;1;2;3m',
      '\x1b[4:3m',
      '\x1b[K',
      '\x1b]0;title\x07',
      '\x1b]8;;http://a\x1b\\',
      '\x1b]8;;\x1b\\',
      '\x0e',
      '\x0f',
      '\x1b(0',
      '\x1b(B',
      '\x1b[2A',
      '\x1b[1;3r',
      '\x1b[r',
      '\x1b[?7l',
      '\x1b[?7h',
      '\x1b[?1049h',
      '\x1b[?1049l',
    );
    const words = fc.constantFrom(
      'text',
      'a line that is longer than the screen is wide',
      'é☃😀',
      '\t',
      '\b',
      '\x07',
      '\n',
      '\r\n',
      '',
    );
    const piece = fc.oneof({ weight: 6, arbitrary: words }, { weight: 1, arbitrary: control });
    const lines = fc.array(fc.array(piece, { maxLength: 4 }), { minLength: 1, maxLength: 30 });
    const stretch = fc.record({ lines, times: fc.integer({ min: 1, max: 600 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 3 }), async (stretches) => {
        const text = stretches
          .map((each) => `${each.lines.map((pieces) => pieces.join('')).join('\r\n')}\r\n`.repeat(each.times))
          .join('');
        const bytes = Buffer.from(text);
        const parts: Uint8Array[] = [];
        let from = 0;
        while (from < bytes.length) {
          const rest = bytes.subarray(from);
          const next = planForward(rest, LINES);
          // Only what is skipped right away is sure to find a terminal that scrolls as a whole.
          if (next.kind === 'skip' && from === 0) parts.push(next.controls, rest.subarray(next.skipTo));
          else parts.push(next.kind === 'skip' ? rest : rest.subarray(0, next.bytes));
          from += next.kind === 'skip' ? rest.length : next.bytes;
        }
        expect(await shown(parts)).toEqual(await shown([bytes]));
      }),
      { numRuns: 20 },
    );
  });
});
