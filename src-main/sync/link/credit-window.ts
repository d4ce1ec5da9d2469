import { FOLLOW_WINDOW_BYTES } from '../../../src-shared/relay-protocol.ts';
import { nextWindow } from './bulk-window.ts';

/** As much as a line of 256 kbit/s carries in a second. */
const FIRST_WINDOW_BYTES = 32 * 1024;
/** Less of the window than this share is not worth a message: neither to give it back, nor to try the line that carries so little. */
const WORTH_A_MESSAGE = 1 / 16;
/** The line is tried at most so often. */
const PROBE_EVERY_MS = 50;

/**
 * How many bytes of stored batches the relay may have on the way to this machine. What passes (keys, answers, screens) has to pass what
 * is on the way already; so that is as little as the line is slow. While batches come, a ping says how long the answer of a relay that
 * has sent everything in front of it takes, and how much came meanwhile.
 */
export class CreditWindow {
  #windowBytes = FIRST_WINDOW_BYTES;
  /** Given, and not come yet. */
  #givenBytes = 0;
  #cameBytes = 0;
  #probe: { readonly sentMs: number; readonly cameBytes: number } | null = null;
  #lastProbe = { sentMs: Number.NEGATIVE_INFINITY, cameBytes: 0 };
  /** Of an answer that nothing was in front of. */
  #quickestMs = Number.POSITIVE_INFINITY;

  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** The connection is another one, and a ping was sent on it. Returns what to give. */
  restart(nowMs: number): number {
    this.#windowBytes = FIRST_WINDOW_BYTES;
    this.#try(nowMs);
    this.#quickestMs = Number.POSITIVE_INFINITY;
    this.#givenBytes = 0;
    return this.#give();
  }

  /** Some of a batch is here: true where a ping is to be sent now. */
  came(bytes: number, nowMs: number): boolean {
    this.#cameBytes += bytes;
    const { sentMs, cameBytes } = this.#lastProbe;
    const isWorthIt = this.#cameBytes - cameBytes >= this.#windowBytes * WORTH_A_MESSAGE;
    if (this.#probe !== null || nowMs - sentMs < PROBE_EVERY_MS || !isWorthIt) return false;
    this.#try(nowMs);
    return true;
  }

  #try(nowMs: number): void {
    this.#probe = { sentMs: nowMs, cameBytes: this.#cameBytes };
    this.#lastProbe = this.#probe;
  }

  /** It is kept: room for as much, or for more or less where the window has changed. Returns what to give; 0: nothing now. */
  kept(bytes: number): number {
    this.#givenBytes -= bytes;
    return this.#give();
  }

  answered(nowMs: number): void {
    if (this.#probe === null) return;
    const tookMs = nowMs - this.#probe.sentMs;
    const carriedBytes = this.#cameBytes - this.#probe.cameBytes;
    this.#probe = null;
    this.#quickestMs = Math.min(this.#quickestMs, tookMs);
    this.#windowBytes = Math.min(FOLLOW_WINDOW_BYTES, nextWindow(this.#windowBytes, carriedBytes, tookMs - this.#quickestMs));
  }

  #give(): number {
    const bytes = this.#windowBytes - this.#givenBytes;
    if (bytes < this.#windowBytes * WORTH_A_MESSAGE) return 0;
    this.#givenBytes += bytes;
    return bytes;
  }
}
