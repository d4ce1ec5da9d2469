import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunSessionClient } from '../../src-shared/client.ts';
import { type RunId, Seq } from '../../src-shared/ids.ts';
import { type Command, encodeMessage, PROTOCOL_VERSION } from '../../src-shared/protocol.ts';
import type { CloseReason } from '../../src-shared/refusal.ts';
import { wirePair } from '../../src-shared/wire.ts';
import { connectTo, ECHO, type Ground, ground, newClientId, newInputId, outputOf, pty, watch } from './engine.fixture.ts';

let here: Ground;
beforeEach(async () => {
  here = await ground();
});
afterEach(async () => {
  await here.dispose();
});

const prompt = (text: string, inputId = newInputId()): Command => ({ kind: 'prompt', inputId, content: { text, images: [] } });
const types = (events: readonly { channel: string; type: string }[]) => events.map(({ channel, type }) => `${channel}/${type}`);

async function replyTo(client: RunSessionClient, runId: RunId, text: string): Promise<void> {
  await client.send(runId, prompt(text));
}

describe('prompts', () => {
  it('[input-3] [input-4] are logged, then accepted one at a time, whoever sent them', async () => {
    const runId = await here.create(ECHO);
    const a = here.connect();
    const b = here.connect();
    const seen = watch(a, runId);
    await Promise.all([replyTo(a, runId, 'one'), replyTo(b, runId, 'two'), replyTo(a, runId, 'three')]);
    await seen.until(() => types(seen.events).filter((type) => type === 'run:turn/ended').length === 3);
    const turns = types(seen.events).filter((type) => type === 'run:prompt/accepted' || type === 'run:turn/ended');
    expect(turns).toEqual(Array(3).fill(['run:prompt/accepted', 'run:turn/ended']).flat());
    expect(seen.state).toMatchObject({ queue: [], turn: null, status: 'idle' });
  });

  it('[input-1] [input-2] are executed once, whatever is sent again, also after a restart', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const command = prompt('only once');
    const first = await client.send(runId, command);
    expect(await client.send(runId, command)).toBe(first);
    await expect(client.send(runId, prompt('other', command.inputId))).rejects.toMatchObject({
      refusal: { code: 'input-id-reused' },
    });
    here = await here.crash();
    expect(await here.connect().send(runId, command)).toBe(first);
    const log = await here.store.read({ runId, limit: 100, maxBytes: 1e6, channels: ['run:prompt'] });
    expect(types(log)).toEqual(['run:prompt/queued', 'run:prompt/accepted']);
  });

  it('[input-8] wait in a queue that can be edited, reordered and emptied while a turn runs; an interrupt leaves it', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const seen = watch(client, runId);
    await replyTo(client, runId, 'wait for me');
    const [one, two, three] = [newInputId(), newInputId(), newInputId()];
    for (const [id, text] of [
      [one, 'wait for me 1'],
      [two, 'wait for me 2'],
      [three, 'wait for me 3'],
    ] as const) {
      await client.send(runId, prompt(text, id));
    }
    await client.send(runId, { kind: 'prompt-move', inputId: newInputId(), target: three, before: one });
    await client.send(runId, { kind: 'prompt-edit', inputId: newInputId(), target: one, text: 'edited, wait for me' });
    await client.send(runId, { kind: 'prompt-delete', inputId: newInputId(), target: two });
    await seen.until(() => seen.state?.queue.length === 2);
    expect(seen.state?.queue.map(({ content }) => content.text)).toEqual(['wait for me 3', 'edited, wait for me']);
    await client.send(runId, { kind: 'interrupt', inputId: newInputId() });
    await seen.until(() => seen.state?.turn?.inputId === three);
    expect(seen.state?.lastTurn?.outcome).toBe('interrupted');
    expect(seen.state?.queue.map(({ content }) => content.text)).toEqual(['edited, wait for me']);
    await expect(client.send(runId, { kind: 'prompt-delete', inputId: newInputId(), target: two })).rejects.toMatchObject({
      refusal: { code: 'unknown-target' },
    });
  });

  it('[input-6] a permission is answered by the first valid answer; the others are told', async () => {
    const runId = await here.create(ECHO);
    const [a, b] = [here.connect(), here.connect()];
    const seen = watch(a, runId);
    await replyTo(a, runId, 'may I pass');
    await seen.until(() => seen.state?.status === 'waiting');
    const late = watch(b, runId);
    await late.until(() => late.state?.permissions.length === 1);
    const requestId = seen.state?.permissions[0]?.asked.requestId as string;
    const answer = (client: RunSessionClient) =>
      client.send(runId, { kind: 'permission', inputId: newInputId(), requestId, decision: 'allow', reason: null });
    const outcomes = await Promise.allSettled([answer(a), answer(b)]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { refusal: { code: 'already-answered' } },
    });
    await late.until(() => late.state?.status === 'idle');
  });
});

