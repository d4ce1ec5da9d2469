import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newEvent } from '../events.ts';
import { SampleLog, sampleLog } from '../sim/sample-conversation.ts';
import { EMPTY_CONVERSATION, foldConversation, foldEvents, prependEvents, trimConversation } from './conversation.ts';
import type { Item, ToolItem } from './conversation-items.ts';

const fold = (log: SampleLog) => foldEvents(EMPTY_CONVERSATION, log.events);
const shown = (items: readonly Item[]): readonly Item[] => items.filter((item) => item.kind !== 'quiet');
const tools = (items: readonly Item[]): readonly ToolItem[] => items.filter((item) => item.kind === 'tool');

describe('a conversation', () => {
  it('has a turn for each accepted prompt, with what it brought about', () => {
    const view = fold(sampleLog());
    expect(view.turns.map((turn) => turn.prompt?.text)).toEqual([
      undefined,
      'Which files are here?',
      'Change the README',
      'Ask a subagent',
      'Go on until I stop you',
      'Fail',
    ]);
    expect(view.turns.map((turn) => turn.end?.outcome)).toEqual([undefined, 'done', 'done', 'done', 'interrupted', 'failed']);
    expect(shown(view.turns[1]?.items ?? []).map((item) => item.kind)).toEqual([
      'thinking',
      'text',
      'tool',
      'tool',
      'text',
      'end',
    ]);
    expect(view.turns[1]?.result).toMatchObject({ durationMs: 4200, usage: { costUsd: 0.0472 } });
  });

  it('shows a prompt once, though its acceptance and its transcript entry both tell of it', () => {
    const log = new SampleLog();
    const inputId = log.queue('Hello');
    log.append(newEvent('run:prompt', 'edited', { inputId, target: inputId, text: 'Hello there' }));
    log.append(newEvent('run:prompt', 'accepted', { inputId }));
    log.echo('Hello there');
    const [turn, ...others] = fold(log).turns;
    expect(others).toEqual([]);
    expect(turn?.prompt).toMatchObject({ text: 'Hello there', inputId, clientId: 'client-1', uuid: 'entry-1' });
  });

  it('takes the text of a prompt from the transcript where its queueing is not loaded', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    const view = foldEvents(EMPTY_CONVERSATION, log.events.slice(1));
    expect(view.turns.map((turn) => turn.prompt?.text)).toEqual(['Hello']);
    expect(view.turns[0]?.prompt?.text).toBe('Hello');
  });

  it('reads a conversation that did not come through Baton from its transcript alone', () => {
    const log = new SampleLog();
    log.echo('First');
    log.text('One');
    log.echo('Second');
    log.text('Two');
    const view = fold(log);
    expect(view.turns.map((turn) => [turn.prompt?.text, tools(turn.items).length])).toEqual([
      ['First', 0],
      ['Second', 0],
    ]);
  });

  it('joins a tool call with its result, its permission and its duration', () => {
    const view = fold(sampleLog());
    const [edit, bash] = tools(view.turns[2]?.items ?? []);
    expect(edit).toMatchObject({
      name: 'Edit',
      status: 'ok',
      permission: { decision: 'allow' },
      result: { detail: { kind: 'patch' } },
    });
    expect((edit?.endedTs ?? 0) - (edit?.ts ?? 0)).toBeGreaterThan(0);
    expect(bash).toMatchObject({ status: 'denied', permission: { decision: 'deny', reason: 'not now' } });
  });

  it('shows a tool call as waiting while its permission is asked, whichever event comes first', () => {
    const before = new SampleLog();
    const early = before.toolUseId();
    before.asked(early, 'Bash', { command: 'ls' });
    before.message([{ type: 'tool_use', id: early, name: 'Bash', input: { command: 'ls' } }]);
    const after = new SampleLog();
    const late = after.tool('Bash', { command: 'ls' });
    after.asked(late, 'Bash', { command: 'ls' });
    for (const log of [before, after]) expect(tools(fold(log).turns[0]?.items ?? [])[0]).toMatchObject({ status: 'waiting' });
    after.answered(`ask-${late}`, 'allow');
    expect(tools(fold(after).turns[0]?.items ?? [])[0]).toMatchObject({ status: 'running', permission: { decision: 'allow' } });
  });

  it('nests what a subagent did under the call that started it', () => {
    const view = fold(sampleLog());
    const [agent] = tools(view.turns[3]?.items ?? []);
    expect(agent?.subagent).toMatchObject({ agentType: 'general-purpose', subpath: 'subagents/agent-a1' });
    expect(shown(agent?.subagent?.items ?? []).map((item) => item.kind)).toEqual(['tool', 'text']);
    expect(tools(agent?.subagent?.items ?? [])[0]).toMatchObject({ status: 'ok', result: { text: 'a\nb' } });
    expect(view.fold.strays).toEqual([]);
  });

  it('stops what a turn left running when it ends, and says so', () => {
    const [bash] = tools(fold(sampleLog()).turns[4]?.items ?? []);
    expect(bash).toMatchObject({ status: 'stopped', result: null });
  });

  it('marks where the engine died', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    log.tool('Bash', { command: 'ls' });
    log.append(newEvent('system:status', 'interrupted', { lastSeenTs: 5, reason: 'killed' }));
    const [turn] = fold(log).turns;
    expect(turn?.end).toMatchObject({ outcome: 'interrupted' });
    expect(turn?.items.at(-1)).toMatchObject({ kind: 'notice', notice: { type: 'crashed', lastSeenTs: 5 } });
    expect(tools(turn?.items ?? [])[0]).toMatchObject({ status: 'stopped' });
  });

  it('shows a compaction, its summary, and what a local command printed', () => {
    const log = new SampleLog();
    log.prompt('/compact');
    log.entries([
      {
        type: 'system',
        subtype: 'compact_boundary',
        uuid: 'c',
        compactMetadata: { trigger: 'manual', preTokens: 13_151, postTokens: 2719 },
      },
      { type: 'user', uuid: 's', isCompactSummary: true, message: { role: 'user', content: 'This session is continued …' } },
      {
        type: 'user',
        uuid: 'm',
        isMeta: true,
        message: { role: 'user', content: '<local-command-caveat>…</local-command-caveat>' },
      },
      { type: 'user', uuid: 'o', message: { role: 'user', content: '<local-command-stdout>Compacted </local-command-stdout>' } },
    ]);
    const notices = shown(fold(log).turns[0]?.items ?? []).map((item) => (item.kind === 'notice' ? item.notice : item.kind));
    expect(notices).toEqual([
      { type: 'compacted', trigger: 'manual', before: 13_151, after: 2719 },
      { type: 'summary', text: 'This session is continued …' },
      { type: 'command-output', text: 'Compacted' },
    ]);
  });

  it('leaves out what Claude Code says in the place of the model when it goes on', () => {
    const log = new SampleLog();
    log.prompt('And continue');
    const content = [{ type: 'text', text: 'No response requested.' }];
    log.entries([{ type: 'assistant', uuid: 'f', message: { id: 'f', model: '<synthetic>', content } }]);
    expect(shown(fold(log).turns[0]?.items ?? [])).toEqual([]);
  });

  it('begins a turn of its own when a background task reports', () => {
    const log = new SampleLog();
    log.end(log.prompt('Start it'));
    const content = '<task-notification>\n<summary>Background command finished</summary>\n</task-notification>';
    log.entries([{ type: 'user', uuid: 'n', origin: { kind: 'task-notification' }, message: { role: 'user', content } }]);
    log.text('It has finished.');
    const view = fold(log);
    expect(view.turns).toHaveLength(2);
    expect(view.turns[1]).toMatchObject({ prompt: null, end: null });
    expect(view.turns[1]?.items[0]).toMatchObject({ notice: { type: 'task', text: 'Background command finished' } });
  });

  it('replaces one retry by the next', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    for (const attempt of [1, 2])
      log.append(
        newEvent('claude:message', 'message', {
          type: 'system',
          subtype: 'api_retry',
          attempt,
          max_retries: 10,
          retry_delay_ms: 500,
          error_status: 529,
          error: 'overloaded',
        }),
      );
    const retries = shown(fold(log).turns[0]?.items ?? []);
    expect(retries).toHaveLength(1);
    expect(retries[0]).toMatchObject({ notice: { type: 'retry', attempt: 2, reason: '529 overloaded' } });
  });
});

