import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ScriptedApi, startScriptedApi } from '../../e2e/scripted-api/scripted-api.js';
import { CliGround } from './cli.fixture.ts';

const DETACH = '\x1cd';
const PATIENCE = { timeout: 90_000 };

/** The real Claude Code on a scripted Messages API, talked to through the built command line. */
let api: ScriptedApi;
let ground: CliGround;
beforeAll(async () => {
  api = await startScriptedApi();
  ground = new CliGround({
    ANTHROPIC_API_KEY: 'sk-test',
    ANTHROPIC_BASE_URL: api.url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  });
  mkdirSync(join(ground.home, 'project'));
  await ground.ok(['server', 'start']);
}, 120_000);
afterAll(async () => {
  await ground.dispose();
  await api.close();
}, 60_000);

const newClaude = async () =>
  (await ground.ok(['new', '--detach', '--kind', 'claude', '--cwd', join(ground.home, 'project')])).trim();

describe('a conversation', PATIENCE, () => {
  it('is prompted, waited for and read by single commands', async () => {
    const runId = await newClaude();
    await ground.ok(['send', runId, 'hello', 'there']);
    expect(await ground.json(['wait', runId])).toMatchObject({ runId, status: 'idle' });
    const text = await ground.ok(['log', runId]);
    expect(text).toContain('› hello there');
    expect(text.length).toBeGreaterThan('› hello there'.length + 10);
  });

  it('asks for a permission, which a command lists and answers', async () => {
    const runId = await newClaude();
    await ground.ok(['send', runId, 'run: touch made-by-command']);
    expect(await ground.json(['wait', runId, '--for', 'permission'])).toMatchObject({ permissions: 1 });
    expect(await ground.ok(['permit'])).toContain('touch made-by-command');
    await ground.ok(['permit', runId, 'deny', '--reason', 'not today']);
    await ground.ok(['wait', runId]);
    expect((await ground.run(['permit', runId, 'allow'])).code).toBe(6);
    expect(JSON.stringify(api.requests.at(-1)?.body.messages)).toContain('not today');
  });

  it('[input-6] is a chat when it is attached: prompts, answers, permissions', async () => {
    const runId = await newClaude();
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('› ');
    terminal.type('say something kind\r');
    await terminal.shows(/say something kind[\s\S]*say something kind/);
    terminal.type('run: touch made-in-chat\r');
    await terminal.shows('1 allow');
    expect(terminal.output).toContain('command: touch made-in-chat');
    // Enter alone allows nothing.
    const from = terminal.output.length;
    terminal.type('\r');
    await terminal.shows('Type 1 or 3', from);
    terminal.type('1\r');
    await expect.poll(() => existsSync(join(ground.home, 'project', 'made-in-chat')), { timeout: 30_000 }).toBe(true);
    terminal.type(DETACH);
    expect(await terminal.exit).toBe(0);
    expect(terminal.output).toContain('[detached from ');
  });

  it('is interrupted by Esc, and left by Ctrl-C twice without ending', async () => {
    const runId = await newClaude();
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('› ');
    terminal.type('slow 2000\r');
    await expect.poll(() => ground.json(['session', runId]), { timeout: 60_000 }).toMatchObject({ status: 'running' });
    terminal.type('\x1b');
    await terminal.shows('interrupted');
    terminal.type('\x03');
    await terminal.shows('Ctrl-C again leaves');
    terminal.type('\x03');
    expect(await terminal.exit).toBe(0);
    expect(await ground.json(['session', runId])).toMatchObject({ status: 'idle' });
  });

  it('answers no permission in a terminal that is inside a session', async () => {
    const runId = await newClaude();
    await ground.ok(['send', runId, 'run: touch never-made']);
    await ground.ok(['wait', runId, '--for', 'permission']);
    const terminal = ground.terminal(['attach', runId], { env: { BATON_SESSION_ID: '00000000-0000-7000-8000-000000000000' } });
    await terminal.shows('Answer it in the window');
    terminal.type(DETACH);
    await terminal.exit;
    await ground.ok(['interrupt', runId]);
    await ground.ok(['wait', runId]);
  });

  it('puts Claude’s questions as questions', async () => {
    const runId = await newClaude();
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('› ');
    terminal.type('ask: Which colour?\r');
    await terminal.shows('Claude asks: Which colour?');
    terminal.type('my own\r');
    await expect.poll(() => JSON.stringify(api.requests.at(-1)?.body.messages), { timeout: 60_000 }).toContain('my own');
    terminal.type(DETACH);
    await terminal.exit;
  });
});
