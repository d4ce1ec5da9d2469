import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGate } from '../../../e2e/scripted-api/gate.js';
import { reply, text } from '../../../e2e/scripted-api/reply.js';
import type { LogEvent } from '../../../src-shared/events.ts';
import { Seq } from '../../../src-shared/ids.ts';
import { ALLOW_BASH, type ClaudeGround, ClaudeSession, claudeGround, isAlive, newHost, replayed } from './claude.fixture.ts';

let ground: ClaudeGround;
const opened: ClaudeSession[] = [];
beforeEach(async () => {
  ground = await claudeGround();
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  await ground.dispose();
});

function made(session: ClaudeSession): ClaudeSession {
  opened.push(session);
  return session;
}

async function started(session: ClaudeSession): Promise<ClaudeSession> {
  await made(session).adapter.start();
  return session;
}

const pidOf = (session: ClaudeSession) => session.host.state.pid ?? 0;
const exits = (session: ClaudeSession) => session.host.told.flatMap((told) => (told.kind === 'exited' ? [told.exit] : []));
const children = (session: ClaudeSession) => session.host.told.flatMap((told) => (told.kind === 'child' ? [told.pid] : []));
/** What Claude was told of the conversation so far, in short. */
const conversation = () => {
  const messages = ground.api.requests.at(-1)?.body.messages;
  const said = JSON.stringify(messages);
  return ['first', 'second', 'third', 'fourth'].filter((word) => said.includes(`"${word} prompt`));
};

describe('starting', () => {
  it('introduces Claude before the first prompt', async () => {
    const session = await started(new ClaudeSession(newHost(ground)));
    const { status, pid, claude } = session.host.state;
    expect({ status, isAlive: isAlive(pid ?? 0) }).toEqual({ status: 'idle', isAlive: true });
    expect(children(session)).toEqual([pid]);
    expect(claude).toMatchObject({ permissionMode: 'default', blocked: null, model: expect.stringContaining('claude-') });
    expect(claude?.slashCommands.map(({ name }) => name)).toContain('compact');
    expect(ground.api.requests).toEqual([]);
  });

  it('tells in one sentence that Claude is not signed in, and lifts it when a turn goes through', async () => {
    const session = await started(new ClaudeSession(newHost(ground, {}, { ANTHROPIC_API_KEY: '' })));
    expect(session.host.state.claude?.blocked).toMatchObject({
      code: 'not-signed-in',
      message: expect.stringContaining('sign in'),
    });
    expect(await session.ask('hello')).toMatchObject({ outcome: 'failed', message: expect.stringContaining('Not logged in') });
    expect(session.host.state.claude?.blocked).not.toBeNull();
    await session.close();
    const signedIn = await started(new ClaudeSession(session.host, {}, 'sk-from-settings'));
    expect(signedIn.host.state.claude?.blocked).toBeNull();
    expect(await signedIn.ask('hello')).toMatchObject({ outcome: 'done' });
    expect(ground.api.requests.at(-1)?.headers['x-api-key']).toBe('sk-from-settings');
  });

  it('tells that a key is refused while Claude Code still tries', async () => {
    const session = await started(new ClaudeSession(newHost(ground, {}, { ANTHROPIC_API_KEY: 'sk-invalid' })));
    const inputId = await session.send('hello');
    await session.host.until(() => session.host.state.claude?.blocked?.code === 'not-signed-in');
    await session.adapter.interrupt();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'interrupted' });
  });

  it.each([
    ['not-installed', null],
    ['too-old', 'echo "1.0.0 (Claude Code)"'],
  ])('refuses with the way out when Claude Code is %s', async (code, script) => {
    const executable = join(ground.home, 'claude');
    if (script !== null) writeProgram(executable, script);
    const session = made(new ClaudeSession(newHost(ground), { executable }));
    await expect(session.adapter.start()).rejects.toMatchObject({ refusal: { code: 'not-ready', hint: expect.any(String) } });
    expect(session.host.state.claude?.blocked).toMatchObject({ code, message: expect.stringContaining(executable) });
    expect([children(session), exits(session)]).toEqual([[], []]);
  });

  it('refuses a folder that does not exist', async () => {
    const session = made(new ClaudeSession(newHost(ground, { cwd: join(ground.project, 'gone') })));
    await expect(session.adapter.start()).rejects.toThrow('does not exist');
    expect(session.host.log).toEqual([]);
  });

  it('refuses options that do not go together', async () => {
    const session = made(new ClaudeSession(newHost(ground, { model: 'haiku', options: { fallbackModel: 'haiku' } })));
    await expect(session.adapter.start()).rejects.toMatchObject({
      refusal: { code: 'bad-request', message: expect.stringMatching(/fallback model/i) },
    });
    expect([children(session), session.host.log]).toEqual([[], []]);
  });

  it('says what a program that dies at once said last', async () => {
    const executable = join(ground.home, 'claude');
    writeProgram(
      executable,
      'if [ "$1" = --version ]; then echo "99.0.0 (Claude Code)"; else echo "out of order" >&2; exit 3; fi',
    );
    const session = made(new ClaudeSession(newHost(ground), { executable }));
    await expect(session.adapter.start()).rejects.toThrow('out of order');
    expect(children(session).at(-1)).toBeNull();
    expect([exits(session), session.host.log]).toEqual([[], []]);
  });

  it("gives Claude's commands nothing of Baton's", async () => {
    const env = { BATON_HOME: '/secret', BATON_TOKEN: 'secret', ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '--no-warnings' };
    const session = await started(new ClaudeSession(newHost(ground, { options: ALLOW_BASH }, env)));
    await session.ask('run: env > seen');
    expect(readFileSync(join(ground.project, 'seen'), 'utf8')).not.toMatch(/BATON|ELECTRON|NODE_OPTIONS/);
  });

  function writeProgram(path: string, script: string): void {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
});

