import { accessSync, constants, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { PtySpec } from '../../../src-shared/session.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** bash, zsh …: an interactive shell; null: any other command. */
  readonly shell: ShellName | null;
  /** The shell is to read the files of a login shell. */
  readonly isLogin: boolean;
}

export const SHELLS = ['bash', 'zsh', 'fish', 'pwsh', 'powershell', 'cmd'] as const;
export type ShellName = (typeof SHELLS)[number];

type Env = Readonly<Record<string, string>>;

/** What a session runs: its command as it is, or the user's login shell. */
export function commandOf(spec: Pick<PtySpec, 'command' | 'args'>, env: Env, cwd: string): Command {
  if (spec.command === null) {
    // macOS opens login shells in terminals, Linux and Windows do not.
    const args = spec.args.length > 0 || process.platform !== 'darwin' ? spec.args : ['-l'];
    return commandFor(loginShell(env), args);
  }
  if (findCommand(spec.command, env, cwd) === null)
    throw new RefusalError(
      'unknown-target',
      /[\\/]/.test(spec.command)
        ? `The program “${spec.command}” does not exist or cannot be executed.`
        : `The command “${spec.command}” was not found.`,
      'Check how it is spelled, install it, or give its full path.',
    );
  return commandFor(spec.command, spec.args);
}

function commandFor(file: string, args: readonly string[]): Command {
  const name = basename(file.replaceAll('\\', '/'), '.exe').toLowerCase();
  const shell = SHELLS.find((known) => known === name) ?? null;
  const isLogin = args.some((arg) => arg === '-l' || arg === '--login');
  const isInteractive = args.every((arg) => ['-l', '--login', '-i', '--interactive', '-NoLogo'].includes(arg));
  return { file, args, shell: isInteractive ? shell : null, isLogin };
}

function loginShell(env: Env): string {
  const candidates =
    process.platform === 'win32'
      ? ['pwsh.exe', 'powershell.exe', env.COMSPEC, env.ComSpec]
      : [env.SHELL, userInfo().shell, '/bin/bash', '/bin/sh'];
  const found = candidates.find((shell) => shell !== undefined && shell !== null && findCommand(shell, env, '/') !== null);
  if (found === undefined || found === null)
    throw new RefusalError(
      'unknown-target',
      'No shell was found on this machine.',
      'Name one in the settings under “terminal.shell”.',
    );
  return found;
}

/** Where a command lies: as a path, or in PATH. null: nowhere. */
function findCommand(command: string, env: Env, cwd: string): string | null {
  const isPath = isAbsolute(command) || /[\\/]/.test(command);
  const path = env.PATH ?? env.Path ?? '';
  const folders = isPath ? [''] : path.split(delimiter).filter((folder) => folder !== '');
  const endings = process.platform === 'win32' ? ['', ...(env.PATHEXT ?? '.COM;.EXE;.BAT;.CMD').split(';')] : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const candidate = isPath ? resolve(cwd, command + ending) : join(folder, command + ending);
      if (isExecutable(candidate)) return candidate;
    }
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The folder to start in: the one wanted, else the fall-back. Refuses with the first one's name when neither can be entered. */
export function folderOf(wanted: string, fallback: string): string {
  if (canEnter(wanted)) return wanted;
  if (canEnter(fallback)) return fallback;
  throw new RefusalError(
    'unknown-target',
    `The folder “${wanted}” does not exist or cannot be entered.`,
    'Create it, or open a terminal in another folder.',
  );
}

function canEnter(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
