import type { LogEvent } from '../../src-shared/events.ts';
import type { PeerShow } from '../../src-shared/peer-protocol.ts';

export type EarlyOutput = Omit<Extract<PeerShow, { type: 'output' }>, 'type'>;

/** That came in passing, and of which the log has not come yet; more are not shown early. */
const MAX_EARLY_EVENTS = 256;

/** Events that viewers were shown before they are in the log here. The log says what they were. */
export class EarlyEvents {
  #events: LogEvent[] = [];

  /** False: it does not follow what viewers have, or would be too many; it comes with the log. */
  add(event: LogEvent, lastSeq: number): boolean {
    if (event.seq !== (this.#events.at(-1)?.seq ?? lastSeq) + 1 || this.#events.length >= MAX_EARLY_EVENTS) return false;
    this.#events.push(event);
    return true;
  }

  /** The log has come this far. False: viewers were shown something that is not in it. */
  settle(events: readonly LogEvent[]): boolean {
    for (const event of events) {
      const [shown] = this.#events;
      if (shown === undefined) return true;
      if (event.seq < shown.seq) continue;
      if (!isSame(event, shown)) {
        this.#events = [];
        return false;
      }
      this.#events.shift();
    }
    return true;
  }
}

function isSame(a: LogEvent, b: LogEvent): boolean {
  if (a.seq !== b.seq || a.ts !== b.ts || a.epoch !== b.epoch || a.channel !== b.channel || a.type !== b.type) return false;
  return a.payload instanceof Uint8Array && b.payload instanceof Uint8Array && Buffer.compare(a.payload, b.payload) === 0;
}
