import i18next from 'i18next';
import type { RunId } from '../../src-shared/ids.ts';
import { factsOf, type Happening, type Notice, noticeFor, SessionWatch } from '../../src-shared/notify.ts';
import { call } from '../engine.ts';
import { useWindow } from '../store.ts';
import { showFailure, showNotice } from '../ui/toasts.tsx';
import { openPane } from '../workspace/workspace.ts';

const nothing: ReadonlySet<RunId> = new Set();
/** Those that are shown: moot ones are taken away. */
const shown = new Map<RunId, { readonly notice: Notice; readonly notification: Notification }>();
let hasOffered = false;

/** Tells of sessions that nobody looks at: by the browser's notifications where they are allowed, else inside the page. */
export function startPageNotices(): void {
  const watch = new SessionWatch();
  useWindow.subscribe(({ sessions }, before) => {
    if (sessions === before.sessions) return;
    for (const happening of watch.look(sessions, Date.now())) {
      tell(happening).catch((error: unknown) => console.warn('a notice could not be given', error));
    }
  });
}

async function tell(happening: Happening): Promise<void> {
  const { runId } = happening.session;
  if (happening.kind === 'permission-settled') {
    if (shown.get(runId)?.notice.kind === 'permission-asked') dismiss(runId);
    return;
  }
  const { state } = await call('session.get', { runId });
  const isSeen = document.visibilityState === 'visible' && document.hasFocus();
  const { settings, visibleRuns } = useWindow.getState();
  const notice = noticeFor(
    happening,
    { anyWindowFocused: isSeen, visible: isSeen ? visibleRuns : nothing },
    settings,
    factsOf(state),
  );
  if (notice === null || (notice.where === 'system' && showOutside(notice))) return;
  const action = { label: i18next.t('notice.show'), onClick: () => openPane({ is: 'session', runId }) };
  showNotice(notice.title, { ...(notice.body === null ? {} : { description: notice.body }), action });
  if (notice.where === 'system') offer();
}

/** False: this browser shows none, or none of this page's. */
function showOutside(notice: Notice): boolean {
  if (!('Notification' in window) || Notification.permission !== 'granted') return false;
  const { runId, title, body } = notice;
  dismiss(runId);
  let notification: Notification;
  try {
    notification = new Notification(title, { tag: runId, ...(body === null ? {} : { body }) });
  } catch {
    // Android's browsers show them for service workers only, and say so here.
    return false;
  }
  notification.onclick = () => {
    dismiss(runId);
    window.focus();
    openPane({ is: 'session', runId });
  };
  shown.set(runId, { notice, notification });
  return true;
}

function dismiss(runId: RunId): void {
  shown.get(runId)?.notification.close();
  shown.delete(runId);
}

/** Once, when it would have been of use; browsers want it asked for by a press. */
function offer(): void {
  if (hasOffered || !('Notification' in window) || Notification.permission !== 'default') return;
  hasOffered = true;
  const ask = () => {
    Notification.requestPermission().then(
      (answer) => answer === 'denied' && showNotice(i18next.t('browser:notices.denied')),
      (error: unknown) => showFailure(i18next.t('browser:notices.offer'), error),
    );
  };
  showNotice(i18next.t('browser:notices.offer'), {
    description: i18next.t('browser:notices.offerText'),
    action: { label: i18next.t('browser:notices.allow'), onClick: ask },
  });
}
