import type { ClientMessage } from './protocol.ts';
import { type Refusal, RefusalError } from './refusal.ts';

/** queued: not sent yet (the wire is down). sent: on its way or being executed. */
export type CommandProgress = 'queued' | 'sent';
export type RequestOutcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly refusal: Refusal };

export interface RequestOptions {
  /** Waits through a loss of the wire and is sent again; otherwise it is refused then. */
  readonly survivesReconnect: boolean;
  readonly onProgress?: ((progress: CommandProgress) => void) | undefined;
}

interface Waiting extends RequestOptions {
  readonly message: ClientMessage;
  readonly settle: (outcome: RequestOutcome) => void;
}

/** More are refused rather than kept. */
export const MAX_WAITING_REQUESTS = 1_000;

/** What a client has asked for and not been answered: sent again, in the order of asking, whenever a new wire is there [input-1]. */
export class ClientRequests {
  readonly #waiting = new Map<string, Waiting>();
  readonly #send: (message: ClientMessage) => void;

  constructor(send: (message: ClientMessage) => void) {
    this.#send = send;
  }

  /** `key` tells the answer that belongs to it; asking with a key that waits already joins it. */
  ask(key: string, message: ClientMessage, isLive: boolean, options: RequestOptions): Promise<unknown> {
    if (this.#waiting.size >= MAX_WAITING_REQUESTS) {
      const why = `${MAX_WAITING_REQUESTS} requests wait for an answer already.`;
      return Promise.reject(new RefusalError('queue-full', why, 'Try again when the engine is back.'));
    }
    return new Promise((resolve, reject) => {
      const before = this.#waiting.get(key);
      const settle = (outcome: RequestOutcome) => {
        before?.settle(outcome);
        if (outcome.ok) resolve(outcome.value);
        else reject(new RefusalError(outcome.refusal.code, outcome.refusal.message, outcome.refusal.hint));
      };
      this.#waiting.set(key, { ...options, message, settle });
      options.onProgress?.(isLive ? 'sent' : 'queued');
      if (isLive) this.#send(message);
    });
  }

  answer(key: string, outcome: RequestOutcome): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.settle(outcome);
  }

  sendAgain(): void {
    for (const waiting of [...this.#waiting.values()]) {
      waiting.onProgress?.('sent');
      this.#send(waiting.message);
    }
  }

  /** The wire is gone: those that do not survive it are refused. */
  handleLoss(): void {
    this.#refuse((waiting) => !waiting.survivesReconnect, 'the connection to the engine was lost');
    for (const waiting of this.#waiting.values()) waiting.onProgress?.('queued');
  }

  refuseAll(why: string): void {
    this.#refuse(() => true, why);
  }

  #refuse(isConcerned: (waiting: Waiting) => boolean, why: string): void {
    for (const [key, waiting] of [...this.#waiting]) {
      if (!isConcerned(waiting)) continue;
      this.answer(key, { ok: false, refusal: { code: 'not-ready', message: `Not done: ${why}.`, hint: null } });
    }
  }
}
