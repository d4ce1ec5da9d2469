import { homedir } from 'node:os';
import type { ResultOf } from '../../../src-shared/operations.ts';
import { findClaude } from './claude-binary.ts';
import { claudeEnv } from './claude-env.ts';
import { PromptFeed } from './claude-input.ts';
import type { ClaudeDependencies } from './claude-launch.ts';
import { NOT_SIGNED_IN } from './claude-messages.ts';
import { readClaudeOptions } from './claude-options.ts';
import { type ClaudeProcess, spawnClaude } from './claude-process.ts';

/**
 * Whether Claude can work on this machine, and with which models: asked of a child that is given no prompt. Baton itself never
 * looks at credentials.
 */
type Check = ResultOf<'claude.check'>;
type Models = ResultOf<'claude.models'>['models'];
interface Answer {
  readonly check: Check;
  readonly models: Models;
}

/** A window asks for both at once, and again with every new session. */
const FRESH_MS = 30_000;

export interface ProbeDependencies extends ClaudeDependencies {
  readonly childEnv: () => Record<string, string>;
}

export class ClaudeProbe {
  readonly #dependencies: ProbeDependencies;
  #latest: { readonly answer: Promise<Answer>; readonly askedAt: number } | null = null;

  constructor(dependencies: ProbeDependencies) {
    this.#dependencies = dependencies;
  }

  async check(): Promise<Check> {
    return (await this.#answer()).check;
  }

  async models(): Promise<ResultOf<'claude.models'>> {
    return { models: [...(await this.#answer()).models] };
  }

  /** What was known no longer holds: settings or sign-in have changed. */
  forget(): void {
    this.#latest = null;
  }

  #answer(): Promise<Answer> {
    if (this.#latest !== null && performance.now() - this.#latest.askedAt < FRESH_MS) return this.#latest.answer;
    const latest = { answer: ask(this.#dependencies), askedAt: performance.now() };
    this.#latest = latest;
    // A failure is told, not kept.
    latest.answer.catch(() => {
      if (this.#latest === latest) this.#latest = null;
    });
    return latest.answer;
  }
}

async function ask({ settings, apiKey, childEnv, clientApp }: ProbeDependencies): Promise<Answer> {
  const { executable, baseUrl, apiKeyHelper, options } = settings();
  const { env: extra = {}, pathToClaudeCodeExecutable } = readClaudeOptions(options);
  const env = claudeEnv({ base: childEnv(), apiKey: await apiKey(), baseUrl, extra, clientApp });
  const binary = await findClaude({ executable: pathToClaudeCodeExecutable ?? executable, env });
  if (binary.state !== 'ready') {
    const { state, path, version, message, hint } = binary;
    return { check: { state, path, version, message: `${message} ${hint}` }, models: [] };
  }
  const { query } = await import('@anthropic-ai/claude-agent-sdk');
  const feed = new PromptFeed();
  let child: ClaudeProcess | null = null;
  const asked = query({
    prompt: feed,
    options: {
      cwd: homedir(),
      env,
      pathToClaudeCodeExecutable: binary.path,
      persistSession: false,
      // Nothing is to run for a question: no hooks, no MCP servers. The user's own settings may hold how Claude signs in.
      settingSources: ['user'],
      settings: { disableAllHooks: true, ...(apiKeyHelper === '' ? {} : { apiKeyHelper }) },
      strictMcpConfig: true,
      spawnClaudeCodeProcess: (options) => {
        child = spawnClaude(options);
        return child.child;
      },
    },
  });
  try {
    const { account, models } = await asked.initializationResult();
    const shown = models.map(({ value, displayName, description }) => ({ value, displayName, description }));
    const known = { path: binary.path, version: binary.version };
    return isSignedIn(account)
      ? { check: { state: 'ready', ...known, message: `Claude Code ${binary.version} is ready.` }, models: shown }
      : { check: { state: 'not-signed-in', ...known, message: NOT_SIGNED_IN }, models: shown };
  } finally {
    feed.end();
    asked.close();
    await goneOf(child);
  }
}

/** Assigned in a callback, out of the compiler's sight. */
function goneOf(child: ClaudeProcess | null): Promise<unknown> {
  return child?.gone ?? Promise.resolve();
}

/** Other providers than Anthropic sign in outside Claude Code, which then tells nothing of it. */
export function isSignedIn(account: { apiProvider?: string; tokenSource?: string; apiKeySource?: string }): boolean {
  const { apiProvider = 'firstParty', tokenSource = 'none', apiKeySource = 'none' } = account;
  return apiProvider !== 'firstParty' || tokenSource !== 'none' || apiKeySource !== 'none';
}
