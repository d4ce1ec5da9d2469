import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { button, composer, quit, say, sessionList, startClaude, test } from './ground.ts';

const conversation = (page: Page) => page.getByRole('region', { name: 'Conversation' });

test('a turn streams, and is there again after a restart of the app, where the conversation goes on', async ({
  home,
  folder,
  claudeEnv,
  api,
}) => {
  const { app, page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'Greetings from the test');
  await expect(page.getByText('Greetings from the test').last()).toBeVisible();
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
  await quit(app);

  const again = await home.launch({ env: claudeEnv });
  await expect(again.page.getByText('Greetings from the test').first()).toBeVisible();
  await say(again.page, 'And what did I say before?');
  const asked = await api.whenAsked((request) => JSON.stringify(request).includes('what did I say before'));
  expect(JSON.stringify(asked)).toContain('Greetings from the test');
});

test('a permission is a card: allowed the command runs, denied with a reason it does not', async ({
  home,
  folder,
  claudeEnv,
}) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  const made = join(folder, 'made-by-claude');
  await say(page, `run: touch ${made} && echo it-is-made`);
  await expect(button(page, 'Allow')).toBeVisible();
  await expect(page.getByText(`touch ${made}`).first()).toBeVisible();
  expect(existsSync(made)).toBe(false);
  await button(page, 'Allow').click();
  await expect(page.getByText('it-is-made').last()).toBeVisible();
  await expect.poll(() => existsSync(made)).toBe(true);

  const other = join(folder, 'never-made');
  await say(page, `run: touch ${other}`);
  await button(page, 'Deny').click();
  await page.keyboard.type('not in this folder');
  await page.keyboard.press('Enter');
  await expect(button(page, 'Allow')).toBeHidden();
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
  expect(existsSync(other)).toBe(false);
});

test('allowed for the session, the same tool does not ask again', async ({ home, folder, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'write: one.txt first');
  await button(page, 'Allow for session').click();
  await expect.poll(() => existsSync(join(folder, 'one.txt'))).toBe(true);
  await say(page, 'write: two.txt second');
  await expect.poll(() => existsSync(join(folder, 'two.txt'))).toBe(true);
  expect(readFileSync(join(folder, 'two.txt'), 'utf8')).toContain('second');
});

test('prompts queue while a turn runs, and an interrupt ends the turn alone', async ({ home, folder, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'slow 3000');
  await expect(button(page, 'Interrupt').first()).toBeVisible();
  await say(page, 'first in the queue');
  await say(page, 'second in the queue');
  const queue = page.getByRole('region', { name: /queue/i });
  await expect(queue.getByRole('listitem')).toHaveCount(2);
  await queue
    .getByRole('button', { name: /delete/i })
    .last()
    .click();
  await expect(queue.getByRole('listitem')).toHaveCount(1);
  await button(page, 'Interrupt').first().click();
  await expect(queue).toBeHidden();
  await expect(conversation(page).getByText('first in the queue').last()).toBeVisible();
  await expect(conversation(page).getByText('second in the queue')).toHaveCount(0);
});

test('an image that is pasted reaches Claude', async ({ home, folder, claudeEnv, api }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await composer(page).focus();
  await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d')?.fillRect(0, 0, 4, 4);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    const data = new DataTransfer();
    data.items.add(new File([blob], 'square.png', { type: 'image/png' }));
    document.activeElement?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await expect(page.getByRole('list', { name: 'Attached images' }).getByRole('listitem')).toHaveCount(1);
  await say(page, 'image please');
  await api.whenAsked((request) => JSON.stringify(request).includes('image/png'));
  await expect(
    conversation(page)
      .getByText(/image\/png/)
      .last(),
  ).toBeVisible();
});

test('a conversation can be forked, and both go on by themselves', async ({ home, folder, claudeEnv, api }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'The shared beginning');
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
  await button(page, 'Fork after this turn').last().click();
  await expect(
    sessionList(page)
      .getByRole('listitem')
      .filter({ hasText: /fork|shared beginning/i }),
  ).toHaveCount(2);
  await say(page, 'Only in the fork');
  const asked = await api.whenAsked((request) => JSON.stringify(request).includes('Only in the fork'));
  expect(JSON.stringify(asked)).toContain('The shared beginning');
});

test('edits are shown as differences, todo lists as lists', async ({ home, folder, claudeEnv }) => {
  const { page } = await home.launch({ env: claudeEnv });
  await startClaude(page, folder);
  await say(page, 'edit');
  await button(page, 'Allow for session').click();
  await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
  await expect(conversation(page).getByText('baton-sample.txt').first()).toBeVisible();
  await say(page, 'todo');
  await expect(conversation(page).getByText('Check the result').last()).toBeVisible();
});
