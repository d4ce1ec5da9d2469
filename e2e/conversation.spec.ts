import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { button, composer, say, sessionList, startClaude, test } from './ground.ts';

const isIdle = (page: Page) => expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();

test('queued prompts can be changed and put in another order before their turn', async ({ home, folder, claudeEnv, api }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'slow 3000');
  await expect(button(page, 'Interrupt').first()).toBeVisible();
  await say(page, 'the first one');
  await say(page, 'the second one');
  const queue = page.getByRole('region', { name: 'Queued messages' });
  await expect(queue.getByRole('listitem')).toHaveText([/the first one/, /the second one/]);
  await queue.getByRole('button', { name: 'Move message 2 up' }).click();
  await expect(queue.getByRole('listitem')).toHaveText([/the second one/, /the first one/]);
  await queue.getByRole('button', { name: 'Edit message 1' }).click();
  await queue.getByRole('textbox', { name: 'Text of message 1' }).fill('the second one, changed');
  await queue.getByRole('button', { name: 'Save' }).click();
  await expect(queue.getByRole('listitem')).toHaveText([/the second one, changed/, /the first one/]);
  await button(page, 'Interrupt').first().click();
  await expect(queue).toBeHidden();
  // The last of them is asked with the other one before it.
  const last = await api.whenAsked(({ prompt }) => prompt.includes('the first one'));
  expect(JSON.stringify(last.body)).toContain('the second one, changed');
});

test('commands and files complete, model and permissions change in mid-session, and what was used is shown', async ({
  home,
  folder,
  claudeEnv,
  api,
}) => {
  const { page } = await home.launch({ env: claudeEnv });
  writeFileSync(join(folder, 'notes-about-it.txt'), 'note');
  await startClaude(page, folder);
  await say(page, 'Good morning');
  await isIdle(page);

  await composer(page).pressSequentially('/comp');
  const commands = page.getByRole('listbox', { name: 'Commands' });
  await expect(commands.getByRole('option', { selected: true })).toContainText('/compact');
  await page.keyboard.press('Tab');
  await expect(composer(page)).toHaveValue(/^\/compact/);
  await composer(page).fill('');
  await composer(page).pressSequentially('read @notes-ab');
  await expect(page.getByRole('listbox', { name: 'Files' }).getByRole('option', { selected: true })).toContainText(
    'notes-about-it.txt',
  );
  await page.keyboard.press('Enter');
  await expect(composer(page)).toHaveValue(/^read @notes-about-it\.txt ?$/);

  await page.getByRole('button', { name: /^Model: / }).click();
  const other = page.getByRole('menuitemradio', { name: /haiku/i });
  await other.click();
  await expect(page.getByRole('button', { name: /^Model: .*haiku/i })).toBeVisible();
  await say(page, 'Who is there?');
  expect((await api.whenAsked(({ prompt }) => prompt.includes('Who is there?'))).model).toContain('haiku');
  await isIdle(page);

  await composer(page).press('Shift+Tab');
  await expect(page.getByRole('button', { name: 'Permission mode: Accept edits' })).toBeVisible();
  await say(page, 'write: unasked.txt text');
  await expect.poll(() => existsSync(join(folder, 'unasked.txt'))).toBe(true);
  await isIdle(page);

  await page.getByRole('button', { name: /^Usage: \d+ % of the context$/ }).click();
  const usage = page.getByRole('dialog', { name: 'Usage' });
  await expect(usage).toContainText(/Input tokens\s*[\d.]+/);
  await expect(usage).toContainText(/Cost\s*\$\d/);
});

test('[doc-3] [doc-4] two windows write one draft together, and have the same notes', async ({ home, folder, claudeEnv }) => {
  const { app, page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await composer(page).fill('fix the flaky test');
  const opened = app.waitForEvent('window');
  await app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('window.new')?.click());
  const other = await opened;
  await sessionList(other)
    .getByRole('button', { name: /Claude in/ })
    .click();
  await expect(composer(other)).toHaveValue('fix the flaky test');
  await composer(other).press('Home');
  await composer(other).pressSequentially('please ');
  await expect(composer(page)).toHaveValue('please fix the flaky test');
  // Both at the same time, each at an end of its own.
  await Promise.all([
    composer(page).pressSequentially(' in the sidebar, today'),
    composer(other)
      .press('Home')
      .then(() => composer(other).pressSequentially('Anna says: ')),
  ]);
  for (const window of [page, other])
    await expect(composer(window)).toHaveValue('Anna says: please fix the flaky test in the sidebar, today');

  await sessionList(page)
    .getByRole('button', { name: /Claude in/ })
    .click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Notes' }).click();
  const notes = page.getByRole('textbox', { name: 'Notes' });
  await expect(notes).toBeFocused();
  await notes.pressSequentially('Ask Anna before the merge\nThe test fails on Mondays only');
  await expect(other.getByRole('button', { name: 'Notes: Ask Anna before the merge' })).toBeVisible();
  await notes.press('Escape');
  await expect(page.getByRole('button', { name: 'Notes: Ask Anna before the merge' })).toBeVisible();
  await expect(composer(page)).toBeFocused();
});
