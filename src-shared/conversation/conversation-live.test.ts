import { describe, expect, it } from 'vitest';
import type { LiveText } from '../protocol.ts';
import { SampleLog } from '../sim/sample-conversation.ts';
import { EMPTY_CONVERSATION, foldEvents } from './conversation.ts';
import type { Item, TextItem } from './conversation-items.ts';
import { overlayLive } from './conversation-live.ts';

const fold = (log: SampleLog) => foldEvents(EMPTY_CONVERSATION, log.events).turns;
const writing = (messageId: string, text: string, more: Partial<LiveText> = {}): LiveText => ({
  messageId,
  block: 0,
  blockKind: 'text',
  toolName: null,
  parentToolUseId: null,
  offset: 0,
  text,
  ...more,
});
const texts = (items: readonly Item[] | undefined): readonly TextItem[] => (items ?? []).filter((item) => item.kind === 'text');

describe('text being written', () => {
  it('[claude-2] shows at the end of the turn, and its entry takes its place under the same key', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const live = overlayLive(fold(log), [writing('msg_1', 'Hel')]);
    expect(texts(live[0]?.items)).toMatchObject([{ key: 'msg_1:0', text: 'Hel', live: true }]);
    log.text('Hello you');
    const written = overlayLive(fold(log), [writing('msg_1', 'Hello you')]);
    expect(texts(written[0]?.items)).toMatchObject([{ key: 'msg_1:0', text: 'Hello you', live: false }]);
  });

  it('is the same view while nothing is written', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const turns = fold(log);
    expect(overlayLive(turns, [])).toBe(turns);
  });

  it('has a place of its own between turns', () => {
    const log = new SampleLog();
    log.end(log.prompt('Hello'));
    const live = overlayLive(fold(log), [writing('msg_9', 'By the way')]);
    expect(live).toHaveLength(2);
    expect(texts(live[1]?.items)).toMatchObject([{ text: 'By the way' }]);
  });

  it('shows the input of a tool as it is written', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const input = writing('msg_1', '{"command":"ls', { blockKind: 'tool-input', toolName: 'Bash' });
    const [turn] = overlayLive(fold(log), [input]);
    expect(turn?.items.at(-1)).toMatchObject({ kind: 'tool', name: 'Bash', status: 'running', partialInput: '{"command":"ls' });
  });

  it('leaves out an attempt that was broken off, once the next one is in the transcript', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const broken = writing('msg_broken', 'word1 wo');
    expect(texts(overlayLive(fold(log), [broken])[0]?.items)).toHaveLength(1);
    log.text('word1 word2');
    const after = overlayLive(fold(log), [broken, writing('msg_1', 'word1 word2'), writing('msg_1', 'more', { block: 1 })]);
    expect(texts(after[0]?.items).map((item) => item.text)).toEqual(['word1 word2', 'more']);
  });

  it('shows what a subagent writes under the call that started it', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const agent = log.tool('Agent', { prompt: 'Look' });
    const [turn] = overlayLive(fold(log), [writing('msg_sub', 'I look', { parentToolUseId: agent })]);
    const tool = turn?.items.find((item) => item.kind === 'tool');
    expect(texts(tool?.subagent?.items)).toMatchObject([{ text: 'I look', live: true }]);
  });
});
