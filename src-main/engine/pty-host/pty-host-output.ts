import { PTY_WINDOW_BYTES } from './pty-host-protocol.ts';

/** Output is collected for this long while a program talks much. */
export const BATCH_MS = 4;
export const BATCH_BYTES = 64 * 1024;
/** As long as it talks little, as when it echoes keys, everything goes out at once: so many chunks and bytes in one interval. */
export const PROMPT_CHUNKS = 4;
export const PROMPT_BYTES = 4 * 1024;

export interface OutputSink {
  /** The bytes are valid during the call only. */
  send(bytes: Uint8Array): void;
  /** Reading is to go on or to stop. Called on changes only. */
  setReading(isReading: boolean): void;
}

/**
 * One pty's way out: joins what is read into few messages, and stops the reading while too much is under way. A character that
 * is cut by the end of a message waits for its rest, but not longer than one interval.
 */
export class OutputBatch {
  private block: Buffer | null = null;
  private used = 0;
  private timer: NodeJS.Timeout | null = null;
  private isHolding = false;
  /** Of the present interval. */
  private chunks = 0;
  private bytes = 0;
  /** The interval before was one of little talk. */
  private isCalm = true;
  private sentBytes = 0;
  private ackedBytes = 0;
  private isPaused = false;
  private isReading = true;
  private readonly sink: OutputSink;

  constructor(sink: OutputSink) {
    this.sink = sink;
  }

  push(bytes: Uint8Array): void {
    this.timer ??= setTimeout(this.onInterval, BATCH_MS);
    const isPrompt = this.used === 0 && this.isCalm && this.chunks < PROMPT_CHUNKS && this.bytes < PROMPT_BYTES;
    if (isPrompt) this.collect(bytes.subarray(this.send(bytes)));
    else this.collect(bytes);
  }

  /** Sends everything, a cut character too. */
  flush(): void {
    if (this.block !== null && this.used > 0) this.emit(this.block.subarray(0, this.used));
    this.used = 0;
    this.release();
  }

  acknowledge(totalBytes: number): void {
    this.ackedBytes = Math.max(this.ackedBytes, totalBytes);
    this.decideReading();
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.decideReading();
  }

  private collect(bytes: Uint8Array): void {
    let from = 0;
    while (from < bytes.length) {
      this.block ??= Buffer.allocUnsafeSlow(BATCH_BYTES);
      const room = Math.min(BATCH_BYTES - this.used, bytes.length - from);
      this.block.set(bytes.subarray(from, from + room), this.used);
      this.used += room;
      from += room;
      if (this.used === BATCH_BYTES) this.sendBlock();
    }
  }

  private sendBlock(): void {
    if (this.block === null) return;
    const sent = this.send(this.block.subarray(0, this.used));
    this.block.copyWithin(0, sent, this.used);
    this.used -= sent;
  }

  /** Sends all but a character that is cut by the end; returns how much that is. */
  private send(bytes: Uint8Array): number {
    const whole = bytes.length - cutCharacterBytes(bytes);
    if (whole > 0) this.emit(bytes.subarray(0, whole));
    return whole;
  }

  private emit(bytes: Uint8Array): void {
    this.sentBytes += bytes.length;
    this.bytes += bytes.length;
    this.chunks++;
    this.isHolding = false;
    this.sink.send(bytes);
    this.decideReading();
  }

  private readonly onInterval = (): void => {
    this.timer = null;
    if (this.used === 0 && this.chunks === 0) {
      this.release();
      return;
    }
    const sent = this.sentBytes;
    if (this.isHolding) this.flush();
    else if (this.used > 0) this.sendBlock();
    // Only a cut character is there: if its rest has not come by the next interval, it goes out as it is.
    this.isHolding = this.used > 0 && this.sentBytes === sent;
    this.isCalm = this.bytes < PROMPT_BYTES;
    this.bytes = 0;
    this.chunks = 0;
    this.timer ??= setTimeout(this.onInterval, BATCH_MS);
  };

  /** An idle terminal holds no block. */
  private release(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.block = null;
    this.isHolding = false;
    this.isCalm = true;
  }

  private decideReading(): void {
    const underWay = this.sentBytes - this.ackedBytes;
    // Half the window must be free before reading goes on, so that a flood does not stop and go at every acknowledgement.
    const bound = this.isReading ? PTY_WINDOW_BYTES : PTY_WINDOW_BYTES / 2;
    const isReading = !this.isPaused && underWay < bound;
    if (isReading === this.isReading) return;
    this.isReading = isReading;
    this.sink.setReading(isReading);
  }
}

/** How many bytes at the end begin a UTF-8 character whose rest is missing: 0 to 3. */
export function cutCharacterBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}
