import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ReadStream } from 'node:tty';
import * as nodePty from 'node-pty';
import { endProcesses } from './pty-host-end.ts';
import { InputQueue } from './pty-host-input.ts';
import type { PtySpawn } from './pty-host-protocol.ts';
import { exitOf, type HostedPty, type HostedPtyEvents } from './pty-host-pty.ts';

declare module 'node-pty' {
  /** node-pty's own binding; null on Windows. Not in its typings: the version is pinned for it. */
  export const native: {
    fork(
      file: string,
      args: readonly string[],
      env: readonly string[],
      cwd: string,
      cols: number,
      rows: number,
      uid: number,
      gid: number,
      utf8: boolean,
      helperPath: string,
      onExit: (exitCode: number, signal: number) => void,
    ): { readonly fd: number; readonly pid: number; readonly pty: string };
    resize(fd: number, cols: number, rows: number): void;
  } | null;
}

/** What is read in one go. One buffer for all ptys: its content is handed on before the next read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
/** After its exit a program's output is read until the terminal is empty; background jobs that go on writing are cut off here. */
const MAX_BYTES_AFTER_EXIT = 1024 * 1024;

/**
 * A pty on Linux and macOS, on node-pty's binding but not on its Terminal class: that one stops reading 200 ms after the exit
 * and takes a hang-up for the end of the output, so that fast programs, and slow readers, lose the tail. Here the exit is
 * reported after the terminal has been read empty.
 */
export function openUnixPty(spawn: PtySpawn, events: HostedPtyEvents): HostedPty {
  return new UnixPty(spawn, events);
}

class UnixPty implements HostedPty {
  readonly pid: number;
  private readonly fd: number;
  /**
   * Linux: as long as someone holds the terminal's other side open there is no hang-up, which libuv would take for the end
   * of the stream although the kernel still holds output. -1: not held.
   */
  private heldFd = -1;
  private readonly stream: ReadStream;
  private readonly input: InputQueue;
  private readonly events: HostedPtyEvents;
  /** Between the start and the exit. */
  private isOpen = false;
  private readonly exited: Promise<void>;

  constructor(spawn: PtySpawn, events: HostedPtyEvents) {
    this.events = events;
    if (nodePty.native === null) throw new Error('node-pty has no Unix binding here');
    let onExited = (): void => {};
    this.exited = new Promise((resolve) => {
      onExited = resolve;
    });
    const { options } = spawn;
    const env = Object.entries({ ...spawn.env, TERM: spawn.term, PWD: spawn.cwd }).map(([key, value]) => `${key}=${value}`);
    const { fd, pid, pty } = nodePty.native.fork(
      spawn.file,
      spawn.args,
      env,
      spawn.cwd,
      spawn.cols,
      spawn.rows,
      options.uid ?? -1,
      options.gid ?? -1,
      options.encoding !== 'latin1',
      spawnHelperPath(),
      (exitCode, signal) => {
        if (this.isOpen) this.onExit(exitCode, signal);
        onExited();
      },
    );
    this.fd = fd;
    this.pid = pid;
    this.input = new InputQueue(fd, (bytes) => events.onInputLost(bytes));
    try {
      if (process.platform === 'linux') this.heldFd = openSync(pty, constants.O_RDWR | constants.O_NOCTTY);
      this.stream = this.read();
    } catch (error) {
      // No more descriptors: a program whose output cannot be read must not run.
      process.kill(pid, 'SIGKILL');
      closeSync(fd);
      if (this.heldFd !== -1) closeSync(this.heldFd);
      throw error;
    }
    this.isOpen = true;
  }

  write(data: Uint8Array): void {
    if (this.isOpen) this.input.push(data);
  }

  resize(cols: number, rows: number): void {
    if (this.isOpen) nodePty.native?.resize(this.fd, cols, rows);
  }

  setReading(isReading: boolean): void {
    if (!this.isOpen || this.stream.destroyed) return;
    if (isReading) this.stream.resume();
    else this.stream.pause();
  }

  async end(graceMs: number): Promise<void> {
    await endProcesses(this.pid, this.exited, graceMs);
    await this.exited;
  }

  private read(): ReadStream {
    const onread = {
      buffer: readBuffer,
      callback: (length: number): boolean => {
        if (this.isOpen) this.events.onData(readBuffer.subarray(0, length));
        return true;
      },
    };
    // A socket's documented `onread` reads into one buffer instead of making one per 4 KB; ReadStream hands its options on.
    const options: ConstructorParameters<typeof ReadStream>[1] & { onread: typeof onread } = { onread };
    const stream = new ReadStream(this.fd, options);
    // EIO: every holder of the other side is gone (macOS). Not an error: the exit follows, and with it what is left to read.
    stream.on('error', () => {});
    stream.resume();
    return stream;
  }

  private onExit(exitCode: number, signal: number): void {
    this.stream.pause();
    if (!this.stream.destroyed) this.readRest();
    this.isOpen = false;
    this.input.stop();
    if (this.heldFd !== -1) closeSync(this.heldFd);
    // Closes the pty's descriptor.
    this.stream.destroy();
    this.events.onExit(exitOf(exitCode, signal));
  }

  private readRest(): void {
    for (let rest = MAX_BYTES_AFTER_EXIT; rest > 0; ) {
      const length = readSoFar(this.fd);
      if (length === 0) return;
      this.events.onData(readBuffer.subarray(0, length));
      rest -= length;
    }
  }
}

/** Reads without waiting; 0: there is nothing (EAGAIN) or there never will be (EIO on Linux, end of file on macOS). */
function readSoFar(fd: number): number {
  try {
    return readSync(fd, readBuffer);
  } catch {
    return 0;
  }
}

let helperPath: string | null = null;
/** macOS: the small program through which node-pty starts others, looked for where node-pty looks for its binding. */
function spawnHelperPath(): string {
  if (process.platform !== 'darwin') return '';
  if (helperPath !== null) return helperPath;
  const root = dirname(createRequire(import.meta.url).resolve('node-pty/package.json')).replace(
    /app\.asar(?!\.unpacked)/,
    'app.asar.unpacked',
  );
  const folders = ['build/Release', 'build/Debug', `prebuilds/${process.platform}-${process.arch}`];
  const found = folders.map((folder) => join(root, folder, 'spawn-helper')).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`node-pty's spawn-helper is missing below ${root}`);
  helperPath = found;
  return found;
}
