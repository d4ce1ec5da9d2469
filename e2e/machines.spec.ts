import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import { test as base, button, quit, sessionList } from './ground.ts';
import { BatonHome } from './launch.ts';

/** Two computers: each with its own home, settings and app. The first one runs the relay. */
const test = base.extend<{ readonly laptop: BatonHome; readonly desktop: BatonHome }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern to know what a fixture needs
  laptop: async ({}, use) => {
    const home = new BatonHome({ 'machine.name': 'laptop', 'machines.keyProtection': 'plain' });
    await use(home);
    await home.dispose();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  desktop: async ({}, use) => {
    const home = new BatonHome({ 'machine.name': 'desktop', 'machines.keyProtection': 'plain' });
    await use(home);
    await home.dispose();
  },
});

const machines = (page: Page) => page.getByRole('list', { name: 'Machines' });
const digits = async (page: Page) => (await page.getByText(/^Check digits/).textContent())?.replace(/\D/g, '');

/** Lets `joining` in, through both windows, as two people would (or one who walks). */
async function pair(member: Page, joining: Page): Promise<void> {
  await button(member, 'Add a machine').first().click();
  await member.getByRole('radio', { name: /for itself only/ }).check();
  await button(member, 'Show a code').click();
  const command = await member.getByText(/^baton join/).textContent();
  await button(joining, 'Add a machine').first().click();
  await button(joining, 'I have a code').click();
  await joining.getByRole('textbox', { name: 'Code' }).fill(command?.replace('baton join ', '').toLowerCase() ?? '');
  await button(joining, 'Join').click();
  await expect(member.getByRole('dialog', { name: 'Do they match?' })).toBeVisible();
  await expect(joining.getByRole('dialog', { name: 'Do they match?' })).toBeVisible();
  expect(await digits(joining)).toMatch(/^\d{6}$/);
  expect(await digits(joining)).toBe(await digits(member));
  await button(member, 'Confirm').click();
  await expect(member.getByRole('dialog', { name: 'desktop is one of your machines' })).toBeVisible();
  await expect(joining.getByRole('dialog', { name: /is one of your machines$/ })).toBeVisible();
  for (const page of [member, joining]) await button(page, 'Done').click();
}

test('two machines are paired through their windows, see each other, and one is revoked and leaves', async ({
  laptop,
  desktop,
}) => {
  const [{ page: here }, { page: there }] = [await laptop.launch(), await desktop.launch()];
  await expect(button(here, 'New terminal').first()).toBeEnabled();
  await expect(button(there, 'New terminal').first()).toBeEnabled();
  await pair(here, there);
  await expect(machines(here).getByRole('listitem')).toHaveText([/^laptopthis machine/, /^desktoponline/]);
  await expect(machines(there).getByRole('listitem')).toHaveText([/^desktopthis machine/, /^laptoponline/]);

  await button(here, 'Relay').click();
  await button(here, 'More about desktop').click();
  await here.getByRole('menuitem', { name: 'Revoke…' }).click();
  await button(here, 'Revoke').click();
  await expect(machines(here)).toBeHidden();
  await there.keyboard.press('Control+Shift+P');
  await there.keyboard.type('machines');
  await there.keyboard.press('Enter');
  await expect(there.getByRole('alert').filter({ hasText: 'This machine does not sync with the others' })).toBeVisible();
  await button(there, 'Leave…').click();
  await button(there, 'Leave').click();
  await expect(there.getByText('One machine so far')).toBeVisible();
});

const row = (page: Page, title: RegExp) => sessionList(page).getByRole('button', { name: title });
const rows = (page: Page) => page.locator('.xterm-rows');
const above = (page: Page) => page.getByRole('region', { name: 'Where this session runs' });

async function type(page: Page, line: string): Promise<void> {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(`${line}\n`);
}

