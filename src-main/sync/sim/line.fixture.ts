import { CLOSE, type CloseReason } from '../../../src-shared/refusal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import type { Agenda } from '../../engine/sim.fixture.ts';

export type Direction = 'to-relay' | 'from-relay';
const CUT: CloseReason = { code: 1006, reason: 'the line was cut' };

/** What becomes of a frame on its way: nothing, itself, or something else. */
export type Meddle = (direction: Direction, frame: Uint8Array) => readonly Uint8Array[];

interface LineOptions {
  readonly agenda: Agenda;
  /** Frames arrive in these lanes, each direction in its order. */
  readonly lanes: Readonly<Record<Direction, string>>;
  readonly meddle: Meddle;
}

class End implements Wire {
  bufferedBytes = 0;
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #line: Line;
  readonly #direction: Direction;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];
  #isClosed = false;

  constructor(line: Line, direction: Direction) {
    this.#line = line;
    this.#direction = direction;
  }
  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    for (const frame of this.#early.splice(0)) handler?.(frame);
  }
  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.#line.carry(this.#direction, frame, this);
  }
  receive(frame: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#onFrame === null) this.#early.push(frame);
    else this.#onFrame(frame);
  }
  close(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#line.closed(this.#direction, why);
    this.closed(why);
  }
  closed(why: CloseReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.(why);
  }
}

/** One connection between a machine and a relay: late, silent or cut as the simulation likes. */
export class Line {
  readonly machineEnd: Wire;
  readonly relayEnd: Wire;
  /** Half-open: what goes there vanishes, and nobody is told. */
  readonly silent = new Set<Direction>();
  readonly #options: LineOptions;
  readonly #ends: Readonly<Record<Direction, End>>;
  #isCut = false;

  constructor(options: LineOptions) {
    this.#options = options;
    // By what each of them sends.
    this.#ends = { 'to-relay': new End(this, 'to-relay'), 'from-relay': new End(this, 'from-relay') };
    this.machineEnd = this.#ends['to-relay'];
    this.relayEnd = this.#ends['from-relay'];
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  carry(direction: Direction, frame: Uint8Array, from: End): void {
    from.bufferedBytes += frame.byteLength;
    this.#later(direction, () => {
      from.bufferedBytes -= frame.byteLength;
      if (this.#isCut || this.silent.has(direction)) return;
      for (const arriving of this.#options.meddle(direction, frame)) this.#to(direction).receive(arriving);
    });
  }

  /** Said in the name of the end that sends in this direction. */
  forge(direction: Direction, frame: Uint8Array): void {
    this.#later(direction, () => {
      if (!this.#isCut) this.#to(direction).receive(frame);
    });
  }

  closed(direction: Direction, why: CloseReason): void {
    this.#later(direction, () => {
      if (!this.silent.has(direction)) this.#to(direction).closed(why);
    });
  }

  /** What is on the way is lost, and both ends hear of it. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    for (const direction of ['to-relay', 'from-relay'] as const) {
      this.#later(direction, () => this.#to(direction).closed(CUT));
    }
  }

  /** The process at this end was killed: the other hears of it, this one nothing any more. */
  died(direction: Direction): void {
    this.#isCut = true;
    this.#later(direction, () => this.#to(direction).closed(CLOSE.shuttingDown));
  }

  #to(direction: Direction): End {
    return this.#ends[direction === 'to-relay' ? 'from-relay' : 'to-relay'];
  }

  #later(direction: Direction, work: () => void): void {
    this.#options.agenda.add(this.#options.lanes[direction], work);
  }
}
