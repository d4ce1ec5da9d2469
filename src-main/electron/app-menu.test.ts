import type { MenuItemConstructorOptions } from 'electron';
import { describe, expect, it, vi } from 'vitest';
import { COMMANDS, resolveKeymap } from '../../src-shared/keymap.ts';
import { appMenu } from './app-menu.ts';

function menu(isMac: boolean, rows: Parameters<typeof resolveKeymap>[1] = []) {
  const run = vi.fn();
  const { bindings } = resolveKeymap(isMac, rows);
  const template = appMenu({ isMac, bindings, run, onReload: () => {}, onToggleDevTools: () => {} });
  const items = template.flatMap((entry) => entry.submenu as MenuItemConstructorOptions[]);
  return { run, template, items };
}

describe.each([true, false])('the application menu (mac: %s)', (isMac) => {
  it('has every command that names a menu, once', () => {
    const wanted = Object.entries(COMMANDS).flatMap(([id, command]) => (command.menu === null ? [] : [id]));
    const shown = menu(isMac)
      .items.flatMap(({ id }) => (id === undefined ? [] : [id]))
      .sort();
    const bySystem = isMac ? ['edit.copy', 'edit.paste', 'edit.selectAll'] : [];
    expect(shown).toEqual(wanted.filter((id) => !bySystem.includes(id)).sort());
  });

  it('runs the command that was chosen', () => {
    const { run, items } = menu(isMac);
    const chosen = items.find(({ id }) => id === 'pane.splitRight');
    chosen?.click?.({} as never, undefined, {} as never);
    expect(run).toHaveBeenCalledExactlyOnceWith('pane.splitRight');
  });
});

it('shows the keys in force and lets the page handle them', () => {
  const find = (rows: Parameters<typeof resolveKeymap>[1]) => menu(false, rows).items.find(({ id }) => id === 'go.palette');
  expect(find([])).toMatchObject({ accelerator: 'Control+Shift+P', registerAccelerator: false });
  expect(find([{ key: 'f9', command: 'go.palette' }])).toMatchObject({ accelerator: 'F9' });
  expect(find([{ key: 'ctrl+shift+p', command: '-go.palette' }])).not.toHaveProperty('accelerator');
});
