import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const electronDist = process.env.ELECTRON_OVERRIDE_DIST_PATH;
/** Chromium refuses to sandbox as root, and only then is it told not to. */
const asRoot = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** A BATON_HOME of its own, where tests run side by side with everything else on the machine. */
export class BatonHome {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'baton-e2e-')));
  /** The user's home: whoever runs the tests has start-up files that take their time. */
  readonly user = realpathSync(mkdtempSync(join(tmpdir(), 'baton-user-')));
  readonly #processes: ChildProcess[] = [];

  constructor(settings: Readonly<Record<string, unknown>> = {}) {
    // A question that nobody answers would keep a test's app open for ever; a fixed port is free once.
    const usual = { 'window.confirmQuit': false, 'relay.port': 0 };
    writeFileSync(join(this.path, 'settings.json'), JSON.stringify({ ...usual, ...settings }));
  }

  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return { ...Object.fromEntries(inherited), HOME: this.user, SHELL: '/bin/bash', BATON_HOME: this.path, ...more };
  }

  /** The built app, with its first window. */
  async launch(
    options: { args?: readonly string[]; env?: Record<string, string> } = {},
  ): Promise<{ app: ElectronApplication; page: Page }> {
    const app = await _electron.launch({
      args: [root, ...asRoot, ...(options.args ?? [])],
      env: this.env(options.env),
      cwd: this.path,
    });
    // Asked for now: an app that has ended does not say which process it was.
    this.#processes.push(app.process());
    return { app, page: await app.firstWindow() };
  }

  /** A start that nobody drives: a second one on top of a first, say. */
  start(args: readonly string[] = [], cwd = this.path): ChildProcess {
    if (electronDist === undefined) throw new Error('ELECTRON_OVERRIDE_DIST_PATH does not say where Electron is');
    const child = spawn(join(electronDist, 'electron'), [root, ...asRoot, ...args], { env: this.env(), cwd, stdio: 'ignore' });
    this.#processes.push(child);
    return child;
  }

  /** An engine without the app. */
  async startHeadless(env: Record<string, string> = {}): Promise<ChildProcess> {
    const child = spawn(process.execPath, [join(root, 'out/main/headless.js')], {
      env: this.env(env),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#processes.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  async dispose(): Promise<void> {
    for (const child of this.#processes) await end(child);
    // What an app that was ended had started may still be writing its last words.
    const options = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 };
    for (const folder of [this.path, this.user]) await rm(folder, options);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** Waits for a process to end by itself; gives its exit code. */
export async function whenEnded(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers too.
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .startsWith('Z');
  } catch {
    return false;
  }
}
