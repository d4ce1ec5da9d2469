import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type Page } from '@playwright/test';
import { button } from './ground.ts';
import { baton, enter, link, standing, test } from './in-browser.ts';
import { whenEnded } from './launch.ts';

const screen = (page: Page) => page.locator('.xterm-rows');

/** Puts between the page and its server what a proxy may be: sockets can be cut, and are refused while it blocks them. */
async function standBetween(page: Page): Promise<{ cut(): Promise<void>; block(isBlocked: boolean): Promise<void> }> {
  await page.addInitScript(() => {
    const open: WebSocket[] = [];
    const Own = window.WebSocket;
    window.WebSocket = class extends Own {
      constructor(url: string | URL, protocols?: string | string[]) {
        // Nobody listens at port 9.
        super(sessionStorage.getItem('blocked') === 'yes' ? 'ws://127.0.0.1:9/' : url, protocols);
        open.push(this);
      }
    };
    window.addEventListener('test:cut', () => {
      for (const socket of open.splice(0)) socket.close();
    });
  });
  return {
    cut: () => page.evaluate(() => void window.dispatchEvent(new Event('test:cut'))),
    block: (isBlocked) => page.evaluate((blocked) => sessionStorage.setItem('blocked', blocked ? 'yes' : 'no'), isBlocked),
  };
}

/** Everything that the terminal shows and has shown, as its accessible view reads it. */
async function textOf(page: Page): Promise<string> {
  await page.keyboard.press('Alt+F2');
  const text = await page.getByRole('dialog').getByRole('textbox').inputValue();
  await page.keyboard.press('Escape');
  return text;
}

async function startCounting(page: Page): Promise<void> {
  await button(page, 'New terminal').click();
  await expect(screen(page)).toContainText(/[$#] /);
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('for i in $(seq 1 900); do echo "line-$i."; sleep 0.01; done; echo all-$((1+1))');
  await page.keyboard.press('Enter');
}

function counted(text: string): string[] {
  return [...text.matchAll(/line-(\d+)\./g)].map(([, number]) => number ?? '');
}
const all = Array.from({ length: 900 }, (_, index) => String(index + 1));

test('[wire-8] a browser whose connection is cut, again and again, shows each line once', async ({ home, browse }) => {
  await home.startHeadless();
  const page = await browse();
  const between = await standBetween(page);
  await enter(page, await link(home));
  await startCounting(page);
  await expect(screen(page)).toContainText('line-');
  for (let cut = 1; cut <= 5; cut++) {
    await between.cut();
    await expect(standing(page).first()).toHaveText('Live');
  }
  await expect(screen(page)).toContainText('all-2', { timeout: 60_000 });
  expect(counted(await textOf(page))).toEqual(all);
});

test('[road-1] without WebSockets it polls, says so, and goes back to live by itself', async ({ home, browse }) => {
  await home.startHeadless();
  const page = await browse();
  const between = await standBetween(page);
  await enter(page, await link(home));
  await between.block(true);
  await startCounting(page);
  await between.cut();
  await expect(standing(page).first()).toHaveText('Polling');
  await between.block(false);
  await expect(standing(page).first()).toHaveText('Live', { timeout: 60_000 });
  await expect(screen(page)).toContainText('all-2', { timeout: 60_000 });
  expect(counted(await textOf(page))).toEqual(all);
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('echo live-again-$((1+1))\n');
  await expect(screen(page)).toContainText('live-again-2');
});

test('a page outlives its server: it says that it is offline, and is live again without a new code', async ({ home, browse }) => {
  const engine = await home.startHeadless();
  const page = await browse();
  await enter(page, await link(home));
  await button(page, 'New terminal').click();
  await expect(screen(page)).toContainText(/[$#] /);
  engine.kill('SIGTERM');
  await whenEnded(engine);
  await expect(standing(page).first()).toHaveText('Offline');
  await home.startHeadless();
  await expect(standing(page).first()).toHaveText('Live');
  await expect(page.getByRole('button', { name: /^Ended/ })).toBeVisible();
});

test('a page of another origin gets nowhere, by whatever way a browser knows', async ({ home, browse }) => {
  await home.startHeadless();
  const ours = (await link(home)).split('#')[0] ?? '';
  const before = await baton(home, 'list', '--json');
  const foreign = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>elsewhere</p>'));
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  const { port } = foreign.address() as AddressInfo;
  try {
    for (const name of ['127.0.0.1', 'localhost']) {
      const page = await browse();
      await page.goto(`http://${name}:${port}/`);
      const outcome = await page.evaluate(attack, ours);
      expect(outcome).toEqual({ read: [], socket: 'refused', stream: 'refused', image: 'refused', form: 'refused' });
    }
  } finally {
    foreign.close();
  }
  expect(await baton(home, 'list', '--json')).toBe(before);
  const stats = JSON.parse(await baton(home, 'server', 'stats', '--json'));
  expect(stats.refusedAttempts).toBeGreaterThan(0);
});

/** Runs in the foreign page: what it can read of, or do to, the server at `ours`. */
async function attack(ours: string): Promise<Record<string, unknown>> {
  const read: string[] = [];
  const body = JSON.stringify({ code: 'A'.repeat(43), clientId: crypto.randomUUID() });
  const requests: [string, RequestInit][] = [
    ['', {}],
    ['api/v1/health', {}],
    ['api/v1/sessions', {}],
    ['api/v1/login', { method: 'POST', body, headers: { 'content-type': 'application/json' } }],
    ['api/v1/login', { method: 'POST', body }],
    ['api/v1/sessions', { method: 'POST', body }],
    ['api/v1/sessions', { method: 'DELETE', headers: { authorization: `Bearer ${'A'.repeat(43)}` } }],
  ];
  for (const [path, request] of requests) {
    try {
      const answer = await fetch(ours + path, request);
      read.push(`${path}: ${answer.status}`);
    } catch {
      // As it should be: nothing comes back that this page could read.
    }
    // Without asking to read: the request is sent, and must have done nothing.
    await fetch(ours + path, { ...request, headers: {}, mode: 'no-cors' }).catch(() => undefined);
  }
  const events = <T extends EventTarget>(target: T, good: string, bad: string) =>
    new Promise<string>((resolve) => {
      target.addEventListener(good, () => resolve('let in'));
      target.addEventListener(bad, () => resolve('refused'));
    });
  const socket = await events(
    new WebSocket(`${ours.replace('http', 'ws')}api/v1/wire`, ['baton.v1', `baton.token.${'A'.repeat(43)}`]),
    'open',
    'error',
  );
  const source = new EventSource(`${ours}api/v1/stream`);
  const stream = await events(source, 'open', 'error');
  source.close();
  const picture = new Image();
  const pictured = events(picture, 'load', 'error');
  picture.src = `${ours}api/v1/health`;
  const image = await pictured;
  const frame = document.createElement('iframe');
  frame.name = 'target';
  document.body.append(frame);
  const form = document.createElement('form');
  form.action = `${ours}api/v1/sessions`;
  form.method = 'post';
  form.target = 'target';
  form.enctype = 'text/plain';
  const field = document.createElement('input');
  field.name = body.slice(0, -1);
  field.value = '}';
  form.append(field);
  document.body.append(form);
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  form.submit();
  await loaded;
  let formed = 'refused';
  try {
    if (frame.contentDocument?.body.textContent) formed = 'let in';
  } catch {
    // Another origin's: not to be read.
  }
  return { read, socket, stream, image, form: formed };
}
