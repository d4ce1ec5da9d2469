import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type Page } from '@playwright/test';
import { button, quit, sessionList, test } from './ground.ts';

const cli = join(import.meta.dirname, '..', 'out', 'main', 'cli.js');
const screens = (page: Page) => page.locator('.xterm-rows');

/** A new terminal whose shell waits at its prompt and has the keyboard. */
async function openTerminal(page: Page): Promise<void> {
  const count = await sessionList(page).getByRole('listitem').count();
  await button(page, 'New terminal').first().click();
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toHaveCount(count + 1);
  await expect(page.locator('.xterm-helper-textarea:focus')).toBeAttached();
}

async function type(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

test('[pty-5] resized under a flood, a terminal shows every line exactly once', async ({ home }) => {
  const { app, page } = await home.launch();
  await openTerminal(page);
  const stop = join(home.path, 'stop');
  await type(
    page,
    `n=0; while [ ! -e ${stop} ]; do seq -f 'line %.0f' $((n+1)) $((n+2000)); n=$((n+2000)); done; echo flood-of-$n-is-over`,
  );
  const columns = () => screens(page).evaluate((element) => element.clientWidth);
  for (const width of [760, 1300, 900, 1200, 760, 1100, 820, 1300]) {
    const before = await columns();
    await app.evaluate(({ BrowserWindow }, to) => BrowserWindow.getAllWindows()[0]?.setSize(to, 400 + to / 4), width);
    await expect.poll(columns).not.toBe(before);
  }
  writeFileSync(stop, '');
  await expect(screens(page)).toContainText(/flood-of-\d+-is-over/, { timeout: 60_000 });
  const lines = Number(/flood-of-(\d+)-is-over/.exec((await screens(page).textContent()) ?? '')?.[1]);

  await page.keyboard.press('Alt+F2');
  const text = await page.getByRole('textbox', { name: 'Text of the terminal' }).inputValue();
  const numbers = (all: string) => [...all.matchAll(/^line (\d+)\s*$/gm)].map(([, number]) => Number(number));
  const shown = numbers(text);
  expect(shown.length).toBeGreaterThan(500);
  expect(shown).toEqual(Array.from(shown, (_, index) => lines - shown.length + 1 + index));
  const env = home.env();
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'log', '-'], { env, maxBuffer: 1e8 });
  expect(numbers(stdout)).toEqual(Array.from({ length: lines }, (_, index) => index + 1));
});

test('what is pasted in several lines is shown first; an address opens with a click and a key; words are found', async ({
  home,
}) => {
  const { app, page } = await home.launch();
  await openTerminal(page);
  // A shell takes several lines as one text; a program like this one takes them as they come.
  await type(page, 'cat');
  await expect(sessionList(page).getByRole('img', { name: 'Working' })).toBeVisible();
  await app.evaluate(({ clipboard }) => clipboard.writeText('first pasted\nsecond pasted\n'));
  await page.keyboard.press('Control+Shift+V');
  const question = page.getByRole('dialog', { name: 'Paste 2 lines?' });
  await expect(question).toContainText('second pasted');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(question).toBeHidden();
  await expect(screens(page)).not.toContainText('pasted');
  await page.keyboard.press('Control+Shift+V');
  await question.getByRole('button', { name: 'Paste', exact: true }).click();
  await expect(screens(page)).toContainText('second pasted');
  await page.keyboard.press('Control+C');
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();

  await app.evaluate(({ shell }) => {
    const opened: string[] = [];
    Object.assign(globalThis, { opened });
    shell.openExternal = async (url) => void opened.push(url);
  });
  await type(page, 'clear; echo "see https://example.org/$((40+2)) there"');
  const address = screens(page).getByText('https://example.org/42');
  await expect(address).toBeVisible();
  const box = await address.evaluate((row) => {
    const range = document.createRange();
    range.selectNodeContents(row);
    const { left, top, height } = range.getBoundingClientRect();
    return { left, top, height };
  });
  // A cell is about half as wide as it is high: this is within the address.
  const at = { x: box.left + 6 * box.height, y: box.top + box.height / 2 };
  const opened = () => app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened);
  await page.mouse.move(at.x, at.y);
  await expect(page.getByText('Ctrl+click to open')).toBeVisible();
  await page.mouse.click(at.x, at.y);
  await page.keyboard.down('Control');
  await page.mouse.click(at.x, at.y);
  await page.keyboard.up('Control');
  await expect.poll(opened).toEqual(['https://example.org/42']);

  await type(page, 'for word in apple pear apple; do echo "a $word"; done');
  await page.keyboard.press('Control+Shift+F');
  await page.keyboard.type('a apple');
  await expect(page.getByRole('search').getByRole('status')).toHaveText('2 of 2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('search').getByRole('status')).toHaveText('1 of 2');
  await page.keyboard.press('Escape');
  await expect(page.locator('.xterm-helper-textarea')).toBeFocused();
});

