import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The environment of Claude Code. It gets the user's, but nothing of Baton's own (its commands could drive Baton with it) and
 * nothing of another Claude Code that Baton was started from: with that one's marks it would take itself for its child, keep no
 * transcript of its own and answer to a foreign socket.
 */
const FOREIGN = [
  /^BATON_/,
  /^ELECTRON_/,
  /^NODE_OPTIONS$/,
  /^AI_AGENT$/,
  /^CLAUDECODE$/,
  /^CLAUDE_AGENT_SDK_/,
  /^CLAUDE_EFFORT$/,
  /^CLAUDE_PID$/,
  /^CLAUDE_CODE_(CHILD_|ENTRYPOINT$|EXECPATH$|MESSAGING_|SESSION_|SSE_PORT$)/,
];

/** Todo lists as one tool call each, which a view can show; off by default for models that do without. The user's own value wins. */
const DEFAULTS: Readonly<Record<string, string>> = { CLAUDE_CODE_ENABLE_TODO_TOOLS: '1', CLAUDE_CODE_ENABLE_TASKS: '0' };

export interface EnvParts {
  /** The environment that the engine gives to children. */
  readonly base: Readonly<Record<string, string>>;
  readonly apiKey: string | null;
  /** Empty: the provider's own. */
  readonly baseUrl: string;
  /** The session's own variables; they win. */
  readonly extra: Readonly<Record<string, string>>;
  readonly clientApp: string;
}

export function claudeEnv({ base, apiKey, baseUrl, extra, clientApp }: EnvParts): Record<string, string> {
  const inherited = Object.entries(base).filter(([name]) => !FOREIGN.some((pattern) => pattern.test(name)));
  return {
    ...DEFAULTS,
    ...Object.fromEntries(inherited),
    CLAUDE_AGENT_SDK_CLIENT_APP: clientApp,
    ...(apiKey === null ? {} : { ANTHROPIC_API_KEY: apiKey }),
    ...(baseUrl === '' ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
    ...extra,
  };
}

/** Where Claude Code with this environment keeps its transcripts. */
export function claudeConfigDir(env: Readonly<Record<string, string>>): string {
  return env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? homedir(), '.claude');
}
