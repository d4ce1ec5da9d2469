import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGate } from '../../../e2e/scripted-api/gate.js';
import { reply, text } from '../../../e2e/scripted-api/reply.js';
import type { LiveText } from '../../../src-shared/protocol.ts';
import type { ClaudeSpec } from '../../../src-shared/session.ts';
import { ALLOW_BASH, type ClaudeGround, ClaudeSession, claudeGround, newHost } from './claude.fixture.ts';

let ground: ClaudeGround;
let session: ClaudeSession;
beforeEach(async () => {
  ground = await claudeGround();
});
afterEach(async () => {
  await session.close();
  await ground.dispose();
});

async function open(spec: Partial<ClaudeSpec> = {}, env: Record<string, string> = {}): Promise<void> {
  session = new ClaudeSession(newHost(ground, spec, env));
  await session.adapter.start();
}

const liveTexts = () => session.host.told.flatMap((told) => (told.kind === 'live' ? [told.text] : []));
const channels = () => session.host.log.map(({ channel, type }) => `${channel} ${type}`);
const allow = (requestId: string) => session.adapter.answer({ requestId, decision: 'allow', reason: null });
const lastRequest = () => ground.api.requests.at(-1);

describe('a turn', () => {
  it('[claude-2] streams text live, logs none of it, and logs the transcript before the turn is over', async () => {
    await open();
    const inputId = await session.send('hello');
    expect(await session.ended(inputId)).toEqual({ inputId, outcome: 'done', message: null });
    const written = liveTexts();
    expect(written.length).toBeGreaterThan(3);
    expect(written.map(({ text: piece }) => piece).join('')).toContain('> hello');
    expect(written.every(({ offset }, index) => offset === sum(written.slice(0, index)))).toBe(true);
    const [prompt, answer] = session.entries().filter(({ type }) => type === 'user' || type === 'assistant');
    expect(prompt).toMatchObject({ uuid: inputId, message: { content: 'hello' } });
    expect(JSON.stringify(answer)).toContain('> hello');
    expect(channels().lastIndexOf('claude:transcript entries')).toBeLessThan(channels().indexOf('claude:result result'));
    expect(session.adapter.liveTexts()).toEqual([]);
    expect(JSON.stringify(session.host.log)).not.toContain('content_block_delta');
  });

  const sum = (texts: readonly LiveText[]) => texts.reduce((all, { text: piece }) => all + piece.length, 0);

  it('[claude-2] gives whoever joins in the middle the text from its beginning', async () => {
    const gate = createGate();
    ground.api.setScript(() => reply([text('one two three four five six seven eight nine ten')], { gate }));
    await open();
    const inputId = await session.send('count');
    await gate.whenHeld();
    gate.release(2);
    await session.host.until(() => liveTexts().length === 2);
    const [open_] = session.adapter.liveTexts();
    expect(open_).toMatchObject({ block: 0, blockKind: 'text', offset: 0, parentToolUseId: null });
    expect(open_?.text).toBe(
      liveTexts()
        .map(({ text: piece }) => piece)
        .join(''),
    );
    gate.open();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'done' });
  });

  it('shows thinking and tool input as they are written', async () => {
    await open({ permissionMode: 'acceptEdits' });
    await session.ask('think');
    await session.ask('write: a.txt some words');
    const kinds = liveTexts().map(({ blockKind, toolName }) => `${blockKind} ${toolName}`);
    expect(new Set(kinds)).toEqual(new Set(['thinking null', 'text null', 'tool-input Write']));
    expect(readFileSync(join(ground.project, 'a.txt'), 'utf8')).toBe('some words\n');
  });

  it('reports usage, cost and context', async () => {
    await open();
    await session.ask('hello');
    const first = session.host.state.claude?.usage;
    expect(first).toMatchObject({ turns: 1, contextWindow: expect.any(Number), costUsd: expect.any(Number) });
    expect(first?.contextTokens).toBe((first?.inputTokens ?? 0) + (first?.outputTokens ?? 0));
    await session.ask('hello again');
    expect(session.host.state.claude?.usage).toMatchObject({ turns: 2 });
    expect(session.host.state.claude?.usage?.inputTokens).toBeGreaterThan(first?.inputTokens ?? 0);
  });

  it('sends images with the prompt', async () => {
    await open();
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await session.ask('what is this?', [{ mediaType: 'image/png', base64: png }]);
    expect(lastRequest()?.images).toEqual([{ mediaType: 'image/png', bytes: 70 }]);
    expect(lastRequest()?.prompt).toBe('what is this?');
  });

  it('fails with the reason that the API gives', async () => {
    await open();
    expect(await session.ask('error')).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('The scripted API refuses this request'),
    });
    expect(await session.ask('hello')).toMatchObject({ outcome: 'done' });
  });

  it('forgets the text of a message that broke off and is written anew', async () => {
    const gate = createGate();
    const words = [text('one two three four five six seven eight nine ten eleven twelve')];
    ground.api.setScript(({ attempt }) => reply(words, attempt === 0 ? { gate, dropAfterDeltas: 1 } : {}));
    await open();
    const inputId = await session.send('count');
    await gate.whenHeld();
    gate.release(1);
    await session.host.until(() => liveTexts().length === 1);
    gate.open();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'done' });
    const [broken, whole, ...more] = new Set(liveTexts().map(({ messageId }) => messageId));
    expect(more).toEqual([]);
    expect(JSON.stringify(session.entries())).not.toContain(broken);
    expect(JSON.stringify(session.entries())).toContain(whole);
    expect(session.known()).toContainEqual(
      expect.objectContaining({ channel: 'claude:message', payload: expect.objectContaining({ subtype: 'api_retry' }) }),
    );
  });

  it('runs slash commands', async () => {
    await open();
    await session.ask('hello');
    expect(session.host.state.claude?.slashCommands.map(({ name }) => name)).toContain('compact');
    expect(await session.ask('/compact')).toMatchObject({ outcome: 'done' });
    expect(session.entries()).toContainEqual(expect.objectContaining({ type: 'system', subtype: 'compact_boundary' }));
  });

  it('uses MCP servers, whose secrets stay off the command line', async () => {
    const server = join(ground.home, 'server.mjs');
    writeFileSync(
      server,
      `import { createInterface } from 'node:readline';
      const answers = {
        initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'clock', version: '1' } }),
        'tools/list': () => ({ tools: [{ name: 'now', description: 'Tells the time', inputSchema: { type: 'object' } }] }),
        'tools/call': () => ({ content: [{ type: 'text', text: 'noon, by ' + process.env.WATCH }] }),
      };
      for await (const line of createInterface({ input: process.stdin })) {
        const { id, method, params } = JSON.parse(line);
        if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.(params) ?? {} }));
      }`,
    );
    const mcpServers = { clock: { command: process.execPath, args: [server], env: { WATCH: 'a secret watch' } } };
    await open({ options: { mcpServers, settings: { permissions: { allow: ['mcp__clock'] } } } });
    await session.ask('tool: mcp__clock__now {}');
    expect(lastRequest()?.rounds.at(-1)).toMatchObject([{ isError: false, text: 'noon, by a secret watch' }]);
    expect(session.host.state.claude?.mcpServers).toContainEqual({ name: 'clock', status: 'connected' });
    if (process.platform === 'linux')
      expect(readFileSync(`/proc/${session.host.state.pid}/cmdline`, 'utf8')).not.toContain('secret');
  });

  it('tells of a turn that Claude took by itself', async () => {
    await open({ options: ALLOW_BASH });
    await session.ask('background: true');
    const end = await session.host.when((told) =>
      told.kind === 'turnEnded' && told.end.inputId === null ? told.end : undefined,
    );
    expect(end.outcome).toBe('done');
  });

  it('keeps subagents apart from the main conversation', async () => {
    await open({ options: ALLOW_BASH });
    await session.ask('task: run: touch made-by-subagent');
    expect(existsSync(join(ground.project, 'made-by-subagent'))).toBe(true);
    const paths = session.known().flatMap((event) => (event.channel === 'claude:transcript' ? [event.payload.subpath] : []));
    expect(paths).toContainEqual(expect.stringMatching(/^subagents\/agent-/));
    expect(liveTexts().every(({ parentToolUseId }) => parentToolUseId === null || typeof parentToolUseId === 'string')).toBe(
      true,
    );
  });

  it('refuses a second prompt while one is being answered', async () => {
    const gate = createGate();
    ground.api.setScript(() => reply([text('slowly')], { gate }));
    await open();
    const first = await session.send('first');
    await gate.whenHeld();
    await expect(session.send('second')).rejects.toThrow('previous prompt');
    gate.open();
    expect(await session.ended(first)).toMatchObject({ outcome: 'done' });
  });
});

