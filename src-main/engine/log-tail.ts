import type { Json, LogEvent } from '../../src-shared/events.ts';
import type { Seq } from '../../src-shared/ids.ts';

const TAIL_BYTES = 2 * 1024 * 1024;
const TAIL_EVENTS = 8_192;

/** The last events of a log, in memory: viewers that are a little behind are served from here, without the store. */
export class LogTail {
  #events: LogEvent[] = [];
  #bytes = 0;

  remember(event: LogEvent): void {
    const last = this.#events.at(-1);
    // Something is missing in between (a gap): only what follows without one can be counted through.
    if (last !== undefined && event.seq !== last.seq + 1) {
      this.#events = [];
      this.#bytes = 0;
    }
    this.#events.push(event);
    this.#bytes += payloadBytes(event);
    if (this.#bytes <= TAIL_BYTES && this.#events.length <= TAIL_EVENTS) return;
    // A quarter at a time: shifting one by one would cost on every event.
    let drop = 0;
    while (
      drop < this.#events.length - 1 &&
      (this.#bytes > (TAIL_BYTES * 3) / 4 || this.#events.length - drop > (TAIL_EVENTS * 3) / 4)
    ) {
      this.#bytes -= payloadBytes(this.#events[drop++] as LogEvent);
    }
    this.#events = this.#events.slice(drop);
  }

  /** Events after `after`, about `maxBytes` of them (at least one). null: not in memory any more. */
  recent(after: Seq, maxBytes: number): readonly LogEvent[] | null {
    const first = this.#events[0];
    if (first === undefined || first.seq > after + 1) return null;
    const from = after + 1 - first.seq;
    let bytes = 0;
    let to = from;
    while (to < this.#events.length && (to === from || bytes < maxBytes)) bytes += payloadBytes(this.#events[to++] as LogEvent);
    return this.#events.slice(from, to);
  }

  /** Bytes of terminal output after that event that are still in memory. */
  outputAfter(seq: Seq): number {
    let bytes = 0;
    for (let at = this.#events.length - 1; at >= 0; at--) {
      const event = this.#events[at] as LogEvent;
      if (event.seq <= seq) break;
      if (event.payload instanceof Uint8Array) bytes += event.payload.byteLength;
    }
    return bytes;
  }
}

export function payloadBytes({ payload }: LogEvent): number {
  return payload instanceof Uint8Array ? payload.byteLength : jsonBytes(payload);
}

/** About: what a JSON value takes in memory. */
function jsonBytes(value: Json | undefined): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 16;
  for (const item of Array.isArray(value) ? value : Object.values(value)) bytes += 16 + jsonBytes(item);
  return bytes;
}
