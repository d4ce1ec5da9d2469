import type { Clock } from '../../../src-shared/client.ts';
import type { LogEvent } from '../../../src-shared/events.ts';
import type { RunId } from '../../../src-shared/ids.ts';
import { MAX_EARLY_BYTES } from '../../../src-shared/peer-protocol.ts';
import type { Peers } from './peers.ts';

/** What is shown early goes over the line twice: only so much of one session in so long. */
const INTERVAL_MS = 1_000;
const INTERVAL_BYTES = 8 * 1024;

interface Interval {
  readonly sinceMs: number;
  bytes: number;
  lastSeq: number;
}

/**
 * Shows what a terminal says while it says little, as when it echoes keys, to the machines that watch it: at once, as to those who watch
 * here, before it is in any log. All the rest comes to them with the log, which waits for two disks [drive-7].
 */
export class EarlyOutput {
  readonly #peers: Pick<Peers, 'show'>;
  readonly #clock: Clock;
  readonly #intervals = new Map<RunId, Interval>();

  constructor(peers: Pick<Peers, 'show'>, clock: Clock) {
    this.#peers = peers;
    this.#clock = clock;
  }

  /** Told by each of a session's distant viewers; what one has told counts for all. */
  published(runId: RunId, events: readonly LogEvent[]): void {
    for (const { seq, ts, epoch, channel, payload } of events) {
      // Who watches goes on with the log, and from there on with what is shown early again.
      if (channel !== 'pty:stdout' || !(payload instanceof Uint8Array) || payload.byteLength > MAX_EARLY_BYTES) return;
      const interval = this.#interval(runId);
      if (seq <= interval.lastSeq) continue;
      interval.lastSeq = seq;
      interval.bytes += payload.byteLength;
      if (interval.bytes > INTERVAL_BYTES) return;
      this.#peers.show(runId, { type: 'output', seq, ts, epoch, data: payload });
    }
  }

  forget(runId: RunId): void {
    this.#intervals.delete(runId);
  }

  #interval(runId: RunId): Interval {
    const now = this.#clock.nowMs();
    const known = this.#intervals.get(runId);
    if (known !== undefined && now - known.sinceMs < INTERVAL_MS) return known;
    const interval = { sinceMs: now, bytes: 0, lastSeq: known?.lastSeq ?? 0 };
    this.#intervals.set(runId, interval);
    return interval;
  }
}
