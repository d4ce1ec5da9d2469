import * as z from 'zod/mini';
import { PromptContent } from '../../../src-shared/events.ts';
import { InputId, type RunId } from '../../../src-shared/ids.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { describeFailure } from '../../ui/toasts.tsx';

/**
 * Prompts on their way to the engine. They are kept in the window's storage until the engine has them, and sent again under the
 * same id after a reload: none is lost, and none is carried out twice.
 */
export interface OutgoingPrompt {
  readonly inputId: InputId;
  readonly content: PromptContent;
  /** Why the engine did not take it; null while it is on its way. */
  readonly failure: string | null;
}

export type SendPrompt = (runId: RunId, content: PromptContent, inputId: InputId) => Promise<unknown>;

const Stored = z.array(z.object({ inputId: InputId, content: PromptContent, failure: z.nullable(z.string()) }));

const storageKey = (runId: RunId): string => `baton.outbox.${runId}`;

export class Outbox {
  readonly #runId: RunId;
  readonly #send: SendPrompt;
  readonly #listeners = new Set<() => void>();
  #prompts: readonly OutgoingPrompt[];

  constructor(runId: RunId, send: SendPrompt) {
    this.#runId = runId;
    this.#send = send;
    this.#prompts = readStored(runId);
    for (const prompt of this.#prompts) if (prompt.failure === null) void this.#transmit(prompt);
  }

  get prompts(): readonly OutgoingPrompt[] {
    return this.#prompts;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  add(content: PromptContent): void {
    const prompt = { inputId: InputId.parse(crypto.randomUUID()), content, failure: null };
    this.#set([...this.#prompts, prompt]);
    void this.#transmit(prompt);
  }

  retry(inputId: InputId): void {
    const prompt = this.#prompts.find((each) => each.inputId === inputId);
    if (prompt === undefined) return;
    this.#change(inputId, null);
    void this.#transmit(prompt);
  }

  remove(inputId: InputId): void {
    this.#set(this.#prompts.filter((prompt) => prompt.inputId !== inputId));
  }

  async #transmit({ inputId, content }: OutgoingPrompt): Promise<void> {
    try {
      await this.#send(this.#runId, content, inputId);
      this.remove(inputId);
    } catch (error) {
      // The engine has it already: what it holds under this id differs only in what did not fit into the storage here.
      if (error instanceof RefusalError && error.refusal.code === 'input-id-reused') this.remove(inputId);
      else this.#change(inputId, describeFailure(error));
    }
  }

  #change(inputId: InputId, failure: string | null): void {
    this.#set(this.#prompts.map((prompt) => (prompt.inputId === inputId ? { ...prompt, failure } : prompt)));
  }

  #set(prompts: readonly OutgoingPrompt[]): void {
    this.#prompts = prompts;
    writeStored(this.#runId, prompts);
    for (const listener of this.#listeners) listener();
  }
}

function readStored(runId: RunId): readonly OutgoingPrompt[] {
  const text = localStorage.getItem(storageKey(runId));
  if (text === null) return [];
  try {
    return Stored.parse(JSON.parse(text));
  } catch (error) {
    console.warn('prompts that had not been sent cannot be read', error);
    return [];
  }
}

function writeStored(runId: RunId, prompts: readonly OutgoingPrompt[]): void {
  const key = storageKey(runId);
  if (prompts.length === 0) {
    localStorage.removeItem(key);
    return;
  }
  try {
    localStorage.setItem(key, JSON.stringify(prompts));
  } catch {
    // Pictures can be larger than the storage: then at least the words survive a reload.
    localStorage.setItem(
      key,
      JSON.stringify(prompts.map((prompt) => ({ ...prompt, content: { ...prompt.content, images: [] } }))),
    );
  }
}

/** One per session, for as long as the window lives: what is on its way goes on when its pane is closed. */
const outboxes = new Map<RunId, Outbox>();

export function outboxOf(runId: RunId, send: SendPrompt): Outbox {
  const known = outboxes.get(runId);
  if (known !== undefined) return known;
  const made = new Outbox(runId, send);
  outboxes.set(runId, made);
  return made;
}
