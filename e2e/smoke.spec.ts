import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ElectronApplication, expect, type Page, test } from '@playwright/test';
import type { MessageBoxOptions } from 'electron';
import { BatonHome, isAlive, whenEnded } from './launch.ts';

let home: BatonHome;
test.beforeEach(() => {
  home = new BatonHome();
});
test.afterEach(() => home.dispose());

const newTerminal = (page: Page) => page.getByRole('button', { name: 'New terminal' }).first();
const sessions = (page: Page) => page.getByRole('list', { name: 'Sessions' });

/** A terminal; gives the pid of its shell. */
async function openShell(page: Page): Promise<number> {
  const file = join(home.path, 'shell-pid');
  await newTerminal(page).click();
  await page.locator('.xterm-helper-textarea').first().focus();
  await page.keyboard.type(`echo $$ > ${file}\n`);
  await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toMatch(/^\d+\n$/);
  return Number(readFileSync(file, 'utf8'));
}

/** Native questions are answered by the test: each takes the next answer, and all are recorded. */
async function answerQuestions(app: ElectronApplication, ...answers: number[]): Promise<() => Promise<MessageBoxOptions[]>> {
  await app.evaluate(({ dialog }, given) => {
    const asked: MessageBoxOptions[] = [];
    Object.assign(globalThis, { asked });
    dialog.showMessageBox = (...args: unknown[]) => {
      asked.push(args.at(-1) as MessageBoxOptions);
      return Promise.resolve({ response: given.shift() ?? 0, checkboxChecked: false });
    };
  }, answers);
  return () => app.evaluate(() => (globalThis as unknown as { asked: MessageBoxOptions[] }).asked);
}

