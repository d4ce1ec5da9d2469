import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { SpawnOptions } from '@anthropic-ai/claude-agent-sdk';

/** What a child wrote to stderr last: the reason when it dies. */
const KEPT_STDERR_CHARS = 4_000;
const STDERR_GRACE_MS = 1_000;

export interface ClaudeProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when the process is gone and its stderr is read. */
  readonly gone: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  stderr(): string;
}

/** Starts Claude Code for the Agent SDK, with its pid in our hands. */
export function spawnClaude({ command, args, cwd, env, signal }: SpawnOptions): ClaudeProcess {
  // In a group of its own: Ctrl+C on a headless engine is the engine's to handle, and a reaper can end the group.
  const detached = process.platform !== 'win32';
  const child = spawn(command, args, { cwd, env, signal, detached, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR_CHARS);
  });
  const gone = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
    child.once('close', (exitCode, ended) => resolve({ exitCode, signal: ended }));
    // A command that outlives Claude Code may hold its stderr open.
    child.once('exit', (exitCode, ended) => setTimeout(() => resolve({ exitCode, signal: ended }), STDERR_GRACE_MS).unref());
    // Without a pid nothing ran: `close` may never come.
    child.on('error', () => child.pid === undefined && resolve({ exitCode: null, signal: null }));
  });
  return { child, gone, stderr: () => stderr.trim() };
}
