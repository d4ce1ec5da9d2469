import type { CloseReason } from './refusal.ts';

/**
 * A two-way pipe of whole frames, in order. MessagePort, WebSocket, Unix socket and the in-memory pair are wires; nothing above
 * this line knows which. A frame handed to `send` is never touched again by the sender.
 */
export interface Wire {
  /** Sends one frame; after close it does nothing. */
  send(frame: Uint8Array): void;
  /** Bytes accepted by `send` that have not left this process yet; 0 where the transport cannot tell. */
  readonly bufferedBytes: number;
  /** Frames are delivered from the moment this is set; frames that came earlier are kept and delivered first. */
  onFrame: ((frame: Uint8Array) => void) | null;
  /** Called once, whoever closed. */
  onClose: ((why: CloseReason) => void) | null;
  close(why: CloseReason): void;
  /** After the end: the frames that the other end is known not to have taken, nor ever to take. Absent where nobody can know. */
  readonly untaken?: readonly Uint8Array[];
}

/** What delivers a frame later than now: tests give one that they step by hand. */
export type Schedule = (deliver: () => void) => void;

class PairEnd implements Wire {
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  onClose: ((why: CloseReason) => void) | null = null;
  peer: PairEnd | null = null;
  #early: Uint8Array[] = [];
  #schedule: Schedule;
  #closed = false;
  bufferedBytes = 0;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }
  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    while (this.#onFrame && this.#early.length > 0) this.#onFrame(this.#early.shift() as Uint8Array);
  }
  send(frame: Uint8Array): void {
    if (this.#closed) return;
    this.bufferedBytes += frame.byteLength;
    this.#schedule(() => {
      this.bufferedBytes -= frame.byteLength;
      this.peer?.receive(frame);
    });
  }
  receive(frame: Uint8Array): void {
    if (this.#closed) return;
    if (this.#onFrame) this.#onFrame(frame);
    else this.#early.push(frame);
  }
  close(why: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    const peer = this.peer;
    // Behind what was sent before it, as on a socket.
    this.#schedule(() => peer?.close(why));
    this.onClose?.(why);
  }
}

/** Two ends of one wire in this process. By default frames are delivered in a microtask. */
export function wirePair(schedule: Schedule = (deliver) => queueMicrotask(deliver)): [Wire, Wire] {
  const a = new PairEnd(schedule);
  const b = new PairEnd(schedule);
  a.peer = b;
  b.peer = a;
  return [a, b];
}
