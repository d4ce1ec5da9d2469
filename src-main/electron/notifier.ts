import { app, Notification } from 'electron';
import type { RunId } from '../../src-shared/ids.ts';
import { SHOW_SESSION } from '../../src-shared/keymap.ts';
import { factsOf, type Happening, type Notice, needsYou, noticeFor, SessionWatch } from '../../src-shared/notify.ts';
import type { SessionState, SessionSummary } from '../../src-shared/session.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { Windows } from './windows.ts';

export interface NotifierOptions {
  readonly windows: Windows;
  readonly settings: () => Settings;
  readonly stateOf: (runId: RunId) => Promise<SessionState>;
  readonly onBug: (error: unknown) => void;
}

/** Shows what notify.ts decides: natively, or inside the window where the desktop has no notifications. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #watch = new SessionWatch();
  /** Referenced while they are shown: a collected one would not hear the click. */
  readonly #shown = new Map<RunId, { readonly notice: Notice; readonly notification: Notification }>();

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  look(sessions: ReadonlyMap<RunId, SessionSummary>): void {
    app.setBadgeCount([...sessions.values()].filter(needsYou).length);
    for (const happening of this.#watch.look(sessions, Date.now())) {
      this.#tell(happening).catch(this.#options.onBug);
    }
    for (const runId of this.#shown.keys()) if (!sessions.has(runId)) this.dismiss(runId);
  }

  /** A program has sent a notice of its own. */
  hear(session: SessionSummary, title: string | null, body: string): void {
    const words = title === null ? body : `${title}: ${body}`;
    this.#tell({ kind: 'program', session, words }).catch(this.#options.onBug);
  }

  /** The user has come to look, or it is moot. */
  dismiss(runId: RunId): void {
    this.#shown.get(runId)?.notification.close();
    this.#shown.delete(runId);
  }

  async #tell(happening: Happening): Promise<void> {
    const { runId } = happening.session;
    if (happening.kind === 'permission-settled') {
      if (this.#shown.get(runId)?.notice.kind === 'permission-asked') this.dismiss(runId);
      return;
    }
    const { windows, settings, stateOf } = this.#options;
    const facts = factsOf(await stateOf(runId));
    const attention = { anyWindowFocused: windows.focused() !== null, visible: windows.focused()?.visible ?? new Set<RunId>() };
    const notice = noticeFor(happening, attention, settings(), facts);
    if (notice === null) return;
    if (notice.where === 'system') this.#attract(notice);
    if (notice.where === 'system' && Notification.isSupported()) this.#showNatively(notice);
    else windows.current()?.send({ type: 'shell:notice', ...inWindow(notice) });
  }

  #showNatively(notice: Notice): void {
    this.dismiss(notice.runId);
    const notification = new Notification({ title: notice.title, ...(notice.body === null ? {} : { body: notice.body }) });
    notification.on('click', () => {
      this.dismiss(notice.runId);
      this.#options.windows.show(notice.runId).send({ type: 'shell:command', command: SHOW_SESSION, runId: notice.runId });
    });
    notification.on('close', () => {
      if (this.#shown.get(notice.runId)?.notification === notification) this.#shown.delete(notice.runId);
    });
    this.#shown.set(notice.runId, { notice, notification });
    notification.show();
  }

  /** A permission request holds work up: the dock or the task bar says so as well, until Baton is in front. */
  #attract(notice: Notice): void {
    if (notice.kind !== 'permission-asked') return;
    app.dock?.bounce('informational');
    if (process.platform !== 'darwin') this.#options.windows.current()?.browserWindow.flashFrame(true);
  }
}

function inWindow({ kind, runId, title, body }: Notice) {
  return { kind, runId, title: title.slice(0, 256), body };
}
