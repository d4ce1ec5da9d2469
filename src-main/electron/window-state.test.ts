import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placeOn, readWindows, saveWindows } from './window-state.ts';

const display = { x: 0, y: 0, width: 1920, height: 1080 };
const second = { x: 1920, y: 0, width: 1920, height: 1080 };
const window = { x: 2000, y: 100, width: 800, height: 600 };

describe('placeOn', () => {
  it('keeps a window where it was', () => {
    expect(placeOn(window, [display, second])).toEqual(window);
  });

  it.each([
    ['its display is gone', window],
    ['only a sliver is left of it', { ...window, x: 1900 }],
    ['its title bar lies above the display', { ...window, x: 0, y: -500 }],
  ])('lets the system place it when %s', (_why, bounds) => {
    expect(placeOn(bounds, [display])).toEqual({ width: 800, height: 600 });
  });

  it('makes it no larger than the display, and never too small to use', () => {
    expect(placeOn({ ...window, width: 9000, height: 9000 }, [display])).toEqual({ width: 1920, height: 1080 });
    expect(placeOn({ x: 0, y: 0, width: 1, height: 1 }, [display])).toMatchObject({ width: 400, height: 300 });
    expect(placeOn(null, [])).toEqual({ width: 1280, height: 820 });
  });
});

it('finds again what it saved, and nothing in what it cannot read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-windows-'));
  const path = join(folder, 'windows.json');
  expect(await readWindows(path)).toEqual({ windows: [], toldAboutTray: false });
  const saved = {
    windows: [{ id: crypto.randomUUID(), bounds: window, isMaximized: true, isFullScreen: false }],
    toldAboutTray: true,
  };
  await saveWindows(path, saved);
  expect(await readWindows(path)).toEqual(saved);
  writeFileSync(path, '{"windows": [{"id": "../x"}]}');
  expect((await readWindows(path)).windows).toEqual([]);
  rmSync(folder, { recursive: true });
});
