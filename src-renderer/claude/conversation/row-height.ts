import type { Row } from './rows.ts';

/** About how high a row will be, px, before it has been drawn. Good guesses keep the scroll bar steady. */
const LINE_PX = 20;
const LINE_CHARS = 92;

export function guessHeight(row: Row): number {
  switch (row.kind) {
    case 'prompt':
      return 40 + linesOf(row.turn.prompt?.text ?? '', 16) * LINE_PX + (row.turn.prompt?.images.length ? 72 : 0);
    case 'item':
      if (row.item.kind === 'text') return 12 + linesOf(row.item.text, 2000) * LINE_PX;
      if (row.item.kind === 'tool' && row.item.name === 'TodoWrite') return 150;
      return 28;
    case 'group':
      return 28;
    case 'end':
      return 32;
    case 'working':
      return 36;
  }
}

/** Lines that a text takes, at most `most`; a blank line counts half of one. */
function linesOf(text: string, most: number): number {
  let lines = 0;
  for (const line of text.split('\n')) {
    lines += line === '' ? 0.5 : Math.ceil(line.length / LINE_CHARS);
    if (lines >= most) return most;
  }
  return Math.max(1, lines);
}
