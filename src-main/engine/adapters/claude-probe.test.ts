import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClaudeGround, claudeGround, dependencies } from './claude.fixture.ts';
import { ClaudeProbe, isSignedIn } from './claude-probe.ts';

describe('whether Claude can work here', () => {
  let ground: ClaudeGround;
  beforeEach(async () => {
    ground = await claudeGround();
  });
  afterEach(() => ground.dispose());

  const probe = (env: Record<string, string> = {}, settings: Parameters<typeof dependencies>[0] = {}) =>
    new ClaudeProbe({ ...dependencies(settings), childEnv: () => ground.env(env) });

  it('is answered together with its models, without asking the model anything', async () => {
    const asked = probe();
    expect(await asked.check()).toMatchObject({ state: 'ready', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
    const { models } = await asked.models();
    expect(models.map(({ value }) => value)).toContain('default');
    expect(ground.api.requests).toEqual([]);
  });

  it('is asked anew when something has changed', async () => {
    let key = '';
    const asked = new ClaudeProbe({ ...dependencies(), childEnv: () => ground.env({ ANTHROPIC_API_KEY: key }) });
    expect(await asked.check()).toMatchObject({ state: 'not-signed-in', message: expect.stringContaining('sign in') });
    key = 'sk-test';
    expect((await asked.check()).state).toBe('not-signed-in');
    asked.forget();
    expect((await asked.check()).state).toBe('ready');
  });

  it('names what is missing', async () => {
    const asked = probe({}, { executable: '/nowhere/claude' });
    expect(await asked.check()).toMatchObject({
      state: 'not-installed',
      path: null,
      message: expect.stringContaining('/nowhere'),
    });
    expect(await asked.models()).toEqual({ models: [] });
  });
});

it('other providers sign in elsewhere', () => {
  expect(isSignedIn({ apiProvider: 'bedrock' })).toBe(true);
  expect(isSignedIn({ apiProvider: 'firstParty', tokenSource: 'claude.ai' })).toBe(true);
  expect(isSignedIn({ apiKeySource: 'ANTHROPIC_API_KEY' })).toBe(true);
  expect(isSignedIn({ tokenSource: 'none', apiKeySource: 'none' })).toBe(false);
  expect(isSignedIn({})).toBe(false);
});
