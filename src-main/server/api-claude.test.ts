import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ClaudeGround, claudeGround, dependencies } from '../engine/adapters/claude.fixture.ts';
import { claudeAdapter } from '../engine/adapters/claude.ts';
import { ApiClient } from './api-client.fixture.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

/** The real Claude Code behind the real server, driven by what its OpenAPI document says and nothing else. */
let claude: ClaudeGround;
let here: ServerGround;
let api: ApiClient;
beforeEach(async () => {
  claude = await claudeGround();
  here = await serverGround({}, { adapter: claudeAdapter(dependencies()), env: () => claude.env() });
  api = await ApiClient.connect(here.server.url, here.tokens.key);
});
afterEach(async () => {
  await here.dispose();
  await claude.dispose();
});

it('[api-1] a conversation lives from its creation to its removal', async () => {
  const spec = { kind: 'claude', cwd: claude.project };
  const { session } = await api.ok('session.create', { body: { spec, title: 'a talk' } });
  const path = { runId: session.runId };
  const state = async () => (await api.ok('session.get', { path })).state;
  const outcome = async () => (await state()).turn === null && (await state()).lastTurn?.outcome;
  const prompt = (text: string) => api.ok('session.prompt', { path, body: { text } });

  await prompt('first prompt');
  await expect.poll(outcome).toBe('done');

  const { inputId } = await prompt('run: touch made');
  await expect.poll(async () => (await state()).permissions.length).toBe(1);
  const [{ asked }] = (await state()).permissions;
  expect(asked).toMatchObject({ toolName: 'Bash', input: { command: 'touch made' } });
  expect(existsSync(join(claude.project, 'made'))).toBe(false);
  const answered = { path: { ...path, requestId: asked.requestId }, body: { decision: 'allow' } };
  await api.ok('session.permission', answered);
  const { events: asIs } = await api.ok('history.read', { path, query: { channels: ['run:permission'] } });
  expect(asIs.map(({ type }: { type: string }) => type)).toEqual(['asked', 'answered']);
  const turnOf = async (id: string) => {
    const { events } = await api.ok('history.read', { path, query: { channels: ['run:turn'] } });
    return events.find(({ payload }: { payload: { inputId: string } }) => payload.inputId === id)?.payload.outcome;
  };
  await expect.poll(() => turnOf(inputId)).toBe('done');
  expect(existsSync(join(claude.project, 'made'))).toBe(true);

  const { events } = await api.ok('history.read', { path, query: { after: 0, channels: ['claude:result'] } });
  expect(events.at(-1).payload).toMatchObject({ isError: false, usage: { outputTokens: expect.any(Number) } });

  const slow = await prompt('slow 2000');
  await expect.poll(async () => (await state()).turn?.inputId).toBe(slow.inputId);
  await api.ok('session.interrupt', { path });
  await expect.poll(() => turnOf(slow.inputId)).toBe('interrupted');

  await api.ok('session.close', { path });
  expect((await state()).status).toBe('ended');
  await api.ok('session.delete', { path });
  expect((await api.ok('session.list')).sessions).toEqual([]);
});
