import { newEvent } from '../../../src-shared/events.ts';
import type { LiveText } from '../../../src-shared/protocol.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { Pty, PtyExit, PtyHost } from '../pty-host/pty-host-client.ts';
import type { PtySpawn } from '../pty-host/pty-host-protocol.ts';
import type { Adapter, AdapterFactory, AdapterHost } from './adapter.ts';
import { commandOf, folderOf } from './pty-command.ts';
import { paneEnv } from './pty-env.ts';
import { withShellIntegration, writeShellScripts } from './pty-integration.ts';
import { readPtyOptions } from './pty-options.ts';

export interface PtyAdapterOptions {
  /** Where the shells' start-up scripts are written (0700); below the cache folder. */
  readonly shellIntegrationFolder: string;
  /** TERM_PROGRAM_VERSION. */
  readonly version: string;
}

const INTERRUPT = Buffer.from('\x03');

/**
 * Shown before a program that is started again: the one before may have left the terminal in any state. Ends a cut sequence and
 * a full-screen picture, then resets modes, colours, mouse and paste reports; what was written stays. The cursor is saved first:
 * leaving a full-screen picture restores it also where there was none, and would begin again at the top.
 */
const FRESH_START = Buffer.from(
  '\x18\x1b7\x1b[?1049l\x1b[!p\x1b[?1;9;1000;1002;1003;1004;1006;1016;2004;2026l\x1b>\x1b[?25h\x1b]8;;\x1b\\',
);

/** Terminals: the user's login shell or any command, in a pty that the pty host holds. */
export function ptyAdapter(ptyHost: PtyHost, options: PtyAdapterOptions): AdapterFactory {
  let areScriptsWritten = false;
  const scripts = (): string => {
    if (!areScriptsWritten) writeShellScripts(options.shellIntegrationFolder);
    areScriptsWritten = true;
    return options.shellIntegrationFolder;
  };
  return (host) => new PtyAdapter(host, ptyHost, options.version, scripts);
}

interface StartPlan {
  /** As the user knows it, without what shell integration adds. */
  readonly commandLine: string;
  readonly request: PtySpawn;
  readonly isRestart: boolean;
}

type Life =
  | { readonly kind: 'none' }
  | { readonly kind: 'starting'; readonly started: Promise<void> }
  | { readonly kind: 'running'; readonly pty: Pty };

class PtyAdapter implements Adapter {
  private life: Life = { kind: 'none' };
  private isOutputPaused = false;
  private isInputLossTold = false;
  private readonly host: AdapterHost;
  private readonly ptyHost: PtyHost;
  private readonly version: string;
  private readonly scripts: () => string;

  constructor(host: AdapterHost, ptyHost: PtyHost, version: string, scripts: () => string) {
    this.host = host;
    this.ptyHost = ptyHost;
    this.version = version;
    this.scripts = scripts;
  }

  async start(): Promise<void> {
    if (this.life.kind !== 'none')
      throw new RefusalError('bad-request', 'The terminal’s program runs already.', 'Close it first, then start it again.');
    const started = this.spawn(this.startPlan());
    this.life = { kind: 'starting', started };
    await started;
  }

  write(data: Uint8Array): void {
    if (this.life.kind === 'running') this.life.pty.write(data);
  }

  resize(cols: number, rows: number): void {
    if (this.life.kind === 'running') this.life.pty.resize(cols, rows);
  }

  async prompt(): Promise<void> {
    throw new RefusalError('unsupported', 'A terminal takes keys, not prompts.', 'Type into it instead.');
  }

  async answer(): Promise<void> {
    throw new RefusalError('unsupported', 'A terminal asks for no permissions.');
  }

  async interrupt(): Promise<void> {
    this.write(INTERRUPT);
  }

  async setOptions(): Promise<void> {
    throw new RefusalError('unsupported', 'A terminal has no model or permission mode.');
  }

  pauseOutput(): void {
    this.isOutputPaused = true;
    if (this.life.kind === 'running') this.life.pty.pause();
  }

  resumeOutput(): void {
    this.isOutputPaused = false;
    if (this.life.kind === 'running') this.life.pty.resume();
  }

  liveTexts(): readonly LiveText[] {
    return [];
  }

  async close(graceMs: number): Promise<void> {
    if (this.life.kind === 'starting') await this.life.started.catch(() => {}); // `start` has told its caller.
    if (this.life.kind === 'running') await this.life.pty.close(graceMs);
  }

  private startPlan(): StartPlan {
    const { spec, state } = this.host;
    if (spec.kind !== 'pty') throw new RefusalError('bad-request', `A ${spec.kind} session is not a terminal.`);
    const options = readPtyOptions(spec.options, process.platform);
    const env = paneEnv(this.host.childEnv(), spec.env, this.version, process.platform);
    // A shell that is started again begins where the last one was; a command where it always does.
    const cwd = folderOf(spec.command === null ? state.cwd : spec.cwd, spec.cwd);
    const command = commandOf(spec, env, cwd);
    const start = spec.shellIntegration ? withShellIntegration(command, env, this.scripts()) : { ...command, env };
    const size = { cols: state.cols, rows: state.rows };
    return {
      isRestart: state.status === 'ended' || state.status === 'interrupted',
      commandLine: [command.file, ...command.args].join(' '),
      request: { file: start.file, args: [...start.args], cwd, env: start.env, ...size, term: spec.term, options },
    };
  }

  private async spawn({ commandLine, request, isRestart }: StartPlan): Promise<void> {
    // What the program says at once waits until the log says that it runs; null: it no longer has to.
    let early: (() => void)[] | null = [];
    let hasFailed = false;
    const inOrder = (tell: () => void): void => {
      if (early !== null) early.push(tell);
      else if (!hasFailed) tell();
    };
    let pty: Pty | null = null;
    try {
      this.isInputLossTold = false;
      pty = await this.ptyHost.spawn(request, {
        onOutput: (bytes) => inOrder(() => this.host.output(bytes)),
        onInputLost: (bytes) => inOrder(() => this.tellInputLost(bytes)),
        onExit: (exit) => inOrder(() => this.handleExit(exit)),
      });
      const recorded = this.host.child(pty.pid);
      const appended = this.host.append([newEvent('system:status', 'started', { pid: pty.pid, command: commandLine })]);
      await Promise.all([recorded, appended]);
    } catch (error) {
      hasFailed = true;
      early = null;
      await pty?.close(0);
      this.life = { kind: 'none' };
      throw error instanceof RefusalError ? error : startFailed(request.file, error);
    }
    this.life = { kind: 'running', pty };
    if (this.isOutputPaused) pty.pause();
    if (isRestart) this.host.output(FRESH_START);
    const waiting = early;
    early = null;
    for (const tell of waiting) tell();
  }

  private handleExit(exit: PtyExit): void {
    this.life = { kind: 'none' };
    this.isOutputPaused = false;
    // Left behind, the record is harmless: its process is gone when it is looked for at the next start.
    void this.host.child(null).catch(() => {});
    this.host.exited(exit);
  }

  private tellInputLost(bytes: number): void {
    if (this.isInputLossTold) return;
    this.isInputLossTold = true;
    const message = `${bytes} typed bytes were thrown away: the program does not read what is typed. Interrupt it, or wait until it reads again.`;
    // That the log cannot be written is told by whoever writes it.
    void this.host.append([newEvent('system:status', 'failed', { message })]).catch(() => {});
  }
}

function startFailed(file: string, error: unknown): RefusalError {
  const reason = error instanceof Error ? error.message : String(error);
  return new RefusalError('failed', `“${file}” could not be started: ${reason}`, 'Start it again, or choose another command.');
}
