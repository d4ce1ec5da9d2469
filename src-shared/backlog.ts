/** How far a log had come when its host said so. `bytes` counts what was appended to it since the event `since`. */
export interface LogPoint {
  readonly since: number;
  readonly seq: number;
  readonly bytes: number;
}

/** Less than this is on its way like anything else. */
export const BEHIND_BYTES = 256 * 1024;
/** Whoever was behind is, until so little is missing. */
const NEARLY_THERE_BYTES = 32 * 1024;
const MAX_POINTS = 64;

/**
 * How much of a log that another machine writes has not arrived yet, from what its host tells of it now and then. Between two points it is
 * estimated. Only what has been missing since the point before the newest counts: on a quick line a flood is on its way for a moment, and
 * nobody need hear of that.
 */
export class Backlog {
  #points: LogPoint[] = [];
  #isBehind = false;

  heard(point: LogPoint): void {
    // Another life of the host counts from elsewhere.
    if (this.#points[0]?.since !== point.since) this.#points = [{ since: point.since, seq: point.since, bytes: 0 }];
    this.#points.push(point);
    if (this.#points.length <= MAX_POINTS) return;
    const [before, newest] = this.#points.slice(-2) as [LogPoint, LogPoint];
    this.#points = [...this.#points.slice(0, -2).filter((_, index) => index % 2 === 0), before, newest];
  }

  /** Where the log is here up to `at`; null: not worth saying. Asked in the order in which it grows. */
  behindBytes(at: number): number | null {
    const newest = this.#points.at(-1);
    const before = this.#points.at(-2);
    if (newest === undefined || before === undefined) return null;
    while ((this.#points[1]?.seq ?? at) < at && this.#points.length > 2) this.#points.shift();
    const bytes = Math.round(newest.bytes - this.#bytesAt(at));
    if (at >= newest.seq || bytes < NEARLY_THERE_BYTES) this.#isBehind = false;
    else if (bytes >= BEHIND_BYTES && at < before.seq) this.#isBehind = true;
    return this.#isBehind ? bytes : null;
  }

  #bytesAt(at: number): number {
    const next = this.#points.findIndex(({ seq }) => seq > at);
    const to = this.#points[next];
    const from = this.#points[next - 1];
    if (to === undefined) return this.#points.at(-1)?.bytes ?? 0;
    if (from === undefined) return to.bytes;
    return from.bytes + ((to.bytes - from.bytes) * (at - from.seq)) / (to.seq - from.seq);
  }
}
