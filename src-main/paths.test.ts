import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { batonPaths, PathsError, preparePaths } from './paths.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-paths-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('batonPaths', () => {
  it('keeps everything below BATON_HOME', () => {
    const paths = batonPaths({ BATON_HOME: folder });
    for (const path of Object.values(paths)) expect(path).toMatch(new RegExp(`^${folder}`));
  });

  it('takes a relative BATON_HOME as seen from here', () => {
    expect(batonPaths({ BATON_HOME: 'somewhere' }).home).toBe(join(process.cwd(), 'somewhere'));
  });

  it.skipIf(process.platform === 'win32')('gives a deep BATON_HOME a short socket, one for each', () => {
    const deep = (name: string) =>
      batonPaths({ BATON_HOME: join(folder, 'x'.repeat(120), name), XDG_RUNTIME_DIR: '/run/user/7' });
    expect(Buffer.byteLength(deep('a').socket)).toBeLessThan(104);
    expect(deep('a').socket).not.toBe(deep('b').socket);
    expect(deep('a').socket).toBe(deep('a').socket);
  });

  it.runIf(process.platform === 'linux')('follows the XDG folders, and tells data folders apart by the socket', () => {
    vi.stubEnv('HOME', '/home/someone');
    for (const name of ['XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME']) vi.stubEnv(name, join('/xdg', name));
    vi.stubEnv('XDG_CONFIG_HOME', '/xdg/config');
    const paths = batonPaths({ XDG_RUNTIME_DIR: '/run/user/7' });
    expect(paths).toMatchObject({
      home: null,
      config: '/xdg/config/baton',
      data: '/xdg/XDG_DATA_HOME/baton',
      logs: '/xdg/XDG_STATE_HOME/baton',
      cache: '/xdg/XDG_CACHE_HOME/baton',
      run: '/run/user/7/baton',
    });
    vi.stubEnv('XDG_DATA_HOME', '/elsewhere');
    expect(batonPaths({ XDG_RUNTIME_DIR: '/run/user/7' }).socket).not.toBe(paths.socket);
  });
});

describe.skipIf(process.platform === 'win32')('preparePaths', () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it('makes folders for this user alone and closes what is open', () => {
    const paths = batonPaths({ BATON_HOME: folder });
    chmodSync(folder, 0o755);
    writeFileSync(paths.settingsFile, '{}', { mode: 0o644 });
    preparePaths(paths);
    preparePaths(paths);
    expect([paths.config, paths.data, paths.logs, paths.cache, paths.electron].map(modeOf)).toEqual(Array(5).fill(0o700));
    expect(modeOf(paths.settingsFile)).toBe(0o600);
  });

  it('says what is in the way', () => {
    writeFileSync(join(folder, 'data'), '');
    expect(() => preparePaths(batonPaths({ BATON_HOME: folder }))).toThrow(PathsError);
    expect(() => preparePaths(batonPaths({ BATON_HOME: folder }))).toThrow(/Cannot create the folder .*data/);
  });

  it('does not follow a link that lies where the socket folder should be', () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(folder, 'run'));
    expect(() => preparePaths(batonPaths({ BATON_HOME: folder }))).toThrow(/run is not a folder/);
  });
});
