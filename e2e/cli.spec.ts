import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { sessionList, test } from './ground.ts';
import type { BatonHome } from './launch.ts';

const cli = join(import.meta.dirname, '..', 'out', 'main', 'cli.js');

/** The built command line beside the app, on the same BATON_HOME. */
function baton(home: BatonHome, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { env: home.env(), cwd: home.path }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

test('window and command line show and change the same sessions', async ({ home }) => {
  const { page } = await home.launch();
  await expect(sessionList(page)).toBeAttached();
  const made = await baton(home, 'new', '--detach', '--title', 'from the shell', '--', 'cat');
  expect(made).toMatchObject({ code: 0, stderr: '' });
  await expect(sessionList(page).getByText('from the shell')).toBeVisible();
  await baton(home, 'rename', made.stdout.trim(), 'renamed there');
  await expect(sessionList(page).getByText('renamed there')).toBeVisible();
  await sessionList(page).getByText('renamed there').click();
  const pane = page.getByRole('region', { name: 'renamed there' });
  await expect(pane).toBeVisible();
  await baton(home, 'send', 'renamed there', 'typed by a command');
  await expect.poll(async () => (await baton(home, 'log', 'renamed there')).stdout).toContain('typed by a command\n');
  // What is typed in the window is in the log that the command reads.
  await pane.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('typed in the window\n');
  await expect.poll(async () => (await baton(home, 'log', 'renamed there')).stdout).toContain('typed in the window\n');
});

test('an engine that is the app is not stopped from the command line', async ({ home }) => {
  const { page } = await home.launch();
  await expect(sessionList(page)).toBeAttached();
  expect(await baton(home, 'server', 'stop')).toMatchObject({ code: 5, stderr: expect.stringContaining('Quit the app.') });
  expect(await baton(home, 'server', 'status', '--json')).toMatchObject({ code: 0 });
});
