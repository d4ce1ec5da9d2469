import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_SEQ, RunId } from '../../src-shared/ids.ts';
import { watch } from '../engine/engine.fixture.ts';
import { ApiClient } from './api-client.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

let here: ServerGround;
let api: ApiClient;
beforeEach(async () => {
  here = await serverGround();
  api = await ApiClient.connect(here.server.url, here.tokens.key);
});
afterEach(() => here.dispose());

const shell = { kind: 'pty', command: '/bin/sh', args: [], shellIntegration: false };

async function create(spec: object): Promise<string> {
  return (await api.ok('session.create', { body: { spec } })).session.runId;
}

/** Everything that a session has logged, read in pages of two. */
async function logOf(runId: string) {
  const events = [];
  for (let after = 0; ; ) {
    const page = await api.ok('history.read', { path: { runId }, query: { after, limit: 2 } });
    events.push(...page.events);
    if (!page.more) return events;
    after = page.lastSeq;
  }
}

const outputOf = (events: readonly { channel: string; payload: unknown }[]) =>
  events.flatMap(({ channel, payload }) => (channel === 'pty:stdout' ? [payload] : [])).join('');

describe('a terminal', () => {
  it('[api-1] lives from its creation to its removal', async () => {
    const { session } = await api.ok('session.create', { body: { spec: shell, title: 'mine' } });
    const { runId } = session;
    expect(session).toMatchObject({ kind: 'pty', title: 'mine', machine: 'here', epoch: 1 });
    expect((await api.ok('session.list')).sessions.map(({ runId }: { runId: string }) => runId)).toEqual([runId]);
    const { status } = await api.call('session.input', { path: { runId }, body: { text: 'echo one-$((1+1))\r' } });
    expect(status).toBe(202);
    await expect.poll(async () => outputOf(await logOf(runId))).toContain('one-2');
    await api.ok('session.input', { path: { runId }, body: { base64: Buffer.from('cat\r').toString('base64') } });
    await api.ok('session.rename', { path: { runId }, body: { title: 'yours' } });
    expect((await api.ok('session.get', { path: { runId } })).session.title).toBe('yours');
    await expect.poll(async () => outputOf(await logOf(runId))).toContain('cat\r\n');
    await api.ok('session.interrupt', { path: { runId } });
    const lines = () => api.ok('history.lines', { path: { runId }, query: { limit: 50 } });
    await expect.poll(async () => (await lines()).lines.join('\n')).toContain('^C');
    expect(await api.call('session.delete', { path: { runId } })).toMatchObject({
      status: 403,
      body: { error: { code: 'not-allowed' } },
    });
    await api.ok('session.close', { path: { runId } });
    expect((await api.ok('session.get', { path: { runId } })).state.status).toBe('ended');
    expect(await api.call('session.input', { path: { runId }, body: { text: 'x' } })).toMatchObject({ status: 409 });
    await api.ok('session.restart', { path: { runId } });
    await api.ok('session.close', { path: { runId } });
    await api.ok('session.delete', { path: { runId } });
    expect(await api.call('session.get', { path: { runId } })).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown-session', message: expect.stringContaining(runId) } },
    });
  });

  it('[api-5] every page shows what the same part of the whole log does', async () => {
    const pieces = ['a', '\\303', '\\251', '\\342\\202', '\\254', '\\377', 'z', '\\360\\237'];
    const script = `stty -echo; for b in ${pieces.map((piece) => `'${piece}'`).join(' ')}; do read go; printf "$b"; done`;
    const runId = await create({ ...shell, args: ['-c', script] });
    const state = async () => (await api.ok('session.get', { path: { runId } })).session;
    for (const _piece of pieces) {
      const { lastSeq } = await state();
      await api.ok('session.input', { path: { runId }, body: { text: '\r' } });
      await expect.poll(async () => (await state()).lastSeq).toBeGreaterThan(lastSeq);
    }
    await expect.poll(async () => (await state()).status).toBe('ended');
    const whole = (await api.ok('history.read', { path: { runId }, query: { after: 0, limit: 5000 } })).events;
    const output = whole.filter(({ channel }: { channel: string }) => channel === 'pty:stdout');
    expect(output.length).toBeGreaterThan(4);
    expect(JSON.stringify(output)).toContain('é');
    expect(output.at(-1).payload).toEqual({ base64: Buffer.of(0xf0, 0x9f).toString('base64') });
    const seqs: number[] = whole.map(({ seq }: { seq: number }) => seq);
    for (const after of new Set(seqs)) {
      const { events } = await api.ok('history.read', { path: { runId }, query: { after, limit: 5000 } });
      // What is never completed comes with the event that says so, under the seq of the output.
      expect(events).toEqual(whole.slice(seqs.indexOf(after) + 1));
    }
  });
});

