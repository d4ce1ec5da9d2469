import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { ADAPTER_OPTIONS, type ClaudeOptions, readClaudeOptions, withoutConversation } from './claude-options.ts';

describe('the options of the Agent SDK', () => {
  it('are all reachable, or the adapter sets them itself', () => {
    type Unreachable = Exclude<keyof Options, keyof ClaudeOptions | (typeof ADAPTER_OPTIONS)[number]>;
    expectTypeOf<Unreachable>().toBeNever();
    expectTypeOf<Extract<keyof ClaudeOptions, (typeof ADAPTER_OPTIONS)[number]>>().toBeNever();
    expectTypeOf<ClaudeOptions>().toExtend<Options>();
    expect(new Set(ADAPTER_OPTIONS).size).toBe(ADAPTER_OPTIONS.length);
  });

  it('are handed on as they were given', () => {
    const given = {
      maxTurns: 3,
      allowedTools: ['Read'],
      systemPrompt: { type: 'preset', preset: 'claude_code', append: 'Be brief.' },
      mcpServers: { clock: { command: 'clock', args: ['--utc'] } },
      settings: { hooks: { Stop: [{ hooks: [{ type: 'command', command: 'true' }] }] } },
      thinking: { type: 'enabled', budgetTokens: 1024 },
    };
    expect(readClaudeOptions(given)).toEqual(given);
    expect(readClaudeOptions({})).toEqual({});
  });

  it.each([
    [{ maxTurn: 3 }, /maxTurn/],
    [{ maxTurns: 'three' }, /maxTurns/],
    [{ thinking: { type: 'sometimes' } }, /thinking/],
    [{ mcpServers: ['x'] }, /mcpServers/],
    [{ model: 'opus' }, /model/],
    [null, /object/],
  ])('refuses %j and names the problem', (options, problem) => {
    const read = () => readClaudeOptions(options);
    expect(read).toThrow(RefusalError);
    expect(read).toThrow(problem);
  });

  it('choose a conversation only once', () => {
    const options = readClaudeOptions({ resume: '0b8e7a52-6f43-4b0c-9a3e-0c5b7f1d2e3f', continue: false, maxTurns: 1 });
    expect(withoutConversation(options)).toEqual({ maxTurns: 1 });
  });
});
