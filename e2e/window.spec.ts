import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { button, sessionList, test } from './ground.ts';

const screens = (page: Page) => page.locator('.xterm-rows');

/** A new terminal whose shell waits at its prompt and has the keyboard. */
async function openTerminal(page: Page): Promise<void> {
  const count = await sessionList(page).getByRole('listitem').count();
  await button(page, 'New terminal').click();
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toHaveCount(count + 1);
  await expect(page.locator('.xterm-helper-textarea:focus')).toBeAttached();
}

async function type(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

test('a zoomed pane gives the others back as they were, and keeps the keyboard', async ({ home, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await openTerminal(page);
  await type(page, 'echo left-$((1+1))');
  await expect(screens(page)).toContainText('left-2');
  await page.keyboard.press('Control+Shift+D');
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toHaveCount(2);
  await page.keyboard.press('Control+Shift+Enter');
  await expect(screens(page).first()).toBeHidden();
  await type(page, 'echo right-$((1+1))');
  await expect(screens(page).last()).toContainText('right-2');
  await page.keyboard.press('Control+Shift+Enter');
  await expect(screens(page).first()).toBeVisible();
  await expect(screens(page).first()).toContainText('left-2');
  await type(page, 'echo still-$((1+1))');
  await expect(screens(page).last()).toContainText('still-2');
});

test('[pty-9] closing a pane asks only while its program works, and keeps it running', async ({ home, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await openTerminal(page);
  await page.keyboard.press('Control+Shift+W');
  await expect(page.getByText('No pane is open')).toBeVisible();
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+Shift+Alt+T');
  await expect(screens(page)).toBeVisible();

  await type(page, 'sleep 300');
  await expect(sessionList(page).getByRole('img', { name: 'Working' })).toBeVisible();
  await page.keyboard.press('Control+Shift+W');
  await expect(button(page, 'Keep running in background')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByText('No pane is open')).toBeVisible();
  await expect(sessionList(page).getByRole('img', { name: 'Working' })).toBeVisible();
});

test('settings are in force at once and stand in the file; a window of a phone shows its panes first', async ({
  home,
  claudeEnv,
}) => {
  const { app, page } = await home.launch({ env: claudeEnv });
  await expect(button(page, 'New terminal')).toBeEnabled();
  await page.keyboard.press('Control+,');
  await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeFocused();
  await page.getByRole('combobox', { name: 'Theme' }).click();
  await page.getByRole('option', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect.poll(() => readFileSync(join(home.path, 'settings.json'), 'utf8')).toContain('"appearance.theme": "dark"');

  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(400, 700));
  await expect(sessionList(page)).toBeHidden();
  await button(page, 'Show sidebar').click();
  await expect(sessionList(page)).toBeVisible();
  await button(page, 'New terminal').click();
  await expect(screens(page)).toBeVisible();
  await expect(sessionList(page)).toBeHidden();
});

test('what a terminal once showed is found from anywhere, and shown where it was', async ({ home, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await openTerminal(page);
  await type(page, 'seq 1 3000 | sed s/^/row-/');
  await expect(screens(page)).toContainText('row-3000');
  await page.keyboard.press('Control+Shift+Alt+F');
  await page.getByRole('searchbox', { name: 'Find in all sessions' }).fill('row-1234');
  await page.getByRole('button', { name: /row-1234/ }).click();
  await expect(page.getByText('row-1234').first()).toBeInViewport();
});

test('a key that is given to a command works at once, and after a restart', async ({ home, claudeEnv }) => {
  const first = await home.launch({ env: claudeEnv });
  await expect(button(first.page, 'New terminal')).toBeEnabled();
  await first.page.keyboard.press('Alt+F1');
  await button(first.page, 'Add a key for “Settings”').click();
  await first.page.keyboard.press('F9');
  await button(first.page, 'Use these').click();
  // The list shows a key when it is kept.
  await expect(button(first.page, 'Remove F9 from “Settings”')).toBeVisible();
  await first.page.keyboard.press('F9');
  await expect(first.page.getByRole('searchbox', { name: 'Search settings' })).toBeVisible();
  await first.app.close();
  const { page } = await home.launch({ env: claudeEnv });
  await expect(button(page, 'New terminal')).toBeEnabled();
  await page.keyboard.press('Control+Shift+W');
  await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeHidden();
  await page.keyboard.press('F9');
  await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeVisible();
});

test('the command line is installed from the palette, or it is said why not', async ({ home, claudeEnv }) => {
  const { app, page } = await home.launch({ env: claudeEnv });
  await expect(button(page, 'New terminal')).toBeEnabled();
  const install = async () => {
    await page.keyboard.press('Control+Shift+P');
    await expect(page.getByRole('dialog')).toBeVisible();
    await page.keyboard.type('install');
    await page.keyboard.press('Enter');
  };
  await install();
  await expect(page.getByText('Baton runs from a checkout here')).toBeVisible();
  await app.evaluate(({ app: electron }) => Object.defineProperty(electron, 'isPackaged', { value: true }));
  await install();
  const link = join(home.user, '.local', 'bin', 'baton');
  await expect(page.getByText(`The command is ${link}`)).toBeVisible();
  expect(readlinkSync(link)).toMatch(/resources[/\\]bin[/\\]baton$/);
});
