import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { button, composer, sessionList } from './ground.ts';
import { baton, enter, link, PHONE, SMALL_PHONE, standing, test } from './in-browser.ts';

const screen = (page: Page) => page.locator('.xterm-rows');

async function openTerminal(page: Page): Promise<void> {
  await button(page, 'New terminal').click();
  await expect(screen(page)).toContainText(/[$#] /);
}

async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

test.describe('a code', () => {
  test('lets one browser in, once, and leaves the address at once', async ({ home, browse }) => {
    await home.startHeadless();
    const address = await link(home);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43}$/);
    const page = await browse();
    await enter(page, address);
    expect(page.url()).toBe(address.split('#')[0]);
    await page.reload();
    await expect(standing(page).first()).toHaveText('Live');

    const late = await browse();
    await late.goto(address);
    await expect(late.getByRole('alert')).toContainText('it was used already');
    await expect(late.getByText('baton connect dashboard')).toBeVisible();
    expect(late.url()).toBe(address.split('#')[0]);
    // The way out works from where one is.
    await late.getByRole('textbox', { name: 'Link or code' }).fill(await link(home));
    await button(late, 'Sign in').click();
    await expect(standing(late).first()).toHaveText('Live');
  });

  test('can be given to a page that is open already', async ({ home, browse }) => {
    await home.startHeadless();
    const address = await link(home);
    const page = await browse();
    await page.goto(address.split('#')[0] ?? '');
    await expect(page.getByRole('heading', { name: 'This browser is not signed in' })).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await enter(page, address);
  });

  test('is worth nothing any more when browsers are disconnected', async ({ home, browse }) => {
    await home.startHeadless();
    const page = await browse();
    await enter(page, await link(home));
    const users: unknown = JSON.parse(await baton(home, 'server', 'users', '--json'));
    expect(users).toMatchObject({
      clients: expect.arrayContaining([expect.objectContaining({ kind: 'browser', road: 'websocket', state: 'active' })]),
    });
    expect(JSON.parse(await baton(home, 'disconnect', 'dashboard', '--json'))).toEqual({ disconnected: 1 });
    await expect(page.getByRole('alert')).toContainText('The sign-in has ended');
    await page.reload();
    await expect(page.getByText('baton connect dashboard')).toBeVisible();
  });
});

test('a terminal in a browser, the window and the command line are one', async ({ home, browse }) => {
  const { page: window } = await home.launch();
  await expect(sessionList(window)).toBeAttached();
  const page = await browse({ viewport: { width: 1100, height: 700 } });
  const errors: string[] = [];
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  await enter(page, await link(home));
  await openTerminal(page);
  await type(page, 'echo from-the-browser-$((1+1))');
  await expect(screen(page)).toContainText('from-the-browser-2');
  await sessionList(window).getByRole('listitem').getByRole('button').click();
  await expect(screen(window)).toContainText('from-the-browser-2');
  await type(window, 'echo from-the-window-$((1+1))');
  await expect(screen(page)).toContainText('from-the-window-2');
  const { sessions } = JSON.parse(await baton(home, 'list', '--json'));
  await baton(home, 'send', sessions[0].runId, 'echo from-a-command-$((1+1))');
  await expect(screen(page)).toContainText('from-a-command-2');
  await expect(screen(window)).toContainText('from-a-command-2');
  // The policy for the page's content is kept by everything in it.
  expect(errors).toEqual([]);
});

test.describe('on a phone', () => {
  test('a session is started, and a permission answered while the command line looks on', async ({
    home,
    folder,
    claudeEnv,
    browse,
  }) => {
    await home.startHeadless(claudeEnv);
    const page = await browse(SMALL_PHONE);
    await enter(page, await link(home));
    expect(await violations(page)).toEqual([]);
    await button(page, 'New Claude session').tap();
    await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
    await button(page, 'Start').tap();
    const made = join(folder, 'made-from-the-phone');
    await composer(page).fill(`run: touch ${made} && echo it-is-made`);
    await button(page, 'Send').tap();
    await expect(button(page, 'Allow')).toBeInViewport();
    expect(await violations(page)).toEqual([]);
    expect(JSON.parse(await baton(home, 'permit', '--json'))).toMatchObject({ permissions: [{ toolName: 'Bash' }] });
    await button(page, 'Allow').tap();
    await expect(page.getByText('it-is-made').last()).toBeVisible();
    await expect.poll(() => existsSync(made)).toBe(true);
    expect(JSON.parse(await baton(home, 'permit', '--json'))).toEqual({ permissions: [] });
    await button(page, 'All sessions').tap();
    await expect(sessionList(page).getByRole('img', { name: 'Idle' })).toBeVisible();
  });

  test('a terminal is typed into with keys that its keyboard has not, and scrolled by finger', async ({ home, browse }) => {
    await home.startHeadless();
    const page = await browse(PHONE);
    await enter(page, await link(home));
    await button(page, 'New terminal').tap();
    await expect(screen(page)).toContainText(/[$#] /);
    expect(await violations(page)).toEqual([]);
    await page.locator('.xterm-screen').tap();
    await type(page, 'sleep 300');
    await button(page, 'Control').tap();
    await page.keyboard.type('c');
    await expect(screen(page)).toContainText('^C');
    await type(page, 'echo first-$((1+1))');
    await expect(screen(page)).toContainText('first-2');
    await button(page, 'Up').tap();
    await page.keyboard.press('Enter');
    await expect(screen(page).getByText('first-2')).toHaveCount(2);
    await type(page, 'seq 1 200');
    await expect(screen(page).getByText('200', { exact: true })).toBeVisible();
    await swipe(page, 300, 700);
    await expect(screen(page).getByText('200', { exact: true })).toBeHidden();
    await button(page, 'All sessions').tap();
    await expect(sessionList(page).getByRole('listitem')).toHaveCount(1);
    await sessionList(page).getByRole('listitem').getByRole('button').tap();
    await expect(button(page, 'All sessions')).toBeVisible();
  });
});

/** One finger down the screen, as the browser hears it. */
async function swipe(page: Page, fromY: number, toY: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const at = (y: number) => [{ x: 180, y }];
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(fromY) });
  for (let step = 1; step <= 10; step++) {
    await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(fromY + ((toY - fromY) * step) / 10) });
  }
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}
