import type { Json, LogEvent } from '../../src-shared/events.ts';
import { NO_SEQ, type RunId } from '../../src-shared/ids.ts';
import type { AppendRequest, InputRecord, SessionRow, Store } from '../store/store.ts';

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

/** Work that waits for its turn: frames on their way, commits, timers. The simulation decides what happens next. */
export class Agenda {
  readonly #random: () => number;
  /** Each lane keeps its order; which lane goes next is chance. */
  readonly #lanes = new Map<string, (() => void)[]>();
  #nowMs = 0;

  constructor(random: () => number) {
    this.#random = random;
  }
  get nowMs(): number {
    return this.#nowMs;
  }
  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }
  add(lane: string, work: () => void): () => void {
    const works = this.#lanes.get(lane) ?? [];
    works.push(work);
    this.#lanes.set(lane, works);
    return () => {
      const at = works.indexOf(work);
      if (at >= 0) works.splice(at, 1);
      if (works.length === 0 && this.#lanes.get(lane) === works) this.#lanes.delete(lane);
    };
  }
  /** What was to happen in these lanes never will. */
  drop(isGone: (lane: string) => boolean): void {
    for (const lane of [...this.#lanes.keys()]) if (isGone(lane)) this.#lanes.delete(lane);
  }
  step(): void {
    const lanes = [...this.#lanes.keys()];
    const lane = lanes[Math.floor(this.#random() * lanes.length)];
    if (lane === undefined) return;
    const works = this.#lanes.get(lane) ?? [];
    const work = works.shift();
    if (works.length === 0) this.#lanes.delete(lane);
    this.#nowMs += 1;
    work?.();
  }
}

/** A store in memory that commits when the agenda says so, and refuses what a full disk would. For simulations only. */
export function memoryStore(agenda: Agenda, mayRefuse: () => boolean) {
  const rows = new Map<RunId, SessionRow>();
  const logs = new Map<RunId, LogEvent[]>();
  const inputs = new Map<string, InputRecord>();
  /** After a refusal everything behind it is refused too, until the refused event is repeated. */
  const commit = <T>(lane: string, work: () => T) =>
    new Promise<T>((resolve, reject) => {
      agenda.add(`store ${lane}`, () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  const append = ({ runId, events, input, meta }: AppendRequest) => {
    const log = logs.get(runId) ?? [];
    if (mayRefuse()) throw new Error('the disk is full');
    const first = events[0];
    if (first === undefined || first.seq !== log.length + 1)
      throw new Error(`event ${first?.seq} does not continue ${log.length}`);
    log.push(...events);
    logs.set(runId, log);
    if (input !== undefined) inputs.set(`${runId} ${input.inputId}`, input);
    const row = rows.get(runId);
    const last = events.at(-1) as LogEvent;
    if (row !== undefined) rows.set(runId, { ...row, ...meta, lastSeq: last.seq, lastTs: last.ts });
  };
  const inRange = (runId: RunId, after: number, before: number) =>
    (logs.get(runId) ?? []).filter(({ seq }) => seq > after && seq < before);
  const store: Partial<Store> = {
    createSession: (row, first) =>
      commit(row.runId, () => {
        rows.set(row.runId, { replica: null, ...row, lastSeq: NO_SEQ, lastTs: 0 });
        logs.set(row.runId, [...first.events]);
      }),
    append: (request) => commit(request.runId, () => append(request)),
    findInput: (runId, inputId) => commit('reader', () => inputs.get(`${runId} ${inputId}`) ?? null),
    listSessions: async () => [...rows.values()],
    listChildren: async () => [],
    read: ({ runId, after = NO_SEQ, limit }) =>
      commit('reader', () => inRange(runId, after, Number.POSITIVE_INFINITY).slice(0, limit)),
    readBack: ({ runId, before, limit }) =>
      commit('reader', () => inRange(runId, 0, before ?? Number.POSITIVE_INFINITY).slice(-limit)),
    getFact: async (): Promise<Json> => null,
  };
  return { store: store as Store, log: (runId: RunId): readonly LogEvent[] => logs.get(runId) ?? [], rows };
}