describe('[claude-4] what is not known', () => {
  it('shows messages, entries and blocks of an unknown kind raw', () => {
    const log = new SampleLog();
    log.prompt('Hello');
    log.append(newEvent('claude:message', 'message', { type: 'from_the_future', n: 1 }));
    log.entries([{ type: 'hologram', uuid: 'h', depth: 3 }]);
    log.message([{ type: 'smell', note: 'roses' }]);
    const raw = shown(fold(log).turns[0]?.items ?? []);
    expect(raw.map((item) => (item.kind === 'raw' ? item.label : item.kind))).toEqual(['from_the_future', 'hologram', 'smell']);
    expect(raw[0]).toMatchObject({ value: { type: 'from_the_future', n: 1 } });
  });

  it('folds whatever an entry holds without throwing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.constantFrom('user', 'assistant', 'system', 'attachment', 'x'),
        (values, type) => {
          const log = new SampleLog();
          log.entries(
            values.map((value) => ({ type, uuid: 'u', subtype: 'compact_boundary', message: JSON.parse(JSON.stringify(value)) })),
          );
          log.append({ channel: 'claude:transcript', type: 'entries', payload: JSON.parse(JSON.stringify(values)) });
          expect(fold(log).lastSeq).toBe(2);
        },
      ),
    );
  });
});

