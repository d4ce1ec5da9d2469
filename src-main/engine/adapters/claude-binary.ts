import { execFile } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/**
 * Which Claude Code to run: the one the user named in the settings, else the user's own, else the one that came with the Agent
 * SDK's optional package (in a checkout; installers do not carry it).
 */

/** Older ones do not know all of the SDK's ways to start them. */
export const MINIMUM_CLAUDE_VERSION = '2.1.261';
/** The one that the Agent SDK in use was made with. */
export const BUNDLED_CLAUDE_VERSION = '2.1.329';
/** A program that does not say its version within this time is not Claude Code. */
const VERSION_TIMEOUT_MS = 10_000;

const INSTALL_HINT =
  'Install Claude Code (https://code.claude.com/docs/en/setup) or name it under "claude.executable" in the settings.';

export type ClaudeBinary =
  | { readonly state: 'ready'; readonly path: string; readonly version: string }
  | {
      readonly state: 'not-installed';
      readonly path: null;
      readonly version: null;
      readonly message: string;
      readonly hint: string;
    }
  | {
      readonly state: 'too-old';
      readonly path: string;
      readonly version: string;
      readonly message: string;
      readonly hint: string;
    };

export interface ClaudeSearch {
  /** The setting; empty where the user named none. */
  readonly executable: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function findClaude({ executable, env }: ClaudeSearch): Promise<ClaudeBinary> {
  const candidates = executable === '' ? [...ownClaudes(env), packagedClaude()] : [executable];
  let tooOld: { readonly path: string; readonly version: string } | null = null;
  for (const path of candidates) {
    if (path === null || !isProgram(path)) continue;
    const version = await versionOf(path, env);
    if (version === null) continue;
    if (compareVersions(version, MINIMUM_CLAUDE_VERSION) >= 0) return { state: 'ready', path, version };
    tooOld ??= { path, version };
  }
  if (tooOld !== null) {
    const message = `Claude Code ${tooOld.version} (${tooOld.path}) is too old: Baton needs ${MINIMUM_CLAUDE_VERSION} or newer.`;
    return { state: 'too-old', ...tooOld, message, hint: 'Run "claude update", then try again.' };
  }
  const message =
    executable === '' ? 'Claude Code is not installed on this machine.' : `There is no Claude Code at ${executable}.`;
  return { state: 'not-installed', path: null, version: null, message, hint: INSTALL_HINT };
}

/** The program inside the Agent SDK's optional package for this platform; null where it is not installed. */
export function packagedClaude(): string | null {
  const { resolve } = createRequire(import.meta.url);
  const program = process.platform === 'win32' ? 'claude.exe' : 'claude';
  const platform = `${process.platform}-${process.arch}`;
  for (const name of process.platform === 'linux' ? [platform, `${platform}-musl`] : [platform]) {
    try {
      const path = resolve(`@anthropic-ai/claude-agent-sdk-${name}/${program}`);
      // Nothing inside an archive can be executed; electron-builder puts programs beside it.
      return path.replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked');
    } catch {
      // Not installed for this libc: the next one, or none.
    }
  }
  return null;
}

/** PATH first; programs started from a desktop often have a PATH that knows nothing of the usual places. */
function ownClaudes(env: ClaudeSearch['env']): string[] {
  const path = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '');
  if (process.platform === 'win32') {
    const home = env.USERPROFILE ?? '';
    const npm = path.map((folder) => join(folder, 'node_modules', '@anthropic-ai', 'claude-code', 'bin', 'claude.exe'));
    return [...path.map((folder) => join(folder, 'claude.exe')), join(home, '.local', 'bin', 'claude.exe'), ...npm];
  }
  const home = env.HOME ?? '';
  const usual = [join(home, '.local', 'bin'), join(home, '.claude', 'local'), '/opt/homebrew/bin', '/usr/local/bin'];
  return [...new Set([...path, ...usual])].map((folder) => join(folder, 'claude'));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const knownVersions = new Map<string, string | null>();

async function versionOf(path: string, env: ClaudeSearch['env']): Promise<string | null> {
  const real = realpathSync(path);
  const { mtimeMs, size } = statSync(real);
  const key = `${real} ${mtimeMs} ${size}`;
  const known = knownVersions.get(key);
  if (known !== undefined) return known;
  const version = await askVersion(path, env);
  knownVersions.set(key, version);
  return version;
}

function askVersion(path: string, env: ClaudeSearch['env']): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { env: { ...env }, timeout: VERSION_TIMEOUT_MS, windowsHide: true };
    execFile(path, ['--version'], options, (error, stdout) => {
      resolve(error === null ? (/\b(\d+\.\d+\.\d+)\b.*Claude Code/.exec(stdout)?.[1] ?? null) : null);
    });
  });
}

/** Negative: `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const right = b.split('.').map(Number);
  for (const [index, part] of a.split('.').map(Number).entries()) {
    const difference = part - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
