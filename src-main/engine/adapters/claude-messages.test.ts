import { describe, expect, it } from 'vitest';
import { type Introduction, MessageReader } from './claude-messages.ts';

const introduction: Introduction = {
  claudeSessionId: 's1',
  model: 'm1',
  permissionMode: 'default',
  version: '2.1.329',
  tools: [],
  mcpServers: [],
  slashCommands: [{ name: 'compact', description: `${'long '.repeat(60)}\nsecond line`, argumentHint: '' }],
  isSignedIn: true,
};
const init = (more: object = {}) => ({
  type: 'system',
  subtype: 'init',
  session_id: 's1',
  model: 'm1',
  permissionMode: 'default',
  claude_code_version: '2.1.329',
  tools: ['Bash'],
  mcp_servers: [],
  ...more,
});
const result = (more: object = {}) => ({
  type: 'result',
  subtype: 'success',
  is_error: false,
  duration_ms: 12.5,
  num_turns: 1,
  result: 'text',
  ...more,
});
const kinds = (events: readonly { channel: string; type: string }[]) => events.map(({ channel, type }) => `${channel} ${type}`);

function introduced(more: Partial<Introduction> = {}): MessageReader {
  const reader = new MessageReader(0);
  reader.introduce({ ...introduction, ...more });
  return reader;
}

describe('messages of the SDK', () => {
  it('[claude-4] of an unknown kind are kept as they came', () => {
    const strange = { type: 'system', subtype: 'invented_tomorrow', depth: { a: [1, null] } };
    expect(introduced().read(strange)).toEqual([{ channel: 'claude:message', type: 'message', payload: strange }]);
    const broken = { type: 'system', subtype: 'init', session_id: 7 };
    expect(introduced().read(broken)).toMatchObject([{ channel: 'claude:message', payload: broken }]);
    expect(introduced().readResult({ type: 'result', subtype: 'new' })).toMatchObject({
      events: [{ channel: 'claude:message' }],
      result: null,
    });
  });

  it.each([['assistant'], ['user'], ['stream_event'], ['command_lifecycle'], ['tool_progress']])(
    '%s leaves nothing in the log',
    (type) => {
      expect(introduced().read({ type, message: {}, event: {} })).toEqual([]);
    },
  );

  it('introduce Claude again only when something is new', () => {
    const reader = new MessageReader(0);
    expect(kinds(reader.introduce(introduction))).toEqual(['claude:init ready']);
    expect(kinds(reader.read(init()))).toEqual(['claude:init ready']);
    expect(reader.read(init())).toEqual([]);
    expect(reader.read(init({ model: 'm2' }))).toMatchObject([{ payload: { model: 'm2' } }]);
  });

  it('describe commands in a line', () => {
    const [ready] = new MessageReader(0).introduce(introduction);
    expect(ready?.payload).toMatchObject({ slashCommands: [{ description: expect.stringMatching(/^long .{190,}…$/) }] });
    const changed = {
      type: 'system',
      subtype: 'commands_changed',
      commands: [{ name: 'new', description: 'New', argumentHint: '' }],
    };
    expect(introduced().read(changed)).toMatchObject([{ type: 'ready', payload: { slashCommands: [{ name: 'new' }] } }]);
  });

  it('switch the mode once, whoever switched it', () => {
    const reader = introduced();
    const status = { type: 'system', subtype: 'status', status: null, permissionMode: 'plan' };
    expect(reader.read(status)).toMatchObject([{ type: 'options', payload: { permissionMode: 'plan' } }]);
    expect([reader.read(status), reader.choose({ permissionMode: 'plan' })]).toEqual([[], []]);
    expect(reader.read({ type: 'system', subtype: 'status', status: 'requesting' })).toEqual([]);
    expect(reader.choose({ model: null })).toMatchObject([{ payload: { model: null } }]);
  });
});

describe('signing in', () => {
  const failure = { type: 'assistant', error: 'authentication_failed', message: {} };

  it('blocks until a turn goes through', () => {
    const reader = new MessageReader(0);
    expect(kinds(reader.introduce({ ...introduction, isSignedIn: false }))).toEqual(['claude:init ready', 'claude:init blocked']);
    expect(reader.read(init())).toEqual([]);
    expect(reader.read(failure)).toEqual([]);
    expect(kinds(reader.readResult(result({ is_error: true })).events)).toEqual(['claude:result result']);
    expect(kinds(reader.readResult(result({ num_turns: 0 })).events)).toEqual(['claude:result result']);
    expect(kinds(reader.readResult(result()).events)).toEqual(['claude:result result', 'claude:init ready']);
    expect(kinds(reader.readResult(result()).events)).toEqual(['claude:result result']);
  });

  it('is told when it ends in the middle', () => {
    const reader = introduced();
    expect(reader.read(failure)).toMatchObject([{ type: 'blocked', payload: { code: 'not-signed-in' } }]);
    const retry = { type: 'system', subtype: 'api_retry', error: 'authentication_failed', error_status: 401 };
    expect(kinds(introduced().read(retry))).toEqual(['claude:init blocked', 'claude:message message']);
    expect(kinds(introduced().read({ ...retry, error: 'overloaded' }))).toEqual(['claude:message message']);
  });
});

describe('results', () => {
  const totals = (tokens: number) => ({
    inputTokens: tokens,
    outputTokens: tokens,
    cacheReadInputTokens: tokens,
    cacheCreationInputTokens: tokens,
    contextWindow: tokens * 100,
  });

  it('add up all models and count the turns on', () => {
    const reader = new MessageReader(4);
    reader.introduce(introduction);
    const { events } = reader.readResult(result({ total_cost_usd: 0.5, modelUsage: { m0: totals(1), m1: totals(10) } }));
    expect(events[0]?.payload).toEqual({
      usage: {
        inputTokens: 11,
        outputTokens: 11,
        cacheReadTokens: 11,
        cacheWriteTokens: 11,
        costUsd: 0.5,
        contextTokens: null,
        contextWindow: 1000,
        turns: 5,
      },
      durationMs: 13,
      subtype: 'success',
      isError: false,
      text: 'text',
    });
  });

  it("take the context from the main conversation's latest call", () => {
    const reader = introduced();
    const call = (event: object, parent: string | null = null) =>
      reader.read({ type: 'stream_event', parent_tool_use_id: parent, event });
    const usage = { input_tokens: 5, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 };
    call({ type: 'message_start', message: { usage } });
    call({ type: 'message_delta', usage: { output_tokens: 7 } });
    call({ type: 'message_start', message: { usage: { input_tokens: 9000 } } }, 'subagent');
    const { events } = reader.readResult(result());
    expect(events[0]?.payload).toMatchObject({ usage: { contextTokens: 132, costUsd: null, contextWindow: null } });
  });
});
