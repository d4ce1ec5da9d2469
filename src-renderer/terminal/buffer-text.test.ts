import { Terminal } from '@xterm/xterm';
import { describe, expect, it } from 'vitest';
import { countLines, logicalLineAt, textOfRows } from './buffer-text.ts';

async function shown(text: string, cols = 10): Promise<Terminal> {
  const terminal = new Terminal({ allowProposedApi: true, cols, rows: 6 });
  await new Promise<void>((done) => terminal.write(text, done));
  return terminal;
}

describe('logicalLineAt', () => {
  it('joins the rows of a wrapped line from any of them, and finds its cells again', async () => {
    const { buffer } = await shown('first\r\nhttp://a.b/cdefgh xy');
    for (const row of [1, 2]) {
      const line = logicalLineAt(buffer.active, row);
      expect(line.text.trimEnd()).toBe('http://a.b/cdefgh xy');
      expect(line.rangeOf(0, 17)).toEqual({ start: { x: 1, y: 2 }, end: { x: 7, y: 3 } });
    }
  });

  it('counts wide characters as two cells and composed ones as one', async () => {
    const { buffer } = await shown('漢 e\u0301 x', 20);
    const line = logicalLineAt(buffer.active, 0);
    const at = line.text.indexOf('x');
    expect(line.rangeOf(at, at + 1)).toEqual({ start: { x: 6, y: 1 }, end: { x: 6, y: 1 } });
    expect(line.rangeOf(0, 1)).toEqual({ start: { x: 1, y: 1 }, end: { x: 2, y: 1 } });
  });
});

describe('textOfRows', () => {
  it('gives lines as they were written', async () => {
    const { buffer } = await shown('$ seq\r\n0123456789abc\r\n\r\nlast\r\n');
    expect(textOfRows(buffer.active, 0, buffer.active.length)).toBe('$ seq\n0123456789abc\n\nlast');
    expect(textOfRows(buffer.active, 1, 3)).toBe('0123456789abc');
  });
});

describe('countLines', () => {
  it('counts lines, not rows, down to the cursor', async () => {
    const { buffer } = await shown('$ seq\r\n0123456789abc\r\nend');
    expect(countLines(buffer.active, 0)).toBe(3);
    expect(countLines(buffer.active, 1)).toBe(2);
  });
});
