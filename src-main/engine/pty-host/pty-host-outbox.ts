import type { Writable } from 'node:stream';
import { bytesFrame, FRAME_HEADER_BYTES, messageFrame } from './pty-host-frames.ts';
import { BATCH_BYTES, PROMPT_BYTES } from './pty-host-output.ts';
import type { FromPtyHostMessage } from './pty-host-protocol.ts';

/** Given to the socket and not taken by the kernel yet; beyond this frames wait here, where they can be overtaken. */
const UNDER_WAY_BYTES = BATCH_BYTES;
/** A frame up to this size waits for no other pty's: what a key echoes must not queue behind a flood. */
const SMALL_FRAME_BYTES = FRAME_HEADER_BYTES + PROMPT_BYTES;
/** Blocks kept for the next frames. */
const MAX_SPARE = 2;

/** The way to main. One pty's frames stay in order; ptys take turns. What waits is bounded by each pty's window. */
export class Outbox {
  #socket: Writable | null = null;
  #underWayBytes = 0;
  /** By pty, in the order of their turns. */
  readonly #waiting = new Map<number, Buffer[]>();
  readonly #spare: Buffer[] = [];

  /** Main is there. */
  open(socket: Writable): void {
    this.#socket = socket;
    this.#pump();
  }

  message(message: FromPtyHostMessage): void {
    this.#post(message.id, messageFrame(message));
  }

  /** The bytes are valid during the call only. */
  output(id: number, chunk: number, bytes: Uint8Array): void {
    const length = FRAME_HEADER_BYTES + bytes.length;
    this.#post(id, bytesFrame(id, chunk, bytes, this.#memory(length)));
  }

  #memory(length: number): Buffer {
    if (length <= SMALL_FRAME_BYTES) return Buffer.allocUnsafe(length);
    const block = this.#spare.pop() ?? Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + BATCH_BYTES);
    return block.subarray(0, length);
  }

  #recycle(frame: Buffer): void {
    const { buffer } = frame;
    if (buffer.byteLength !== FRAME_HEADER_BYTES + BATCH_BYTES || this.#spare.length >= MAX_SPARE) return;
    this.#spare.push(Buffer.from(buffer));
  }

  #post(id: number, frame: Buffer): void {
    const queue = this.#waiting.get(id);
    const isNext = frame.length <= SMALL_FRAME_BYTES || this.#underWayBytes < UNDER_WAY_BYTES;
    if (queue !== undefined) queue.push(frame);
    else if (this.#socket !== null && isNext) this.#write(this.#socket, frame);
    else this.#waiting.set(id, [frame]);
  }

  #write(socket: Writable, frame: Buffer): void {
    this.#underWayBytes += frame.length;
    // A failed write means that main is gone; the socket's end tells.
    socket.write(frame, () => {
      this.#underWayBytes -= frame.length;
      this.#recycle(frame);
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#socket !== null && this.#underWayBytes < UNDER_WAY_BYTES) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [id, queue] = next;
      this.#waiting.delete(id);
      const frame = queue.shift();
      if (queue.length > 0) this.#waiting.set(id, queue);
      if (frame !== undefined) this.#write(this.#socket, frame);
    }
  }
}
