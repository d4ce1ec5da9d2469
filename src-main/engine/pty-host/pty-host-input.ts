import { writeSync } from 'node:fs';
import { PTY_INPUT_BYTES } from './pty-host-protocol.ts';

/** While a program does not read, writing is tried again after 1 ms, then ever later up to this. */
const MAX_RETRY_MS = 32;

/**
 * Typed bytes on their way into a pty. Writes directly: the descriptor does not block, and libuv would wait in its loop for a
 * program that does not read.
 */
export class InputQueue {
  private readonly queue: Uint8Array[] = [];
  private queuedBytes = 0;
  private retryMs = 1;
  private timer: NodeJS.Timeout | null = null;
  private readonly fd: number;
  private readonly onLost: (bytes: number) => void;

  constructor(fd: number, onLost: (bytes: number) => void) {
    this.fd = fd;
    this.onLost = onLost;
  }

  push(data: Uint8Array): void {
    if (data.length === 0) return;
    if (this.queuedBytes + data.length > PTY_INPUT_BYTES) {
      this.onLost(data.length);
      return;
    }
    this.queue.push(data);
    this.queuedBytes += data.length;
    if (this.timer === null) this.drain();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.queue.length = 0;
    this.queuedBytes = 0;
  }

  private readonly drain = (): void => {
    this.timer = null;
    for (let data = this.queue[0]; data !== undefined; data = this.queue[0]) {
      const written = this.writeSome(data);
      if (written === 0) {
        this.timer = setTimeout(this.drain, this.retryMs);
        this.retryMs = Math.min(this.retryMs * 2, MAX_RETRY_MS);
        return;
      }
      this.retryMs = 1;
      this.queuedBytes -= written;
      if (written === data.length) this.queue.shift();
      else this.queue[0] = data.subarray(written);
    }
  };

  private writeSome(data: Uint8Array): number {
    try {
      return writeSync(this.fd, data);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
      // The other side is gone (EIO): nobody will ever read it. The exit says so.
      return data.length;
    }
  }
}
