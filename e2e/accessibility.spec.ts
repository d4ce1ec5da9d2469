import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { button, test } from './ground.ts';

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
    await button(page, 'New Claude session').first().click();
    await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
    expect(await faults(page)).toEqual([]);
    await button(page, 'Start').click();
    await page.getByRole('textbox', { name: 'Message Claude' }).fill('run: touch made-here');
    await page.keyboard.press('Enter');
    await expect(button(page, 'Allow')).toBeVisible();
    expect(await faults(page)).toEqual([]);
    await page.keyboard.press('Control+,');
    await expect(page.getByRole('searchbox', { name: 'Search settings' })).toBeVisible();
    expect(await faults(page)).toEqual([]);
  });
}

test('everything can be done from the keyboard: open, split, move, ask, answer, close', async ({ home, folder, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await expect(button(page, 'New terminal').first()).toBeEnabled();
  await page.keyboard.press('Control+Shift+T');
  await expect(page.locator('.xterm-rows')).toHaveCount(1);
  await page.keyboard.type('echo keys-$((1+1))\n');
  await expect(page.locator('.xterm-rows').first()).toContainText('keys-2');
  await page.keyboard.press('Control+Shift+D');
  await expect(page.locator('.xterm-rows')).toHaveCount(2);
  await page.keyboard.press('Control+Alt+ArrowLeft');
  await page.keyboard.type('echo left-$((1+1))\n');
  await expect(page.locator('.xterm-rows').first()).toContainText('left-2');

  await page.keyboard.press('Control+Shift+N');
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('textbox', { name: 'Message Claude' })).toBeFocused();
  await page.keyboard.type('run: touch allowed-by-key');
  await page.keyboard.press('Enter');
  await expect(button(page, 'Allow')).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(button(page, 'Allow')).toBeHidden();

  await page.keyboard.press('Control+Shift+P');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
});
