import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGate } from './gate.js';
import { failure, reply, text, thinking, toolUse } from './reply.js';
import { describeRequest } from './request.js';
import { type ScriptedApi, startScriptedApi } from './scripted-api.js';

let api: ScriptedApi;
beforeEach(async () => {
  api = await startScriptedApi();
});
afterEach(() => api.close());

interface SseMessage {
  readonly event: string;
  readonly data: { readonly [key: string]: unknown; readonly delta?: Record<string, unknown> };
}

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });

function post(body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${api.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'sk-test', ...headers },
    body: JSON.stringify({ model: 'claude-test', max_tokens: 100, ...body }),
  });
}

function parseSse(raw: string): SseMessage[] {
  return raw
    .split('\n\n')
    .filter((chunk) => chunk !== '')
    .map((chunk) => {
      const [event = '', data = ''] = chunk.split('\n');
      return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) };
    });
}

async function ask(prompt: string): Promise<SseMessage[]> {
  return parseSse(await (await post({ stream: true, messages: [user(prompt)] })).text());
}

const streamedText = (events: readonly SseMessage[]) => events.map(({ data }) => data.delta?.text ?? '').join('');

describe('streams', () => {
  it('sends the events of a message in the order of the Messages API', async () => {
    const events = await ask('hello there');
    const order = events.map(({ event }) => event).filter((event, index, all) => event !== all[index - 1]);
    expect(order).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(streamedText(events)).toContain('> hello there');
    expect(events.find(({ event }) => event === 'message_delta')?.data).toMatchObject({ delta: { stop_reason: 'end_turn' } });
  });

  it('streams tool input as JSON text and stops for the tool', async () => {
    const events = await ask('run: echo "ä 😀"');
    const input = events.map(({ data }) => data.delta?.partial_json ?? '').join('');
    expect(JSON.parse(input)).toMatchObject({ command: 'echo "ä 😀"' });
    expect(events.find(({ event }) => event === 'message_delta')?.data.delta).toMatchObject({ stop_reason: 'tool_use' });
  });

  it('never cuts a character in two', async () => {
    api.setScript(() => reply([text('😀'.repeat(200))]));
    const events = await ask('x');
    for (const { data } of events) expect(String(data.delta?.text ?? '')).not.toMatch(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/);
    expect(streamedText(events)).toBe('😀'.repeat(200));
  });

  it('signs a thinking block', async () => {
    api.setScript(() => reply([thinking('let me see'), text('yes')]));
    const deltas = (await ask('x')).map(({ data }) => data.delta?.type);
    expect(deltas.filter((type) => type !== undefined && type !== null)).toEqual([
      'thinking_delta',
      'signature_delta',
      'text_delta',
    ]);
  });

  it('holds a stream at a gate until it is let through', async () => {
    const gate = createGate();
    api.setScript(() => reply([text('a'.repeat(100))], { gate }));
    const response = await post({ stream: true, messages: [user('x')] });
    await gate.whenHeld();
    expect(gate.passed()).toBe(0);
    gate.release(2);
    await gate.whenHeld();
    expect(gate.passed()).toBe(2);
    gate.open();
    expect(streamedText(parseSse(await response.text()))).toBe('a'.repeat(100));
  });

  it('marks a request whose client went away', async () => {
    const gate = createGate();
    api.setScript(() => reply([text('a'.repeat(100))], { gate }));
    const aborter = new AbortController();
    const response = fetch(`${api.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ stream: true, messages: [user('x')] }),
      signal: aborter.signal,
    });
    await gate.whenHeld();
    aborter.abort();
    await expect(response.then((got) => got.text())).rejects.toThrow();
    await expect.poll(() => api.requests[0]?.isAborted).toBe(true);
  });

  it('can break off in the middle', async () => {
    api.setScript(() => reply([text('a'.repeat(100))], { dropAfterDeltas: 2 }));
    await expect(post({ stream: true, messages: [user('x')] }).then((got) => got.text())).rejects.toThrow();
  });
});

describe('answers without a stream', () => {
  it('returns the whole message', async () => {
    const body: unknown = await (await post({ messages: [user('run: ls')] })).json();
    expect(body).toMatchObject({
      type: 'message',
      stop_reason: 'tool_use',
      content: [{ type: 'text' }, { type: 'tool_use', name: 'Bash', input: { command: 'ls' } }],
    });
  });

  it('fills in the schema that the request asks for', async () => {
    const schema = { type: 'object', properties: { title: { type: 'string' }, isNew: { type: 'boolean' } } };
    const asked = {
      messages: [user('<session>\nwrite a small program for me\n</session>')],
      output_config: { format: { type: 'json_schema', schema } },
    };
    const body = (await (await post(asked)).json()) as { content: [{ text: string }] };
    expect(JSON.parse(body.content[0].text)).toEqual({ title: 'write a small program for', isNew: true });
  });

  it('counts tokens, lists models and answers probes', async () => {
    const counted = await fetch(`${api.url}/v1/messages/count_tokens`, {
      method: 'POST',
      body: JSON.stringify({ messages: [user('x'.repeat(400))] }),
    });
    expect(((await counted.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(100);
    expect(await (await fetch(`${api.url}/v1/models`)).json()).toMatchObject({ has_more: false });
    expect((await fetch(`${api.url}/api/hello`)).status).toBe(200);
    expect((await fetch(`${api.url}/nothing`)).status).toBe(404);
  });
});

describe('errors', () => {
  it('answers with the status, the type and the headers of the script', async () => {
    api.setScript(() => failure(429, 'slow down', { 'retry-after': '7' }));
    const response = await post({ messages: [user('x')] });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error', message: 'slow down' } });
  });

  it('refuses a key that says it is invalid', async () => {
    expect((await post({ messages: [user('x')] }, { 'x-api-key': 'sk-invalid' })).status).toBe(401);
  });

  it('reports a script that throws instead of hiding it', async () => {
    api.setScript(() => {
      throw new Error('mistake in a test');
    });
    const response = await post({ messages: [user('x')] });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('mistake in a test');
  });

  it('overloads once, then answers', async () => {
    const statuses = [await post({ messages: [user('overloaded')] }), await post({ messages: [user('overloaded')] })];
    expect(statuses.map(({ status }) => status)).toEqual([529, 200]);
    expect(api.requests.map(({ attempt }) => attempt)).toEqual([0, 1]);
  });
});

describe('the request as a script sees it', () => {
  const described = (messages: object[]) => describeRequest({ model: 'm', messages }, {});

  it('takes reminders and traces of interrupts and commands off the prompt', () => {
    const { prompt } = described([
      user([
        { type: 'text', text: '<system-reminder>\nnot typed\n</system-reminder>\n' },
        { type: 'text', text: '[Request interrupted by user]' },
        { type: 'text', text: '<command-name>/model</command-name>\n<command-args>x</command-args>' },
        { type: 'text', text: 'what I typed <system-reminder>and this</system-reminder>' },
      ]),
    ]);
    expect(prompt).toBe('what I typed');
  });

  it('groups tool results by round and starts anew with each prompt', () => {
    const use = (id: string) => assistant([{ type: 'tool_use', id, name: 'Bash', input: {} }]);
    const result = (id: string, more: object[] = []) =>
      user([{ type: 'tool_result', tool_use_id: id, content: `out ${id}`, is_error: id === 'b' }, ...more]);
    const first = described([user('go'), use('a'), result('a'), use('b'), result('b')]);
    expect(first.rounds).toEqual([
      [{ toolUseId: 'a', toolName: 'Bash', text: 'out a', isError: false }],
      [{ toolUseId: 'b', toolName: 'Bash', text: 'out b', isError: true }],
    ]);
    const next = described([user('go'), use('a'), result('a', [{ type: 'text', text: 'next' }])]);
    expect(next).toMatchObject({ prompt: 'next', rounds: [] });
  });

  it('says what is cached: everything up to the latest answer', () => {
    const { inputTokens, cachedTokens } = described([user('a'.repeat(400)), assistant('b'.repeat(400)), user('c'.repeat(40))]);
    expect(cachedTokens).toBeGreaterThan(200);
    expect(inputTokens - cachedTokens).toBeLessThan(60);
  });
});

describe('key phrases', () => {
  const afterTool = (prompt: string, output: string) =>
    post({
      messages: [
        user(prompt),
        assistant([{ type: 'tool_use', id: 't', name: 'Bash', input: {} }]),
        user([{ type: 'tool_result', tool_use_id: 't', content: output }]),
      ],
    }).then((response) => response.text());

  it.each([
    ['read: a.txt', 'Read', { file_path: 'a.txt' }],
    ['write: a.txt some words', 'Write', { file_path: 'a.txt', content: 'some words\n' }],
    ['edit: a.txt x -> y', 'Read', { file_path: 'a.txt' }],
    ['background: make', 'Bash', { command: 'make', run_in_background: true }],
    ['task: run: ls', 'Agent', { prompt: 'run: ls' }],
    ['tool: mcp__x__y {"a":1}', 'mcp__x__y', { a: 1 }],
    ['plan', 'ExitPlanMode', {}],
    ['ask: Which?', 'AskUserQuestion', {}],
    ['todo', 'TodoWrite', {}],
  ])('%s calls %s', async (prompt, name, input) => {
    const body: unknown = await (await post({ messages: [user(prompt)] })).json();
    expect(body).toMatchObject({ content: [{ type: 'text' }, { type: 'tool_use', name, input }] });
  });

  it('calls several tools at once and several in a row', async () => {
    const parallel = (await (await post({ messages: [user('parallel: a ;; b')] })).json()) as { content: object[] };
    expect(parallel.content).toMatchObject([{}, { input: { command: 'a' } }, { input: { command: 'b' } }]);
    expect(await afterTool('run: first\nrun: second', 'out')).toContain('"command":"second"');
  });

  it('quotes what the tool said when it is done', async () => {
    expect(await afterTool('run: date', 'Monday morning')).toContain('Monday morning');
  });

  it('says which images came with the prompt', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: Buffer.from('1234567').toString('base64') };
    const response = await post({
      messages: [
        user([
          { type: 'text', text: 'image' },
          { type: 'image', source },
        ]),
      ],
    });
    expect(await response.text()).toContain('I received 1 image: image/png (7 bytes).');
  });

  it('leaves ordinary sentences alone', async () => {
    for (const prompt of ['run the tests', 'read me a story', 'write a poem', 'ask him', 'plan a journey', 'error handling'])
      expect(streamedText(await ask(prompt))).toContain(`> ${prompt}`);
  });

  it('answers everything the script leaves open', async () => {
    api.setScript((request) => (request.prompt === 'mine' ? reply([toolUse('Bash', { command: 'mine' })]) : undefined));
    expect(await (await post({ messages: [user('mine')] })).text()).toContain('"command":"mine"');
    expect(await (await post({ messages: [user('other')] })).text()).toContain('> other');
  });
});

it('tells when a request was asked, before or after the question', async () => {
  const later = api.whenAsked(({ prompt }) => prompt === 'hello');
  await ask('hello');
  expect((await later).prompt).toBe('hello');
  expect((await api.whenAsked(({ prompt }) => prompt === 'hello')).isStream).toBe(true);
});
