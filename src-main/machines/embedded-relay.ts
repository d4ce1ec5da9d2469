import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod/mini';
import { cleanEnv } from '../child-env.ts';
import { entryPath } from '../entry-path.ts';
import type { Logger } from '../logger.ts';

export interface EmbeddedRelayOptions {
  /** Where it keeps its state. */
  readonly folder: string;
  readonly logger: Logger;
  /** It runs, or runs no longer. */
  readonly onChange: () => void;
  readonly onNotice: (message: string) => void;
}

export interface WantedRelay {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** `relayKey`: hex. */
const Ready = z.object({ pid: z.int(), port: z.int(), url: z.string(), relayKey: z.string() });
export interface ServingRelay extends z.infer<typeof Ready> {
  readonly host: string;
}

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;
/** One that ran so long was a good one: the next failure is retried soon. */
const GOOD_AFTER_MS = 60_000;
const STOP_GRACE_MS = 5_000;
/** Of the user's, one behind the other; an older one's state is not thrown away by a new one. */
const WORKSPACES = 8;

/** The relay inside this engine: `baton relay` as a child process, as the settings want it, started again when it dies. */
export class EmbeddedRelay {
  readonly #options: EmbeddedRelayOptions;
  #wanted: WantedRelay | null = null;
  #child: ChildProcess | null = null;
  #serving: ServingRelay | null = null;
  #failure: string | null = null;
  #attempt = 0;
  #retry: NodeJS.Timeout | null = null;
  /** The port that it got when it could take any: it stays the same when it is started again. */
  #lastPort = 0;
  #changing: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  constructor(options: EmbeddedRelayOptions) {
    this.#options = options;
  }

  /** Null while it does not run. */
  get serving(): ServingRelay | null {
    return this.#serving;
  }
  /** Why it does not run though it should. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Null: none. Resolves when the one before has ended; the new one is then starting. */
  follow(wanted: WantedRelay | null): Promise<void> {
    this.#changing = this.#changing.then(async () => {
      if (JSON.stringify(wanted) === JSON.stringify(this.#wanted)) return;
      this.#wanted = null;
      await this.#end();
      this.#wanted = wanted;
      this.#lastPort = 0;
      this.#attempt = 0;
      this.#failure = null;
      if (wanted !== null) this.#start(wanted);
      this.#changed();
    });
    return this.#changing;
  }

  /** Resolves when it runs or has failed to; at once where none is wanted. */
  async settled(): Promise<void> {
    await this.#changing;
    while (this.#wanted !== null && this.#serving === null && this.#failure === null) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  stop(): Promise<void> {
    return this.follow(null);
  }

  #start(wanted: WantedRelay): void {
    const { folder, logger } = this.#options;
    const port = wanted.port === 0 ? this.#lastPort : wanted.port;
    const args = ['relay', 'run', '--host', wanted.host, '--port', String(port), '--data', join(folder, 'relay')];
    const child = spawn(
      process.execPath,
      [entryPath('cli'), ...args, '--workspaces', String(WORKSPACES), '--embedded', '--json'],
      {
        env: { ...cleanEnv(process.env), BATON_HOME: folder, BATON_LOG: 'warn', ELECTRON_RUN_AS_NODE: '1' },
        // It ends when its stdin does: also when this process is killed.
        stdio: ['pipe', 'pipe', 'pipe'],
        windowsHide: true,
      },
    );
    this.#child = child;
    const startedMs = Date.now();
    let lastWords = '';
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (line) => this.#heard(child, wanted, line));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith(SAID)) lastWords = line.slice(SAID.length);
    });
    child.once('error', (error) => this.#ended(child, error.message, startedMs));
    child.once('close', (code, signal) => {
      logger.info('the embedded relay has ended', { exitCode: code, signal });
      this.#ended(child, lastWords || `it ended with ${signal ?? `code ${code}`}.`, startedMs);
    });
  }

  #heard(child: ChildProcess, { host }: WantedRelay, line: string): void {
    if (child !== this.#child || this.#serving !== null) return;
    const ready = Ready.safeParse(JSON.parse(line));
    if (!ready.success) return;
    this.#serving = { ...ready.data, host };
    this.#lastPort = ready.data.port;
    this.#failure = null;
    this.#options.logger.info('the embedded relay listens', { count: ready.data.port });
    this.#changed();
  }

  #ended(child: ChildProcess, why: string, startedMs: number): void {
    if (child !== this.#child) return;
    this.#child = null;
    const wanted = this.#wanted;
    const ran = this.#serving !== null;
    this.#serving = null;
    if (wanted === null) return;
    if (ran && Date.now() - startedMs >= GOOD_AFTER_MS) this.#attempt = 0;
    if (!ran && this.#failure === null) {
      this.#options.onNotice(`The relay on this machine does not run: ${why} Sessions are not affected.`);
    }
    this.#failure = why;
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempt++);
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#start(wanted);
    }, delayMs);
    this.#changed();
  }

  async #end(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    const child = this.#child;
    this.#child = null;
    this.#serving = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
      child.once('close', () => {
        clearTimeout(force);
        resolve();
      });
      child.stdin?.end();
    });
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    this.#options.onChange();
  }
}

const SAID = 'baton: ';
