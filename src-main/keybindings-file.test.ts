import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultKeys } from '../src-shared/keymap.ts';
import { KeybindingsFile, readBindings, rowsFor } from './keybindings-file.ts';

let folder: string;
let path: string;
let open: KeybindingsFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-keys-'));
  path = join(folder, 'keybindings.json');
  open = [];
});
afterEach(async () => {
  for (const file of open) await file.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openFile(onChange: () => void = () => {}): Promise<KeybindingsFile> {
  const file = await KeybindingsFile.open(path, {
    onChange,
    onError: (error) => {
      throw error;
    },
  });
  open.push(file);
  return file;
}

const usual = defaultKeys('go.palette', process.platform === 'darwin').map((key) => ({ key, command: '-go.palette' }));

describe('rowsFor', () => {
  it('takes away what is not wanted any more and adds what is new', () => {
    expect(rowsFor('x', ['f1', 'Ctrl+A'], ['ctrl+a', 'f2'])).toEqual([
      { key: 'f1', command: '-x' },
      { key: 'f2', command: 'x' },
    ]);
  });
});

describe('readBindings', () => {
  it('keeps good rows and names the others', () => {
    const value = [{ key: 'f9', command: 'go.palette' }, 7, { key: 'f9' }, { key: 'f9', command: 'no.such' }];
    const { bindings, problems } = readBindings({ value, problem: null });
    expect(bindings).toHaveLength(2);
    expect(problems).toEqual([
      expect.stringMatching(/^Row 2 /),
      expect.stringMatching(/^Row 3 /),
      'f9: there is no command "no.such".',
    ]);
  });
});

describe('KeybindingsFile', () => {
  it('begins a file that does not exist', async () => {
    const file = await openFile();
    await file.set({ command: 'go.palette', keys: ['f9'] });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual([...usual, { key: 'f9', command: 'go.palette' }]);
  });

  it('gives a command other keys and keeps the other rows and the comments', async () => {
    writeFileSync(
      path,
      '[\n  // mine\n  { "key": "f8", "command": "go.palette" },\n  { "key": "f7", "command": "go.session" } // too\n]\n',
    );
    const file = await openFile();
    await file.set({ command: 'go.palette', keys: ['f9'] });
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('// mine');
    expect(text).toContain('// too');
    expect(text).not.toContain('f8');
    expect(file.get().bindings).toEqual([{ key: 'f7', command: 'go.session' }, ...usual, { key: 'f9', command: 'go.palette' }]);
  });

  it('goes back to the defaults with null', async () => {
    const file = await openFile();
    await file.set({ command: 'go.palette', keys: ['f9'] });
    await file.set({ command: 'go.palette', keys: null });
    expect(file.get().bindings).toEqual([]);
  });

  it('refuses unknown commands and keys that are none', async () => {
    const file = await openFile();
    await expect(file.set({ command: 'no.such', keys: [] })).rejects.toMatchObject({ refusal: { code: 'bad-request' } });
    await expect(file.set({ command: 'go.palette', keys: ['ctrl+nope'] })).rejects.toMatchObject({
      refusal: { code: 'bad-request' },
    });
  });

  it('does not write over a file that is no list', async () => {
    writeFileSync(path, '{}');
    const file = await openFile();
    await expect(file.set({ command: 'go.palette', keys: ['f9'] })).rejects.toMatchObject({ refusal: { code: 'failed' } });
    expect(readFileSync(path, 'utf8')).toBe('{}');
  });

  it('follows changes from outside', async () => {
    const onChange = vi.fn();
    const file = await openFile(onChange);
    writeFileSync(path, '[{ "key": "f9", "command": "go.session" }]');
    await vi.waitFor(() => expect(file.get().bindings).toHaveLength(1));
    expect(onChange).toHaveBeenCalledTimes(1);
  });
});