test('sessions of one machine are seen, typed into, answered and started from the other', async ({
  laptop,
  desktop,
  claudeEnv,
  folder,
}) => {
  test.setTimeout(180_000);
  const { app, page } = await laptop.launch({ env: claudeEnv });
  const { page: there } = await desktop.launch();
  let here = page;
  await expect(button(here, 'New terminal').first()).toBeEnabled();
  await expect(button(there, 'New terminal').first()).toBeEnabled();
  await pair(here, there);

  // A terminal: what it showed, what it shows now, and what is typed elsewhere.
  await button(here, 'New terminal').first().click();
  await expect(rows(here)).toContainText(/[$#] /);
  await type(here, 'echo shown-$((40+2))');
  await expect(rows(here)).toContainText('shown-42');
  await row(there, /laptop/).click();
  await expect(rows(there)).toContainText('shown-42');
  await expect(above(there)).toContainText(/^on laptop · /);
  await type(there, 'echo from-$((1+1))-there');
  await expect(rows(there)).toContainText('from-2-there');
  await expect(rows(here)).toContainText('from-2-there');
  await there.getByRole('button', { name: '2 look' }).click();
  const present = there.getByRole('dialog', { name: 'Who looks' }).getByRole('listitem');
  await expect(present.filter({ hasText: 'a window on laptop' })).toHaveCount(1);
  await expect(present.filter({ hasText: /^this window.*decides the size/ })).toHaveCount(1);
  // Who works on it follows it from then on.
  for (const name of ['laptop', 'desktop']) {
    await expect(there.getByRole('switch', { name: `${name} follows this session` })).toBeChecked();
  }
  await there.keyboard.press('Escape');

  // A permission that is asked on the laptop, answered on the desktop while the laptop's window is closed.
  const made = join(folder, 'allowed-from-there');
  await button(here, 'New Claude session').first().click();
  await here.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await button(here, 'Start').click();
  await here.getByRole('textbox', { name: 'Message Claude' }).fill(`run: touch ${made}`);
  await here.keyboard.press('Enter');
  await expect(here.getByRole('region', { name: /^Claude wants/ })).toBeVisible();
  await app.evaluate(({ BrowserWindow, dialog }) => {
    dialog.showMessageBox = async () => ({ response: 0, checkboxChecked: false });
    BrowserWindow.getAllWindows()[0]?.close();
  });
  await expect.poll(() => app.windows().length).toBe(0);
  await row(there, /permission/).click();
  await button(there, 'Allow').click();
  await expect.poll(() => existsSync(made)).toBe(true);
  const opened = app.waitForEvent('window');
  await app.evaluate(({ app: electron }) => void setImmediate(() => electron.emit('activate')));
  here = await opened;
  await expect(row(here, /allowed-from-there/)).toBeVisible();
  await expect(here.getByRole('region', { name: /^Claude wants/ })).toBeHidden();

  // A new terminal on the laptop, begun on the desktop.
  await machines(there)
    .getByRole('button', { name: /laptop/ })
    .click({ button: 'right' });
  await there.getByRole('menuitem', { name: 'New terminal on laptop' }).click();
  await expect(rows(there).last()).toContainText(/[$#] /);
  await type(there, 'touch ~/begun-from-there');
  await expect.poll(() => existsSync(join(laptop.user, 'begun-from-there'))).toBe(true);
  await expect(sessionList(here).getByRole('listitem')).toHaveCount(3);

  // The laptop goes away: what is typed is not lost in silence, and a prompt waits until it is taken back.
  await quit(app);
  await expect(above(there)).toContainText('away');
  await type(there, 'nobody hears this');
  await expect(there.getByText('laptop is away: what you type does not arrive there.')).toBeVisible();
  await row(there, /allowed-from-there/).click();
  await there.getByRole('textbox', { name: 'Message Claude' }).fill('Go on when you are back');
  await there.keyboard.press('Enter');
  const queue = there.getByRole('region', { name: 'Queued messages' });
  await expect(queue.getByRole('listitem')).toHaveText(/Go on when you are back.*Waits for laptop/);
  await button(there, 'Do not send').click();
  await expect(queue).toBeHidden();
});
