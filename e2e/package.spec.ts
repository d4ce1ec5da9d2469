import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { expect } from '@playwright/test';
import * as pty from 'node-pty';
import { test } from './ground.ts';
import { BatonHome, isAlive } from './launch.ts';

/** How an executable's fuse wire says so: the digit 1. */
const FUSE_IS_ON = 0x31;

/** The app as users get it: packaged by electron-builder, started without anything of the checkout, reached by its own command. */
test.describe('the packaged app', () => {
  // biome-ignore lint/suspicious/noSkippedTests: the layout of the other platforms' packages differs
  test.skip(process.platform !== 'linux', 'is looked into on Linux only');

  const root = dirname(import.meta.dirname);
  const claude = createRequire(import.meta.url).resolve(`@anthropic-ai/claude-agent-sdk-linux-${process.arch}/claude`);
  let output: string;
  let app: string;
  let home: BatonHome;

  test.beforeAll(async () => {
    test.setTimeout(180_000);
    output = mkdtempSync(join(tmpdir(), 'baton-dist-'));
    const build = spawn(process.execPath, ['scripts/dist.mjs', '--dir', `-c.directories.output=${output}`], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(build, 'exit')).toEqual([0, null]);
    app = join(output, 'linux-unpacked');
  });
  test.afterAll(() => rmSync(output, { recursive: true, force: true, maxRetries: 5 }));
  test.beforeEach(() => {
    home = new BatonHome({ 'claude.executable': claude });
  });
  test.afterEach(() => home.dispose());

  /** As it is called after it was installed: by a link in the user's home. */
  function command(): string {
    const link = join(home.user, '.local', 'bin', 'baton');
    if (!existsSync(link)) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(app, 'resources', 'bin', 'baton'), link);
    }
    return link;
  }

  function baton(args: readonly string[], env = home.env()): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(command(), args, { env, cwd: home.user }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`baton ${args.join(' ')} ended with ${error.code}: ${stderr}`));
      });
    });
  }

  /** `baton` and nothing else, on a terminal; resolves when it has ended. */
  async function openWindow(env: Record<string, string>): Promise<{ pid: number; version: string }> {
    const terminal = pty.spawn(command(), [], { name: 'xterm-256color', env, cwd: home.user });
    let said = '';
    terminal.onData((data) => {
      said += data;
    });
    const code = await new Promise((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    expect({ code, said }).toEqual({ code: 0, said: '' });
    return JSON.parse(await baton(['server', 'status', '--json'], env));
  }

  test('has its fuses set', async () => {
    const {
      version,
      resetAdHocDarwinSignature: _,
      strictlyRequireAllFuses: __,
      ...wire
    } = await getCurrentFuseWire(join(app, 'baton'));
    expect(version).toBe('1');
    const on = [
      FuseV1Options.RunAsNode,
      FuseV1Options.EnableCookieEncryption,
      FuseV1Options.EnableEmbeddedAsarIntegrityValidation,
      FuseV1Options.OnlyLoadAppFromAsar,
    ];
    const named = Object.entries(wire).map(([fuse, state]) => [FuseV1Options[Number(fuse)], state === FUSE_IS_ON]);
    const wanted = Object.keys(wire).map((fuse) => [FuseV1Options[Number(fuse)], on.includes(Number(fuse))]);
    expect(Object.fromEntries(named)).toEqual(Object.fromEntries(wanted));
    expect(named).toHaveLength(8);
  });

  test('is opened by its command, and runs terminals and Claude', async ({ claudeEnv, folder }) => {
    const env = home.env(claudeEnv);
    expect(await baton(['--version'], env)).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { pid, version } = await openWindow(env);
    try {
      expect(`${version}\n`).toBe(await baton(['--version'], env));
      // Asked again, the one that runs shows itself.
      expect((await openWindow(env)).pid).toBe(pid);

      const { runId } = JSON.parse(await baton(['new', '--json', '--', 'sh', '-c', 'echo packaged-$((40+2)); env'], env));
      await baton(['wait', runId], env);
      const log = await baton(['log', runId], env);
      expect(log).toContain('packaged-42\n');
      expect(log).not.toMatch(/^ELECTRON_/m);

      const chat = JSON.parse(await baton(['new', '--kind', 'claude', '--cwd', folder, '--json'], env));
      await baton(['send', chat.runId, 'Greetings to the package'], env);
      await baton(['wait', chat.runId, '--for', 'idle'], env);
      expect(await baton(['log', chat.runId], env)).toContain('Greetings to the package');
    } finally {
      process.kill(pid, 'SIGTERM');
      await expect.poll(() => isAlive(pid)).toBe(false);
    }
  });

  test('runs without a window, too', async () => {
    try {
      const { runId } = JSON.parse(await baton(['new', '--json', '--', 'echo', 'no window']));
      await baton(['wait', runId]);
      expect(await baton(['log', runId])).toContain('no window');
    } finally {
      await baton(['server', 'stop', '--yes']);
    }
  });
});