describe('wires', () => {
  it('[wire-1] [wire-2] a stranger and a malformed frame close that wire only', async () => {
    const runId = await here.create(ECHO);
    const good = here.connect();
    await good.ready();
    const closedBy = (frames: readonly Uint8Array[]) =>
      new Promise<CloseReason>((resolve) => {
        const [near, far] = wirePair();
        here.engine.attachWire(far, { isLocal: true, road: 'socket' });
        near.onClose = resolve;
        for (const frame of frames) near.send(frame);
      });
    const hello = encodeMessage({
      type: 'client:hello',
      protocol: PROTOCOL_VERSION,
      clientId: newClientId(),
      kind: 'test',
      name: '',
    });
    expect((await closedBy([encodeMessage({ type: 'ping', sentAt: 0 })])).code).toBe(4401);
    expect((await closedBy([Uint8Array.of(1, 2, 3)])).code).toBe(4400);
    expect((await closedBy([hello, encodeMessage({ type: 'run:close' } as never)])).code).toBe(4400);
    const old = encodeMessage({ type: 'client:hello', protocol: 999, clientId: newClientId(), kind: 'test', name: '' });
    expect((await closedBy([old])).code).toBe(4402);
    await replyTo(good, runId, 'still here');
  });

  it('[wire-3] attaching twice is attaching once', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const first = watch(client, runId);
    const second = watch(client, runId);
    await replyTo(client, runId, 'hello');
    await second.until(() => types(second.events).includes('run:turn/ended'));
    expect(here.engine.session(runId).viewers.size).toBe(1);
    expect(types(first.events)).not.toContain('run:turn/ended');
    second.attachment?.detach();
    second.attachment?.detach();
  });

  it('[wire-4] a refused request is a reply that says what, why and the way out', async () => {
    const client = here.connect();
    const runId = await here.create(ECHO);
    await expect(client.call('session.delete', { runId })).rejects.toMatchObject({
      refusal: { code: 'not-allowed', message: expect.stringContaining('running'), hint: expect.any(String) },
    });
    await expect(client.call('shell.openLink', { url: 'http://x' })).rejects.toMatchObject({ refusal: { code: 'unsupported' } });
    await expect(client.call('history.read', { runId, limit: 0 })).rejects.toMatchObject({ refusal: { code: 'bad-request' } });
  });

  it('[wire-8] [seq-3] a client that loses its wire continues after the last event it had: nothing lost, nothing twice', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const other = here.connect();
    const seen = watch(client, runId);
    for (let round = 0; round < 20; round++) {
      await replyTo(other, runId, `prompt ${round}`);
      if (round % 3 === 0) client.wires.at(-1)?.close({ code: 4500, reason: 'cut' });
    }
    await seen.until(() => types(seen.events).filter((type) => type === 'run:turn/ended').length === 20);
    expect(seen.starts).toHaveLength(1);
    expect(seen.events.map((event) => event.seq)).toEqual(seen.events.map((_, index) => index + 1));
  });

  it('[seq-4] a cursor beyond the log is answered with a reset', async () => {
    const runId = await here.create(ECHO);
    const seen = watch(here.connect(), runId, { after: Seq.parse(999) });
    await seen.until(() => seen.events.length > 0);
    expect(seen.starts).toEqual([{ after: 0, screen: null }]);
    expect(seen.events[0]?.seq).toBe(1);
  });

  it('[seq-4] so is a cursor at an event that this log has another one for: a crash lost what was shown', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const seen = watch(client, runId);
    await replyTo(client, runId, 'hello');
    await seen.until(() => types(seen.events).includes('run:turn/ended'));
    const { seq: after, ts } = seen.events[2] as (typeof seen.events)[number];
    const same = watch(here.connect(), runId, { after, afterTs: ts });
    await same.until(() => same.events.length > 0);
    expect(same.starts).toEqual([{ after, screen: null }]);
    expect(same.events[0]?.seq).toBe(after + 1);
    const other = watch(here.connect(), runId, { after, afterTs: ts - 1 });
    await other.until(() => other.events.length > 0);
    expect(other.starts).toEqual([{ after: 0, screen: null }]);
    here = await here.crash();
    const later = watch(here.connect(), runId, { after, afterTs: ts - 1 });
    await later.until(() => later.events.length > 0);
    expect(later.starts).toEqual([{ after: 0, screen: null }]);
  });

  it('[seq-6] an event of an unknown channel is stored and carried as it is', async () => {
    const runId = await here.create(ECHO);
    const client = here.connect();
    const seen = watch(client, runId);
    await replyTo(client, runId, 'unknown');
    await seen.until(() => types(seen.events).includes('run:turn/ended'));
    expect(seen.events.find(({ channel }) => channel === 'echo:message')?.payload).toMatchObject({ text: 'unknown' });
  });
});

