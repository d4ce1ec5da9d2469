import { expect, it } from 'vitest';
import { LiveTexts } from './live-texts.ts';
import type { LiveText } from './protocol.ts';

function piece(over: Partial<LiveText>): LiveText {
  return { messageId: 'm1', block: 0, blockKind: 'text', toolName: null, parentToolUseId: null, offset: 0, text: '', ...over };
}

it('[claude-2] puts pieces together, also when a reconnect repeats some of them', () => {
  const texts = new LiveTexts();
  texts.add(piece({ text: 'Hello' }));
  texts.add(piece({ offset: 5, text: ' wor' }));
  texts.add(piece({ offset: 5, text: ' world' }));
  texts.add(piece({ block: 1, blockKind: 'tool-input', toolName: 'Bash', text: '{' }));
  expect(texts.all.map(({ block, offset, text }) => ({ block, offset, text }))).toEqual([
    { block: 0, offset: 0, text: 'Hello world' },
    { block: 1, offset: 0, text: '{' },
  ]);
  texts.clear();
  expect(texts.all).toEqual([]);
});

it('[drive-6] loses nothing of a text that somebody else gets from its beginning', () => {
  const texts = new LiveTexts();
  const shown = () => texts.all.map(({ offset, text }) => [offset, text]);
  texts.add(piece({ offset: 2, text: 'llo world' }));
  texts.add(piece({ offset: 0, text: 'Hello world' }));
  for (const [offset, text] of [
    [0, 'Hello'],
    [5, ' wor'],
    [9, 'ld, and more'],
  ] as const) {
    texts.add(piece({ offset, text }));
    expect(shown()).toEqual([[0, offset < 9 ? 'Hello world' : 'Hello world, and more']]);
  }
});