describe('permissions', () => {
  it('[claude-3] are asked, pending in the state, and allowed once', async () => {
    await open();
    const inputId = await session.send('run: touch made');
    const asked = await session.asked();
    expect(asked).toMatchObject({
      toolName: 'Bash',
      input: { command: 'touch made' },
      toolUseId: expect.any(String),
      sessionRule: 'Allow Bash(touch made *)',
    });
    expect(session.host.state.permissions.map((pending) => pending.asked.requestId)).toEqual([asked.requestId]);
    const told = session.host.told.find((one) => one.kind === 'events' && one.events.some(({ type }) => type === 'asked'));
    expect(told).toMatchObject({ durable: true });
    expect(existsSync(join(ground.project, 'made'))).toBe(false);
    await allow(asked.requestId);
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'done' });
    expect(existsSync(join(ground.project, 'made'))).toBe(true);
    const again = await session.send('run: touch made');
    expect((await session.asked(session.host.log.length - 1)).requestId).not.toBe(asked.requestId);
    await session.adapter.interrupt();
    await session.ended(again);
  });

  it('are denied with the reason, which Claude reads', async () => {
    await open();
    const inputId = await session.send('run: touch made');
    const { requestId } = await session.asked();
    await session.adapter.answer({ requestId, decision: 'deny', reason: 'Use the other folder.' });
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'done' });
    expect(existsSync(join(ground.project, 'made'))).toBe(false);
    expect(lastRequest()?.rounds.at(-1)).toMatchObject([{ isError: true, text: 'Use the other folder.' }]);
  });

  it("last for the session, and leave the project's settings alone", async () => {
    await open();
    const first = await session.send('run: touch made');
    const { requestId } = await session.asked();
    await session.adapter.answer({ requestId, decision: 'allow-session', reason: null });
    await session.ended(first);
    expect(await session.ask('run: touch made')).toMatchObject({ outcome: 'done' });
    expect(channels().filter((name) => name === 'run:permission asked')).toHaveLength(1);
    expect(existsSync(join(ground.project, '.claude'))).toBe(false);
  });

  it('for file edits switch the mode for the session, and say so', async () => {
    await open();
    const first = await session.send('write: a.txt words');
    const { requestId, sessionRule } = await session.asked();
    expect(sessionRule).toBe('Accept all file edits');
    await session.adapter.answer({ requestId, decision: 'allow-session', reason: null });
    await session.ended(first);
    await session.host.until(() => session.host.state.claude?.permissionMode === 'acceptEdits');
    expect(await session.ask('write: b.txt words')).toMatchObject({ outcome: 'done' });
  });

  it('can be several at once, each answered for itself', async () => {
    await open();
    const inputId = await session.send('parallel: touch a ;; touch b');
    const first = await session.asked();
    const firstSeq = session.host.log.findIndex(({ type }) => type === 'asked') + 1;
    await session.adapter.answer({ requestId: first.requestId, decision: 'deny', reason: 'no' });
    const second = await session.asked(firstSeq);
    expect(second.requestId).not.toBe(first.requestId);
    await allow(second.requestId);
    await session.ended(inputId);
    const made = [first, second].map(({ input }) =>
      existsSync(join(ground.project, String(input.command).slice('touch '.length))),
    );
    expect(made).toEqual([false, true]);
  });

  it("carry the answers to Claude's own questions", async () => {
    await open();
    const inputId = await session.send('ask: Which colour?');
    const asked = await session.asked();
    expect(asked).toMatchObject({ toolName: 'AskUserQuestion', sessionRule: null });
    const updatedInput = { ...asked.input, answers: { 'Which colour?': 'Blue' } };
    await session.adapter.answer({ requestId: asked.requestId, decision: 'allow', reason: null, updatedInput });
    await session.ended(inputId);
    expect(lastRequest()?.rounds.at(-1)?.[0]?.text).toContain('"Which colour?"="Blue"');
  });

  it('are moot when the turn is interrupted, and cannot be answered any more', async () => {
    await open();
    const inputId = await session.send('run: touch made');
    const { requestId } = await session.asked();
    await session.adapter.interrupt();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'interrupted' });
    const answered = session.known().filter(({ channel, type }) => channel === 'run:permission' && type === 'answered');
    expect(answered).toMatchObject([{ payload: { requestId, clientId: null, decision: 'deny' } }]);
    expect(session.host.state.permissions).toEqual([]);
    await expect(allow(requestId)).rejects.toThrow('no longer open');
    expect(existsSync(join(ground.project, 'made'))).toBe(false);
  });
});