describe('resuming', () => {
  it('[claude-1] goes on after a restart, from the log alone, in another home and another folder', async () => {
    const first = await started(new ClaudeSession(newHost(ground)));
    await first.ask('first prompt');
    await first.ask('second prompt');
    await first.close();
    const elsewhere = { home: join(ground.home, 'other'), cwd: join(ground.home, 'other-project') };
    mkdirSync(elsewhere.cwd, { recursive: true });
    const env = { HOME: elsewhere.home, CLAUDE_CONFIG_DIR: join(elsewhere.home, '.claude') };
    const host = replayed(ground, first.host.log, { spec: { cwd: elsewhere.cwd }, env });
    const second = await started(new ClaudeSession(host));
    await second.ask('third prompt');
    expect(conversation()).toEqual(['first', 'second', 'third']);
    const payloads = (log: readonly LogEvent[]) => log.slice(0, first.host.log.length).map(({ payload }) => payload);
    expect(payloads(host.log)).toEqual(payloads(first.host.log));
    expect(second.host.state.claude?.claudeSessionId).toBe(first.host.state.claude?.claudeSessionId);
    const written = transcriptFiles(env.CLAUDE_CONFIG_DIR)
      .map((path) => readFileSync(path, 'utf8'))
      .join('');
    expect(written).not.toContain(`"cwd":"${ground.project}"`);
    expect(uuids(second).size).toBe(uuidList(second).length);
  });

  it('takes over what only the transcript file holds: the last words before a crash', async () => {
    const first = await started(new ClaudeSession(newHost(ground)));
    await first.ask('first prompt');
    await first.ask('second prompt');
    await first.close();
    const lost = first.host.log.findIndex((event) => JSON.stringify(event).includes('second prompt'));
    const host = replayed(ground, first.host.log.slice(0, lost));
    const second = await started(new ClaudeSession(host));
    expect(new Set(uuidList(second))).toEqual(uuids(first));
    await second.ask('third prompt');
    expect(conversation()).toEqual(['first', 'second', 'third']);
  });

  it('leaves a transcript file alone that holds everything', async () => {
    const session = await started(new ClaudeSession(newHost(ground)));
    await session.ask('first prompt');
    await session.close();
    const [path = ''] = transcriptFiles(join(ground.home, '.claude'));
    const before = readFileSync(path, 'utf8');
    await session.adapter.start();
    expect(readFileSync(path, 'utf8').startsWith(before)).toBe(true);
    await session.ask('second prompt');
    expect(conversation()).toEqual(['first', 'second']);
    expect(uuids(session).size).toBe(uuidList(session).length);
  });

  it('brings subagents back, too', async () => {
    const first = await started(new ClaudeSession(newHost(ground, { options: ALLOW_BASH })));
    await first.ask('task: run: true');
    await first.close();
    const home = join(ground.home, 'other');
    const env = { HOME: home, CLAUDE_CONFIG_DIR: join(home, '.claude') };
    await started(new ClaudeSession(replayed(ground, first.host.log, { env })));
    const files = transcriptFiles(env.CLAUDE_CONFIG_DIR);
    expect(files.filter((path) => /subagents\/agent-[^/]+\.jsonl$/.test(path))).toHaveLength(1);
    expect(
      readdirSync(join(files.find((path) => path.includes('subagents')) ?? '', '..')).some((name) => name.endsWith('.meta.json')),
    ).toBe(true);
  });

  it('goes on where /clear began anew', async () => {
    const session = await started(new ClaudeSession(newHost(ground)));
    await session.ask('first prompt');
    await session.ask('/clear');
    await session.ask('second prompt');
    await session.close();
    await session.adapter.start();
    await session.ask('third prompt');
    expect(conversation()).toEqual(['second', 'third']);
  });

  it('starts anew when nothing was ever said', async () => {
    const session = await started(new ClaudeSession(newHost(ground)));
    await session.close();
    await session.adapter.start();
    expect(await session.ask('first prompt')).toMatchObject({ outcome: 'done' });
  });

  it('can take up a conversation that was held outside Baton', async () => {
    const outside = await started(new ClaudeSession(newHost(ground)));
    await outside.ask('first prompt');
    await outside.close();
    const resume = outside.host.state.claude?.claudeSessionId ?? '';
    for (const options of [{ resume }, { continue: true }]) {
      const session = await started(new ClaudeSession(newHost(ground, { options })));
      expect(session.host.state.claude?.claudeSessionId).toBe(resume);
      expect(JSON.stringify(session.entries())).toContain('first prompt');
      await session.ask('second prompt');
      expect(conversation()).toContain('first');
      await session.close();
    }
  });

  const uuidList = (session: ClaudeSession) => session.entries().flatMap(({ uuid }) => (typeof uuid === 'string' ? [uuid] : []));
  const uuids = (session: ClaudeSession) => new Set(uuidList(session));
  const transcriptFiles = (configDir: string) =>
    readdirSync(join(configDir, 'projects'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => join(configDir, 'projects', name));
});

describe('forking', () => {
  it('begins with a copy of the conversation up to the point, and goes its own way', async () => {
    const origin = await started(new ClaudeSession(newHost(ground)));
    await origin.ask('first prompt');
    const point = Seq.parse(origin.host.log.length);
    await origin.ask('second prompt');
    const forkOf = { runId: origin.host.runId, seq: point };
    const fork = await started(new ClaudeSession(newHost(ground, { forkOf }, {}, [origin.host.log])));
    expect(fork.host.state.claude?.claudeSessionId).not.toBe(origin.host.state.claude?.claudeSessionId);
    expect(JSON.stringify(fork.entries())).toContain('first prompt');
    expect(JSON.stringify(fork.entries())).not.toContain('second prompt');
    await fork.ask('third prompt');
    expect(conversation()).toEqual(['first', 'third']);
    await origin.ask('fourth prompt');
    expect(conversation()).toEqual(['first', 'second', 'fourth']);
    await fork.close();
    await fork.adapter.start();
    await fork.ask('fourth prompt');
    expect(conversation()).toEqual(['first', 'third', 'fourth']);
  });

  it('of a session in which nothing was said is a new conversation', async () => {
    const origin = await started(new ClaudeSession(newHost(ground)));
    const forkOf = { runId: origin.host.runId, seq: Seq.parse(origin.host.log.length) };
    const fork = await started(new ClaudeSession(newHost(ground, { forkOf }, {}, [origin.host.log])));
    expect(await fork.ask('first prompt')).toMatchObject({ outcome: 'done' });
  });
});

describe('ending', () => {
  it('[claude-5] leaves no process, also from the middle of a command', async () => {
    const session = await started(new ClaudeSession(newHost(ground, { options: ALLOW_BASH })));
    const inputId = await session.send('run: echo $$ > command-pid; tail -f /dev/null');
    const pid = pidOf(session);
    const command = await numberIn('command-pid');
    await session.close();
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'interrupted' });
    expect(isAlive(pid)).toBe(false);
    await expect.poll(() => isAlive(command)).toBe(false);
    expect(exits(session)).toHaveLength(1);
    expect(children(session)).toEqual([pid, null]);
    expect(session.host.told.at(-1)).toMatchObject({ kind: 'exited' });
  });

  it('by force takes its commands with it', async () => {
    const session = await started(new ClaudeSession(newHost(ground, { options: ALLOW_BASH })));
    await session.send('run: echo $$ > command-pid; tail -f /dev/null');
    const command = await numberIn('command-pid');
    await session.adapter.close(0);
    expect(isAlive(pidOf(session))).toBe(false);
    await expect.poll(() => isAlive(command)).toBe(false);
    expect(exits(session)).toHaveLength(1);
  });

  it('does not wait for background commands', async () => {
    const session = await started(new ClaudeSession(newHost(ground, { options: ALLOW_BASH })));
    await session.ask('background: echo $$ > command-pid; tail -f /dev/null');
    const command = await numberIn('command-pid');
    await session.close();
    await expect.poll(() => isAlive(command)).toBe(false);
  });

  it('refuses what was asked and not answered', async () => {
    const session = await started(new ClaudeSession(newHost(ground)));
    await session.send('run: touch made');
    await session.asked();
    await session.close();
    expect(session.host.state.permissions).toEqual([]);
    expect(existsSync(join(ground.project, 'made'))).toBe(false);
  });

  it('by itself fails the turn, tells the signal, and can be started again', async () => {
    const gate = createGate();
    ground.api.setScript(({ prompt }) => (prompt === 'first prompt' ? reply([text('one two three four')], { gate }) : undefined));
    const session = await started(new ClaudeSession(newHost(ground)));
    const inputId = await session.send('first prompt');
    await gate.whenHeld();
    process.kill(pidOf(session), 'SIGKILL');
    expect(await session.ended(inputId)).toMatchObject({ outcome: 'failed', message: expect.stringContaining('SIGKILL') });
    await session.host.until(() => exits(session).length === 1);
    expect(exits(session)).toMatchObject([{ signal: 'SIGKILL' }]);
    await expect(session.send('lost')).rejects.toThrow('not running');
    await session.adapter.start();
    expect(await session.ask('second prompt')).toMatchObject({ outcome: 'done' });
  });

  it('twice, without a child and while it starts is harmless', async () => {
    const session = made(new ClaudeSession(newHost(ground)));
    await session.close();
    const starting = session.adapter.start();
    await session.close();
    await expect(starting).rejects.toThrow(/closed|started/);
    await session.adapter.start();
    const pid = pidOf(session);
    await Promise.all([session.close(), session.close()]);
    await session.close();
    expect(isAlive(pid)).toBe(false);
    expect(exits(session)).toHaveLength(1);
  });

  async function numberIn(name: string): Promise<number> {
    const path = join(ground.project, name);
    await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8').trim()).toMatch(/^\d+$/);
    return Number(readFileSync(path, 'utf8'));
  }
});

it('a log that cannot be written ends the session instead of running on unseen', async () => {
  const host = newHost(ground);
  let isBroken = false;
  const append = host.append.bind(host);
  const failing = Object.assign(Object.create(host), {
    append: (...args: Parameters<typeof append>) => (isBroken ? Promise.reject(new Error('disk full')) : append(...args)),
  });
  const session = await started(new ClaudeSession(failing));
  isBroken = true;
  const before = host.log.length;
  const inputId = await session.send('hello');
  expect(await session.ended(inputId)).toMatchObject({ outcome: expect.stringMatching(/failed|done/) });
  await host.until(() => host.told.some((told) => told.kind === 'exited'));
  expect(exits(session)).toMatchObject([{ reason: expect.stringContaining('disk full') }]);
  expect(host.log.slice(before).filter(({ channel }) => channel.startsWith('claude:'))).toEqual([]);
});
