import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rankOf, rankPaths } from './file-rank.ts';
import { FileFinder } from './files.ts';

let folder: string;
const never = new AbortController().signal;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'baton-files-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
}
const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...args], { cwd: folder });
const ask = (query: string, limit = 10, cwd = folder) => new FileFinder().complete({ cwd, query, limit }, never);
const paths = (result: Awaited<ReturnType<typeof ask>>) => result.paths.map(({ path }) => path);

describe('rankOf', () => {
  it('prefers the name to the path, its beginning to its middle, and what is whole to what is scattered', () => {
    const ranked = ['store.ts', 'src/store.ts.bak', 'src/my-store.ts', 'src/restore.ts', 'store.ts.d/x', 'src/to/re.ts'];
    const ranks = ranked.map((path) => rankOf(path, 'store.ts') ?? Number.POSITIVE_INFINITY);
    expect(ranks.slice(0, 5)).toEqual([...ranks.slice(0, 5)].sort((a, b) => a - b));
    expect(rankOf('src/to/re.ts', 'store')).toBeGreaterThan(ranks[4] ?? 0);
    expect(rankOf('abc', 'acb')).toBeNull();
    expect(rankOf('abc', 'aabc')).toBeNull();
  });
});

describe('rankPaths', () => {
  it('gives the best of very many, in the order that sorting all of them would', async () => {
    const many = Array.from({ length: 12_000 }, (_, index) => `f${(index * 7919) % 12_000}/name${index}`);
    const found = many.map((path) => ({ path, lower: path }));
    const { best, more } = await rankPaths(found, 'name1', 50, never);
    const all = many
      .filter((path) => path.includes('/name1'))
      .sort((a, b) => (rankOf(a, 'name1') ?? 0) - (rankOf(b, 'name1') ?? 0) || a.length - b.length || (a < b ? -1 : 1));
    expect(best.map(({ path }) => path)).toEqual(all.slice(0, 50));
    expect(more).toBe(true);
  });
});

describe('FileFinder', () => {
  it('lists what git tracks and what is new, but nothing that is ignored', async () => {
    put('src/engine.ts', 'src/secret.log', '.gitignore', 'gone.ts', 'new.ts');
    writeFileSync(join(folder, '.gitignore'), '*.log\n');
    git('init', '-q');
    git('add', 'src', 'gone.ts');
    rmSync(join(folder, 'gone.ts'));
    expect(paths(await ask('')).sort()).toEqual(['.gitignore', 'new.ts', 'src', 'src/engine.ts']);
    expect((await ask('src')).paths[0]).toEqual({ path: 'src', isFolder: true });
  });

  it('lists only what lies below the folder, with paths from there', async () => {
    put('a/b/c.ts', 'other.ts');
    git('init', '-q');
    expect(paths(await ask('', 10, join(folder, 'a')))).toEqual(['b', 'b/c.ts']);
  });

  it('runs nothing that a repository names', async () => {
    put('a.ts');
    git('init', '-q');
    git('config', 'core.fsmonitor', `touch ${join(folder, 'ran')} #`);
    expect(paths(await ask('a.ts'))).toEqual(['a.ts']);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('walks where there is no repository, nearest first, and leaves out what is never meant', async () => {
    put('deep/er/still/x.ts', 'x.ts', 'node_modules/x/x.ts');
    expect(paths(await ask('x.ts'))).toEqual(['x.ts', 'deep/er/still/x.ts']);
  });

  it('takes the home folder as people write it', async () => {
    vi.stubEnv('HOME', folder);
    put('code/api/index.ts');
    expect(paths(await ask('index', 10, '~/code'))).toEqual(['api/index.ts']);
  });

  it('says when there is more', async () => {
    put('a1', 'a2', 'a3');
    expect(await ask('a', 2)).toMatchObject({ paths: [{ path: 'a1' }, { path: 'a2' }], more: true });
    expect((await ask('a', 3)).more).toBe(false);
  });

  it('answers from one list for a moment, then looks again', async () => {
    let now = 0;
    const finder = new FileFinder(() => now);
    const find = () => finder.complete({ cwd: folder, query: '', limit: 10 }, never);
    put('one');
    expect(paths(await find())).toEqual(['one']);
    put('two');
    expect(paths(await find())).toEqual(['one']);
    now = 5_000;
    expect(paths(await find())).toEqual(['one', 'two']);
  });

  it('gives up when its asker is gone, and answers the next one', async () => {
    put('one');
    const finder = new FileFinder();
    const asker = new AbortController();
    const given = finder.complete({ cwd: folder, query: '', limit: 10 }, asker.signal);
    asker.abort(new Error('gone'));
    await expect(given).rejects.toThrow('gone');
    expect((await finder.complete({ cwd: folder, query: '', limit: 10 }, never)).paths).toHaveLength(1);
  });

  it('refuses a folder that is none', async () => {
    put('file');
    await expect(ask('', 1, join(folder, 'file'))).rejects.toMatchObject({ refusal: { code: 'unknown-target' } });
    await expect(ask('', 1, join(folder, 'nothing'))).rejects.toMatchObject({ refusal: { code: 'unknown-target' } });
  });
});
