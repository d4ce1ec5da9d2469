import type { PtyHostProcess } from './pty-host-link.ts';
import { type FromPtyHost, PTY_ACK_BYTES, type PtySpawn, type ToPtyHost } from './pty-host-protocol.ts';

/**
 * Main's side of the pty host: the small process that holds the ptys, so that no busy loop in main can lose their output.
 */

export type SpawnPtyHost = () => PtyHostProcess;

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
  /** SIGHUP, then SIGKILL after `graceMs`. Resolves after `onExit`, when nothing in the foreground is left either. */
  close(graceMs: number): Promise<void>;
}

export interface PtyHost {
  /** Rejects with the reason when the program cannot be started. Starts a new host when there is none (any more). */
  spawn(request: PtySpawn, events: PtyEvents): Promise<Pty>;
  /** Ends every program and the host; nothing can be spawned afterwards. */
  stop(graceMs: number): Promise<void>;
}

/** A host that is told to stop and does not is killed this long after its programs' grace. */
const STOP_MARGIN_MS = 1000;

export function startPtyHost(spawn: SpawnPtyHost): PtyHost {
  let connection: Connection | null = null;
  let isStopped = false;
  return {
    spawn: (request, events) => {
      if (isStopped) return Promise.reject(new Error('the pty host was stopped'));
      if (connection === null || connection.isGone) connection = new Connection(spawn());
      return connection.spawn(request, events);
    },
    stop: async (graceMs) => {
      isStopped = true;
      await connection?.stop(graceMs);
    },
  };
}

/** One life of a pty host. */
class Connection {
  isGone = false;
  private readonly process: PtyHostProcess;
  private readonly terminals = new Map<number, RemotePty>();
  private lastId = 0;
  private readonly gone: Promise<void>;

  constructor(process: PtyHostProcess) {
    this.process = process;
    process.onMessage((message) => this.handle(message));
    this.gone = new Promise((resolve) => {
      process.onExit((reason) => {
        if (!this.isGone) this.handleExit(reason);
        resolve();
      });
    });
  }

  spawn(request: PtySpawn, events: PtyEvents): Promise<Pty> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.terminals.set(id, new RemotePty(id, events, (message) => this.post(message), resolve, reject));
      this.post({ type: 'spawn', id, spawn: request });
    });
  }

  async stop(graceMs: number): Promise<void> {
    if (this.isGone) return;
    this.post({ type: 'stop', graceMs });
    const impatience = setTimeout(() => this.process.kill(), graceMs + STOP_MARGIN_MS);
    await this.gone;
    clearTimeout(impatience);
  }

  private post(message: ToPtyHost): void {
    if (!this.isGone) this.process.post(message);
  }

  private handle(message: FromPtyHost): void {
    if (this.isGone) return;
    const terminal = this.terminals.get(message.id);
    if (terminal === undefined) return;
    const broken = terminal.handle(message);
    if (broken !== null) {
      this.process.kill();
      this.handleExit(broken);
    } else if (terminal.isDone) this.terminals.delete(message.id);
  }

  private handleExit(reason: string): void {
    this.isGone = true;
    const terminals = [...this.terminals.values()];
    this.terminals.clear();
    for (const terminal of terminals) terminal.handleHostExit(`the process that holds the terminals is gone: ${reason}`);
  }
}

class RemotePty implements Pty {
  private state: 'starting' | 'running' | 'exited' = 'starting';
  private processId = 0;
  private chunks = 0;
  private handedBytes = 0;
  private ackedBytes = 0;
  private closing: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null;
  private readonly id: number;
  private readonly events: PtyEvents;
  private readonly post: (message: ToPtyHost) => void;
  private readonly onSpawned: (pty: Pty) => void;
  private readonly onRefused: (error: Error) => void;

  constructor(
    id: number,
    events: PtyEvents,
    post: (message: ToPtyHost) => void,
    onSpawned: (pty: Pty) => void,
    onRefused: (error: Error) => void,
  ) {
    this.id = id;
    this.events = events;
    this.post = post;
    this.onSpawned = onSpawned;
    this.onRefused = onRefused;
  }

  get pid(): number {
    return this.processId;
  }

  /** Nothing more will come for it. */
  get isDone(): boolean {
    return this.state === 'exited' && this.closing === null;
  }

  write(data: Uint8Array): void {
    if (this.state === 'running' && data.length > 0) this.post({ type: 'write', id: this.id, data });
  }

  resize(cols: number, rows: number): void {
    if (this.state === 'running') this.post({ type: 'resize', id: this.id, cols, rows });
  }

  pause(): void {
    if (this.state === 'running') this.post({ type: 'pause', id: this.id });
  }

  resume(): void {
    if (this.state === 'running') this.post({ type: 'resume', id: this.id });
  }

  close(graceMs: number): Promise<void> {
    if (this.closing !== null) return this.closing.promise;
    if (this.state === 'exited') return Promise.resolve();
    let resolve = (): void => {};
    const promise = new Promise<void>((settle) => {
      resolve = settle;
    });
    this.closing = { promise, resolve };
    this.post({ type: 'close', id: this.id, graceMs });
    return promise;
  }

  /** Returns what is wrong with the host when it breaks its promises. */
  handle(message: FromPtyHost): string | null {
    switch (message.type) {
      case 'spawned':
        this.state = 'running';
        this.processId = message.pid;
        this.onSpawned(this);
        return null;
      case 'refused':
        this.state = 'exited';
        this.onRefused(new Error(message.message));
        return null;
      case 'output':
        return this.handleOutput(message.chunk, message.data);
      case 'inputLost':
        this.events.onInputLost(message.bytes);
        return null;
      case 'exit': {
        if (message.chunks !== this.chunks) return `it lost output (${this.chunks} of ${message.chunks} chunks came)`;
        const { exitCode, signal } = message;
        this.exit({ exitCode, signal, reason: null });
        return null;
      }
      case 'closed':
        this.finishClosing();
        return null;
    }
  }

  /** The host is gone, and with it the terminals: the programs in them have been hung up; those that ignore that are killed. */
  handleHostExit(reason: string): void {
    if (this.state === 'starting') this.onRefused(new Error(reason));
    if (this.state === 'running') {
      try {
        process.kill(process.platform === 'win32' ? this.processId : -this.processId, 'SIGKILL');
      } catch {
        // ESRCH: the hang-up has ended it.
      }
      this.exit({ exitCode: null, signal: null, reason });
    }
    this.finishClosing();
  }

  private handleOutput(chunk: number, data: Uint8Array): string | null {
    if (chunk !== this.chunks + 1) return `it lost output (chunk ${this.chunks + 1} is missing)`;
    this.chunks = chunk;
    this.handedBytes += data.length;
    this.events.onOutput(data);
    if (this.handedBytes - this.ackedBytes >= PTY_ACK_BYTES) {
      this.ackedBytes = this.handedBytes;
      this.post({ type: 'ack', id: this.id, bytes: this.ackedBytes });
    }
    return null;
  }

  private exit(exit: PtyExit): void {
    this.state = 'exited';
    this.events.onExit(exit);
  }

  private finishClosing(): void {
    const closing = this.closing;
    this.closing = null;
    closing?.resolve();
  }
}
