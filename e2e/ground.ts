import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, type ElectronApplication, expect, type Locator, type Page } from '@playwright/test';
import { BatonHome, whenEnded } from './launch.ts';
import { startScriptedApi } from './scripted-api/scripted-api.js';

type ScriptedApi = Awaited<ReturnType<typeof startScriptedApi>>;

export interface Fixtures {
  /** The Messages API behind Claude Code. */
  readonly api: ScriptedApi;
  /** A project folder; the user's home lies beside it. */
  readonly folder: string;
  readonly home: BatonHome;
  /** The environment that lets the real Claude Code run without an account. */
  readonly claudeEnv: Record<string, string>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern to know what a fixture needs
  api: async ({}, use) => {
    const api = await startScriptedApi();
    await use(api);
    await api.close();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'baton-project-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  },
  claudeEnv: async ({ api }, use) => {
    await use({
      ANTHROPIC_BASE_URL: api.url,
      ANTHROPIC_API_KEY: 'sk-scripted',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
    });
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  home: async ({}, use) => {
    const home = new BatonHome();
    await use(home);
    await home.dispose();
  },
});

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const sessionList = (page: Page) => page.getByRole('list', { name: 'Sessions' });

/** Quits as a user would, and waits until the process is gone. */
export async function quit(app: ElectronApplication): Promise<void> {
  const child = app.process();
  await app.evaluate(({ app: electron }) => void setImmediate(() => electron.quit()));
  await whenEnded(child);
}

export const composer = (page: Page): Locator => page.getByRole('textbox', { name: 'Message Claude' });

/** A Claude session in `folder`, by the window's own dialog. */
export async function startClaude(page: Page, folder: string): Promise<void> {
  await button(page, 'New Claude session').first().click();
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await button(page, 'Start').click();
  await expect(composer(page)).toBeVisible();
}

export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}
