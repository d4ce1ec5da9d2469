import { type IPty, spawn as spawnNodePty } from 'node-pty';
import type { PtySpawn } from './pty-host-protocol.ts';
import { exitOf, type HostedPty, type HostedPtyEvents } from './pty-host-pty.ts';

/** While reading is paused, how often it is looked whether the program has ended meanwhile. */
const EXIT_LOOK_MS = 100;

/**
 * A pty on Windows (ConPTY). node-pty waits for silence after the exit before it reports it, so the output is complete; but a
 * paused reader is silent too and would lose what is left. So while reading is paused, an ended program ends the pause.
 */
export function openWindowsPty(spawn: PtySpawn, events: HostedPtyEvents): HostedPty {
  return new WindowsPty(spawn, events);
}

class WindowsPty implements HostedPty {
  private readonly pty: IPty;
  private readonly exited: Promise<void>;
  private hasExited = false;
  private exitLook: NodeJS.Timeout | null = null;

  constructor(spawn: PtySpawn, events: HostedPtyEvents) {
    const { useConpty, useConptyDll, conptyInheritCursor } = spawn.options;
    this.pty = spawnNodePty(spawn.file, [...spawn.args], {
      name: spawn.term,
      cols: spawn.cols,
      rows: spawn.rows,
      cwd: spawn.cwd,
      env: { ...spawn.env },
      ...(useConpty === undefined ? {} : { useConpty }),
      ...(useConptyDll === undefined ? {} : { useConptyDll }),
      ...(conptyInheritCursor === undefined ? {} : { conptyInheritCursor }),
    });
    this.pty.onData((text) => events.onData(Buffer.from(text, 'utf8')));
    this.exited = new Promise((resolve) => {
      this.pty.onExit(({ exitCode }) => {
        this.hasExited = true;
        this.stopLooking();
        events.onExit(exitOf(exitCode, undefined));
        resolve();
      });
    });
  }

  get pid(): number {
    return this.pty.pid;
  }

  write(data: Uint8Array): void {
    if (!this.hasExited) this.pty.write(Buffer.from(data));
  }

  resize(cols: number, rows: number): void {
    // ConPTY throws when the program ended and the exit is not reported yet.
    if (!this.hasExited && this.isAlive()) this.pty.resize(cols, rows);
  }

  setReading(isReading: boolean): void {
    this.stopLooking();
    if (this.hasExited) return;
    if (isReading) {
      this.pty.resume();
      return;
    }
    this.pty.pause();
    this.exitLook = setInterval(() => {
      if (!this.isAlive()) this.setReading(true);
    }, EXIT_LOOK_MS);
  }

  /** There is no polite signal on Windows: node-pty ends everything in the console. */
  async end(): Promise<void> {
    if (!this.hasExited) this.pty.kill();
    await this.exited;
  }

  private isAlive(): boolean {
    try {
      process.kill(this.pty.pid, 0);
      return true;
    } catch {
      return false;
    }
  }

  private stopLooking(): void {
    if (this.exitLook !== null) clearInterval(this.exitLook);
    this.exitLook = null;
  }
}
