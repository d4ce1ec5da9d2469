import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import type { AttachmentListener, ClientAttachment, RunSessionClient } from '../../src-shared/client.ts';
import { type LogEvent, readEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId, type Seq } from '../../src-shared/ids.ts';
import type { Screen } from '../../src-shared/operations.ts';
import { DetachKeys } from './detach-keys.ts';
import { EXIT, Failure } from './failure.ts';
import { type Left, leftBy } from './left.ts';
import { TerminalQueries } from './terminal-queries.ts';

export interface TerminalOptions {
  /** null: begin with the screen as it is now; otherwise with everything after this event. */
  readonly after: Seq | null;
  readonly detachKeys: Uint8Array;
  readonly isReadOnly: boolean;
  /** Asks the program to take this terminal's size. */
  readonly fitsWindow: boolean;
}

const CLEAR = '\x1b[H\x1b[2J';

/** This terminal becomes a window on the session's, until it ends or the detach keys are typed. */
export async function attachTerminal(client: RunSessionClient, runId: RunId, options: TerminalOptions): Promise<Left> {
  const terminal = new AttachedTerminal(client, runId, options);
  try {
    return await terminal.left;
  } finally {
    terminal.restore();
  }
}

class AttachedTerminal implements AttachmentListener {
  readonly left: Promise<Left>;
  readonly #client: RunSessionClient;
  readonly #runId: RunId;
  readonly #options: TerminalOptions;
  readonly #keys: DetachKeys;
  readonly #releases: (() => void)[] = [];
  #attachment: ClientAttachment;
  #queries = new TerminalQueries();
  #leave: (left: Left) => void = () => {};
  #fail: (error: Error) => void = () => {};
  /** The screen that was shown first is another size: when the program has taken ours, the host's screen is asked for once more. */
  #wantsReflow = false;
  #isRestored = false;
  /** As far as the log went when the session was attached. */
  #lastSeq: number = NO_SEQ;
  /** What is shown came from the session's host in place of its log. */
  #isAhead = false;

  constructor(client: RunSessionClient, runId: RunId, options: TerminalOptions) {
    this.#client = client;
    this.#runId = runId;
    this.#options = options;
    this.#keys = new DetachKeys(options.detachKeys);
    this.left = new Promise((resolve, reject) => {
      this.#leave = resolve;
      this.#fail = reject;
    });
    this.#open();
    this.#attachment = this.#attach(options.after);
  }

  onStart({ screen, lastSeq }: { readonly screen: Screen | null; readonly lastSeq: Seq }): void {
    this.#lastSeq = lastSeq;
    // What is on screen now moves up into the scrollback, and what was switched on is switched off. Not one screen a second, though.
    const kept = this.#isAhead ? '' : '\n'.repeat(process.stdout.rows);
    this.#isAhead = screen !== null && screen.seq > lastSeq;
    process.stdout.write(`${this.#queries.restore()}${kept}${CLEAR}`);
    this.#queries = new TerminalQueries();
    if (screen === null) return;
    process.stdout.write(this.#queries.pass(Buffer.from(screen.data)));
    const size = this.#size();
    this.#wantsReflow = size !== null && (size.cols !== screen.cols || size.rows !== screen.rows);
  }

  onEvents(events: readonly LogEvent[]): void {
    for (const event of events) {
      if (event.channel === 'pty:stdout' && event.payload instanceof Uint8Array) this.#show(event.payload);
      else if (event.channel === 'pty:resize' && this.#wantsReflow) this.#reflow(event);
    }
    this.#leaveWhenOver();
  }

  onState(): void {
    this.#leaveWhenOver();
  }

  /** Not before the last output: the state that comes with an attachment is ahead of the events that follow it. */
  #leaveWhenOver(): void {
    const { state, cursor } = this.#attachment;
    if (state === null || (cursor ?? 0) < this.#lastSeq) return;
    const left = leftBy(state);
    if (left !== null) this.#leave(left);
  }

  onRefused(refusal: { readonly message: string; readonly hint: string | null }): void {
    this.#fail(new Failure(EXIT.failed, refusal.message, refusal.hint));
  }

  /** Gives this terminal back as it was. */
  restore(): void {
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#attachment.detach();
    for (const release of this.#releases.reverse()) release();
    // Onto a line of its own: a whole line of blanks wraps unless the cursor was at its beginning.
    const newLine = `\x1b[0m${' '.repeat(Math.max(0, process.stdout.columns - 1))}\r\x1b[J`;
    process.stdout.write(this.#queries.restore() + newLine);
  }

  #attach(after: Seq | null): ClientAttachment {
    return this.#client.attach(this.#runId, { after, viewport: () => this.#size() }, this);
  }

  #size(): { cols: number; rows: number } | null {
    const { fitsWindow, isReadOnly } = this.#options;
    return fitsWindow && !isReadOnly ? { cols: process.stdout.columns, rows: process.stdout.rows } : null;
  }

  #open(): void {
    const { stdin, stdout } = process;
    stdin.setRawMode(true);
    // Node's raw mode still turns LF into CR LF on the way out, and full-screen programs mean LF alone: one line down, same column.
    // What it saved at setRawMode(true) it puts back at setRawMode(false), this too. Windows has no such thing.
    if (process.platform !== 'win32') spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
    const onTyped = (typed: Buffer) => this.#handleTyped(typed);
    const onResize = () => {
      const size = this.#size();
      if (size !== null) this.#attachment.viewport(size.cols, size.rows);
    };
    // The window this runs in is closed, or the machine goes down: the session goes on.
    const onSignal = (signal: NodeJS.Signals) => {
      this.restore();
      process.exit(128 + constants.signals[signal]);
    };
    stdin.on('data', onTyped);
    stdin.on('end', this.#detached);
    stdout.on('resize', onResize);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    const forget = this.#client.onConnection(({ is }) => {
      if (is === 'stopped') this.restore();
    });
    this.#releases.push(() => {
      forget();
      stdin.off('data', onTyped);
      stdin.off('end', this.#detached);
      stdout.off('resize', onResize);
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
      stdin.setRawMode(false);
      stdin.pause();
    });
    stdin.resume();
  }

  readonly #detached = () => this.#leave({ is: 'detached' });

  #handleTyped(typed: Buffer): void {
    const { keys, isDetached } = this.#keys.take(typed);
    if (keys.length > 0 && !this.#options.isReadOnly) this.#attachment.keys(keys);
    if (isDetached) this.#detached();
  }

  #show(bytes: Uint8Array): void {
    // Counted as parsed once this terminal has taken them: one that is slow holds the program back, not the memory.
    const { length } = bytes;
    process.stdout.write(this.#queries.pass(bytes), () => this.#attachment.parsed(length));
  }

  #reflow(event: LogEvent): void {
    const known = readEvent(event);
    const size = this.#size();
    if (known?.channel !== 'pty:resize' || known.payload.cols !== size?.cols || known.payload.rows !== size.rows) return;
    this.#wantsReflow = false;
    this.#attachment = this.#attach(null);
  }
}
