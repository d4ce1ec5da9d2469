import { ChevronLeft, Ellipsis, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { needsYou } from '../../src-shared/notify.ts';
import { closePane } from '../frame-commands.ts';
import { sessionMenu } from '../sidebar/session-menu.ts';
import { ConnectionLabel } from '../status/connection-label.tsx';
import { useWindow } from '../store.ts';
import { IconButton } from '../ui/button.tsx';
import { Menu, type MenuItem } from '../ui/menu.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { titleOf } from '../workspace/pane-title.ts';
import { activeContent } from '../workspace/workspace.ts';

/** Above the one session that a phone shows: the way back to the list, what it is, what can be done with it. */
export function PhoneBar() {
  const { t } = useTranslation();
  const sessions = useWindow((window) => window.sessions);
  const paneId = useWindow((window) => window.activePane);
  const content = paneId === null ? null : activeContent();
  const session = content?.is === 'session' ? sessions.get(content.runId) : undefined;
  const waiting = [...sessions.values()].filter((each) => needsYou(each) && each.runId !== session?.runId).length;
  const close = () => {
    if (paneId !== null) closePane(paneId).catch((error: unknown) => showFailure(t('failed', { what: t('pane.close') }), error));
  };
  const items: readonly MenuItem[] = [
    ...(session ? [...sessionMenu(session), 'separator' as const] : []),
    { label: t('pane.close'), icon: X, onSelect: close },
  ];
  return (
    <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-sunken pr-1 pl-1">
      <IconButton icon={ChevronLeft} label={t('phone.back')} onClick={() => useWindow.setState({ isSidebarOverPanes: true })} />
      {waiting > 0 && (
        <span className="-ml-2 flex items-center gap-1 text-11 font-medium text-accent-text">
          <StateMark status="waiting" silent />
          {t('statusLine.attention', { count: waiting })}
        </span>
      )}
      {session && <StateMark status={session.status} />}
      <span className="min-w-0 flex-1 truncate font-medium">{content && titleOf(content, sessions)}</span>
      <ConnectionLabel />
      <Menu items={items} align="end">
        <IconButton icon={Ellipsis} label={t('session.more')} />
      </Menu>
    </header>
  );
}
