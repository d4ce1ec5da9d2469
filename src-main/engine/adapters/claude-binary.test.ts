import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUNDLED_CLAUDE_VERSION, compareVersions, findClaude, MINIMUM_CLAUDE_VERSION, packagedClaude } from './claude-binary.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-binary-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(place: string, says: string): string {
  mkdirSync(join(folder, place), { recursive: true });
  const path = join(folder, place, 'claude');
  writeFileSync(path, `#!/bin/sh\n${says}\n`);
  chmodSync(path, 0o755);
  return path;
}

const search = (path: readonly string[], executable = '') =>
  findClaude({ executable, env: { PATH: path.map((place) => join(folder, place)).join(':'), HOME: join(folder, 'home') } });

describe.skipIf(process.platform === 'win32')('which Claude Code runs', () => {
  it('takes the first on the path that is new enough', async () => {
    install('old', 'echo "1.0.0 (Claude Code)"');
    const path = install('new', `echo "${MINIMUM_CLAUDE_VERSION} (Claude Code)"`);
    expect(await search(['empty', 'old', 'new'])).toEqual({ state: 'ready', path, version: MINIMUM_CLAUDE_VERSION });
  });

  it('looks into the usual places when the path does not have it', async () => {
    const path = install('home/.local/bin', 'echo "9.0.0 (Claude Code)"');
    expect(await search([])).toEqual({ state: 'ready', path, version: '9.0.0' });
  });

  it('falls back to the one of the Agent SDK', async () => {
    install('broken', 'exit 1');
    expect(await search(['broken'])).toEqual({ state: 'ready', path: packagedClaude(), version: BUNDLED_CLAUDE_VERSION });
  });

  it('takes the one that the settings name, and no other', async () => {
    const old = install('old', 'echo "2.0.1 (Claude Code)"');
    expect(await search([], old)).toMatchObject({
      state: 'too-old',
      path: old,
      version: '2.0.1',
      message: expect.stringContaining('2.0.1'),
    });
    expect(await search([], join(folder, 'nowhere'))).toMatchObject({
      state: 'not-installed',
      message: expect.stringContaining('nowhere'),
      hint: expect.stringContaining('claude.executable'),
    });
  });

  it('does not take another program of that name for it', async () => {
    const other = install('other', 'echo "3.0.0 (some tool)"');
    expect(await search([], other)).toMatchObject({ state: 'not-installed' });
  });

  it('asks again when the program has changed', async () => {
    const path = install('bin', 'echo "1.0.0 (Claude Code)"');
    expect(await search([], path)).toMatchObject({ state: 'too-old' });
    install('bin', 'echo "10.0.0 (Claude Code) updated"');
    expect(await search([], path)).toMatchObject({ state: 'ready', version: '10.0.0' });
  });
});

it('compares versions by number, not by letter', () => {
  expect(compareVersions('2.1.9', '2.1.10')).toBeLessThan(0);
  expect(compareVersions('2.2.0', '2.1.300')).toBeGreaterThan(0);
  expect(compareVersions('2.1.261', '2.1.261')).toBe(0);
});
