import type { IDockviewHeaderActionsProps } from 'dockview-react';
import { CircleStop, Columns2, Ellipsis, type LucideIcon, Maximize2, Minimize2, Rows2, Square } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RunId } from '../../src-shared/ids.ts';
import type { CommandId } from '../../src-shared/keymap.ts';
import { runCommand } from '../commands.ts';
import { keyLabel, useKeyLabel } from '../navigation/keymap.ts';
import { canInterrupt, endSession, interruptSession, isOver } from '../session-actions.ts';
import { sessionMenu } from '../sidebar/session-menu.ts';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Menu, type MenuItem } from '../ui/menu.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { showTab } from './show-tab.ts';
import { contentOf } from './workspace.ts';

/** Of a narrow strip (panes.css makes it a container) the tabs need the room: all that these do is in the menu too. */
const unlessNarrow = '@max-[400px]:hidden';
const unlessTiny = '@max-[240px]:hidden';

/** Buttons at the right end of a tab strip. Only the active pane's are shown; the others keep their room, so that nothing jumps. */
export function TabStripActions({ activePanel, isGroupActive, containerApi, group }: IDockviewHeaderActionsProps) {
  const { t } = useTranslation();
  const content = activePanel && contentOf(activePanel);
  const runId = content?.is === 'session' ? content.runId : null;
  const session = useWindow((window) => (runId === null ? undefined : window.sessions.get(runId)));
  const { isZoomed, isOnly } = useZoom(containerApi);
  useTabInSight(group, activePanel?.id);
  const keys = { right: useKeyLabel('pane.splitRight'), down: useKeyLabel('pane.splitDown'), zoom: useKeyLabel('pane.zoom') };
  const attempt = (what: string, act: (runId: RunId) => Promise<void>) => () => {
    if (runId !== null) act(runId).catch((error: unknown) => showFailure(t('failed', { what }), error));
  };
  const items: readonly MenuItem[] = [
    ...(session ? [...sessionMenu(session), 'separator' as const] : []),
    paneItem('pane.splitRight', t('pane.splitRight'), Columns2),
    paneItem('pane.splitDown', t('pane.splitDown'), Rows2),
    ...(isOnly ? [] : [paneItem('pane.zoom', isZoomed ? t('pane.unzoom') : t('pane.zoom'), isZoomed ? Minimize2 : Maximize2)]),
  ];
  return (
    <div className={classes('flex h-full items-center gap-0.5 px-1.5', !isGroupActive && 'invisible')}>
      {/* A conversation has its own, beside the text one writes. */}
      {session?.kind === 'pty' && canInterrupt(session) && (
        <IconButton
          icon={CircleStop}
          label={t('session.interrupt')}
          onClick={attempt(t('session.interrupt'), interruptSession)}
          className={unlessNarrow}
        />
      )}
      <IconButton
        icon={Columns2}
        label={t('pane.splitRight')}
        shortcut={keys.right}
        onClick={() => runCommand('pane.splitRight')}
        className={unlessTiny}
      />
      <IconButton
        icon={Rows2}
        label={t('pane.splitDown')}
        shortcut={keys.down}
        onClick={() => runCommand('pane.splitDown')}
        className={unlessTiny}
      />
      {!isOnly && (
        <IconButton
          icon={isZoomed ? Minimize2 : Maximize2}
          label={isZoomed ? t('pane.unzoom') : t('pane.zoom')}
          shortcut={keys.zoom}
          onClick={() => runCommand('pane.zoom')}
          className={unlessNarrow}
        />
      )}
      {session && !isOver(session) && (
        <IconButton
          icon={Square}
          label={t('session.close')}
          onClick={attempt(t('session.close'), endSession)}
          className={unlessTiny}
        />
      )}
      <Menu items={items} align="end">
        <IconButton icon={Ellipsis} label={t('session.more')} />
      </Menu>
    </div>
  );
}

function paneItem(command: CommandId, label: string, icon: LucideIcon): MenuItem {
  return { label, icon, shortcut: keyLabel(command), onSelect: () => void runCommand(command) };
}

/** The active tab stays in sight however the strip's width changes. */
function useTabInSight({ api }: IDockviewHeaderActionsProps['group'], paneId: string | undefined): void {
  useEffect(() => {
    if (paneId === undefined) return;
    const subscription = api.onDidDimensionsChange(() => showTab(paneId));
    return () => subscription.dispose();
  }, [api, paneId]);
}

function useZoom(api: IDockviewHeaderActionsProps['containerApi']): { isZoomed: boolean; isOnly: boolean } {
  const read = () => ({ isZoomed: api.hasMaximizedGroup(), isOnly: api.groups.length < 2 });
  const [zoom, setZoom] = useState(read);
  useEffect(() => {
    const update = () => setZoom({ isZoomed: api.hasMaximizedGroup(), isOnly: api.groups.length < 2 });
    const subscriptions = [api.onDidMaximizedGroupChange(update), api.onDidLayoutChange(update)];
    update();
    return () => {
      for (const subscription of subscriptions) subscription.dispose();
    };
  }, [api]);
  return zoom;
}
