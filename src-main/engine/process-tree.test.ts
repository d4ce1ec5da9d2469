import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isAlive } from './adapters/claude.fixture.ts';
import { descendants, killTree } from './process-tree.ts';

describe.skipIf(process.platform === 'win32')('killTree', () => {
  it('reaches what runs in a session of its own', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('tail', ['-f', '/dev/null'], { detached: true, stdio: 'ignore' });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const grandchild = Number(String(line));
    expect(isAlive(grandchild)).toBe(true);
    const gone = once(parent, 'exit');
    await killTree(parent.pid ?? 0);
    expect(await gone).toEqual([null, 'SIGKILL']);
    await expect.poll(() => isAlive(grandchild)).toBe(false);
  });

  it('does nothing to a process that is gone', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    await expect(killTree(child.pid ?? 0)).resolves.toBeUndefined();
  });
});

it('finds the whole family, whatever the order of the list', () => {
  const parents = new Map([
    [5, 4],
    [2, 1],
    [4, 2],
    [3, 1],
    [9, 8],
  ]);
  expect(descendants(1, parents).sort()).toEqual([2, 3, 4, 5]);
  expect(descendants(7, parents)).toEqual([]);
});