test('one goes from command to command, and a reload or a restart finds the place where one was reading', async ({ home }) => {
  const { app, page } = await home.launch();
  await openTerminal(page);
  for (const name of ['one', 'two', 'three']) {
    await type(page, `echo mark-${name}; seq 1 150`);
    await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
    await expect(screens(page)).toContainText('150');
    await expect(screens(page)).not.toContainText(`mark-${name}`);
  }
  for (const name of ['three', 'two']) {
    await page.keyboard.press('Control+ArrowUp');
    await expect(screens(page)).toContainText(`echo mark-${name}`);
  }
  await page.keyboard.press('Control+ArrowUp');
  await page.keyboard.press('Control+ArrowDown');
  await expect(screens(page)).toContainText('echo mark-two');
  await page.reload();
  await expect(screens(page)).toContainText('echo mark-two');
  await expect(screens(page)).not.toContainText('mark-three');
  await quit(app);
  const { page: again } = await home.launch();
  await expect(screens(again)).toContainText('echo mark-two');
});

test('a tab that is dragged to the edge of a pane becomes a pane beside it', async ({ home }) => {
  const { page } = await home.launch();
  await openTerminal(page);
  await type(page, 'echo in-the-first-$((1+1))');
  await openTerminal(page);
  await type(page, 'echo in-the-second-$((1+1))');
  await expect(screens(page).filter({ visible: true })).toHaveCount(1);
  const content = await page.locator('.dv-content-container').boundingBox();
  if (content === null) throw new Error('there is no pane');
  await page
    .getByRole('tab')
    .last()
    .dragTo(page.locator('.dv-content-container'), { targetPosition: { x: content.width - 20, y: content.height / 2 } });
  await expect(screens(page).filter({ visible: true })).toHaveCount(2);
  await expect(screens(page).first()).toContainText('in-the-first-2');
  await expect(screens(page).last()).toContainText('in-the-second-2');
  await type(page, 'echo still-$((1+1))');
  await expect(screens(page).last()).toContainText('still-2');
});

test('the tray lists what runs, and leads to it when there is no window', async ({ home }) => {
  const { app, page } = await home.launch();
  await app.evaluate(({ Tray }) => {
    const set = Tray.prototype.setContextMenu;
    Tray.prototype.setContextMenu = function (menu) {
      Object.assign(globalThis, { trayMenu: menu });
      set.call(this, menu);
    };
  });
  await openTerminal(page);
  const labels = () =>
    app.evaluate(() => (globalThis as unknown as { trayMenu?: Electron.Menu }).trayMenu?.items.map(({ label }) => label) ?? []);
  await expect.poll(labels).toContainEqual(expect.stringMatching(/^○ .+ \(idle\)$/));
  expect(await labels()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Engine running since/), 'New terminal', 'New Claude session', 'Quit Baton']),
  );
  await app.evaluate(({ BrowserWindow, dialog }) => {
    dialog.showMessageBox = async () => ({ response: 0, checkboxChecked: false });
    BrowserWindow.getAllWindows()[0]?.close();
  });
  await expect.poll(() => app.windows().length).toBe(0);
  const opened = app.waitForEvent('window');
  await app.evaluate(() => {
    const { items } = (globalThis as unknown as { trayMenu: Electron.Menu }).trayMenu;
    items.find(({ label }) => label.startsWith('○'))?.click();
  });
  await expect(screens(await opened)).toBeVisible();
});
