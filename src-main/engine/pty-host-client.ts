/**
 * Main's side of the pty host: the small process that holds the ptys, so that no busy loop in main can lose their output.
 */

/** The pty host's process, however it was started: a utility process in Electron, a forked one in plain Node. */
export interface PtyHostProcess {
  readonly pid: number | undefined;
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the process is gone or could not be started. */
  onExit(listener: (reason: string) => void): void;
  kill(): void;
}
export type SpawnPtyHost = () => PtyHostProcess;

export interface PtySpawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cols: number;
  readonly rows: number;
  /** TERM inside. */
  readonly term: string;
  /** node-pty's further options, already checked. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export interface PtyExit {
  readonly exitCode: number | null;
  /** By name, such as SIGKILL. */
  readonly signal: string | null;
  /** Why, when the program did not end by itself (the pty host died). */
  readonly reason: string | null;
}

export interface PtyEvents {
  /** In order, all of it before `onExit`. First chunk at once, then about every 4 ms or 64 KB. */
  onOutput(bytes: Uint8Array): void;
  /** Typed bytes were thrown away because the program does not read. */
  onInputLost(bytes: number): void;
  onExit(exit: PtyExit): void;
}

export interface Pty {
  readonly pid: number;
  write(data: Uint8Array): void;
  resize(cols: number, rows: number): void;
  pause(): void;
  resume(): void;
  /** SIGHUP, then SIGKILL after `graceMs`. Resolves after `onExit`. */
  close(graceMs: number): Promise<void>;
}

export interface PtyHost {
  /** Rejects with the reason when the program cannot be started. Starts a new host when there is none (any more). */
  spawn(request: PtySpawn, events: PtyEvents): Promise<Pty>;
  /** Ends every program and the host. */
  stop(graceMs: number): Promise<void>;
}

export declare function startPtyHost(spawn: SpawnPtyHost): PtyHost;
/** The pty host as a forked process of plain Node. */
export declare const forkPtyHost: SpawnPtyHost;
