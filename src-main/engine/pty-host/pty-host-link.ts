import { connect, type Socket } from 'node:net';
import { bytesFrame, FRAME_HEADER_BYTES, MalformedFrame, messageFrame, readFromPtyHost } from './pty-host-frames.ts';
import { type FromPtyHost, PtyHostListening, type ToPtyHost } from './pty-host-protocol.ts';

/** The pty host's process, as whoever started it has it: a utility process in Electron, a forked one in plain Node. */
export interface PtyHostChild {
  readonly pid: number | undefined;
  onMessage(listener: (message: unknown) => void): void;
  /** Called when the process is gone or could not be started. */
  onExit(listener: (reason: string) => void): void;
  kill(): void;
}

/** The pty host with its line. */
export interface PtyHostProcess {
  readonly pid: number | undefined;
  post(message: ToPtyHost): void;
  onMessage(listener: (message: FromPtyHost) => void): void;
  /** Called once, when the process is gone and everything that it sent has been handed on. */
  onExit(listener: (reason: string) => void): void;
  kill(): void;
}

/** More than a socket's buffers hold, so that one turn of the loop takes what is there and then lets others have theirs. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024);

export function linkPtyHost(child: PtyHostChild): PtyHostProcess {
  return new PtyHostLink(child);
}

class PtyHostLink implements PtyHostProcess {
  readonly #child: PtyHostChild;
  #socket: Socket | null = null;
  /** Posted before the host listens. */
  #early: Buffer[] = [];
  #onMessage: (message: FromPtyHost) => void = () => {};
  #onExit: (reason: string) => void = () => {};
  /** What was wrong with what it sent. */
  #fault: string | null = null;
  #exitReason: string | null = null;
  #isSocketOpen = false;

  constructor(child: PtyHostChild) {
    this.#child = child;
    child.onMessage((message) => this.#connect(message));
    child.onExit((reason) => {
      this.#exitReason = this.#fault ?? reason;
      this.#tellExit();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  post(message: ToPtyHost): void {
    const frame =
      message.type === 'write'
        ? bytesFrame(message.id, 0, message.data, Buffer.allocUnsafe(FRAME_HEADER_BYTES + message.data.length))
        : messageFrame(message);
    if (this.#socket === null) this.#early.push(frame);
    else if (this.#socket.writable) this.#socket.write(frame);
  }

  onMessage(listener: (message: FromPtyHost) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (reason: string) => void): void {
    this.#onExit = listener;
  }

  kill(): void {
    this.#child.kill();
  }

  #connect(message: unknown): void {
    const read = PtyHostListening.safeParse(message);
    if (!read.success || this.#socket !== null) {
      this.#give(`it sent something that is not a message (${read.error?.message ?? 'it listens already'})`);
      return;
    }
    const frames = readFromPtyHost((received) => this.#onMessage(received));
    const callback = (length: number): boolean => {
      try {
        if (this.#fault === null) frames.push(readBuffer.subarray(0, length));
      } catch (error) {
        if (!(error instanceof MalformedFrame)) throw error;
        this.#give(`it sent something that is not a message (${error.message})`);
      }
      return true;
    };
    const socket = connect({ path: read.data.address, onread: { buffer: readBuffer, callback } });
    this.#socket = socket;
    this.#isSocketOpen = true;
    for (const frame of this.#early.splice(0)) socket.write(frame);
    let isReached = false;
    socket.on('connect', () => {
      isReached = true;
    });
    socket.on('error', (error) => {
      // Of a line that breaks later the end of the process says more.
      if (!isReached) this.#give(`it cannot be reached: ${error.message}`);
    });
    socket.on('close', () => {
      this.#isSocketOpen = false;
      if (this.#exitReason === null) this.kill();
      this.#tellExit();
    });
  }

  /** Nothing of it is believed any longer. */
  #give(fault: string): void {
    this.#fault ??= fault;
    this.#socket?.destroy();
    this.kill();
  }

  #tellExit(): void {
    if (this.#exitReason !== null && !this.#isSocketOpen) this.#onExit(this.#exitReason);
  }
}
