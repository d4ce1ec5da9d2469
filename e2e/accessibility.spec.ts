import { existsSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { button, composer, sessionList, test } from './ground.ts';

/** What axe finds, without what hangs on colours of the terminal's own content. */
async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).exclude('.xterm').analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

for (const theme of ['light', 'dark'] as const) {
  test(`axe finds nothing in the ${theme} window: empty, with panes, with dialogs, in the settings`, async ({
    home,
    folder,
    claudeEnv,
  }) => {
    const { page } = await home.launch({ env: claudeEnv });
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await expect(button(page, 'New terminal').first()).toBeEnabled();
    expect(await faults(page)).toEqual([]);
    await button(page, 'New terminal').first().click();
    await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Control+Shift+F');
    await expect(page.getByRole('search', { name: 'Find in terminal' }).getByRole('textbox')).toBeFocused();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await button(page, 'New Claude session').first().click();
    await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
    expect(await faults(page)).toEqual([]);
    await button(page, 'Start').click();
    await composer(page).fill('run: touch made-here');
    await page.keyboard.press('Enter');
    await expect(button(page, 'Allow')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await button(page, 'Allow').click();
    await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toHaveCount(2);
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('F2');
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+,');
    await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await button(page, 'Show machines').click();
    await expect(page.getByText('One machine so far')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.getByRole('region', { name: 'Machines' }).getByRole('button', { name: 'Join another machine' }).click();
    await expect(page.getByRole('textbox', { name: 'Code' })).toBeFocused();
    expect(await faults(page)).toEqual([]);
    await button(page, 'Show a code here').click();
    await page.getByRole('radio', { name: /for itself only/ }).check();
    expect(await faults(page)).toEqual([]);
    await button(page, 'Show a code').click();
    await expect(page.getByRole('timer')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('heading', { name: 'Relay' })).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Alt+F1');
    await expect(button(page, 'Add a key for “Settings”')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Control+Shift+P');
    await expect(page.getByRole('dialog')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Escape');
  });
}

test('everything can be done from the keyboard alone', async ({ home, folder, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  const { keyboard } = page;
  const screens = page.locator('.xterm-rows');
  const states = (name: string) => sessionList(page).getByRole('img', { name });
  await expect(button(page, 'New terminal').first()).toBeEnabled();

  // Two terminals side by side, and back to the first.
  await keyboard.press('Control+Shift+T');
  await expect(states('Idle')).toHaveCount(1);
  await expect(page.locator('.xterm-helper-textarea:focus')).toBeAttached();
  await keyboard.type('echo keys-$((1+1))\n');
  await expect(screens.first()).toContainText('keys-2');
  await keyboard.press('Control+Shift+D');
  await expect(states('Idle')).toHaveCount(2);
  await expect(page.locator('.xterm-helper-textarea').last()).toBeFocused();
  await keyboard.press('Control+Alt+ArrowLeft');
  await expect(page.locator('.xterm-helper-textarea').first()).toBeFocused();
  await keyboard.type('echo left-$((1+1))\n');
  await expect(screens.first()).toContainText('left-2');
  await expect(screens.last()).not.toContainText('left-2');

  // Claude, from the palette; a permission, answered by its key.
  await keyboard.press('Control+Shift+P');
  await expect(page.getByRole('dialog')).toBeVisible();
  await keyboard.type('new claude');
  await keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Folder' })).toBeFocused();
  await keyboard.press('Control+A');
  await keyboard.type(folder);
  await keyboard.press('Enter');
  await expect(composer(page)).toBeFocused();
  const made = join(folder, 'allowed-by-key');
  await keyboard.type(`run: touch ${made}`);
  await keyboard.press('Enter');
  await expect(page.getByRole('region', { name: /^Claude wants/ })).toBeFocused();
  await keyboard.press('1');
  await expect.poll(() => existsSync(made)).toBe(true);
  await expect(composer(page)).toBeFocused();
  await expect(states('Idle')).toHaveCount(3);

  // The settings, opened and left.
  await keyboard.press('Control+,');
  await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeFocused();
  await keyboard.press('Control+Shift+W');
  await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeHidden();

  // A session that is chosen by its name, and closed.
  await keyboard.press('Control+Shift+O');
  await expect(page.getByRole('dialog')).toBeVisible();
  await keyboard.type('touch');
  await keyboard.press('Enter');
  await expect(composer(page)).toBeFocused();
  await keyboard.press('Control+Shift+P');
  await expect(page.getByRole('dialog')).toBeVisible();
  await keyboard.type('close session');
  await expect(page.getByRole('option', { selected: true })).toHaveText('Close session');
  await keyboard.press('Enter');
  await expect(states('Idle')).toHaveCount(2);
});
