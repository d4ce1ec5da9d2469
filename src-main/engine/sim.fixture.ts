import type { Screens } from './screen/screen.ts';
import type { SessionDocuments } from './session-documents.ts';

/** Sessions without titles and drafts, and without terminals. */
export const NO_DOCUMENTS: SessionDocuments = {
  title: () => undefined,
  setTitle: async () => {},
  onTitles: () => {},
  follow: () => undefined,
  followsOthers: () => false,
  setFollow: async () => {},
  onFollows: () => {},
  text: async () => ({ text: '', version: 0 }),
  setText: async () => ({ text: '', version: 0 }),
  onText: () => {},
  forget: async () => {},
};
const screens: Pick<Screens, 'stop'> = { stop: async () => {} };
export const NO_SCREENS = screens as Screens;

/** What `npm run sim` asks for, or so many and these; each of its processes takes its share. */
export function seedsToRun(usually: number, always: readonly number[] = []): readonly number[] {
  const { SIM_SEED, SIM_SEEDS, SIM_SHARE = '0/1' } = process.env;
  if (SIM_SEED !== undefined) return SIM_SEED.split(',').map(Number);
  const [share = 0, shares = 1] = SIM_SHARE.split('/').map(Number);
  const seeds = Array.from({ length: Number(SIM_SEEDS ?? usually) }, (_, index) => index + 1);
  return [...new Set([...seeds, ...always])].filter((seed) => seed % shares === share);
}

/** mulberry32: the same numbers for the same seed on every machine. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Lane {
  readonly name: string;
  readonly works: (() => void)[];
}

interface Timer {
  readonly dueMs: number;
  readonly lane: string;
  readonly run: () => void;
}

/** Work that waits for its turn: frames on their way, commits, timers. The simulation decides what happens next. */
export class Agenda {
  readonly #random: () => number;
  readonly #stepMs: number;
  /** Each lane keeps its order; which lane goes next is chance. */
  readonly #lanes = new Map<string, Lane>();
  readonly #timers = new Set<Timer>();
  #isHeld: (lane: string) => boolean = () => false;
  #nowMs = 0;
  /** Told how much time has gone by. */
  onPassed: (ms: number) => void = () => {};

  constructor(random: () => number, stepMs = 1) {
    this.#random = random;
    this.#stepMs = stepMs;
  }
  get nowMs(): number {
    return this.#nowMs;
  }
  /** Nothing waits but timers. */
  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }
  /** Nothing can happen before time goes by, or a lane is let go. */
  get isIdle(): boolean {
    for (const lane of this.#lanes.keys()) if (!this.#isHeld(lane)) return false;
    return true;
  }
  add(name: string, work: () => void): () => void {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = { name, works: [] };
      this.#lanes.set(name, lane);
    }
    const { works } = lane;
    works.push(work);
    return () => {
      const at = works.indexOf(work);
      if (at >= 0) works.splice(at, 1);
      if (works.length === 0 && this.#lanes.get(name) === lane) this.#lanes.delete(name);
    };
  }
  /** Joins its lane when the time has come. */
  later(lane: string, delayMs: number, run: () => void): () => void {
    let cancel = () => {};
    const timer = {
      dueMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)),
      lane,
      run: () => {
        cancel = this.add(lane, run);
      },
    };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
      cancel();
    };
  }
  /** What was to happen in these lanes never will. */
  drop(isGone: (lane: string) => boolean): void {
    for (const lane of [...this.#lanes.keys()]) if (isGone(lane)) this.#lanes.delete(lane);
    for (const timer of this.#timers) if (isGone(timer.lane)) this.#timers.delete(timer);
  }
  /** Nothing happens in these lanes until others are held. */
  hold(isHeld: (lane: string) => boolean): void {
    this.#isHeld = isHeld;
  }
  step(): void {
    const lanes: Lane[] = [];
    for (const lane of this.#lanes.values()) if (!this.#isHeld(lane.name)) lanes.push(lane);
    const lane = lanes[Math.floor(this.#random() * lanes.length)];
    if (lane === undefined) return;
    const work = lane.works.shift();
    if (lane.works.length === 0) this.#lanes.delete(lane.name);
    this.pass(this.#stepMs);
    work?.();
  }
  /** Time goes by. */
  pass(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs).sort((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.run();
    }
    this.onPassed(ms);
  }
  /** Up to the next timer, at most so much. */
  passOn(maxMs: number): void {
    let dueMs = this.#nowMs + maxMs;
    for (const timer of this.#timers) dueMs = Math.min(dueMs, timer.dueMs);
    this.pass(Math.max(1, dueMs - this.#nowMs));
  }
}
