import { Worker } from 'node:worker_threads';
import { entryPath } from '../entry-path.ts';
import type { Answer, WorkerRole } from './messages.ts';
import { errorOf, failureOf, StoreError } from './store-error.ts';

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** One worker thread: what it says, the calls it has not answered yet, and its end. */
export class WorkerLink<To, Event extends { readonly kind: string }> {
  /** Told everything that is not the answer to a call. */
  onEvent: (event: Event) => void = () => {};
  /** Told once when the thread ends without having been expected to. */
  onDeath: (error: StoreError) => void = () => {};
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextCallId = 1;
  /** Why no more calls are possible; null while they are. */
  #ended: StoreError | null = null;

  constructor(role: WorkerRole) {
    // execArgv: what the process was started with (an evaluated script, a debugger) is not for its threads.
    const options = { workerData: role, name: `baton-${role.role}`, execArgv: [] };
    this.#worker = new Worker(entryPath('store-worker'), options);
    this.#worker.on('message', (message: Answer | Event) => this.#handle(message));
    this.#worker.on('error', (error) => this.#die(role, failureOf(error).message));
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#die(role, `its thread ended with code ${code}`);
        resolve();
      });
    });
  }

  post(message: To, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, [...transfer]);
  }

  /** Sends a message that is answered by its call id. What the answer is, the caller and the worker have agreed on (messages.ts). */
  call<R>(message: (callId: number) => To): Promise<R> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const callId = this.#nextCallId++;
    return new Promise<R>((resolve, reject) => {
      this.#waiting.set(callId, { resolve, reject });
      this.post(message(callId));
    });
  }

  /** From here on the thread's end is no accident; calls, also those that wait, are refused. */
  expectEnd(): void {
    this.#end(new StoreError('closed', 'The log is closed.'));
  }

  /** Tells the thread to end, and waits until it has. */
  async close(message: To): Promise<void> {
    this.expectEnd();
    this.post(message);
    await this.exited;
  }

  #handle(message: Answer | Event): void {
    if (message.kind !== 'answer') {
      this.onEvent(message as Event);
      return;
    }
    const { callId, outcome } = message as Answer;
    const waiting = this.#waiting.get(callId);
    this.#waiting.delete(callId);
    if (outcome.ok) waiting?.resolve(outcome.result as never);
    else waiting?.reject(errorOf(outcome.failure));
  }

  #die(role: WorkerRole, why: string): void {
    if (this.#ended !== null) return;
    const error = new StoreError('failed', `The log's ${role.role} stopped: ${why}. Start Baton again; what was stored is safe.`);
    this.#end(error);
    this.onDeath(error);
  }

  #end(error: StoreError): void {
    this.#ended ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}
