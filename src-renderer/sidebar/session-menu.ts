import i18next from 'i18next';
import {
  Bell,
  BellOff,
  Copy,
  GitFork,
  PanelRight,
  Pencil,
  RotateCw,
  Square,
  SquareArrowOutUpRight,
  StickyNote,
  Trash2,
} from 'lucide-react';
import type { RunId } from '../../src-shared/ids.ts';
import type { Rights } from '../../src-shared/machines.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { call } from '../engine.ts';
import { hasSeveral } from '../machines/machine-state.ts';
import { isApart, mayDo } from '../machines/may.ts';
import { keyLabel } from '../navigation/keymap.ts';
import { endSession, forkSession, isOver, restartSession } from '../session-actions.ts';
import { useWindow } from '../store.ts';
import { isPhone } from '../ui/media.ts';
import type { MenuItem } from '../ui/menu.tsx';
import { showFailure } from '../ui/toasts.tsx';
import { setNotesOpen } from '../workspace/notes-bar.tsx';
import { openPane } from '../workspace/workspace.ts';
import type { SessionGroup } from './grouping.ts';

/** Runs what a menu was asked for and tells of a failure, naming the menu's own words. */
function attempt(label: string, act: () => Promise<unknown>): () => void {
  return () => void act().catch((error: unknown) => showFailure(i18next.t('failed', { what: label }), error));
}

function showNotes(runId: RunId): void {
  openPane({ is: 'session', runId });
  setNotesOpen(runId, true);
}

/** Where there are other machines to be told instead. */
function followItem({ runId, followed }: SessionSummary): MenuItem {
  const label = i18next.t(followed ? 'machines:follow.undo' : 'machines:follow.do');
  const act = attempt(label, () => call('session.follow', { runId, follows: !followed }));
  return { label, icon: followed ? BellOff : Bell, onSelect: act };
}

/** What can be done to a session: the same in the sidebar, on its tab and in its pane's "more" menu. */
export function sessionMenu(session: SessionSummary): readonly MenuItem[] {
  const { t } = i18next;
  const { runId } = session;
  const show = useWindow.setState;
  const { machines } = useWindow.getState();
  const may = (needed: Rights) => mayDo(machines, session, needed);
  const open: readonly MenuItem[] = [
    { label: t('session.open'), icon: SquareArrowOutUpRight, onSelect: () => openPane({ is: 'session', runId }) },
    { label: t('session.openRight'), icon: PanelRight, onSelect: () => openPane({ is: 'session', runId }, 'right') },
    'separator',
  ];
  return [
    // There a tap opens, and there is no place beside.
    ...(isPhone() ? [] : open),
    {
      label: t('session.rename'),
      icon: Pencil,
      shortcut: keyLabel('session.rename'),
      onSelect: () => show({ overlay: { is: 'rename', runId } }),
    },
    { label: t('session.notes'), icon: StickyNote, onSelect: () => showNotes(runId) },
    ...(hasSeveral(machines) ? [followItem(session)] : []),
    ...(session.kind === 'claude' && may('start')
      ? [{ label: t('session.fork'), icon: GitFork, onSelect: attempt(t('session.fork'), () => forkSession(runId)) }]
      : []),
    {
      label: t('session.copyId'),
      icon: Copy,
      onSelect: attempt(t('session.copyId'), () => call('shell.clipboardWrite', { text: runId })),
    },
    ...ends(session, may, isApart(machines, session)),
  ];
}

/** How its program is ended or started again, or it is deleted: what may be done where it runs. */
function ends(session: SessionSummary, may: (needed: Rights) => boolean, isHistory: boolean): readonly MenuItem[] {
  const { t } = i18next;
  const { runId } = session;
  const restart = session.kind === 'claude' ? t('session.resume') : t('session.restart');
  const items: readonly MenuItem[] =
    isOver(session) || isHistory
      ? [
          ...(may('type') ? [{ label: restart, icon: RotateCw, onSelect: attempt(restart, () => restartSession(runId)) }] : []),
          ...(may('start') || isHistory
            ? [
                {
                  label: t('session.delete'),
                  icon: Trash2,
                  danger: true,
                  onSelect: () => useWindow.setState({ overlay: { is: 'deleteSessions', runIds: [runId] } }),
                },
              ]
            : []),
        ]
      : may('type')
        ? [{ label: t('session.close'), icon: Square, onSelect: attempt(t('session.close'), () => endSession(runId)) }]
        : [];
  return items.length === 0 ? [] : ['separator', ...items];
}

/** What can be done to the ended sessions together. */
export function groupMenu(group: SessionGroup): readonly MenuItem[] {
  const runIds = group.sessions.map((session) => session.runId);
  return [
    {
      label: i18next.t('sidebar.deleteEnded'),
      icon: Trash2,
      danger: true,
      onSelect: () => useWindow.setState({ overlay: { is: 'deleteSessions', runIds } }),
    },
  ];
}