describe('sessions', () => {
  it('creating one twice with the same id is creating it once', async () => {
    const client = here.connect();
    const inputId = newInputId();
    const params = { inputId, spec: ECHO, title: 'mine' };
    const [a, b] = await Promise.all([client.call('session.create', params), client.call('session.create', params)]);
    expect(a.session.runId).toBe(b.session.runId);
    expect(here.engine.sessions.size).toBe(1);
    here = await here.crash();
    const again = await here.connect().call('session.create', params);
    expect(again.session).toMatchObject({ runId: a.session.runId, title: 'mine', status: 'interrupted' });
  });

  it('every client hears of new, renamed and deleted ones', async () => {
    const [a, b] = [here.connect(), here.connect()];
    await Promise.all([a.ready(), b.ready()]);
    const told = (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        const release = b.onSessions(() => {
          if (!holds()) return;
          release();
          resolve();
        });
      });
    const isThere = told(() => b.sessions.size === 1);
    const { session } = await a.call('session.create', { inputId: newInputId(), spec: ECHO, title: null });
    await isThere;
    const isRenamed = told(() => b.sessions.get(session.runId)?.title === 'tests');
    await a.call('session.rename', { runId: session.runId, title: 'tests' });
    await isRenamed;
    await a.close(session.runId, newInputId());
    const isGone = told(() => b.sessions.size === 0);
    await a.call('session.delete', { runId: session.runId });
    await isGone;
  });

  it('[engine-2] after a crash are there with their history, marked as interrupted, and go on with the next prompt', async () => {
    const runId = await here.create(ECHO);
    await replyTo(here.connect(), runId, 'before the crash');
    here = await here.crash();
    const client = here.connect();
    const seen = watch(client, runId);
    await seen.until(() => seen.state?.status === 'interrupted');
    await replyTo(client, runId, 'after the crash');
    await seen.until(() => types(seen.events).filter((type) => type === 'run:turn/ended').length === 2);
    expect(seen.events.map((event) => event.seq)).toEqual(seen.events.map((_, index) => index + 1));
    expect(await here.store.verify(runId)).toMatchObject({ ok: true });
  });
});

