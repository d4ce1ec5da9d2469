import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as pty from 'node-pty';
import { entryPath } from '../entry-path.ts';

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Record<string, string>;
}

/** A BATON_HOME of its own, and the built command line in it. */
export class CliGround {
  readonly home = mkdtempSync(join(tmpdir(), 'baton-cli-'));
  readonly env: Readonly<Record<string, string>>;

  constructor(env: Record<string, string> = {}) {
    const { PATH = '', LANG = 'C.UTF-8' } = process.env;
    this.env = {
      PATH,
      LANG,
      HOME: this.home,
      TERM: 'xterm-256color',
      SHELL: '/bin/sh',
      BATON_HOME: join(this.home, 'b'),
      ...env,
    };
  }

  /** What commands are started by: a namespace, say. */
  protected readonly launcher: readonly string[] = [];

  run(args: readonly string[], options: RunOptions = {}): Promise<CliResult> {
    return this.#spawn([...this.launcher, process.execPath, entryPath('cli'), ...args], options);
  }

  /** `baton args | into`, with the code of the first. */
  pipe(args: readonly string[], into: string): Promise<CliResult> {
    const script = `{ "$@"; echo $? >code; } | ${into}; exit $(cat code)`;
    return this.#spawn(['sh', '-c', script, 'sh', process.execPath, entryPath('cli'), ...args]);
  }

  #spawn([file = '', ...args]: readonly string[], { input = '', env = {} }: RunOptions = {}) {
    return new Promise<CliResult>((resolve, reject) => {
      const child = spawn(file, args, { env: { ...this.env, ...env }, cwd: this.home });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      // A command that does not read its stdin may end before it is written.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
      });
    });
  }

  /** Runs it, wants it to succeed, and gives what it printed. */
  async ok(args: readonly string[], options: { input?: string | Uint8Array } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code !== 0) throw new Error(`baton ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  }

  async json(args: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.ok([...args, '--json']));
  }

  /** A detached session of `sh -c script`; gives its id. It has a title, so that no screen shows the script itself. */
  async start(script: string): Promise<string> {
    return (await this.ok(['new', '--detach', '--title', 'test', '--', 'sh', '-c', script])).trim();
  }

  terminal(
    args: readonly string[],
    { cols = 80, rows = 24, env = {} }: { cols?: number; rows?: number; env?: Record<string, string> } = {},
  ) {
    return new Terminal([entryPath('cli'), ...args], { cols, rows, cwd: this.home, env: { ...this.env, ...env } });
  }

  async dispose(): Promise<void> {
    await this.run(['server', 'stop', '--yes']);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A terminal that has shown nothing for so long will not show what is waited for: better to say what it did show. */
const PATIENCE_MS = 30_000;

/** The command line in a terminal, as a person has it. */
export class Terminal {
  output = '';
  readonly exit: Promise<number>;
  readonly #pty: pty.IPty;
  readonly #waiting = new Set<() => void>();
  #hasExited = false;

  constructor(args: string[], options: { cols: number; rows: number; cwd: string; env: Record<string, string> }) {
    this.#pty = pty.spawn(process.execPath, args, { name: 'xterm-256color', ...options });
    this.#pty.onData((data) => {
      this.output += data;
      this.#look();
    });
    this.exit = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#hasExited = true;
        this.#look();
        resolve(signal ? 128 + signal : exitCode);
      });
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  /** Resolves when it has shown this, after what was there at `from`. */
  async shows(what: RegExp | string, from = 0): Promise<void> {
    const isThere = () => {
      const text = this.output.slice(from);
      return typeof what === 'string' ? text.includes(what) : what.test(text);
    };
    while (!isThere()) {
      if (this.#hasExited) throw new Error(`it ended without showing ${what}: ${JSON.stringify(this.output.slice(from))}`);
      const isChanged = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), PATIENCE_MS);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve(true);
        });
      });
      if (!isChanged) throw new Error(`it does not show ${what}: ${JSON.stringify(this.output.slice(from))}`);
    }
  }

  #look(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