const windowCount = (app: ElectronApplication) => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
/** Behind the evaluation: with its last window the app may end before it could answer. */
const closeWindows = (app: ElectronApplication) =>
  app.evaluate(({ BrowserWindow }) => {
    setImmediate(() => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
  });
/**
 * Behind the evaluation. Where a window is shown in the middle of one, the runtime may collect its promise, which says nothing of the
 * click: that is seen by what it did.
 */
const clickMenu = (app: ElectronApplication, id: string) =>
  app
    .evaluate(({ Menu }, wanted) => {
      const item = Menu.getApplicationMenu()?.getMenuItemById(wanted);
      setImmediate(() => item?.click());
    }, id)
    .catch((error: unknown) => {
      if (!String(error).includes('garbage collected')) throw error;
    });
const quit = (app: ElectronApplication) => app.evaluate(({ app }) => setImmediate(() => app.quit()));

test.describe('what the page can reach', () => {
  test('is one object, and nothing of Node', async () => {
    const { app, page } = await home.launch();
    const withoutPreload = await app.evaluate(async ({ BrowserWindow }) => {
      const window = new BrowserWindow({ show: false });
      await window.loadURL('app://baton/index.html');
      const names: string[] = await window.webContents.executeJavaScript('Object.getOwnPropertyNames(window)');
      window.destroy();
      return names;
    });
    const names = await page.evaluate(() => Object.getOwnPropertyNames(window));
    expect(names.filter((name) => !withoutPreload.includes(name) && !/^\d+$/.test(name))).toEqual(['baton']);
    expect(await page.evaluate(() => Object.keys((window as unknown as { baton: object }).baton))).toEqual([
      'platform',
      'isDemo',
      'pathForFile',
    ]);
    const nodes = ['require', 'process', 'module', 'Buffer', 'global'];
    expect(await page.evaluate((wanted) => wanted.filter((name) => name in window), nodes)).toEqual([]);
  });

  test('is its own files under a strict policy', async () => {
    const { app, page } = await home.launch();
    const answers = await app.evaluate(async ({ session }) => {
      const ask = async (url: string) => {
        const response = await session.defaultSession.fetch(url);
        return { status: response.status, policy: response.headers.get('content-security-policy') };
      };
      return { page: await ask('app://baton/index.html'), out: await ask('app://baton/..%2f..%2fpackage.json') };
    });
    expect(answers.page).toEqual({ status: 200, policy: expect.stringMatching(/^default-src 'none'; script-src 'self';/) });
    expect(answers.out.status).toBe(404);

    const outcomes = await page.evaluate(async () => {
      const fetched = await fetch('http://127.0.0.1:9/').then(
        () => 'fetched',
        () => 'refused',
      );
      const script = document.createElement('script');
      script.textContent = 'window.injected = true';
      document.head.append(script);
      // What a debugger evaluates itself is exempt from the policy; what runs later is not.
      const evaluated = await new Promise((resolve) =>
        setTimeout(() => {
          try {
            resolve(new Function('return "evaluated"')());
          } catch {
            resolve('refused');
          }
        }),
      );
      return { fetched, evaluated, injected: 'injected' in window };
    });
    expect(outcomes).toEqual({ fetched: 'refused', evaluated: 'refused', injected: false });
  });

  test('is no other page, no other window, no permission', async () => {
    const { app, page } = await home.launch();
    const before = page.url();
    for (const target of ['https://example.org/', 'data:text/html,x', 'app://baton/index.html?window=another']) {
      await page.evaluate((url) => void window.location.assign(url), target);
    }
    expect(await page.evaluate(() => window.open('https://example.org/'))).toBeNull();
    await page.evaluate(() => {
      const link = document.createElement('a');
      Object.assign(link, { href: 'https://example.org/', target: '_blank' });
      link.click();
    });
    const granted = await page.evaluate(async () => ({
      notifications: await Notification.requestPermission(),
      clipboard: await navigator.clipboard.readText().then(
        () => 'read',
        () => 'refused',
      ),
      microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).then(
        () => 'heard',
        () => 'refused',
      ),
    }));
    expect(granted).toEqual({ notifications: 'denied', clipboard: 'refused', microphone: 'refused' });
    expect(page.url()).toBe(before);
    expect(await windowCount(app)).toBe(1);
  });

  test('is no wire, for a page that is not ours', async () => {
    const { app } = await home.launch();
    const outcome = await app.evaluate(async ({ BrowserWindow, app }) => {
      const stranger = new BrowserWindow({
        show: false,
        webPreferences: { preload: `${app.getAppPath()}/out/preload/preload.cjs`, sandbox: true, contextIsolation: true },
      });
      const waits = `new Promise((resolve) => {
        window.addEventListener('message', ({ data, ports }) => {
          if (data.type !== 'baton:wire') return;
          ports[0].addEventListener('close', () => resolve('closed'));
          ports[0].addEventListener('message', () => resolve('answered'));
          ports[0].start();
          ports[0].postMessage(new Uint8Array([1]));
        });
        window.postMessage({ type: 'baton:wire-wanted' }, location.origin === 'null' ? '*' : location.origin);
      })`;
      await stranger.loadURL('app://stranger/').catch(() => {});
      await stranger.loadURL('app://baton/index.html');
      const result: string = await stranger.webContents.executeJavaScript(waits);
      stranger.destroy();
      return result;
    });
    expect(outcome).toBe('closed');
  });
});

test('a reload gets a new wire and shows what was there', async () => {
  const { page } = await home.launch();
  const pid = await openShell(page);
  await page.reload();
  await expect(sessions(page).getByRole('listitem')).toHaveCount(1);
  expect(isAlive(pid)).toBe(true);
});

test('[engine-4] closing the last window ends nothing, and starting again shows it', async () => {
  const { app, page } = await home.launch();
  const questions = await answerQuestions(app);
  const pid = await openShell(page);
  await closeWindows(app);
  await expect.poll(() => windowCount(app)).toBe(0);
  expect(isAlive(pid)).toBe(true);
  expect((await questions()).map(({ message }) => message)).toEqual(['Baton is still running']);

  const opened = app.waitForEvent('window');
  expect(await whenEnded(home.start())).toBe(0);
  const again = await opened;
  await expect(sessions(again).getByRole('listitem')).toHaveCount(1);

  // Told once is enough.
  await closeWindows(app);
  await expect.poll(() => windowCount(app)).toBe(0);
  expect(await questions()).toHaveLength(1);
});

