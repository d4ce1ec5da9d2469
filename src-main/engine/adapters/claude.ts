import { newEvent } from '../../../src-shared/events.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { type ClaudeSpec, PermissionMode } from '../../../src-shared/session.ts';
import type { Adapter, AdapterFactory, AdapterHost } from './adapter.ts';
import { type ClaudeDependencies, type Launch, prepareLaunch } from './claude-launch.ts';
import { ClaudeRun, type Sdk } from './claude-run.ts';

/**
 * Claude Code in a session, through the Agent SDK. The child starts with the session, not with its first prompt: the user learns
 * before typing whether Claude is installed and signed in, sees its models and commands, and the first answer comes sooner.
 */
export function claudeAdapter(dependencies: ClaudeDependencies): AdapterFactory {
  return (host) => {
    if (host.spec.kind !== 'claude') throw new Error(`claude cannot run a session of kind ${host.spec.kind}`);
    return new ClaudeAdapter(host, host.spec, dependencies);
  };
}

class ClaudeAdapter implements Adapter {
  readonly #host: AdapterHost;
  readonly #spec: ClaudeSpec;
  readonly #dependencies: ClaudeDependencies;
  #run: ClaudeRun | null = null;
  #isStarting = false;
  /** Closed while starting: the child that comes up is ended again. */
  #isClosed = false;

  constructor(host: AdapterHost, spec: ClaudeSpec, dependencies: ClaudeDependencies) {
    this.#host = host;
    this.#spec = spec;
    this.#dependencies = dependencies;
  }

  async start(): Promise<void> {
    if (this.#isStarting || this.#current() !== null)
      throw new RefusalError('not-ready', 'Claude is already running in this session.');
    this.#isStarting = true;
    this.#isClosed = false;
    try {
      await this.#launch();
    } finally {
      this.#isStarting = false;
    }
  }

  async #launch(): Promise<void> {
    const launch = await prepareLaunch(this.#host, this.#spec, this.#dependencies);
    if ('state' in launch) {
      const { state, message, hint } = launch;
      await this.#host.append([newEvent('claude:init', 'blocked', { code: state, message: `${message} ${hint}` })], {
        durable: true,
      });
      throw new RefusalError('not-ready', message, hint);
    }
    // Loaded when first needed: it is large, and an engine may run terminals only.
    const sdk = await import('@anthropic-ai/claude-agent-sdk');
    if (this.#isClosed) throw new RefusalError('not-running', 'The session was closed before Claude had started.');
    const run = this.#runOf(launch, sdk);
    this.#run = run;
    await run.start();
  }

  /** The SDK refuses options that do not go together when it is called. */
  #runOf(launch: Launch, sdk: Sdk): ClaudeRun {
    try {
      return new ClaudeRun(this.#host, launch, sdk);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new RefusalError('bad-request', `Claude cannot start with these options: ${problem}`, 'Correct the options.');
    }
  }

  /** Claude takes prompts: keys have nowhere to go, and a conversation has no size. */
  write(): void {}
  resize(): void {}

  async prompt(prompt: Parameters<Adapter['prompt']>[0]): Promise<void> {
    await this.#running().prompt(prompt);
  }

  async answer(answer: Parameters<Adapter['answer']>[0]): Promise<void> {
    this.#running().permissions.answer(answer);
  }

  async interrupt(): Promise<void> {
    await this.#current()?.interrupt();
  }

  /** Without a child the choice is kept for the next start. */
  async setOptions({ model, permissionMode }: Parameters<Adapter['setOptions']>[0]): Promise<void> {
    const mode = permissionMode === undefined ? undefined : PermissionMode.safeParse(permissionMode);
    if (mode?.success === false) throw new RefusalError('bad-request', `There is no permission mode "${permissionMode}".`);
    const chosen = { ...(model === undefined ? {} : { model }), ...(mode === undefined ? {} : { permissionMode: mode.data }) };
    const run = this.#current();
    if (run !== null) await run.setOptions(chosen);
    else await this.#host.append([newEvent('claude:init', 'options', chosen)], { durable: true });
  }

  /** Text is paced by the model; the little there is needs no holding back. */
  pauseOutput(): void {}
  resumeOutput(): void {}

  liveTexts(): readonly LiveText[] {
    return this.#current()?.live.all() ?? [];
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    await this.#run?.close(graceMs);
  }

  #current(): ClaudeRun | null {
    return this.#run?.isOver === false ? this.#run : null;
  }

  #running(): ClaudeRun {
    const run = this.#current();
    if (run === null) throw new RefusalError('not-running', 'Claude is not running in this session.', 'Restart the session.');
    return run;
  }
}
