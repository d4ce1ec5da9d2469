import { describe, expect, it } from 'vitest';
import type { LiveText } from '../../../src-shared/protocol.ts';
import { LiveTexts } from './claude-live.ts';

function open() {
  const shown: LiveText[] = [];
  const live = new LiveTexts((text) => shown.push(text));
  const event = (event: object, parent: string | null = null) =>
    live.read({ type: 'stream_event', parent_tool_use_id: parent, event });
  return {
    live,
    shown,
    message: (id: string, parent: string | null = null) => event({ type: 'message_start', message: { id } }, parent),
    block: (index: number, content_block: object, parent: string | null = null) =>
      event({ type: 'content_block_start', index, content_block }, parent),
    delta: (index: number, delta: object, parent: string | null = null) =>
      event({ type: 'content_block_delta', index, delta }, parent),
    entry: (id: string, apiBlockIndex?: number) =>
      live.logged([{ type: 'assistant', message: { id }, ...(apiBlockIndex === undefined ? {} : { apiBlockIndex }) }]),
  };
}

describe('[claude-2] text that is being written', () => {
  it('comes in pieces that say where they belong', () => {
    const { shown, live, message, block, delta } = open();
    message('m1');
    block(0, { type: 'thinking' });
    delta(0, { type: 'thinking_delta', thinking: 'hm' });
    delta(0, { type: 'signature_delta', signature: 'x' });
    block(1, { type: 'tool_use', name: 'Bash' });
    delta(1, { type: 'input_json_delta', partial_json: '{"a"' });
    delta(1, { type: 'input_json_delta', partial_json: ':1}' });
    expect(shown.map(({ block: at, blockKind, toolName, offset, text }) => [at, blockKind, toolName, offset, text])).toEqual([
      [0, 'thinking', null, 0, 'hm'],
      [1, 'tool-input', 'Bash', 0, '{"a"'],
      [1, 'tool-input', 'Bash', 4, ':1}'],
    ]);
    expect(live.all().map(({ offset, text }) => [offset, text])).toEqual([
      [0, 'hm'],
      [0, '{"a":1}'],
    ]);
  });

  it('stays until its transcript entry is in the log', () => {
    const { live, message, block, delta, entry } = open();
    message('m1');
    for (const index of [0, 1]) {
      block(index, { type: 'text' });
      delta(index, { type: 'text_delta', text: `text ${index}` });
    }
    entry('another');
    entry('m1', 1);
    expect(live.all().map(({ text }) => text)).toEqual(['text 0']);
    entry('m1');
    expect(live.all()).toEqual([]);
  });

  it('is void when its message is written anew', () => {
    const { live, message, block, delta } = open();
    message('broken');
    block(0, { type: 'text' });
    delta(0, { type: 'text_delta', text: 'half' });
    message('whole');
    expect(live.all()).toEqual([]);
    block(0, { type: 'text' });
    delta(0, { type: 'text_delta', text: 'whole' });
    expect(live.all()).toMatchObject([{ messageId: 'whole', text: 'whole' }]);
  });

  it('of a subagent and of the main conversation do not mix', () => {
    const { live, message, block, delta } = open();
    message('main');
    message('sub', 'tool-1');
    for (const parent of [null, 'tool-1']) {
      block(0, { type: 'text' }, parent);
      delta(0, { type: 'text_delta', text: `by ${parent}` }, parent);
    }
    expect(live.all().map(({ parentToolUseId, text }) => [parentToolUseId, text])).toEqual([
      [null, 'by null'],
      ['tool-1', 'by tool-1'],
    ]);
  });

  it('of an unknown kind, or without a beginning, is passed over', () => {
    const { live, shown, message, block, delta } = open();
    delta(0, { type: 'text_delta', text: 'from nowhere' });
    message('m1');
    block(0, { type: 'hologram' });
    delta(0, { type: 'hologram_delta', text: 'x' });
    live.read({ type: 'stream_event', parent_tool_use_id: null, event: { type: 'new_event' } });
    live.read('nonsense');
    expect([shown, live.all()]).toEqual([[], []]);
  });
});