test('a second start in a folder opens a terminal there; a link shows its session', async () => {
  const { app, page } = await home.launch();
  await expect(newTerminal(page)).toBeVisible();
  expect(await whenEnded(home.start(['.'], home.path))).toBe(0);
  await expect(sessions(page).getByRole('listitem')).toHaveCount(1);
  expect(await whenEnded(home.start(['baton://session/0190a000-0000-7000-8000-000000000001']))).toBe(0);
  await expect(page.getByText('That link leads to a session that is not here.')).toBeVisible();
  expect(await windowCount(app)).toBe(1);
});

test.describe('quitting while something runs', () => {
  test.beforeEach(async () => {
    await home.dispose();
    home = new BatonHome({ 'window.confirmQuit': true });
  });

  test('asks, names it, and does as it is told', async () => {
    const { app, page } = await home.launch();
    const questions = await answerQuestions(app, 2, 0, 1);
    const pid = await openShell(page);
    await quit(app);
    await expect.poll(async () => (await questions()).length).toBe(1);
    const [question] = await questions();
    expect(question).toMatchObject({
      message: 'One session is still running.',
      detail: expect.stringContaining('(terminal)'),
      buttons: ['Keep running in the background', 'End them and quit', 'Cancel'],
    });
    // Cancelled: all as before.
    expect([await windowCount(app), isAlive(pid)]).toEqual([1, true]);

    await quit(app);
    await expect.poll(() => windowCount(app)).toBe(0);
    expect(isAlive(pid)).toBe(true);

    await quit(app);
    await whenEnded(app.process());
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  test('asks nothing when nothing runs', async () => {
    const { app, page } = await home.launch();
    await expect(newTerminal(page)).toBeVisible();
    const ended = whenEnded(app.process());
    await quit(app);
    expect(await ended).toBe(0);
  });

  test('asks nothing of a signal', async () => {
    const { app, page } = await home.launch();
    const pid = await openShell(page);
    app.process().kill('SIGTERM');
    expect(await whenEnded(app.process())).toBe(0);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

test('an engine that runs already is used, and goes on without the app', async () => {
  const engine = await home.startHeadless();
  const { app, page } = await home.launch();
  const pid = await openShell(page);
  // What is the shell's to do is done by the app, not asked of an engine that knows no windows.
  await page.keyboard.press('Control+Shift+A');
  await page.keyboard.press('Control+Shift+C');
  await expect.poll(() => app.evaluate(({ clipboard }) => clipboard.readText())).toContain('shell-pid');
  const ended = whenEnded(app.process());
  await quit(app);
  expect(await ended).toBe(0);
  expect([isAlive(pid), engine.exitCode]).toEqual([true, null]);

  const { page: again } = await home.launch();
  await expect(sessions(again).getByRole('listitem')).toHaveCount(1);
});

test('when the engine it used dies, the app becomes the engine', async () => {
  const engine = await home.startHeadless();
  const { page } = await home.launch();
  await expect(newTerminal(page)).toBeVisible();
  engine.kill('SIGKILL');
  await whenEnded(engine);
  await openShell(page);
});

test('two with homes of their own do not know each other', async () => {
  const other = new BatonHome();
  try {
    const [first, second] = [await home.launch(), await other.launch()];
    await newTerminal(first.page).click();
    await expect(sessions(first.page).getByRole('listitem')).toHaveCount(1);
    await expect(sessions(second.page).getByRole('listitem')).toHaveCount(0);
  } finally {
    await other.dispose();
  }
});

test('a demonstration is marked as one, and ends with its window', async () => {
  const { app, page } = await home.launch({ args: ['--demo'] });
  await expect(newTerminal(page)).toBeVisible();
  expect(await page.evaluate(() => (window as unknown as { baton: { isDemo: boolean } }).baton.isDemo)).toBe(true);
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getTitle())).toContain('(Demo)');
  await newTerminal(page).click();
  await expect(sessions(page).getByRole('listitem')).toHaveCount(1);
  const ended = whenEnded(app.process());
  await closeWindows(app);
  expect(await ended).toBe(0);
});

/** Native notifications are caught instead of shown; gives what each says. */
async function catchNotifications(app: ElectronApplication): Promise<() => Promise<string[]>> {
  await app.evaluate(({ Notification }) => {
    const shown: Electron.Notification[] = [];
    Object.assign(globalThis, { shown });
    Notification.isSupported = () => true;
    Notification.prototype.show = function (this: Electron.Notification) {
      shown.push(this);
    };
  });
  return () =>
    app.evaluate(() =>
      (globalThis as unknown as { shown: Electron.Notification[] }).shown.map(({ title, body }) => `${title} | ${body}`),
    );
}

/** Clicks on the last one; the window that this opens. */
async function clickNotification(app: ElectronApplication): Promise<Page> {
  const opened = app.waitForEvent('window');
  await app.evaluate(() => (globalThis as unknown as { shown: Electron.Notification[] }).shown.at(-1)?.emit('click'));
  return await opened;
}

test('a program’s notice leads to its session: in the window from another one, natively when there is none', async () => {
  const { app, page } = await home.launch();
  await openShell(page);
  const pipe = join(home.path, 'pipe');
  await page.keyboard.type(`mkfifo ${pipe}; while cat ${pipe}; do :; done\n`);
  const sendNotice = () => writeFile(pipe, '\x1b]777;notify;make;all \u202edone\x07');
  await expect.poll(() => existsSync(pipe)).toBe(true);
  await page.keyboard.press('Control+Shift+T');
  // In a tab behind another one it is not seen.
  await expect(page.getByRole('tab').nth(1)).toHaveAttribute('aria-selected', 'true');
  await sendNotice();
  await expect(page.getByText('make: all done')).toBeVisible();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.locator('.xterm-helper-textarea').first()).toBeFocused();

  const notifications = await catchNotifications(app);
  await closeWindows(app);
  await expect.poll(() => windowCount(app)).toBe(0);
  await sendNotice();
  await expect.poll(notifications).toContainEqual(expect.stringMatching(/^Terminal in [^ ]+ \| make: all done$/));
  const again = await clickNotification(app);
  await expect(again.locator('.xterm-helper-textarea').first()).toBeAttached();
});

test('a session that ends unseen is announced without its content, and the notice leads to it', async () => {
  const { app, page } = await home.launch();
  const notifications = await catchNotifications(app);
  const titles = async () => (await notifications()).map((text) => text.split(' | ')[0]);
  const pid = await openShell(page);
  await closeWindows(app);
  await expect.poll(titles).toEqual(['Baton is still running']);
  process.kill(pid, 'SIGKILL');
  await expect.poll(titles).toEqual(['Baton is still running', expect.stringMatching(/^Terminal in [^ ]+: ended/)]);

  const again = await clickNotification(app);
  await expect(again.locator('.xterm-helper-textarea').first()).toBeAttached();
});

test('a bug in main is told once, is logged without its words, and ends nothing', async () => {
  const { app, page } = await home.launch();
  const pid = await openShell(page);
  await app.evaluate(() => {
    for (const word of ['canary-one', 'canary-two']) {
      setImmediate(() => {
        throw new Error(word);
      });
    }
  });
  await expect(page.getByText('Something in Baton failed.')).toHaveCount(1);
  expect(isAlive(pid)).toBe(true);
  const log = readFileSync(join(home.path, 'logs', 'app.log'), 'utf8');
  expect(log.match(/unexpected error/g)).toHaveLength(2);
  expect(log).not.toContain('canary');
});

test('a page that has crashed is loaded again', async () => {
  const { app, page } = await home.launch();
  await answerQuestions(app, 0);
  const pid = await openShell(page);
  const pageProcess = () =>
    app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      return contents === undefined || contents.isCrashed() || contents.isLoading() ? 0 : contents.getOSProcessId();
    });
  const before = await pageProcess();
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer());
  await expect.poll(async () => [0, before].includes(await pageProcess())).toBe(false);
  const words = () =>
    app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript('document.body.textContent'),
    );
  await expect.poll(words).toContain('Connected');
  expect(isAlive(pid)).toBe(true);
});

test('the menu has the commands of the keymap and runs them', async () => {
  const { app, page } = await home.launch();
  await expect(newTerminal(page)).toBeVisible();
  await clickMenu(app, 'session.newTerminal');
  await expect(sessions(page).getByRole('listitem')).toHaveCount(1);
  await clickMenu(app, 'window.new');
  await expect.poll(() => windowCount(app)).toBe(2);
});
