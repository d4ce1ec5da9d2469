import i18next from 'i18next';
import { ListFilter, LogOut, Pencil, ShieldOff, Sparkle, SquareTerminal } from 'lucide-react';
import type { Machine } from '../../src-shared/machines.ts';
import { quickTerminal } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import type { MenuItem } from '../ui/menu.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { mayManage, startable } from './machine-state.ts';

/** What can be done with a machine: the same in the sidebar and on the page of machines. `onFilter`: where there is a list to narrow. */
export function machineMenu(machine: Machine, onFilter?: (query: string) => void): readonly MenuItem[] {
  const t = i18next.getFixedT(null, 'machines');
  const { machines } = useWindow.getState();
  const { machineId, name, self } = machine;
  const show = useWindow.setState;
  const terminal = t('menu.terminal', { name });
  const begin: readonly MenuItem[] = startable(machines).some((each) => each.machineId === machineId)
    ? [
        {
          label: terminal,
          icon: SquareTerminal,
          onSelect: () =>
            void quickTerminal('tab', machineId).catch((error: unknown) =>
              showFailure(i18next.t('failed', { what: terminal }), error),
            ),
        },
        {
          label: t('menu.claude', { name }),
          icon: Sparkle,
          onSelect: () => show({ overlay: { is: 'newClaude', machineId } }),
        },
        'separator',
      ]
    : [];
  const filter: readonly MenuItem[] = onFilter
    ? [{ label: t('menu.sessions'), icon: ListFilter, onSelect: () => onFilter(name) }]
    : [];
  const manage: readonly MenuItem[] = mayManage(machines)
    ? [{ label: t('menu.rename'), icon: Pencil, onSelect: () => show({ overlay: { is: 'renameMachine', machineId } }) }]
    : [];
  const end: readonly MenuItem[] = self
    ? [{ label: t('menu.leave'), icon: LogOut, danger: true, onSelect: () => show({ overlay: { is: 'leaveWorkspace' } }) }]
    : mayManage(machines)
      ? [
          {
            label: t('menu.revoke'),
            icon: ShieldOff,
            danger: true,
            onSelect: () => show({ overlay: { is: 'revokeMachine', machineId } }),
          },
        ]
      : [];
  return [...begin, ...filter, ...manage, 'separator', ...end];
}
