import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { basename, delimiter } from 'node:path';
import * as z from 'zod/mini';
import { cleanEnv } from './child-env.ts';

/**
 * The environment of the user's login shell. A program that is started from the desktop gets a poor one (on macOS a PATH of four
 * folders), and hands it on to everything that runs in it: Claude Code would find neither git's hooks' tools nor the user's node.
 */
const Env = z.record(z.string(), z.string());

/** Start-up files that take longer are given up: nobody waits that long for a terminal. */
const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_LENGTH = 4 * 1024 * 1024;

/** What is about that shell itself, or about this process. */
const NOT_TAKEN = /^(PWD|OLDPWD|SHLVL|_|TERM|COLUMNS|LINES|PS1|ELECTRON_.*|BATON_.*)$/;

/** Whoever starts a program in a terminal hands on that terminal's environment: there is nothing to add to it. */
export function isFromTerminal(env: NodeJS.ProcessEnv): boolean {
  return !!env.TERM;
}

export interface ShellWish {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs the login shell once and asks it for its environment. Rejects with a reason for people. */
export async function readLoginEnv({ env, timeoutMs = TIMEOUT_MS, signal }: ShellWish): Promise<Record<string, string>> {
  const shell = env.SHELL || userInfo().shell || '/bin/sh';
  const mark = `baton-${randomUUID()}`;
  const output = await outputOf(shell, [...flagsFor(shell), printEnv(mark)], mark, { env, timeoutMs, signal });
  const found = parseMarked(output, mark);
  if (found === null) throw new Error(`${shell} printed something else`);
  return found;
}

/** As each shell takes a command after it has read all its start-up files: PATH is often set for interactive shells only. */
function flagsFor(shell: string): string[] {
  const name = basename(shell);
  if (/^(tcsh|csh)$/.test(name)) return ['-ic'];
  return name === 'pwsh' ? ['-Login', '-Command'] : ['-l', '-i', '-c'];
}

/** This same program prints it, as plain Node: `env` would leave it open where a value with line feeds ends. */
function printEnv(mark: string): string {
  const program = process.execPath.replaceAll("'", `'"'"'`);
  return `'${program}' -p '"${mark}" + JSON.stringify(process.env) + "${mark}"'`;
}

/** What stands between the marks; start-up files may print whatever they like around it. null: it is not there. */
export function parseMarked(output: string, mark: string): Record<string, string> | null {
  const [, json] = output.split(mark);
  if (json === undefined) return null;
  const read = Env.safeParse(parseJson(json));
  return read.success ? Object.fromEntries(Object.entries(read.data).filter(([name]) => !NOT_TAKEN.test(name))) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Cut off, or something else printed into it: not an environment either way.
    return null;
  }
}

/** The shell's values win; of PATH nothing that was there is lost. */
export function mergedEnv(own: NodeJS.ProcessEnv, login: Readonly<Record<string, string>>): Record<string, string> {
  const folders = [login.PATH, own.PATH].flatMap((path) => path?.split(delimiter) ?? []).filter((folder) => folder !== '');
  return { ...login, ...(folders.length > 0 ? { PATH: [...new Set(folders)].join(delimiter) } : {}) };
}

/**
 * Takes the login shell's environment over into this process's own, from where every child gets it. Resolves when that is done
 * or has failed; a failure is told, and all goes on with what there is.
 */
export async function adoptLoginEnv(wish: ShellWish & { readonly onNotice: (message: string) => void }): Promise<void> {
  try {
    Object.assign(wish.env, mergedEnv(wish.env, await readLoginEnv(wish)));
  } catch (error) {
    if (wish.signal?.aborted) return;
    const reason = error instanceof Error ? error.message : String(error);
    wish.onNotice(
      `The environment of your login shell cannot be had: ${reason}. Programs may be missing from PATH. (“terminal.loginEnvironment” in the settings turns this off.)`,
    );
  }
}

/** What it prints up to the second mark. */
function outputOf(shell: string, args: readonly string[], mark: string, wish: ShellWish & { timeoutMs: number }) {
  const { env, timeoutMs, signal } = wish;
  return new Promise<string>((resolve, reject) => {
    const child = spawn(shell, args, {
      cwd: homedir(),
      // Start-up files can tell by the last one that nobody sits in front of this shell.
      env: { ...cleanEnv(env), TERM: 'dumb', ELECTRON_RUN_AS_NODE: '1', BATON_READS_ENVIRONMENT: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
      // A group of its own, without a terminal, so that it can be ended with all that it waits for.
      detached: true,
    });
    let output = '';
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', handleAbort);
      child.stdout.destroy();
    };
    const fail = (reason: string) => {
      settle();
      killGroup(child.pid);
      reject(new Error(`${shell} ${reason}`));
    };
    const handleAbort = () => fail('was stopped');
    const timer = setTimeout(() => fail(`took longer than ${timeoutMs / 1000} s`), timeoutMs);
    signal?.addEventListener('abort', handleAbort, { once: true });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.length > MAX_OUTPUT_LENGTH) fail('prints without end');
      else if (output.split(mark).length > 2) {
        // What start-up files left running in the background stays: it belongs to the user.
        settle();
        resolve(output);
      }
    });
    child.once('error', ({ message }) => fail(`does not start (${message})`));
    child.once('close', (code, by) => fail(`ended with ${by ?? `code ${code}`} before it ran what it was given`));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
