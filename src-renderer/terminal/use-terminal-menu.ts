import { ClipboardPaste, Copy, History, PanelBottom, PanelRight, Search, TextSelect, Trash2 } from 'lucide-react';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { CommandId } from '../../src-shared/keymap.ts';
import { canRun, runCommand } from '../commands.ts';
import { keyLabel } from '../navigation/keymap.ts';
import type { MenuItem } from '../ui/menu.tsx';

type Line = Extract<MenuItem, { label: string }>;

/** The terminal's context menu: commands of the keymap, asked for when it opens. */
export function useTerminalMenu(): () => readonly MenuItem[] {
  const { t } = useTranslation('terminal');
  return useCallback(() => {
    const line = (command: CommandId, label: string, icon: NonNullable<Line['icon']>): MenuItem => ({
      label,
      icon,
      shortcut: keyLabel(command),
      disabled: !canRun(command),
      onSelect: () => void runCommand(command),
    });
    return [
      line('edit.copy', t('menu.copy'), Copy),
      line('edit.paste', t('menu.paste'), ClipboardPaste),
      line('edit.selectAll', t('menu.selectAll'), TextSelect),
      line('terminal.copyOutput', t('menu.copyOutput'), Copy),
      'separator',
      line('find.show', t('menu.find'), Search),
      line('terminal.history', t('menu.history'), History),
      line('terminal.clear', t('menu.clear'), Trash2),
      'separator',
      line('pane.splitRight', t('menu.splitRight'), PanelRight),
      line('pane.splitDown', t('menu.splitDown'), PanelBottom),
    ];
  }, [t]);
}
