import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type KeyRing, NO_KEY_RING, Secrets } from './secrets.ts';

const KEY = 'sk-ant-canary';
/** Turns the text around: enough to see that plain text does not reach the disk. */
const keyRing: KeyRing = {
  isAvailable: () => true,
  seal: (text) => Buffer.from(text).reverse(),
  open: (sealed) => Buffer.from(sealed).reverse().toString(),
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-secrets-'));
  path = join(folder, 'secrets.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('keeps a key sealed where there is a key ring, for this user alone', async () => {
  const secrets = await Secrets.open(path, keyRing);
  expect(secrets.state()).toEqual({ stored: 'none', hasKeyRing: true });
  expect(await secrets.setApiKey({ apiKey: KEY, allowPlain: true })).toEqual({ stored: 'key-ring' });
  expect(readFileSync(path, 'utf8')).not.toContain(KEY);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect((await Secrets.open(path, keyRing)).apiKey).toBe(KEY);
});

it('keeps a key in plain text only when the user allows it', async () => {
  const secrets = await Secrets.open(path, NO_KEY_RING);
  await expect(secrets.setApiKey({ apiKey: KEY, allowPlain: false })).rejects.toMatchObject({
    refusal: { code: 'not-ready', hint: expect.any(String) },
  });
  expect(secrets.apiKey).toBeNull();
  expect(await secrets.setApiKey({ apiKey: KEY, allowPlain: true })).toEqual({ stored: 'plain' });
  expect((await Secrets.open(path, NO_KEY_RING)).state()).toEqual({ stored: 'plain', hasKeyRing: false });
});

it('says that a sealed key cannot be read here, and keeps it', async () => {
  await (await Secrets.open(path, keyRing)).setApiKey({ apiKey: KEY, allowPlain: false });
  const headless = await Secrets.open(path, NO_KEY_RING);
  expect([headless.apiKey, headless.state().stored]).toEqual([null, 'unreadable']);
  expect((await Secrets.open(path, keyRing)).apiKey).toBe(KEY);
});

it('forgets a key', async () => {
  const secrets = await Secrets.open(path, keyRing);
  await secrets.setApiKey({ apiKey: KEY, allowPlain: false });
  await secrets.setApiKey({ apiKey: null, allowPlain: false });
  expect([secrets.apiKey, (await Secrets.open(path, keyRing)).state().stored]).toEqual([null, 'none']);
});

it('does not quote a damaged file', async () => {
  writeFileSync(path, `{"claudeApiKey": ${KEY}`);
  const error = await Secrets.open(path, keyRing).catch((reason: unknown) => reason);
  expect(String(error)).toContain('Move it away');
  expect(String(error)).not.toContain(KEY);
});
