import type { Query, SDKMessage, SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk';
import * as z from 'zod/mini';
import { type NewEvent, newEvent, type PromptContent } from '../../../src-shared/events.ts';
import type { InputId, Seq } from '../../../src-shared/ids.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { PermissionMode } from '../../../src-shared/session.ts';
import { killTree } from '../process-tree.ts';
import type { AdapterHost } from './adapter.ts';
import { PromptFeed, userMessage } from './claude-input.ts';
import type { Launch } from './claude-launch.ts';
import { LiveTexts } from './claude-live.ts';
import { type Introduction, MessageReader, TRANSCRIPT_LOST, type TurnResult } from './claude-messages.ts';
import { Permissions } from './claude-permissions.ts';
import { isSignedIn } from './claude-probe.ts';
import { type ClaudeProcess, spawnClaude } from './claude-process.ts';
import { TranscriptStore } from './claude-session-store.ts';

export type Sdk = typeof import('@anthropic-ai/claude-agent-sdk');

interface Turn {
  readonly inputId: InputId;
  /** Resolves when the prompt is in the child's input. */
  readonly written: Promise<void>;
  readonly entriesBefore: number;
  isInterrupted: boolean;
}

const Started = z.object({ type: z.literal('command_lifecycle'), state: z.literal('started'), command_uuid: z.string() });

/** One child of Claude Code, from its start to its end, with the one long query that feeds it and reads it. */
export class ClaudeRun {
  readonly permissions: Permissions;
  readonly live: LiveTexts;
  /** The child is gone, and its end told or about to be. */
  isOver = false;
  /** Resolves when the child is gone and everything it said is handed over. Never rejects. */
  readonly ended: Promise<void>;
  readonly #host: AdapterHost;
  readonly #launch: Launch;
  readonly #reader: MessageReader;
  readonly #feed = new PromptFeed();
  readonly #query: Query;
  #process: ClaudeProcess | null = null;
  #childRecorded: Promise<void> = Promise.resolve();
  #appended: Promise<unknown> = Promise.resolve();
  #turn: Turn | null = null;
  #entries = 0;
  /** Between a successful start and its end the host hears of the child; before, `start` itself fails. */
  #hasStarted = false;
  #isClosing = false;
  #failure: string | null = null;

  constructor(host: AdapterHost, launch: Launch, sdk: Sdk) {
    this.#host = host;
    this.#launch = launch;
    this.live = new LiveTexts((text) => host.live(text));
    this.permissions = new Permissions(host, (error) => this.#logFailed(error));
    this.#reader = new MessageReader(host.state.claude?.usage?.turns ?? 0);
    const log: Pick<AdapterHost, 'append' | 'readLog'> = {
      append: (events, options) => this.#tracked(host.append(events, options)),
      readLog: (options) => host.readLog(options),
    };
    const store = new TranscriptStore({ log, configDir: launch.configDir, cwd: launch.cwd }, (subpath, entries) => {
      if (subpath === null) this.#entries += entries.length;
      this.live.logged(entries);
    });
    const { permissionPromptToolName } = launch.options;
    this.#query = sdk.query({
      prompt: this.#feed,
      options: {
        ...launch.options,
        // The SDK takes one answerer: a tool that the user named, or us.
        ...(permissionPromptToolName === undefined ? { canUseTool: this.permissions.canUseTool } : {}),
        onElicitation: this.permissions.onElicitation,
        includePartialMessages: true,
        sessionStore: store,
        sessionStoreFlush: 'eager',
        spawnClaudeCodeProcess: (options) => this.#spawn(options),
      },
    });
    this.ended = this.#read();
  }

  /** Resolves when the child has introduced itself. */
  async start(): Promise<void> {
    const introduction = await Promise.race([this.#introduction(), this.ended.then(() => null)]);
    try {
      await this.#childRecorded;
      if (introduction === null || this.isOver) throw this.#neverStarted();
      this.#hasStarted = true;
      const pid = this.#process?.child.pid ?? null;
      const started = newEvent('system:status', 'started', { pid, command: this.#launch.binary.path });
      await this.#host.append([started, ...this.#reader.introduce(introduction)], { durable: true });
    } catch (error) {
      this.#hasStarted = false;
      this.kill();
      // Its last words come with its end.
      await this.ended;
      throw error instanceof RefusalError ? this.#neverStarted() : error;
    }
  }

  #neverStarted(): RefusalError {
    return new RefusalError(
      'failed',
      `Claude Code could not be started: ${this.#failure ?? 'it ended at once'}`,
      'Run "claude" in a terminal to see whether it works there.',
    );
  }

  async #introduction(): Promise<Introduction | null> {
    try {
      const { commands, models, account, claude_code_version } = await this.#query.initializationResult();
      const { model = 'default', permissionMode = 'default' } = this.#launch.options;
      return {
        claudeSessionId: this.#launch.claudeSessionId,
        model: models.find(({ value }) => value === model)?.resolvedModel ?? model,
        permissionMode,
        version: claude_code_version ?? this.#launch.binary.version,
        tools: [],
        mcpServers: [],
        slashCommands: commands.map(({ name, description, argumentHint }) => ({ name, description, argumentHint })),
        isSignedIn: isSignedIn(account),
      };
    } catch (error) {
      this.#failure ??= messageOf(error);
      return null;
    }
  }

  async prompt(prompt: { readonly inputId: InputId; readonly content: PromptContent }): Promise<void> {
    if (this.#turn !== null)
      throw new RefusalError('not-ready', 'Claude is still at the previous prompt.', 'Wait for its turn to end.');
    const written = this.#feed.push(userMessage(prompt));
    this.#turn = { inputId: prompt.inputId, written, entriesBefore: this.#entries, isInterrupted: false };
    await Promise.race([written, this.ended]);
  }

  async interrupt(): Promise<void> {
    const turn = this.#turn;
    if (turn !== null) turn.isInterrupted = true;
    await Promise.race([turn?.written, this.ended]);
    await this.#control(() => this.#query.interrupt(), 'interrupt Claude');
  }

  async setOptions(options: { readonly model?: string | null; readonly permissionMode?: PermissionMode }): Promise<void> {
    const { model, permissionMode } = options;
    // The mode first: it is what can be refused.
    if (permissionMode !== undefined)
      await this.#control(
        () => this.#query.setPermissionMode(permissionMode),
        `switch to the permission mode "${permissionMode}"`,
      );
    if (model !== undefined) await this.#control(() => this.#query.setModel(model ?? undefined), 'switch the model');
    const events = this.#reader.choose(options);
    if (events.length > 0) await this.#host.append(events, { durable: true });
  }

  /** A request to the child; one that it refuses, or no longer hears, is refused with its reason. */
  async #control(request: () => Promise<unknown>, what: string): Promise<void> {
    try {
      await request();
    } catch (error) {
      throw new RefusalError('failed', `Could not ${what}: ${messageOf(error)}`);
    }
  }

  /** Ends the child: what it does now is interrupted, then it may tidy up for `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    await this.permissions.mootAll().catch((error) => this.#logFailed(error));
    this.#feed.end();
    // Unheard by a child that is already on its way out.
    this.#query.interrupt().catch(() => undefined);
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the child and all its commands at once. */
  kill(): void {
    const child = this.#process?.child;
    const isAlive = child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
    // Should the look at its commands fail, the SDK still ends Claude Code itself.
    void (isAlive ? killTree(child.pid) : Promise.resolve()).catch(() => undefined).then(() => this.#query.close());
  }

  #spawn(options: SpawnOptions): SpawnedProcess {
    const started = spawnClaude(options);
    this.#process = started;
    const { pid } = started.child;
    if (pid !== undefined) {
      this.#childRecorded = this.#host.child(pid);
      this.#childRecorded.catch((error) => this.#logFailed(error));
    }
    return started.child;
  }

  async #read(): Promise<void> {
    try {
      for await (const message of this.#query) this.#handle(message);
    } catch (error) {
      this.#failure ??= messageOf(error);
    }
    const exit = (await this.#process?.gone) ?? { exitCode: null, signal: null };
    await this.#finish(exit);
  }

  #handle(message: SDKMessage): void {
    if (message.type === 'stream_event') this.live.read(message);
    this.#interruptLate(message);
    if (message.type === 'result') {
      const { events, result } = this.#reader.readResult(message);
      this.#append(events);
      if (result !== null) this.#turnOver(result);
    } else this.#append(this.#reader.read(message));
  }

  /** An interrupt that came while the prompt was still queued inside Claude Code has passed it by. */
  #interruptLate(message: unknown): void {
    const turn = this.#turn;
    if (turn?.isInterrupted !== true) return;
    const started = Started.safeParse(message);
    if (started.success && started.data.command_uuid === turn.inputId) this.#query.interrupt().catch(() => undefined);
  }

  #turnOver(result: TurnResult): void {
    const turn = this.#turn;
    // A finished background task makes Claude take a turn by itself. While a prompt waits behind it, only the prompt's counts.
    const isOwn = turn === null || result.user_message_uuids?.includes(turn.inputId) === true || isAnswer(result);
    if (!isOwn) return;
    this.#turn = null;
    this.live.clear();
    if (turn !== null && turn.entriesBefore === this.#entries && result.num_turns > 0)
      this.#append([newEvent('system:status', 'failed', { message: TRANSCRIPT_LOST })]);
    this.#host.turnEnded({ inputId: turn?.inputId ?? null, ...outcomeOf(result) });
  }

  async #finish({ exitCode, signal }: { exitCode: number | null; signal: string | null }): Promise<void> {
    try {
      await this.permissions.mootAll();
      await this.#appended;
      await this.#childRecorded;
      await this.#host.child(null);
    } catch (error) {
      this.#failure ??= `Baton's log could not be written: ${messageOf(error)}`;
    }
    this.live.clear();
    const stderr = this.#process?.stderr() ?? '';
    if (stderr !== '') this.#failure = stderr;
    this.isOver = true;
    if (!this.#hasStarted) return;
    const hasFailed = !this.#isClosing && (signal !== null || exitCode !== 0);
    const reason = hasFailed ? (this.#failure ?? null) : null;
    if (this.#turn !== null) {
      const outcome = this.#isClosing ? 'interrupted' : 'failed';
      const message = this.#isClosing
        ? null
        : `Claude Code ended in the middle of this turn${signal === null ? '' : ` (${signal})`}.`;
      this.#host.turnEnded({ inputId: this.#turn.inputId, outcome, message });
      this.#turn = null;
    }
    this.#host.exited({ exitCode, signal, reason });
  }

  #append(events: readonly NewEvent[]): void {
    if (events.length > 0) this.#tracked(this.#host.append(events)).catch((error) => this.#logFailed(error));
  }

  /** The end waits for all of it: who starts again reads the log, and must find everything that was said. */
  #tracked(appended: Promise<Seq>): Promise<Seq> {
    this.#appended = Promise.allSettled([this.#appended, appended]);
    return appended;
  }

  /** Without its log a session must not go on: nothing that it says would be kept. */
  #logFailed(error: unknown): void {
    this.#failure ??= `Baton's log could not be written: ${messageOf(error)}`;
    this.kill();
  }
}

/** Older versions do not name the prompts that a result answers; then anything but a task's own turn is taken for it. */
function isAnswer({ user_message_uuids, origin }: TurnResult): boolean {
  return user_message_uuids === undefined && origin?.kind !== 'task-notification';
}

function outcomeOf(result: TurnResult): { outcome: 'done' | 'interrupted' | 'failed'; message: string | null } {
  if (result.terminal_reason?.startsWith('aborted')) return { outcome: 'interrupted', message: null };
  if (!result.is_error) return { outcome: 'done', message: null };
  return { outcome: 'failed', message: result.result ?? result.errors?.join('; ') ?? result.subtype };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