describe('the stretch that is folded', () => {
  const { events } = sampleLog();
  const whole = foldEvents(EMPTY_CONVERSATION, events);

  it('gives the same view however it is cut, put together and repeated', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(events.length), { maxLength: 6 }),
        fc.array(fc.nat(events.length - 1), { maxLength: 8 }),
        (cuts, again) => {
          const marks = [...cuts, 0, events.length].sort((a, b) => a - b);
          const pieces = marks.slice(1).map((to, index) => events.slice(marks[index], to));
          const tail = pieces.pop() ?? [];
          let view = foldEvents(EMPTY_CONVERSATION, tail);
          for (const piece of pieces.reverse()) view = prependEvents(view, [...piece, ...piece, ...tail.slice(0, 2)]);
          for (const at of again) view = foldConversation(view, events[at] ?? fail());
          expect(view.turns).toEqual(whole.turns);
          expect([view.firstSeq, view.lastSeq, view.size]).toEqual([whole.firstSeq, whole.lastSeq, whole.size]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps what does not change as it is', () => {
    const log = sampleLog();
    const before = fold(log);
    log.prompt('One more');
    const after = foldEvents(before, log.events);
    expect(after.turns.slice(0, -2)).toHaveLength(before.turns.length - 1);
    before.turns.slice(0, -1).forEach((turn, index) => {
      expect(after.turns[index]).toBe(turn);
    });
    expect(foldEvents(after, log.events)).toBe(after);
  });

  it('lets go of turns at either end, and takes them back', () => {
    const log = new SampleLog();
    for (let n = 0; n < 40; n += 1) {
      const prompt = log.prompt(`Prompt ${n}`);
      log.text('x'.repeat(1000));
      log.end(prompt);
    }
    const full = fold(log);
    const newest = trimConversation(full, 10_000, 'start');
    expect(newest.turns.at(-1)).toEqual(full.turns.at(-1));
    expect(newest.turns.length).toBeLessThan(10);
    expect(newest.size).toBeLessThanOrEqual(10_000);
    expect(prependEvents(newest, log.events).turns).toEqual(full.turns);

    const oldest = trimConversation(full, 10_000, 'end');
    expect(oldest.turns[0]).toEqual(full.turns[0]);
    expect(oldest.size).toBeLessThanOrEqual(10_000);
    const rest = log.events.filter((event) => event.seq > oldest.lastSeq);
    expect(foldEvents(oldest, rest).turns).toEqual(full.turns);
    expect(trimConversation(full, 1, 'start').turns).toHaveLength(1);
  });
});

function fail(): never {
  throw new Error('no such event');
}
