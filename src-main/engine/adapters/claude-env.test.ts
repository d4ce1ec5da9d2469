import { expect, it } from 'vitest';
import { claudeConfigDir, claudeEnv } from './claude-env.ts';

const env = (base: Record<string, string>, more: Partial<Parameters<typeof claudeEnv>[0]> = {}) =>
  claudeEnv({ base, apiKey: null, baseUrl: '', extra: {}, clientApp: 'baton/1.0.0', ...more });

it("keeps Baton's own variables and those of an outer Claude Code away from the child", () => {
  const foreign = {
    BATON_HOME: '/b',
    BATON_TOKEN: 'secret',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--inspect',
    CLAUDECODE: '1',
    CLAUDE_CODE_CHILD_SESSION: '1',
    CLAUDE_CODE_SESSION_ID: 'x',
    CLAUDE_CODE_MESSAGING_TOKEN: 'secret',
    CLAUDE_CODE_ENTRYPOINT: 'cli',
    CLAUDE_CODE_SSE_PORT: '1',
    CLAUDE_AGENT_SDK_VERSION: '0',
  };
  const child = env({ ...foreign, PATH: '/bin', CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CONFIG_DIR: '/c' });
  for (const name of Object.keys(foreign)) expect(child).not.toHaveProperty(name);
  expect(child).toMatchObject({ PATH: '/bin', CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CONFIG_DIR: '/c' });
});

it('prefers what is said more closely: session, then settings, then the machine', () => {
  const base = { ANTHROPIC_API_KEY: 'machine', ANTHROPIC_BASE_URL: 'machine', CLAUDE_CODE_ENABLE_TASKS: '1' };
  expect(env(base)).toMatchObject(base);
  const settings = env(base, { apiKey: 'settings', baseUrl: 'settings' });
  expect(settings).toMatchObject({ ANTHROPIC_API_KEY: 'settings', ANTHROPIC_BASE_URL: 'settings' });
  expect(env(base, { apiKey: 'settings', extra: { ANTHROPIC_API_KEY: 'session' } }).ANTHROPIC_API_KEY).toBe('session');
});

it('knows where transcripts lie', () => {
  expect(claudeConfigDir({ HOME: '/home/u' })).toBe('/home/u/.claude');
  expect(claudeConfigDir({ HOME: '/home/u', CLAUDE_CONFIG_DIR: '/elsewhere' })).toBe('/elsewhere');
});