describe('interrupt', () => {
  it('[input-8] ends the turn, keeps what was written and lets the next prompt through', async () => {
    const gate = createGate();
    ground.api.setScript((request) =>
      request.prompt === 'count' ? reply([text('one two three four five six seven')], { gate }) : undefined,
    );
    await open();
    const inputId = await session.send('count');
    await gate.whenHeld();
    gate.release(1);
    await session.host.until(() => liveTexts().length === 1);
    await session.adapter.interrupt();
    expect(await session.ended(inputId)).toEqual({ inputId, outcome: 'interrupted', message: null });
    expect(JSON.stringify(session.entries())).toContain('one two three');
    expect(await session.ask('hello')).toMatchObject({ outcome: 'done' });
  });

  it('stops a command that runs', async () => {
    await open({ options: ALLOW_BASH });
    const inputId = await session.send(`run: echo begun > ${ground.project}/begun; tail -f /dev/null`);
    await expect.poll(() => existsSync(join(ground.project, 'begun')), { timeout: 20_000 }).toBe(true);
    await session.adapter.interrupt();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'interrupted' });
  });

  it('right after the prompt ends its turn, too', async () => {
    const gate = createGate();
    ground.api.setScript(() => reply([text('never')], { gate }));
    await open();
    const inputId = await session.send('count');
    await session.adapter.interrupt();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'interrupted' });
  });

  it('does nothing when nothing runs', async () => {
    await open();
    await session.adapter.interrupt();
    expect(await session.ask('hello')).toMatchObject({ outcome: 'done' });
  });
});

