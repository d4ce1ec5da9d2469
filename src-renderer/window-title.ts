import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { needsYou } from '../src-shared/notify.ts';
import { useWindow } from './store.ts';
import { announce } from './ui/announcer.tsx';
import { titleOf } from './workspace/pane-title.ts';
import { activeContent } from './workspace/workspace.ts';

/** "(2) api-refactor – Baton": how many sessions need the user, and what one is looking at. */
export function windowTitle(attention: number, title: string | null): string {
  return `${attention > 0 ? `(${attention}) ` : ''}${title === null ? '' : `${title} – `}Baton`;
}

/** Keeps the window's title, and tells screen readers when a session begins to wait for the user. */
export function useWindowTitle(): void {
  const { t } = useTranslation();
  const sessions = useWindow((window) => window.sessions);
  const activePane = useWindow((window) => window.activePane);
  useEffect(() => {
    const content = activePane === null ? null : activeContent();
    const attention = [...sessions.values()].filter(needsYou).length;
    document.title = windowTitle(attention, content && titleOf(content, sessions));
  }, [sessions, activePane]);
  useEffect(
    () =>
      useWindow.subscribe((now, before) => {
        if (now.sessions === before.sessions) return;
        for (const [runId, session] of now.sessions) {
          const was = before.sessions.get(runId);
          if (was === undefined || was.status === session.status) continue;
          const title = session.remote ? t('said.on', { title: session.title, machine: session.machine }) : session.title;
          if (!session.followed) continue;
          if (session.status === 'waiting') announce(t('said.needsYou', { title }));
          else if (session.status === 'ended') announce(t('said.ended', { title }));
        }
      }),
    [t],
  );
}