describe('executed once', () => {
  it('[api-2] a repeated creation is the first one’s session', async () => {
    const key = randomUUID();
    const [first, second] = await Promise.all(
      [1, 2].map(() => api.ok('session.create', { key, body: { spec: { kind: 'echo' } } })),
    );
    expect(second.session.runId).toBe(first.session.runId);
    expect(here.engine.sessions.size).toBe(1);
  });

  it('[api-2] a repeated prompt is one prompt, and the same key with another one is refused', async () => {
    const runId = await create({ kind: 'echo' });
    const key = randomUUID();
    const send = (text: string) => api.call('session.prompt', { path: { runId }, key, body: { text } });
    const answers = [await send('hello'), await send('hello')];
    expect(answers[0]).toMatchObject({ status: 200, body: { inputId: key } });
    expect(answers[1]).toEqual(answers[0]);
    expect(await send('other')).toMatchObject({ status: 409, body: { error: { code: 'input-id-reused' } } });
    const queued = (await logOf(runId)).filter(({ channel, type }) => channel === 'run:prompt' && type === 'queued');
    expect(queued).toHaveLength(1);
  });
});

describe('shared with everyone', () => {
  it('two programs and a client on a wire see one order', async () => {
    const runId = await create({ kind: 'echo' });
    const other = await ApiClient.connect(here.server.url, here.tokens.key, randomUUID());
    const seen = watch(here.connect(), RunId.parse(runId), { after: NO_SEQ });
    const sends = Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? api : other).ok('session.prompt', { path: { runId }, body: { text: `prompt ${at}` } }),
    );
    await Promise.all(sends);
    await seen.until(() => seen.events.filter(({ type }) => type === 'ended').length === 20);
    const events = await logOf(runId);
    expect(events).toEqual(JSON.parse(JSON.stringify(seen.events)));
    const { events: again } = await other.ok('history.read', { path: { runId }, query: { after: 0, limit: 5000 } });
    expect(again).toEqual(events);
  });

  it('a queue is edited, moved, emptied; drafts and layouts are kept', async () => {
    const runId = await create({ kind: 'echo' });
    const prompt = async (text: string) => (await api.ok('session.prompt', { path: { runId }, body: { text } })).inputId;
    await prompt('wait for me');
    const [a, b, c] = [await prompt('a'), await prompt('b'), await prompt('c')];
    await api.ok('session.prompt.edit', { path: { runId, promptId: a }, body: { text: 'A' } });
    await api.ok('session.prompt.move', { path: { runId, promptId: c }, body: { before: a } });
    await api.ok('session.prompt.delete', { path: { runId, promptId: b } });
    const { state } = await api.ok('session.get', { path: { runId } });
    expect(state.queue.map(({ content }: { content: { text: string } }) => content.text)).toEqual(['c', 'A']);
    await api.ok('session.interrupt', { path: { runId } });
    await api.ok('draft.set', { path: { runId }, body: { text: 'half a thought' } });
    expect(await api.ok('draft.get', { path: { runId } })).toMatchObject({ text: 'half a thought' });
    const body = { text: 'half a thought, and more', base: 'half a thought' };
    expect(await api.ok('notes.set', { path: { runId }, body })).toMatchObject({ text: ', and more' });
    const clientId = randomUUID();
    await api.ok('layout.set', { path: { clientId }, body: { layout: { panes: [1, { two: null }] } } });
    expect(await api.ok('layout.get', { path: { clientId } })).toEqual({ layout: { panes: [1, { two: null }] } });
  });

  it('a permission is answered once', async () => {
    const runId = await create({ kind: 'echo' });
    await api.ok('session.prompt', { path: { runId }, body: { text: 'may I' } });
    const pending = async () => (await api.ok('session.get', { path: { runId } })).state.permissions;
    await expect.poll(async () => (await pending()).length).toBe(1);
    const [{ asked }] = await pending();
    const answer = (decision: string) =>
      api.call('session.permission', { path: { runId, requestId: asked.requestId }, body: { decision } });
    expect((await answer('allow')).status).toBe(200);
    expect(await answer('deny')).toMatchObject({ status: 409, body: { error: { code: 'already-answered' } } });
  });
});

