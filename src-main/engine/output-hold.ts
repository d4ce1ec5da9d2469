/** Output that waits for the store, or for the terminal of the one who drives, before the program is held back; and when it goes on. */
const HOLD_ABOVE_BYTES = 1024 * 1024;
const RELEASE_BELOW_BYTES = 256 * 1024;

export type HoldReason = 'store' | 'disk' | 'driver';

/** Holds a program's output back while anyone who must not be outrun is too far behind. */
export class OutputHold {
  readonly #reasons = new Set<HoldReason>();
  readonly #onChange: (isHeld: boolean) => void;
  #isOff = false;

  constructor(onChange: (isHeld: boolean) => void) {
    this.#onChange = onChange;
  }

  /** `why` is so many bytes behind now. */
  update(why: HoldReason, bytes: number): void {
    if (this.#isOff) return;
    const wasHeld = this.#reasons.size > 0;
    if (bytes > HOLD_ABOVE_BYTES) this.#reasons.add(why);
    else if (bytes <= RELEASE_BELOW_BYTES) this.#reasons.delete(why);
    const isHeld = this.#reasons.size > 0;
    if (isHeld !== wasHeld) this.#onChange(isHeld);
  }

  /** The program is to end: whoever does not read any more must not keep it from that. */
  turnOff(): void {
    this.#isOff = true;
    this.#reasons.clear();
    this.#onChange(false);
  }

  /** Another program begins. */
  turnOn(): void {
    this.#isOff = false;
    this.#reasons.clear();
  }
}
