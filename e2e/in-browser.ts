import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, expect, type Page } from '@playwright/test';
import { test as base } from './ground.ts';
import type { BatonHome } from './launch.ts';

/** An ordinary browser, as a distribution installs it. */
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));
const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

const cli = join(import.meta.dirname, '..', 'out', 'main', 'cli.js');

/** The built command line on a BATON_HOME; what it printed. */
export function baton(home: BatonHome, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [cli, ...args], { env: home.env(), cwd: home.path }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`baton ${args.join(' ')}: ${stderr}`, { cause: error }));
    });
  });
}

/** A link that lets one browser in. */
export const link = (home: BatonHome) => baton(home, 'connect', 'dashboard', '--print');

export const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const SMALL_PHONE: BrowserContextOptions = { ...PHONE, viewport: { width: 375, height: 667 } };

interface TestFixtures {
  /** A fresh browser with one empty tab. Skips the test where none is installed. */
  readonly browse: (options?: BrowserContextOptions) => Promise<Page>;
}
interface WorkerFixtures {
  readonly chromium: Browser | null;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  chromium: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern to know what a fixture needs
    async ({}, use) => {
      const browser =
        browserPath === undefined
          ? null
          : await chromium.launch({ executablePath: browserPath, args: [...asRoot, '--disable-gpu'] });
      await use(browser);
      await browser?.close();
    },
    { scope: 'worker' },
  ],
  browse: async ({ chromium: browser }, use, info) => {
    if (browser === null) {
      info.skip(true, 'there is no Chromium here (Debian: apt-get install chromium)');
      return;
    }
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },
});

/** How the page says that it stands with its server. */
export const standing = (page: Page) =>
  page.getByRole('status').filter({ hasText: /^(Live|Polling|Connecting|Reconnecting|Offline)$/ });

/** Lets the tab in, and waits until it shows what there is. */
export async function enter(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(standing(page).first()).toHaveText('Live');
}