describe('model and permission mode', () => {
  it('are switched in the middle of a conversation', async () => {
    await open();
    await session.ask('hello');
    await session.adapter.setOptions({ model: 'haiku' });
    await session.ask('hello');
    expect(lastRequest()?.model).toContain('haiku');
    expect(session.host.state.claude?.model).toContain('haiku');
    await session.adapter.setOptions({ permissionMode: 'acceptEdits' });
    expect(session.host.state.claude?.permissionMode).toBe('acceptEdits');
    expect(await session.ask('write: a.txt words')).toMatchObject({ outcome: 'done' });
    const switches = channels().filter((name) => name === 'claude:init options');
    expect(switches).toHaveLength(2);
  });

  it('stay as chosen at the next start', async () => {
    await open({ model: 'sonnet' });
    await session.ask('hello');
    await session.close();
    await session.adapter.setOptions({ model: 'haiku', permissionMode: 'acceptEdits' });
    await session.adapter.start();
    await session.ask('hello');
    expect(lastRequest()?.model).toContain('haiku');
    expect(session.host.state.claude?.permissionMode).toBe('acceptEdits');
  });

  it('are refused with the reason when Claude Code does not take them', async () => {
    await open();
    await expect(session.adapter.setOptions({ permissionMode: 'bypassPermissions' })).rejects.toThrow(/bypassPermissions/);
    await expect(session.adapter.setOptions({ permissionMode: 'reckless' })).rejects.toThrow('no permission mode "reckless"');
    expect(session.host.state.claude?.permissionMode).toBe('default');
  });

  it('of the settings count where the session has none', async () => {
    session = new ClaudeSession(newHost(ground), { model: 'haiku', options: { appendNothing: true } });
    await expect(session.adapter.start()).rejects.toThrow('appendNothing');
    session = new ClaudeSession(newHost(ground), { model: 'haiku', options: { maxTurns: 1 } });
    await session.adapter.start();
    expect(await session.ask('read: nothing.txt')).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('turns'),
    });
    expect(lastRequest()?.model).toContain('haiku');
  });
});
