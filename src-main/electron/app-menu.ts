import type { MenuItemConstructorOptions } from 'electron';
import {
  type BoundKey,
  COMMAND_IDS,
  COMMANDS,
  type CommandId,
  chordAccelerator,
  type MenuName,
} from '../../src-shared/keymap.ts';

export interface AppMenuOptions {
  readonly isMac: boolean;
  /** The keys in force. */
  readonly bindings: readonly BoundKey[];
  readonly run: (command: CommandId) => void;
  /** What only the shell can do to the window in front. */
  readonly onReload: () => void;
  readonly onToggleDevTools: () => void;
}

/** On macOS the system's own items do these, in text fields and terminals alike. */
const SYSTEM_EDIT: ReadonlySet<string> = new Set<CommandId>(['edit.copy', 'edit.paste', 'edit.selectAll']);

/** The application menu. Its commands and keys come from the keymap; a command without a menu is in the palette only. */
export function appMenu(options: AppMenuOptions): MenuItemConstructorOptions[] {
  const { isMac } = options;
  const items = (menu: MenuName) =>
    COMMAND_IDS.filter((id) => COMMANDS[id].menu === menu && !(isMac && SYSTEM_EDIT.has(id))).map((id) => item(id, options));
  const separator = { type: 'separator' } as const;
  const application: MenuItemConstructorOptions = {
    label: 'Baton',
    submenu: [
      { role: 'about' },
      separator,
      item('settings.show', options),
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      item('app.quit', options),
    ],
  };
  const systemEdit: MenuItemConstructorOptions[] = [
    { role: 'undo' },
    { role: 'redo' },
    separator,
    { role: 'cut' },
    { role: 'copy' },
    { role: 'paste' },
    { role: 'selectAll' },
    separator,
  ];
  return [
    ...(isMac ? [application] : []),
    { label: 'File', submenu: [...items('file'), ...(isMac ? [] : [separator, ...items('app')])] },
    { label: 'Edit', submenu: [...(isMac ? systemEdit : []), ...items('edit')] },
    { label: 'View', submenu: [...items('view'), separator, { label: 'Reload window', click: options.onReload }] },
    { label: 'Session', submenu: items('session') },
    {
      label: 'Window',
      submenu: [...items('window'), ...(isMac ? [separator, { role: 'minimize' }, { role: 'zoom' }, { role: 'front' }] : [])],
    } as MenuItemConstructorOptions,
    {
      label: 'Help',
      submenu: [...items('help'), separator, { label: 'Developer tools', click: options.onToggleDevTools }],
    },
  ];
}

/** The keys are shown here and handled by the page, which knows what has the focus. */
function item(command: CommandId, { bindings, run }: AppMenuOptions): MenuItemConstructorOptions {
  const bound = bindings.findLast((candidate) => candidate.command === command);
  return {
    id: command,
    label: COMMANDS[command].title,
    ...(bound ? { accelerator: chordAccelerator(bound.chord), registerAccelerator: false } : {}),
    click: () => run(command),
  };
}
