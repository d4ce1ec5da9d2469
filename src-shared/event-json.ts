import type * as z from 'zod/mini';
import type { WireEvent } from './operations.ts';
import { OutputTexts } from './output-text.ts';

type Event = z.infer<typeof WireEvent>;

/**
 * An event as JSON shows it, on the command line and over HTTP: terminal output is text, or `{"base64"}` where it is not UTF-8; every
 * other payload is JSON already.
 */
export type EventJson = Event;

/** The events of one session, in order, as JSON shows them. */
export class EventJsons {
  #texts = new OutputTexts();
  /** The last event with output: a character that is never completed is told as a second one with the same seq. */
  #output: Event | null = null;

  /** `before`: the last events before the first one, so that a character that is cut there is completed. */
  constructor(before: readonly Event[] = []) {
    for (const event of before) this.add(event);
  }

  /** Goes on by itself from here. */
  copy(): EventJsons {
    const copy = new EventJsons();
    copy.#texts = this.#texts.copy();
    copy.#output = this.#output;
    return copy;
  }

  add(event: Event): EventJson[] {
    if (!(event.payload instanceof Uint8Array)) {
      // No output of this program follows.
      const rest = event.type === 'exited' ? this.end() : [];
      return [...rest, jsonOf(event, event.payload)];
    }
    this.#output = event;
    return [jsonOf(event, this.#texts.take(event.payload))];
  }

  /** What was held back and will never be completed. */
  end(): EventJson[] {
    const rest = this.#texts.rest();
    return rest === null || this.#output === null ? [] : [jsonOf(this.#output, rest)];
  }
}

function jsonOf({ runId, seq, epoch, ts, channel, type }: Event, payload: unknown): EventJson {
  return { runId, seq, epoch, ts, channel, type, payload };
}
