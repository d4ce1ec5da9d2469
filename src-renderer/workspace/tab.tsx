import type { IDockviewPanelHeaderProps } from 'dockview-react';
import { Keyboard, type LucideIcon, Monitor, Search, Settings, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { closePane } from '../frame-commands.ts';
import { sessionMenu } from '../sidebar/session-menu.ts';
import { useWindow } from '../store.ts';
import { Icon } from '../ui/icon.tsx';
import { ContextMenu, type MenuItem } from '../ui/menu.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { type PageName, type PaneContent, paneIdOf } from './layout.ts';
import { focusPane } from './pane-focus.ts';
import { titleOf } from './pane-title.ts';

const pageIcons: Record<PageName, LucideIcon> = { settings: Settings, shortcuts: Keyboard, search: Search, machines: Monitor };

/**
 * What stands inside a tab. Dockview's element around it is the `tab` with its name, so nothing in here may take the focus: the
 * cross is for the mouse, the keyboard closes with the command.
 */
export function Tab({ params, api }: IDockviewPanelHeaderProps<PaneContent>) {
  const { t } = useTranslation();
  const sessions = useWindow((window) => window.sessions);
  const session = params.is === 'session' ? sessions.get(params.runId) : undefined;
  const paneId = paneIdOf(params);
  const inside = useRef<HTMLDivElement>(null);
  const status = session && t(`status.${session.status}`);
  useEffect(() => {
    // The name of a tab is its title alone; its state is told beside it.
    const tab = inside.current?.closest('[role="tab"]');
    if (status) tab?.setAttribute('aria-description', status);
  }, [status]);
  const close = () =>
    void closePane(paneId).catch((error: unknown) => showFailure(t('failed', { what: t('pane.close') }), error));
  const items = (): readonly MenuItem[] => [
    ...(session ? [...sessionMenu(session), 'separator' as const] : []),
    { label: t('pane.close'), icon: X, onSelect: close },
  ];
  return (
    <ContextMenu items={items}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: mouse shortcuts on a tab; commands do the same from the keyboard */}
      <div
        ref={inside}
        className="group flex h-full max-w-60 min-w-24 items-center gap-2 pr-1.5 pl-3"
        title={session ? `${session.title}\n${session.cwd}` : undefined}
        onDoubleClick={() => session && useWindow.setState({ overlay: { is: 'rename', runId: session.runId } })}
        onMouseUp={() => focusPane(api.id)}
        onAuxClick={(event) => {
          if (event.button === 1) close();
        }}
      >
        {params.is === 'page' ? <Icon of={pageIcons[params.page]} /> : session && <StateMark status={session.status} silent />}
        <span className="min-w-0 flex-1 truncate">{titleOf(params, sessions)}</span>
        <span
          aria-hidden
          title={t('pane.close')}
          className="flex size-5 items-center justify-center rounded-sm opacity-0 group-hover:opacity-100 hover:bg-selected [.dv-active-tab_&]:opacity-60 [.dv-active-tab_&]:group-hover:opacity-100"
          onPointerDown={(event) => event.stopPropagation()}
          onMouseUp={(event) => event.stopPropagation()}
          onClick={(event) => {
            event.stopPropagation();
            close();
          }}
        >
          <Icon of={X} size={14} />
        </span>
      </div>
    </ContextMenu>
  );
}
