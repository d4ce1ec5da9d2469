import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Locator, type Page } from '@playwright/test';
import { button, quit, sessionList, test } from './ground.ts';

const rows = (pane: Page | Locator) => pane.locator('.xterm-rows');
const keyboardOf = (pane: Page | Locator) => pane.getByRole('textbox', { name: /terminal/i });

async function openTerminal(page: Page): Promise<void> {
  const before = await page.locator('.xterm-rows').count();
  await button(page, 'New terminal').first().click();
  await expect(page.locator('.xterm-rows')).toHaveCount(Math.max(before, 1));
}

/** Types a line into the terminal that has the focus. */
async function type(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

test('a terminal runs the shell and shows what it says', async ({ home }) => {
  const { page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'echo "$((40+2)) $TERM_PROGRAM $TERM"');
  await expect(rows(page)).toContainText('42 Baton xterm-256color');
});

test('started from the desktop, its programs have the environment of the login shell', async ({ home }) => {
  writeFileSync(join(home.user, '.bash_profile'), 'export FROM_PROFILE=yes\nPATH=/from/profile:$PATH\n');
  // No terminal has started it.
  const { page } = await home.launch({ env: { TERM: '' } });
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'echo "$FROM_PROFILE" $(echo $PATH | cut -d: -f1) $TERM end');
  await expect(rows(page)).toContainText('yes /from/profile xterm-256color end');
});

test('a row of full width ends where its columns end', async ({ home }) => {
  const { page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, "printf 'W%.0s' $(seq 1 400); echo; echo wide-$((1+1))");
  await expect(rows(page)).toContainText('wide-2');
  const [row, text] = await rows(page).evaluate((element) => {
    const full = [...element.children].find((child) => /^W{50,}$/.test(child.textContent ?? ''));
    const range = document.createRange();
    range.selectNodeContents(full as Element);
    return [full?.getBoundingClientRect().width ?? 0, range.getBoundingClientRect().width];
  });
  expect(Math.abs((row ?? 0) - (text ?? 0))).toBeLessThan(2);
});

test('a full-screen program comes and goes, and leaves what was there before', async ({ home }) => {
  const { page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'echo before-$((1+1))');
  await expect(rows(page)).toContainText('before-2');
  await type(page, "printf '\\033[?1049h\\033[2J\\033[5;10Hwhole''-screen'; read -n 1 key; printf '\\033[?1049l'");
  await expect(rows(page)).toContainText('whole-screen');
  await expect(rows(page)).not.toContainText('before-2');
  await page.keyboard.press('q');
  await expect(rows(page)).toContainText('before-2');
  await expect(rows(page)).not.toContainText('whole-screen');
});

test('a program is told the size of its pane, whenever that changes', async ({ home }) => {
  const { app, page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'echo "size $(stty size | tr " " x)"');
  await expect(rows(page)).toContainText(/size \d+x\d+/);
  const sizeOf = async () => (await rows(page).textContent())?.match(/size \d+x\d+/g)?.at(-1);
  const before = await sizeOf();
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setSize(900, 500));
  await expect
    .poll(async () => {
      await type(page, 'echo "size $(stty size | tr " " x)"');
      return sizeOf();
    })
    .not.toBe(before);
});

test('50 MB of output in one pane leave another one usable, and arrive whole', async ({ home, folder }) => {
  const { page } = await home.launch();
  const file = join(folder, 'flood.txt');
  writeFileSync(file, `${'x'.repeat(99)}\n`.repeat(500_000));
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, `cat ${file}; echo flood-is-over-$((1+1))`);
  await button(page, 'Split right').first().click();
  await expect(page.locator('.xterm-rows')).toHaveCount(2);
  await keyboardOf(page).last().focus();
  await type(page, 'echo typed-meanwhile-$((2+2))');
  await expect(rows(page).last()).toContainText('typed-meanwhile-4');
  await expect(rows(page).first()).toContainText('flood-is-over-2', { timeout: 60_000 });
});

test('a second window and a reload show the same session', async ({ home }) => {
  const { app, page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'echo from-the-first-$((1+1))');
  await expect(rows(page)).toContainText('from-the-first-2');

  const opened = app.waitForEvent('window');
  await app.evaluate(({ app: electron }) => void electron.emit('second-instance', {}, [], '/', {}));
  await page.keyboard.press('Control+Shift+P');
  await page.keyboard.type('new window');
  await page.keyboard.press('Enter');
  const second = await opened;
  await sessionList(second).getByRole('button').filter({ hasText: /now/ }).first().click();
  await expect(rows(second)).toContainText('from-the-first-2');
  await keyboardOf(second).first().focus();
  await type(second, 'echo from-the-second-$((1+1))');
  await expect(rows(page)).toContainText('from-the-second-2');

  await page.reload();
  await expect(rows(page)).toContainText('from-the-second-2');
});

test('after kill -9 the session is there with its scrollback, marked, and can be started again', async ({ home }) => {
  const first = await home.launch();
  await openTerminal(first.page);
  await keyboardOf(first.page).first().focus();
  await type(first.page, 'echo before-the-crash-$((1+1))');
  await expect(rows(first.page)).toContainText('before-the-crash-2');
  const main = first.app.process();
  main.kill('SIGKILL');

  const { page } = await home.launch();
  await expect(page.getByText(/Interrupted: the app was stopped/)).toBeVisible();
  await expect(rows(page)).toContainText('before-the-crash-2');
  await button(page, 'Restart').click();
  await expect(page.getByText(/Interrupted: the app was stopped/)).toBeHidden();
  await keyboardOf(page).first().focus();
  await type(page, 'echo after-the-crash-$((1+1))');
  await expect(rows(page)).toContainText('after-the-crash-2');
});

test('splits and their sessions come back after a restart', async ({ home }) => {
  const first = await home.launch();
  await openTerminal(first.page);
  await button(first.page, 'Split right').first().click();
  await expect(first.page.locator('.xterm-rows')).toHaveCount(2);
  await button(first.page, 'Split down').last().click();
  await expect(first.page.locator('.xterm-rows')).toHaveCount(3);
  await keyboardOf(first.page).last().focus();
  await type(first.page, 'echo the-third-$((1+1))');
  await expect(rows(first.page).last()).toContainText('the-third-2');
  await quit(first.app);
  const { page } = await home.launch();
  await expect(page.locator('.xterm-rows')).toHaveCount(3);
});

test('an exit code is shown, and closing a session ends its program', async ({ home }) => {
  const { page } = await home.launch();
  await openTerminal(page);
  await keyboardOf(page).first().focus();
  await type(page, 'exit 7');
  await expect(page.getByText('Ended with code 7').first()).toBeVisible();
  await openTerminal(page);
  await button(page, 'Close session').first().click();
  await expect(sessionList(page).getByRole('img', { name: 'Working' })).toBeHidden();
});
