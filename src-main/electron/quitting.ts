import { app, dialog } from 'electron';
import type { SessionSummary } from '../../src-shared/session.ts';
import { quitQuestion } from './quit-question.ts';
import type { Windows } from './windows.ts';

export interface QuittingOptions {
  readonly windows: Windows;
  /** What ends with this app: nothing, when the engine runs without it. */
  readonly ownSessions: () => readonly SessionSummary[];
  readonly confirms: () => boolean;
  /** Ends everything that this process holds. */
  readonly stop: () => Promise<void>;
  readonly onBug: (error: unknown) => void;
}

/** Programs get their grace periods and the log is closed; what takes longer than this is left to the next start. */
const STOP_WITHIN_MS = 15_000;

/** The one way out of the app: asks when something runs, ends it, and leaves. */
export class Quitting {
  readonly #options: QuittingOptions;
  #isAsking = false;
  #isLeaving = false;

  constructor(options: QuittingOptions) {
    this.#options = options;
    app.on('before-quit', (event) => {
      // Every way to quit (menu, dock, system) comes by here, and none of them waits.
      event.preventDefault();
      this.ask().catch(options.onBug);
    });
  }

  /** The user is just deciding what goes on: nothing needs to be said about it. */
  get isUnderWay(): boolean {
    return this.#isAsking || this.#isLeaving;
  }

  async ask(): Promise<void> {
    if (this.#isAsking || this.#isLeaving) return;
    const { ownSessions, confirms, windows } = this.#options;
    const question = confirms() ? quitQuestion(ownSessions()) : null;
    if (question === null) {
      await this.leave();
      return;
    }
    this.#isAsking = true;
    try {
      const answer = await this.#question(question);
      if (answer === 'end') await this.leave();
      else if (answer === 'keep') await windows.closeAll();
    } finally {
      this.#isAsking = false;
    }
  }

  /** Without asking: the user has answered, or the system wants us gone. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const { windows, stop, onBug } = this.#options;
    const late = new Promise<void>((resolve) => setTimeout(resolve, STOP_WITHIN_MS));
    await Promise.race([windows.closeForGood().then(stop).catch(onBug), late]);
    app.exit(0);
  }

  async #question({ message, detail }: { message: string; detail: string }): Promise<'keep' | 'end' | 'cancel'> {
    const answers = ['keep', 'end', 'cancel'] as const;
    const box = {
      type: 'question' as const,
      title: 'Quit Baton',
      message,
      detail,
      buttons: ['Keep running in the background', 'End them and quit', 'Cancel'],
      defaultId: 0,
      cancelId: 2,
      noLink: true,
    };
    const window = this.#options.windows.focused()?.browserWindow;
    const { response } = await (window ? dialog.showMessageBox(window, box) : dialog.showMessageBox(box));
    return answers[response] ?? 'cancel';
  }
}
