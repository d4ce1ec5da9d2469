import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RefusalError } from '../../src-shared/refusal.ts';
import { type CommandPlace, linkCommand } from './command-link.ts';

let home: string;
let bin: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'baton-link-'));
  bin = join(home, '.local', 'bin');
});
afterEach(() => rmSync(home, { recursive: true }));

const script = '/opt/Baton/resources/bin/baton';
const link = (place: Partial<CommandPlace> = {}) =>
  linkCommand({ script, platform: 'linux', home, env: { PATH: '/usr/bin' }, ...place });

it('links the command into ~/.local/bin, and says whether shells look there', async () => {
  expect(await link()).toEqual({ path: join(bin, 'baton'), isOnPath: false });
  expect(readlinkSync(join(bin, 'baton'))).toBe(script);
  expect(await link({ env: { PATH: `/usr/bin:${bin}` } })).toEqual({ path: join(bin, 'baton'), isOnPath: true });
});

it('follows an app that has moved, and leaves alone what is not its own', async () => {
  mkdirSync(bin, { recursive: true });
  symlinkSync('/Applications/Old.app/Contents/Resources/bin/baton', join(bin, 'baton'));
  await link();
  expect(readlinkSync(join(bin, 'baton'))).toBe(script);
  rmSync(join(bin, 'baton'));
  symlinkSync('/usr/bin/relay-race', join(bin, 'baton'));
  await expect(link()).rejects.toThrow("is there already, and is not Baton's");
  rmSync(join(bin, 'baton'));
  writeFileSync(join(bin, 'baton'), 'mine');
  await expect(link()).rejects.toThrow(RefusalError);
});

it.each<[Partial<CommandPlace>, string]>([
  [{ script: null }, 'npm run -s baton'],
  [{ platform: 'win32' }, 'to Path'],
  [{ env: { APPIMAGE: '/home/ada/Baton.AppImage' } }, 'tar.gz'],
  [{ platform: 'darwin', script: '/private/var/folders/x/AppTranslocation/y/Resources/bin/baton' }, 'Applications'],
])('says what to do where no link can be made (%o)', async (place, hint) => {
  const refused = await link(place).then(
    () => null,
    (error: unknown) => (error instanceof RefusalError ? error.refusal.hint : error),
  );
  expect(refused).toContain(hint);
});
