import { createConnection, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MAX_FRAME_BYTES } from '../src-shared/protocol.ts';
import { CLOSE, type CloseReason } from '../src-shared/refusal.ts';
import type { Wire } from '../src-shared/wire.ts';

/**
 * A wire over a byte stream (Unix socket, named pipe): each frame behind its length, four bytes, big-endian. A length with the top
 * bit set is a goodbye: the rest is JSON {code, reason}.
 */
const HEADER_BYTES = 4;
const GOODBYE = 0x8000_0000;
const MAX_GOODBYE_BYTES = 4096;

class StreamWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #stream: Duplex;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isClosed = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', (error) => this.#closed({ code: 1006, reason: error.message }));
    stream.on('close', () => this.#closed({ code: 1006, reason: 'the other end is gone' }));
    stream.pause();
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    const isFirst = this.#onFrame === null && handler !== null;
    this.#onFrame = handler;
    if (isFirst) {
      this.#stream.on('data', (chunk: Buffer) => this.#receive(chunk));
      this.#stream.resume();
    }
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed || this.#stream.destroyed) return;
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE(frame.byteLength);
    this.#stream.cork();
    this.#stream.write(header);
    this.#stream.write(frame);
    // Not at once: frames sent in the same turn leave together.
    process.nextTick(() => this.#stream.uncork());
  }

  close(why: CloseReason): void {
    if (this.#isClosed) return;
    const words = Buffer.from(JSON.stringify(why)).subarray(0, MAX_GOODBYE_BYTES);
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE((GOODBYE | words.byteLength) >>> 0);
    this.#stream.end(Buffer.concat([header, words]));
    this.#closed(why);
  }

  #receive(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#bytes += chunk.byteLength;
    while (!this.#isClosed && this.#bytes >= HEADER_BYTES) {
      const header = this.#peek();
      const isGoodbye = header >= GOODBYE;
      const length = isGoodbye ? header - GOODBYE : header;
      if (length > (isGoodbye ? MAX_GOODBYE_BYTES : MAX_FRAME_BYTES)) {
        this.close({ ...CLOSE.malformedFrame, reason: `frame of ${length} bytes` });
        return;
      }
      if (this.#bytes < HEADER_BYTES + length) return;
      const frame = this.#take(HEADER_BYTES + length).subarray(HEADER_BYTES);
      if (isGoodbye) this.#goodbye(frame);
      else this.#onFrame?.(frame);
    }
  }

  /** The next frame's header. */
  #peek(): number {
    if ((this.#pieces[0] as Buffer).byteLength < HEADER_BYTES) this.#pieces = [Buffer.concat(this.#pieces)];
    return (this.#pieces[0] as Buffer).readUInt32BE();
  }

  #take(length: number): Buffer {
    const first = this.#pieces[0] as Buffer;
    this.#bytes -= length;
    if (first.byteLength >= length) {
      if (first.byteLength === length) this.#pieces.shift();
      else this.#pieces[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const all = Buffer.concat(this.#pieces);
    this.#pieces = all.byteLength === length ? [] : [all.subarray(length)];
    return all.subarray(0, length);
  }

  #goodbye(words: Buffer): void {
    let why: CloseReason = { code: 1006, reason: 'the other end closed' };
    try {
      const said: unknown = JSON.parse(words.toString());
      if (typeof said === 'object' && said !== null && 'code' in said && 'reason' in said) {
        why = { code: Number(said.code), reason: String(said.reason) };
      }
    } catch {
      // A goodbye without readable words is a goodbye all the same.
    }
    this.#stream.end();
    this.#closed(why);
  }

  #closed(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What is still to be written (a goodbye) gets its time; a peer that never reads does not get ours for ever.
    if (!this.#stream.destroyed) setTimeout(() => this.#stream.destroy(), 1_000).unref();
    this.onClose?.(why);
  }
}

export function streamWire(stream: Duplex): Wire {
  return new StreamWire(stream);
}

/** A socket connected to what listens at `path`; null where nothing does. Rejects with the system's error for any other reason. */
export function openSocket(path: string): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
  });
}