describe('[api-6] what is wrong is named', () => {
  const runId = randomUUID();
  it.each([
    ['session.create', { body: { spec: { kind: 'dog' } } }, 400, 'the body: spec.kind'],
    ['session.create', { body: { spec: { kind: 'pty', cols: 1 } } }, 400, 'the body: spec.cols'],
    ['session.create', { body: { spec: { kind: 'echo' }, titel: 'x' } }, 400, 'titel'],
    ['session.create', { body: { spec: { kind: 'pty', comand: 'ls' } } }, 400, 'comand'],
    ['session.create', { key: 'once', body: { spec: { kind: 'echo' } } }, 400, 'Idempotency-Key'],
    ['session.get', { path: { runId: '7' } }, 400, 'the address: runId'],
    ['session.get', { path: { runId } }, 404, runId],
    ['history.search', { query: { query: 'x', limit: 'ten' } }, 400, 'the query: limit'],
    ['history.search', { query: { query: 'x', limit: 501 } }, 400, '500'],
    ['history.search', { query: { query: 'x', lmit: 5 } }, 400, 'lmit'],
    ['history.search', { query: {} }, 400, 'the query: query'],
    ['history.read', { path: { runId }, query: { after: -1 } }, 400, 'the query: after'],
    ['session.prompt', { path: { runId }, body: {} }, 400, 'the body: text'],
    ['session.input', { path: { runId }, body: { text: 'a', base64: 'YQ==' } }, 400, 'the body'],
  ] as const)('%s %j', async (operation, asked, status, named) => {
    const answer = await api.call(operation, asked);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(named);
    expect(here.engine.sessions.size).toBe(0);
  });

  it('a body that is no JSON, or is none at all', async () => {
    const send = (body: string, type = 'application/json') =>
      fetch(`${here.server.url}/api/v1/sessions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${here.tokens.key}`, 'content-type': type },
        body,
      });
    for (const [body, type, status] of [
      ['{', undefined, 400],
      ['', undefined, 400],
      ['a=b', 'application/x-www-form-urlencoded', 415],
      ['{}', 'text/plain', 415],
    ] as const) {
      const answer = await send(body, type);
      expect([answer.status, await answer.json()]).toEqual([
        status,
        { error: { code: 'bad-request', message: expect.any(String), hint: null } },
      ]);
    }
  });

  it('a cursor beyond the log is refused, as is one in both directions', async () => {
    const runId = await create({ kind: 'echo' });
    const read = (query: Record<string, number>) => api.call('history.read', { path: { runId }, query });
    expect(await read({ after: 1_000 })).toMatchObject({ status: 404, body: { error: { code: 'unknown-target' } } });
    expect(await read({ after: 0, before: 2 })).toMatchObject({ status: 400 });
  });
});

describe('[api-8] bounds', () => {
  it('a body that is too large is refused, and a prompt may be larger than others', async () => {
    const runId = await create({ kind: 'echo' });
    const image = { mediaType: 'image/png', base64: 'A'.repeat(4_000_000) };
    expect((await api.call('session.prompt', { path: { runId }, body: { text: 'look', images: [image] } })).status).toBe(200);
    const large = await api.call('session.rename', { path: { runId }, body: { title: 'x'.repeat(2_000_000) } });
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } });
    const layout = await api.call('layout.set', { path: { clientId: randomUUID() }, body: { layout: 'x'.repeat(1_100_000) } });
    expect(layout).toMatchObject({ status: 413, body: { error: { code: 'too-large' } } });
  });
});
