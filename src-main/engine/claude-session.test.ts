import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEvent } from '../../src-shared/events.ts';
import type { RunId } from '../../src-shared/ids.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { ALLOW_BASH, type ClaudeGround, claudeGround, dependencies, isAlive } from './adapters/claude.fixture.ts';
import { claudeAdapter } from './adapters/claude.ts';
import { type ClaudeParts, type Ground, ground, newInputId, type TestClient, watch } from './engine.fixture.ts';

/** The real Claude Code behind the real engine and the real store, seen through clients. */
let claude: ClaudeGround;
let here: Ground;
let parts: ClaudeParts;
beforeEach(async () => {
  claude = await claudeGround();
  parts = { adapter: claudeAdapter(dependencies()), env: () => claude.env() };
  here = await ground(undefined, parts);
});
afterEach(async () => {
  await here.dispose();
  await claude.dispose();
});

const prompt = (text: string): Command => ({ kind: 'prompt', inputId: newInputId(), content: { text, images: [] } });
const said = () => JSON.stringify(claude.api.requests.at(-1)?.body.messages);

function follow(client: TestClient, runId: RunId) {
  const seen = watch(client, runId);
  const turns = () => seen.events.filter(({ channel, type }) => channel === 'run:turn' && type === 'ended').length;
  return { seen, turnsEnded: (count: number) => seen.until(() => turns() === count) };
}

it('two clients share one conversation; a third sees the same from the log', async () => {
  const runId = await here.create(claude.spec());
  const [a, b] = [here.connect(), here.connect()];
  const [first, second] = [follow(a, runId), follow(b, runId)];
  await Promise.all([a.send(runId, prompt('first prompt')), b.send(runId, prompt('second prompt'))]);
  await Promise.all([first.turnsEnded(2), second.turnsEnded(2)]);
  expect(second.seen.events).toEqual(first.seen.events);
  const late = follow(here.connect(), runId);
  await late.turnsEnded(2);
  const order = late.seen.events.flatMap((event) => {
    const known = readEvent(event);
    if (known?.channel === 'run:prompt' && known.type === 'accepted') return ['accepted'];
    if (known?.channel === 'run:turn') return ['ended'];
    if (known?.channel !== 'claude:transcript') return [];
    return known.payload.entries.flatMap(({ type }) => (type === 'user' || type === 'assistant' ? [type] : []));
  });
  expect(order).toEqual(['accepted', 'user', 'assistant', 'ended', 'accepted', 'user', 'assistant', 'ended']);
  expect(here.problems).toEqual([]);
});

it('[input-6] [claude-3] a permission that one client sees is answered by another', async () => {
  const runId = await here.create(claude.spec());
  const [a, b] = [here.connect(), here.connect()];
  const mine = follow(a, runId);
  await a.send(runId, prompt('run: touch made'));
  await mine.seen.until(() => mine.seen.state?.status === 'waiting');
  const yours = follow(b, runId);
  await yours.seen.until(() => yours.seen.state?.permissions.length === 1);
  const requestId = yours.seen.state?.permissions[0]?.asked.requestId ?? '';
  await b.send(runId, { kind: 'permission', inputId: newInputId(), requestId, decision: 'allow', reason: null });
  await mine.turnsEnded(1);
  expect(existsSync(join(claude.project, 'made'))).toBe(true);
  const again: Command = { kind: 'permission', inputId: newInputId(), requestId, decision: 'deny', reason: null };
  await expect(a.send(runId, again)).rejects.toMatchObject({ refusal: { code: 'already-answered' } });
});

it('[claude-5] [engine-2] a crash leaves no Claude behind, and the conversation goes on', async () => {
  const runId = await here.create(claude.spec({ options: ALLOW_BASH }));
  const client = here.connect();
  const before = follow(client, runId);
  await client.send(runId, prompt('first prompt'));
  await before.turnsEnded(1);
  await client.send(runId, prompt('run: echo $$ > command-pid; tail -f /dev/null'));
  const pidFile = join(claude.project, 'command-pid');
  await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim()).toMatch(/^\d+$/);
  const [child, command] = [before.seen.state?.pid ?? 0, Number(readFileSync(pidFile, 'utf8'))];
  expect([isAlive(child), isAlive(command)]).toEqual([true, true]);

  here = await here.crash();
  await expect.poll(() => [isAlive(child), isAlive(command)]).toEqual([false, false]);
  const after = follow(here.connect(), runId);
  await after.seen.until(() => after.seen.state?.status === 'interrupted');
  const phone = here.connect();
  await phone.send(runId, prompt('second prompt'));
  await after.seen.until(() => after.seen.state?.lastTurn?.outcome === 'done' && after.seen.state.turn === null);
  expect(said()).toContain('first prompt');
  expect(said()).toContain('second prompt');
  const uuids = after.seen.events.flatMap((event) => {
    const known = readEvent(event);
    return known?.channel === 'claude:transcript' ? known.payload.entries.flatMap(({ uuid }) => (uuid ? [uuid] : [])) : [];
  });
  expect(new Set(uuids).size).toBe(uuids.length);
});

it('a fork shows the conversation at once and leaves the origin alone', async () => {
  const runId = await here.create(claude.spec());
  const client = here.connect();
  const origin = follow(client, runId);
  await client.send(runId, prompt('first prompt'));
  await origin.turnsEnded(1);
  const seq = origin.seen.events.at(-1)?.seq;
  if (seq === undefined) throw new Error('the origin has no events');
  const { session } = await client.call('session.fork', { inputId: newInputId(), runId, seq });
  const fork = follow(client, session.runId);
  await fork.seen.until(() => fork.seen.state?.status === 'idle');
  expect(JSON.stringify(fork.seen.events)).toContain('first prompt');
  await client.send(session.runId, prompt('second prompt'));
  await fork.turnsEnded(1);
  expect(said()).toContain('first prompt');
  expect(JSON.stringify(origin.seen.events)).not.toContain('second prompt');
});
