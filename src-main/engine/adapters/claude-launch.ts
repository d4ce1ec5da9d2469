import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { type Json, readEvent } from '../../../src-shared/events.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { type ClaudeSpec, PermissionMode } from '../../../src-shared/session.ts';
import type { AdapterHost } from './adapter.ts';
import { BUNDLED_CLAUDE_VERSION, type ClaudeBinary, compareVersions, findClaude } from './claude-binary.ts';
import { claudeConfigDir, claudeEnv } from './claude-env.ts';
import { type ClaudeOptions, readClaudeOptions, withoutConversation } from './claude-options.ts';
import { forkTranscript, latestConversation, newestConversation } from './claude-session-store.ts';

/** What the user set for all Claude sessions. */
export interface ClaudeSettings {
  /** Path of Claude Code; empty: the user's own. */
  readonly executable: string;
  /** Command that prints an API key; empty: none. */
  readonly apiKeyHelper: string;
  readonly baseUrl: string;
  /** Empty: Claude Code's own default. */
  readonly model: string;
  readonly options: Readonly<Record<string, Json>>;
}

export interface ClaudeDependencies {
  readonly settings: () => ClaudeSettings;
  /** The key that the user entrusted to Baton; null where there is none. */
  readonly apiKey: () => Promise<string | null>;
  /** Name and version of this program, for Claude Code's User-Agent. */
  readonly clientApp: string;
}

/** Everything that starts one child. */
export interface Launch {
  readonly binary: Extract<ClaudeBinary, { state: 'ready' }>;
  readonly configDir: string;
  readonly cwd: string;
  /** Claude's id of the conversation. */
  readonly claudeSessionId: string;
  readonly options: Options;
}

/** Puts a launch together, or says what stands in its way. Throws RefusalError for what the session itself got wrong. */
export async function prepareLaunch(
  host: AdapterHost,
  spec: ClaudeSpec,
  dependencies: ClaudeDependencies,
): Promise<Launch | Exclude<ClaudeBinary, { state: 'ready' }>> {
  const settings = dependencies.settings();
  const options = readClaudeOptions({ ...settings.options, ...spec.options });
  await requireFolder(spec.cwd);
  const env = claudeEnv({
    base: host.childEnv(),
    apiKey: await dependencies.apiKey(),
    baseUrl: settings.baseUrl,
    extra: { ...options.env, ...checkpointing(options) },
    clientApp: dependencies.clientApp,
  });
  const executable = options.pathToClaudeCodeExecutable ?? settings.executable;
  const binary = await findClaude({ executable, env });
  if (binary.state !== 'ready') return binary;
  const configDir = claudeConfigDir(env);
  const conversation = await chooseConversation(host, spec, options, configDir);
  const { model, permissionMode } = await chosenOptions(host, spec, settings);
  const { enableFileCheckpointing: _, ...given } = conversation.options;
  return {
    binary,
    configDir,
    cwd: spec.cwd,
    claudeSessionId: conversation.claudeSessionId,
    options: {
      mcpServersDelivery: deliveryFor(binary.version),
      ...given,
      ...withKeyHelper(options, settings.apiKeyHelper),
      cwd: spec.cwd,
      env,
      pathToClaudeCodeExecutable: binary.path,
      permissionMode,
      ...(model === null ? {} : { model }),
      ...(permissionMode === 'bypassPermissions' ? { allowDangerouslySkipPermissions: true } : {}),
    },
  };
}

/** A missing folder would be reported as a broken program. */
async function requireFolder(cwd: string): Promise<void> {
  const isFolder = await stat(cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new RefusalError(
      'not-ready',
      `Claude cannot start: the folder ${cwd} does not exist.`,
      'Create the folder, or start a session in another one.',
    );
}

/**
 * The SDK refuses file checkpoints together with a session store, because its own way to resume loses them. Conversations resume
 * from Claude Code's folder here, where the checkpoints are, so that they are asked for by the variable that the option stands for.
 */
function checkpointing({ enableFileCheckpointing }: ClaudeOptions): Record<string, string> {
  return enableFileCheckpointing === true ? { CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING: 'true' } : {};
}

function withKeyHelper({ settings }: ClaudeOptions, apiKeyHelper: string): Pick<Options, 'settings'> {
  if (apiKeyHelper === '') return {};
  if (typeof settings === 'string')
    throw new RefusalError(
      'bad-request',
      'The settings "claude.apiKeyHelper" and a settings file under "claude.options" cannot be used together.',
      'Write "apiKeyHelper" into that file instead.',
    );
  return { settings: { ...settings, apiKeyHelper } };
}

/** Off the command line, where other users of the machine could read the servers' secrets, if this Claude Code can take them so. */
function deliveryFor(version: string): NonNullable<Options['mcpServersDelivery']> {
  return compareVersions(version, BUNDLED_CLAUDE_VERSION) >= 0 ? 'initialize' : 'argv';
}

interface Conversation {
  readonly claudeSessionId: string;
  readonly options: ClaudeOptions;
}

/** The session's own conversation goes on; without one, a fork's copy, what the options choose, or a new one. */
async function chooseConversation(
  host: AdapterHost,
  spec: ClaudeSpec,
  options: ClaudeOptions,
  configDir: string,
): Promise<Conversation> {
  const own = await latestConversation(host, {});
  if (own !== null) return { claudeSessionId: own, options: { ...withoutConversation(options), resume: own } };
  if (spec.forkOf !== null) {
    const copy = randomUUID();
    const outcome = await forkTranscript(host, spec.forkOf, copy);
    const rest = withoutConversation(options);
    return { claudeSessionId: copy, options: outcome === 'forked' ? { ...rest, resume: copy } : { ...rest, sessionId: copy } };
  }
  // With a session store the SDK would begin a new conversation for `continue`.
  const { continue: wantsNewest, ...given } = options;
  const newest = wantsNewest === true ? await newestConversation(configDir, spec.cwd) : null;
  const resume = given.resume ?? newest ?? undefined;
  const chosen = resume === undefined ? given : { ...given, resume };
  if (resume !== undefined && given.forkSession !== true) return { claudeSessionId: resume, options: chosen };
  const sessionId = given.sessionId ?? randomUUID();
  return { claudeSessionId: sessionId, options: { ...chosen, sessionId } };
}

/** Model and mode as last chosen in this session, else as it was created, else as the settings say. */
async function chosenOptions(
  host: AdapterHost,
  spec: ClaudeSpec,
  settings: ClaudeSettings,
): Promise<{ readonly model: string | null; readonly permissionMode: PermissionMode }> {
  let { model, permissionMode } = spec;
  for await (const event of host.readLog({ channels: ['claude:init'] })) {
    const known = readEvent(event);
    if (known?.channel !== 'claude:init' || known.type !== 'options') continue;
    if (known.payload.model !== undefined) model = known.payload.model;
    const mode = PermissionMode.safeParse(known.payload.permissionMode);
    if (mode.success) permissionMode = mode.data;
  }
  return { model: model ?? (settings.model === '' ? null : settings.model), permissionMode };
}
