import { app, BrowserWindow, dialog, type WebContents } from 'electron';
import type { Logger } from '../logger.ts';

export interface CrashGuardOptions {
  readonly logger: Logger;
  readonly logFolder: string;
  /** Says something to the user inside the window; false where there is none. */
  readonly say: (title: string, body: string) => void;
}

/** Keeps one failure from becoming another: a bug in main is logged and told once, a page that died can be loaded again. */
export class CrashGuard {
  readonly #options: CrashGuardOptions;
  #hasTold = false;

  constructor(options: CrashGuardOptions) {
    this.#options = options;
    process.on('uncaughtException', (error) => this.bug(error));
    process.on('unhandledRejection', (reason) => this.bug(reason));
    app.on('render-process-gone', (_event, contents, { reason, exitCode }) => {
      options.logger.error('a page died', { reason, exitCode });
      if (reason !== 'clean-exit') void this.#offerReload(contents);
    });
    // The GPU process comes back by itself; it is enough to know.
    app.on('child-process-gone', (_event, { type, reason, exitCode }) => {
      if (reason !== 'clean-exit') options.logger.warn('a helper process died', { kind: type, reason, exitCode });
    });
    app.on('web-contents-created', (_event, contents) => {
      contents.on('unresponsive', () => options.logger.warn('a page does not respond'));
    });
  }

  /** Something threw where nothing should. The engine goes on; its sessions are worth more than our tidiness. */
  readonly bug = (error: unknown): void => {
    const { logger, logFolder, say } = this.#options;
    logger.error('unexpected error', { error });
    if (this.#hasTold) return;
    this.#hasTold = true;
    say('Something in Baton failed.', `Your sessions go on. Where it happened is written in ${logFolder}.`);
  };

  async #offerReload(contents: WebContents): Promise<void> {
    const window = BrowserWindow.fromWebContents(contents);
    if (window === null || window.isDestroyed()) return;
    const { response } = await dialog.showMessageBox(window, {
      type: 'error',
      title: 'Baton',
      message: 'This window has crashed.',
      detail: 'Its sessions go on. Reload to see them again; nothing is lost.',
      buttons: ['Reload', 'Close window'],
      defaultId: 0,
      cancelId: 0,
      noLink: true,
    });
    if (window.isDestroyed()) return;
    if (response === 0) contents.reload();
    else window.destroy();
  }
}
