import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScriptedApi, startScriptedApi } from '../../../e2e/scripted-api/scripted-api.js';
import { type Json, type KnownEvent, type LogEvent, readEvent } from '../../../src-shared/events.ts';
import { InputId } from '../../../src-shared/ids.ts';
import type { ClaudeSpec } from '../../../src-shared/session.ts';
import type { Adapter } from './adapter.ts';
import { claudeAdapter } from './claude.ts';
import { packagedClaude } from './claude-binary.ts';
import type { ClaudeDependencies, ClaudeSettings } from './claude-launch.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

/** A home, a project folder and a scripted Messages API, for tests that run the real Claude Code. */
export interface ClaudeGround {
  readonly api: ScriptedApi;
  readonly home: string;
  readonly project: string;
  env(more?: Record<string, string>): Record<string, string>;
  spec(more?: Partial<ClaudeSpec>): ClaudeSpec;
  dispose(): Promise<void>;
}

export async function claudeGround(): Promise<ClaudeGround> {
  const api = await startScriptedApi();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'baton-claude-')));
  const home = join(folder, 'home');
  const project = join(folder, 'project');
  for (const made of [home, project]) mkdirSync(made);
  return {
    api,
    home,
    project,
    env: (more = {}) => ({
      PATH: process.env.PATH ?? '',
      HOME: home,
      // The SDK reads transcripts below its own process's home unless it is told otherwise.
      CLAUDE_CONFIG_DIR: join(home, '.claude'),
      ANTHROPIC_API_KEY: 'sk-test',
      ANTHROPIC_BASE_URL: api.url,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      ...more,
    }),
    spec: (more = {}) => ({
      kind: 'claude',
      cwd: project,
      model: null,
      permissionMode: 'default',
      options: {},
      forkOf: null,
      ...more,
    }),
    dispose: async () => {
      await api.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Commands run without being asked for. */
export const ALLOW_BASH = { settings: { permissions: { allow: ['Bash'] } } };

export const NO_SETTINGS: ClaudeSettings = {
  executable: packagedClaude() ?? '',
  apiKeyHelper: '',
  baseUrl: '',
  model: '',
  options: {},
};

export const dependencies = (settings: Partial<ClaudeSettings> = {}, apiKey: string | null = null): ClaudeDependencies => ({
  settings: () => ({ ...NO_SETTINGS, ...settings }),
  apiKey: () => Promise.resolve(apiKey),
  clientApp: 'baton-test/0.0.0',
});

/** One session with the real Claude Code, driven as the engine drives it. */
export class ClaudeSession {
  readonly host: RecordingHost;
  readonly adapter: Adapter;

  constructor(host: RecordingHost, settings: Partial<ClaudeSettings> = {}, apiKey: string | null = null) {
    this.host = host;
    this.adapter = claudeAdapter(dependencies(settings, apiKey))(host);
  }

  /** Hands over a prompt; resolves when Claude Code has it. */
  async send(text: string, images: { mediaType: 'image/png'; base64: string }[] = []): Promise<InputId> {
    const inputId = InputId.parse(crypto.randomUUID());
    await this.adapter.prompt({ inputId, content: { text, images } });
    return inputId;
  }

  ended(inputId: InputId) {
    return this.host.when((told) => (told.kind === 'turnEnded' && told.end.inputId === inputId ? told.end : undefined));
  }

  /** A whole turn. */
  async ask(text: string, images: { mediaType: 'image/png'; base64: string }[] = []) {
    return this.ended(await this.send(text, images));
  }

  /** The first permission request at or after this place in the log. */
  async asked(fromSeq = 0) {
    const isAsked = (event: LogEvent) => event.channel === 'run:permission' && event.type === 'asked' && event.seq > fromSeq;
    await this.host.until(() => this.host.log.some(isAsked));
    const known = this.host.log.filter(isAsked).map(readEvent)[0];
    if (known?.channel !== 'run:permission' || known.type !== 'asked') throw new Error('not a permission request');
    return known.payload;
  }

  known(): KnownEvent[] {
    return this.host.log.flatMap((event) => readEvent(event) ?? []);
  }

  /** All transcript entries in the log, in order. */
  entries(): { readonly [field: string]: Json | undefined }[] {
    return this.known().flatMap((event) => (event.channel === 'claude:transcript' ? event.payload.entries : []));
  }

  close(): Promise<void> {
    return this.adapter.close(5_000);
  }
}

export function newHost(
  ground: ClaudeGround,
  spec: Partial<ClaudeSpec> = {},
  env: Record<string, string> = {},
  otherLogs: readonly (readonly LogEvent[])[] = [],
): RecordingHost {
  return recordingHost(ground.spec(spec), { env: ground.env(env), otherLogs });
}

/** The host of a session that has this log already: after a restart, or on another machine. */
export function replayed(
  ground: ClaudeGround,
  log: readonly LogEvent[],
  { spec = {}, env = {} }: { spec?: Partial<ClaudeSpec>; env?: Record<string, string> } = {},
): RecordingHost {
  return recordingHost(ground.spec(spec), { env: ground.env(env), log });
}

/** Runs, and is not merely waiting to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
