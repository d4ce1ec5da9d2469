import { createHash } from 'node:crypto';
import { type NewEvent, newEvent } from '../../src-shared/events.ts';
import type { InputId, RunId, Seq } from '../../src-shared/ids.ts';
import { Seq as SeqSchema } from '../../src-shared/ids.ts';
import type { Command } from '../../src-shared/protocol.ts';
import { type Refusal, RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSpec, SessionState } from '../../src-shared/session.ts';
import type { Store } from '../store/store.ts';
import type { Adapter } from './adapters/adapter.ts';
import type { AppendOptions } from './session-log.ts';

export type SessionCommand = Command | { readonly kind: 'close'; readonly inputId: InputId };
export type Outcome = { readonly ok: true; readonly seq: Seq } | { readonly ok: false; readonly refusal: Refusal };
type CommandOf<K extends SessionCommand['kind']> = Extract<SessionCommand, { kind: K }>;

/** A queue longer than this is a mistake of the sender; nobody waits for the hundredth prompt. */
export const MAX_QUEUED_PROMPTS = 100;

/** What commands act on. */
export interface CommandTarget {
  readonly runId: RunId;
  readonly spec: SessionSpec;
  readonly state: SessionState;
  readonly isRunning: boolean;
  readonly adapter: Adapter | null;
  append(events: readonly NewEvent[], options?: AppendOptions): Promise<Seq>;
  start(): Promise<void>;
  stop(reason: string | null): Promise<void>;
  advance(): void;
}

/**
 * Executes commands exactly once. The inputId alone decides: while a command is under way its repetition joins it; afterwards the
 * answer stored with its event is given again. A refused command leaves no trace and may be tried again.
 */
export class SessionCommands {
  readonly #target: CommandTarget;
  readonly #store: Pick<Store, 'findInput'>;
  readonly #underWay = new Map<InputId, { readonly contentHash: string; readonly outcome: Promise<Outcome> }>();

  constructor(target: CommandTarget, store: Pick<Store, 'findInput'>) {
    this.#target = target;
    this.#store = store;
  }

  async execute(command: SessionCommand, clientId: string): Promise<Outcome> {
    const contentHash = hashOf(command);
    const underWay = this.#underWay.get(command.inputId);
    if (underWay !== undefined) return underWay.contentHash === contentHash ? underWay.outcome : reused(command);
    const outcome = this.#executeNew(command, contentHash, clientId);
    this.#underWay.set(command.inputId, { contentHash, outcome });
    try {
      return await outcome;
    } finally {
      this.#underWay.delete(command.inputId);
    }
  }

  async #executeNew(command: SessionCommand, contentHash: string, clientId: string): Promise<Outcome> {
    const before = await this.#store.findInput(this.#target.runId, command.inputId);
    if (before !== null) {
      if (before.contentHash !== contentHash) return reused(command);
      return { ok: true, seq: SeqSchema.parse(before.answer) };
    }
    try {
      const record = (seq: Seq) => ({ inputId: command.inputId, contentHash, answer: seq });
      return { ok: true, seq: await this.#dispatch(command, clientId, { durable: true, refusable: true, input: record }) };
    } catch (error) {
      if (error instanceof RefusalError) return { ok: false, refusal: error.refusal };
      throw error;
    }
  }

