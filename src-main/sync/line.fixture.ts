import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** 256 kbit/s. */
export const SLOW_BYTES_PER_SECOND = 32_000;
/** Several times as much as that line carries, of what cannot be made smaller, until it is interrupted. */
export const FLOOD = `trap 'trap - INT; printf "\\nstopped-here\\n$ "; exec cat' INT
while :; do head -c 4000 /dev/urandom | base64; sleep 0.02; done`;

/** So often what waits on a slow line moves on. */
const TICK_MS = 20;

/**
 * The line between a machine and its relay, as a TCP proxy that a test makes slow, silent or cuts.
 * `silent`: half-open, nothing comes through in the named direction and nobody is told.
 */
export class TestLine {
  readonly #server = createServer((near) => this.#handle(near));
  readonly #pairs = new Set<readonly [near: Socket, far: Socket]>();
  readonly #farPort: () => number;
  #isCut = false;
  #silent: 'none' | 'to-relay' | 'from-relay' | 'both' = 'none';
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Bytes that it has handed on. */
  readonly carried = { 'to-relay': 0, 'from-relay': 0 };
  /** Told of everything that the relay sends. */
  onFromRelay: (chunk: Buffer) => void = () => {};

  constructor(farPort: () => number) {
    this.#farPort = farPort;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Every connection ends, and none is made until `mend`. */
  cut(): void {
    this.#isCut = true;
    this.#endAll();
  }

  silence(direction: 'to-relay' | 'from-relay' | 'both'): void {
    this.#silent = direction;
  }

  slowDown(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** As good as new. What was silenced is lost: its connections end. */
  mend(): void {
    if (this.#silent !== 'none') this.#endAll();
    this.#isCut = false;
    this.#silent = 'none';
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.#endAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #endAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    this.#pairs.clear();
  }

  #handle(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(this.#farPort(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) {
      socket.setNoDelay(true);
      socket.on('close', end);
      // Its `close` follows.
      socket.on('error', () => {});
    }
    this.#carry(near, far, 'to-relay');
    this.#carry(far, near, 'from-relay');
  }

  #carry(from: Socket, to: Socket, direction: 'to-relay' | 'from-relay'): void {
    from.on('data', (chunk: Buffer) => {
      if (direction === 'from-relay') this.onFromRelay(chunk);
      if (this.#silent === direction || this.#silent === 'both') return;
      if (this.#bytesPerSecond < Number.POSITIVE_INFINITY) this.#trickle(from, to, chunk, direction);
      else {
        to.write(chunk);
        this.carried[direction] += chunk.byteLength;
      }
    });
  }

  #trickle(from: Socket, to: Socket, chunk: Buffer, direction: 'to-relay' | 'from-relay'): void {
    from.pause();
    const step = Math.max(1, Math.floor((this.#bytesPerSecond * TICK_MS) / 1_000));
    let at = 0;
    const move = () => {
      if (to.destroyed || from.destroyed) return;
      const some = chunk.subarray(at, at + step);
      to.write(some);
      this.carried[direction] += some.byteLength;
      at += step;
      if (at < chunk.byteLength) setTimeout(move, TICK_MS);
      else from.resume();
    };
    move();
  }
}
