import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planOpening, webAddress } from './opening.ts';

describe('webAddress', () => {
  it('lets web addresses through', () => {
    expect(webAddress('https://example.org/a?b#c')).toBe('https://example.org/a?b#c');
    expect(webAddress('HTTP://EXAMPLE.org')).toBe('http://example.org/');
  });

  it.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/html,x',
    'vscode://x',
    'smb://host/x',
    '//host',
    'example.org',
    '',
  ])('refuses %s', (url) => {
    expect(() => webAddress(url)).toThrow(expect.objectContaining({ refusal: expect.objectContaining({ code: 'not-allowed' }) }));
  });
});

describe.skipIf(process.platform === 'win32')('planOpening', () => {
  let folder: string;
  const file = (name: string, mode = 0o644) => {
    writeFileSync(join(folder, name), '', { mode });
    return join(folder, name);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'baton-open-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('never runs what it opens', async () => {
    const runs = [file('script', 0o755), file('x.desktop'), file('x.EXE'), file('x.command')];
    for (const path of runs) expect(await planOpening(path, null, { PATH: '' })).toEqual({ by: 'file-manager' });
    mkdirSync(join(folder, 'Evil.app'));
    expect(await planOpening(join(folder, 'Evil.app'), null, {})).toEqual({ by: 'file-manager' });
  });

  it('opens files and folders as the system does', async () => {
    expect(await planOpening(file('notes.md'), 3, { PATH: '' })).toEqual({ by: 'system' });
    expect(await planOpening(folder, null, { PATH: '' })).toEqual({ by: 'system' });
  });

  it('goes to the line in an editor that can', async () => {
    const path = file('a.ts');
    const code = file('code', 0o755);
    const gvim = file('gvim', 0o755);
    expect(await planOpening(path, 12, { PATH: folder })).toEqual({
      by: 'editor',
      command: code,
      args: ['--goto', `${path}:12`],
    });
    expect(await planOpening(path, 12, { PATH: folder, EDITOR: 'gvim -f' })).toEqual({
      by: 'editor',
      command: gvim,
      args: ['+12', path],
    });
    expect(await planOpening(path, 12, { PATH: folder, EDITOR: 'vi' })).toMatchObject({ command: code });
    expect(await planOpening(path, 12, { PATH: 'relative' })).toEqual({ by: 'system' });
    expect(await planOpening(path, null, { PATH: folder })).toEqual({ by: 'system' });
  });

  it('refuses what is not there or not whole', async () => {
    await expect(planOpening(join(folder, 'no'), null, {})).rejects.toMatchObject({ refusal: { code: 'unknown-target' } });
    await expect(planOpening('a.ts', null, {})).rejects.toMatchObject({ refusal: { code: 'bad-request' } });
  });
});