  #dispatch(command: SessionCommand, clientId: string, options: AppendOptions): Promise<Seq> {
    switch (command.kind) {
      case 'prompt':
        return this.#prompt(command, clientId, options);
      case 'prompt-edit':
      case 'prompt-move':
      case 'prompt-delete':
        return this.#changeQueue(command, options);
      case 'permission':
        return this.#answer(command, clientId, options);
      case 'interrupt':
        return this.#interrupt(command, options);
      case 'restart':
        return this.#restart(command, options);
      case 'options':
        return this.#setOptions(command, options);
      case 'close':
        return this.#close(command, options);
    }
  }

  async #prompt({ inputId, content }: CommandOf<'prompt'>, clientId: string, options: AppendOptions): Promise<Seq> {
    const { spec, state } = this.#target;
    if (spec.kind === 'pty') throw new RefusalError('unsupported', 'A terminal takes keys, not prompts.', 'Type into it.');
    if (content.text.trim() === '' && content.images.length === 0) throw new RefusalError('bad-request', 'The prompt is empty.');
    if (state.queue.length >= MAX_QUEUED_PROMPTS) {
      throw new RefusalError('queue-full', `${MAX_QUEUED_PROMPTS} prompts wait already.`, 'Delete some of them, or wait.');
    }
    const seq = await this.#target.append([newEvent('run:prompt', 'queued', { inputId, clientId, content })], options);
    this.#target.advance();
    return seq;
  }

  async #changeQueue(
    command: CommandOf<'prompt-edit'> | CommandOf<'prompt-move'> | CommandOf<'prompt-delete'>,
    options: AppendOptions,
  ): Promise<Seq> {
    const { inputId, target } = command;
    this.#requireQueued(target);
    if (command.kind === 'prompt-edit') {
      return this.#target.append([newEvent('run:prompt', 'edited', { inputId, target, text: command.text })], options);
    }
    if (command.kind === 'prompt-delete')
      return this.#target.append([newEvent('run:prompt', 'deleted', { inputId, target })], options);
    if (command.before !== null) this.#requireQueued(command.before);
    return this.#target.append([newEvent('run:prompt', 'moved', { inputId, target, before: command.before })], options);
  }

  #requireQueued(target: InputId): void {
    if (this.#target.state.queue.some((item) => item.inputId === target)) return;
    throw new RefusalError('unknown-target', 'That prompt is not in the queue any more: its turn has begun, or it was deleted.');
  }

  /** The first valid answer wins [input-6]: it is logged, durably, before the one who asked hears it. */
  async #answer(command: CommandOf<'permission'>, clientId: string, options: AppendOptions): Promise<Seq> {
    const { inputId, requestId, decision, reason, updatedInput } = command;
    const { adapter, state } = this.#target;
    if (!state.permissions.some(({ asked }) => asked.requestId === requestId)) {
      throw new RefusalError('already-answered', 'That request was answered already, or its turn is over.');
    }
    if (adapter === null) throw new RefusalError('not-running', 'The program that asked is not running any more.');
    const answered = { requestId, inputId, clientId, decision, reason, ...(updatedInput === undefined ? {} : { updatedInput }) };
    const event = newEvent('run:permission', 'answered', answered);
    const seq = await this.#target.append([event], options);
    await adapter.answer({ requestId, decision, reason, updatedInput });
    return seq;
  }

  async #interrupt({ inputId }: CommandOf<'interrupt'>, options: AppendOptions): Promise<Seq> {
    const { adapter } = this.#target;
    if (adapter === null) throw new RefusalError('not-running', 'Nothing runs in this session.');
    const seq = await this.#executed(inputId, 'interrupt', options);
    await adapter.interrupt();
    return seq;
  }

  async #restart({ inputId }: CommandOf<'restart'>, options: AppendOptions): Promise<Seq> {
    if (this.#target.isRunning) throw new RefusalError('not-allowed', 'The session is running already.', 'Close it first.');
    const seq = await this.#executed(inputId, 'restart', options);
    await this.#target.start();
    this.#target.advance();
    return seq;
  }

  async #setOptions({ inputId, model, permissionMode }: CommandOf<'options'>, options: AppendOptions): Promise<Seq> {
    const { spec, adapter } = this.#target;
    if (spec.kind !== 'claude') throw new RefusalError('unsupported', 'Only Claude sessions have a model and a permission mode.');
    const chosen = { ...(model === undefined ? {} : { model }), ...(permissionMode === undefined ? {} : { permissionMode }) };
    if (adapter !== null) {
      await adapter.setOptions(chosen);
      return this.#executed(inputId, 'options', options);
    }
    return this.#target.append([newEvent('claude:init', 'options', chosen)], options);
  }

  async #close({ inputId }: CommandOf<'close'>, options: AppendOptions): Promise<Seq> {
    const seq = await this.#executed(inputId, 'close', options);
    await this.#target.stop('closed');
    return seq;
  }

  #executed(inputId: InputId, kind: string, options: AppendOptions): Promise<Seq> {
    return this.#target.append([newEvent('run:input', 'executed', { inputId, kind })], options);
  }
}

function reused({ inputId }: SessionCommand): Outcome {
  return {
    ok: false,
    refusal: {
      code: 'input-id-reused',
      message: `The id ${inputId} was used for another command.`,
      hint: 'Send it with a new id.',
    },
  };
}

/** Tells a repetition of a command from another one with the same id [input-2]. */
function hashOf(command: SessionCommand): string {
  return createHash('sha256').update(JSON.stringify(command)).digest('base64');
}
