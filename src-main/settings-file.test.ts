import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_SETTINGS, type Settings } from '../src-shared/settings.ts';
import { readSettings, SettingsFile } from './settings-file.ts';

let folder: string;
let path: string;
let open: SettingsFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-settings-'));
  path = join(folder, 'settings.json');
  open = [];
});
afterEach(async () => {
  for (const file of open) await file.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openFile(onChange: (settings: Settings) => void = () => {}): Promise<SettingsFile> {
  const file = await SettingsFile.open(path, {
    onChange,
    onError: (error) => {
      throw error;
    },
  });
  open.push(file);
  return file;
}

describe('readSettings', () => {
  it('uses what can be used and says why not of the rest', () => {
    const value = { 'terminal.fontSize': 200, 'terminal.bell': 'loud', 'terminal.copyOnSelect': true, 'no.such': 1 };
    const { settings, problems } = readSettings({ value, problem: null });
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, 'terminal.copyOnSelect': true });
    expect(problems).toEqual([
      'terminal.fontSize: Too big: expected number to be <=72. 13 is used.',
      'terminal.bell: Invalid option: expected one of "visual"|"sound"|"off". "visual" is used.',
      'no.such: there is no such setting.',
    ]);
  });

  it('refuses to take a list for settings', () => {
    expect(readSettings({ value: [], problem: null }).problems).toHaveLength(1);
  });
});

describe('SettingsFile', () => {
  it('gives defaults where there is no file, and makes none', async () => {
    const file = await openFile();
    expect(file.get()).toEqual({ settings: DEFAULT_SETTINGS, path, problems: [] });
    expect(() => statSync(path)).toThrow(/ENOENT/);
  });

  it('changes keys and leaves comments, order and unknown keys alone', async () => {
    writeFileSync(path, '{\n  // big enough to read\n  "terminal.fontSize": 15, /* px */\n  "no.such": 1,\n}\n');
    const file = await openFile();
    await file.set({ changes: { 'terminal.fontSize': 16, 'appearance.theme': 'dark' } });
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('// big enough to read\n  "terminal.fontSize": 16, /* px */\n  "no.such": 1');
    expect(file.settings).toMatchObject({ 'terminal.fontSize': 16, 'appearance.theme': 'dark' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('removes a key with null', async () => {
    writeFileSync(path, '{ "terminal.fontSize": 15 }');
    const file = await openFile();
    await file.set({ changes: { 'terminal.fontSize': null } });
    expect(file.settings['terminal.fontSize']).toBe(13);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({});
  });

  it('writes the first setting into a file that did not exist', async () => {
    const file = await openFile();
    await file.set({ changes: { 'terminal.fontSize': 20 } });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ 'terminal.fontSize': 20 });
  });

  it.each([
    ['a key that does not exist', { 'no.such': 1 }],
    ['removing a key that does not exist', { 'no.such': null }],
    ['a value that does not fit', { 'terminal.fontSize': 'large' }],
    ['two keys of which one does not fit', { 'terminal.copyOnSelect': true, 'terminal.fontSize': 0 }],
  ])('refuses %s and changes nothing', async (_what, changes) => {
    const file = await openFile();
    await expect(file.set({ changes })).rejects.toMatchObject({ refusal: { code: 'bad-request' } });
    expect(file.settings).toEqual(DEFAULT_SETTINGS);
  });

  it('does not write over a file that is no JSON, and reads what it can of it', async () => {
    const broken = '{\n  "terminal.fontSize": 15,\n  "terminal.bell" "off"\n}';
    writeFileSync(path, broken);
    const file = await openFile();
    expect(file.settings['terminal.fontSize']).toBe(15);
    expect(file.get().problems[0]).toMatch(/^settings.json, line 3: colon expected/);
    await expect(file.set({ changes: { 'terminal.fontSize': 9 } })).rejects.toMatchObject({ refusal: { code: 'failed' } });
    expect(readFileSync(path, 'utf8')).toBe(broken);
  });

  it('loses none of several changes at once', async () => {
    const file = await openFile();
    const changes = [{ 'terminal.fontSize': 20 }, { 'terminal.copyOnSelect': true }, { 'terminal.bell': 'off' }];
    await Promise.all(changes.map((change) => file.set({ changes: change })));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(Object.assign({}, ...changes));
  });

  it('follows changes from outside, also of a file that is made, broken or removed later', async () => {
    const onChange = vi.fn<(settings: Settings) => void>();
    const file = await openFile(onChange);
    writeFileSync(path, '{ "terminal.fontSize": 30 }');
    await vi.waitFor(() => expect(file.settings['terminal.fontSize']).toBe(30));
    writeFileSync(path, '{ "terminal.fontSize": 300 }');
    await vi.waitFor(() => expect(file.get().problems).toHaveLength(1));
    rmSync(path);
    await vi.waitFor(() => expect(file.get().problems).toHaveLength(0));
    expect(onChange.mock.calls.map(([settings]) => settings['terminal.fontSize'])).toEqual([30, 13, 13]);
  });

  it('tells of its own change once', async () => {
    const onChange = vi.fn<(settings: Settings) => void>();
    const file = await openFile(onChange);
    await file.set({ changes: { 'terminal.fontSize': 21 } });
    await file.set({ changes: { 'terminal.fontSize': 21 } });
    expect(onChange).toHaveBeenCalledTimes(1);
  });
});