describe('terminals', () => {
  it('[pty-1] [pty-2] show every client the same bytes, all of them before the exit', async () => {
    const runId = await here.create(pty('/bin/sh', ['-c', 'read go; seq 1 20000; exit 3']));
    const [a, b] = [here.connect(), here.connect()];
    const [near, far] = [watch(a, runId, { viewport: { cols: 80, rows: 24 } }), watch(b, runId)];
    await Promise.all([near.until(() => near.state !== null), far.until(() => far.state !== null)]);
    near.attachment?.keys(Buffer.from('\n'));
    await Promise.all([near, far].map((seen) => seen.until(() => seen.state?.status === 'ended')));
    const expected = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\r\n`).join('');
    expect(near.text.endsWith(expected)).toBe(true);
    expect(far.text).toBe(near.text);
    expect(near.state?.exit).toMatchObject({ exitCode: 3, signal: null });
  });

  it('[pty-3] the one who typed last sets the size', async () => {
    const runId = await here.create(pty('/bin/sh', []));
    const [a, b] = [here.connect(), here.connect()];
    const first = watch(a, runId, { viewport: { cols: 100, rows: 30 } });
    await first.until(() => first.state?.cols === 100);
    const second = watch(b, runId, { viewport: { cols: 60, rows: 20 } });
    await second.until(() => second.state !== null);
    expect(second.state?.cols).toBe(100);
    second.attachment?.keys(Buffer.from('stty size\n'));
    await first.until(() => first.state?.cols === 60 && first.text.includes('20 60'));
    second.attachment?.detach();
    await first.until(() => first.state?.cols === 100);
  });

  it('[wire-5] [pty-4] a client that parses nothing slows nobody else, and comes back through a screen', async () => {
    const runId = await here.create(pty('/bin/sh', ['-c', 'read go; seq 1 500000; echo the end; read end']));
    const fast = watch(here.connect(), runId, { viewport: { cols: 80, rows: 24 } });
    await fast.until(() => fast.state !== null);
    const slow = watch(here.connect(), runId);
    slow.acks = false;
    await slow.until(() => slow.state !== null);
    fast.attachment?.keys(Buffer.from('\n'));
    await fast.until(() => fast.tail.includes('the end'));
    expect(slow.tail).not.toContain('the end');
    slow.attachment?.parsed(outputOf(slow.events).byteLength);
    slow.acks = true;
    await slow.until(() => slow.tail.includes('the end'));
    expect(slow.starts.length).toBeGreaterThan(1);
  });

  it('lose nothing when the last viewer leaves and another comes while the program ends', async () => {
    for (let round = 0; round < 10; round++) {
      const runId = await here.create(pty('/bin/sh', ['-c', 'read go; seq 1 2000; echo the end']));
      const first = watch(here.connect(), runId);
      await first.until(() => first.state !== null);
      first.attachment?.keys(Buffer.from('\n'));
      await first.until(() => first.events.length > round / 3);
      first.attachment?.detach();
      const second = watch(here.connect(), runId);
      await second.until(() => second.state?.status === 'ended' && second.text.includes('the end'));
      expect(second.refusal).toBeNull();
    }
  });

  it('restart in place, with what was there before still above', async () => {
    const runId = await here.create(pty('/bin/sh', ['-c', 'echo run $$']));
    const client = here.connect();
    const seen = watch(client, runId);
    await seen.until(() => seen.state?.status === 'ended' && /run \d+/.test(seen.text));
    const first = /run \d+/.exec(seen.text)?.[0];
    await client.send(runId, { kind: 'restart', inputId: newInputId() });
    await seen.until(() => (seen.text.match(/run \d+/g) ?? []).length === 2);
    const again = watch(connectTo(here.engine), runId);
    await again.until(() => again.state?.status === 'ended' && again.text.includes(first as string));
  });

  it('[input-5] what is typed before the answer to an attach, or while the program starts, arrives once and in order', async () => {
    const runId = await here.create(pty('/bin/sh', []));
    const client = here.connect();
    const seen = watch(client, runId, { viewport: { cols: 80, rows: 24 } });
    for (const letter of 'echo early-$((1+1))\n') seen.attachment?.keys(Buffer.from(letter));
    await seen.until(() => seen.text.includes('early-2'));
    seen.attachment?.keys(Buffer.from('exit\n'));
    await seen.until(() => seen.state?.status === 'ended');
    const restarted = client.send(runId, { kind: 'restart', inputId: newInputId() });
    await restarted;
    for (const letter of 'echo again-$((1+1))\n') seen.attachment?.keys(Buffer.from(letter));
    await seen.until(() => seen.text.includes('again-2'));
  });

  it('[pty-10] start again in a fresh terminal, below what an earlier program left', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-restart-'));
    const fullScreen = String.raw`printf 'before\n\033[?1049h\033[?1000h\033[?2004h\033[2;5r\033[?25l\033[31minside\033]0;cut'`;
    const command = `if [ -e seen ]; then printf 'after'; else touch seen; ${fullScreen}; fi; read wait`;
    const runId = await here.create(pty('/bin/sh', ['-c', command], folder));
    const client = here.connect();
    const seen = watch(client, runId);
    await seen.until(() => seen.text.includes('inside'));
    here = await here.crash();
    const again = here.connect();
    await again.send(runId, { kind: 'restart', inputId: newInputId() });
    const follower = watch(again, runId);
    await follower.until(() => follower.text.endsWith('after'));
    const late = watch(here.connect(), runId);
    await late.until(() => late.text.includes('after'));
    const [screen] = late.starts;
    expect(screen?.screen).toMatch(/^before\r\n(\r\n)?after/);
    expect(screen?.screen).not.toMatch(/\x1b\[(\?1049h|\?1000h|\?2004h|\?25l|31m|2;5r)/);
    await rm(folder, { recursive: true });
  });

  it('a folder that is not there refuses the session and leaves none behind', async () => {
    const client = here.connect();
    const spec = pty(null, [], '/no/such/folder');
    await expect(client.call('session.create', { inputId: newInputId(), spec, title: null })).rejects.toMatchObject({
      refusal: { message: expect.stringContaining('/no/such/folder') },
    });
    expect(here.engine.sessions.size).toBe(0);
  });
});
