import { createHash } from 'node:crypto';
import type { Clock } from '../../../src-shared/client.ts';
import type { Json } from '../../../src-shared/events.ts';
import { InputId, type MachineId, type RunId } from '../../../src-shared/ids.ts';
import type { OutboxItem } from '../../../src-shared/operations.ts';
import { PeerCommand } from '../../../src-shared/peer-protocol.ts';
import type { HostMessage } from '../../../src-shared/protocol.ts';
import { type Refusal, RefusalError } from '../../../src-shared/refusal.ts';
import type { RemoteTarget } from '../../engine/remote-session.ts';
import type { Outcome, SessionCommand } from '../../engine/session-commands.ts';
import type { OutboxRow, Store } from '../../store/store.ts';
import type { Peers } from './peers.ts';

/** What waits for all machines together. */
export const MAX_OUTBOX_ITEMS = 500;
/** An answer to a permission request is of the moment: whoever gave it is told when it did not arrive in time. */
export const PERMISSION_WAITS_MS = 10 * 60_000;
/** A host that is there and has not answered is asked again. */
const ASK_AGAIN_MS = 10_000;
/** The line was lost, or the host's was full. */
const TRY_AGAIN_MS = 1_000;
/** What is answered sooner is not shown as waiting. */
const SHOWN_AFTER_MS = 500;
const SHOWN_CHARACTERS = 1_000;

/** These can be carried out later as well as now. */
const WAITING_KINDS: ReadonlySet<SessionCommand['kind']> = new Set([
  'prompt',
  'prompt-edit',
  'prompt-move',
  'prompt-delete',
  'permission',
]);
/** Of these one session's next is sent when the one before was answered, so that they arrive in order. */
const isOrdered = ({ kind }: SessionCommand) => kind.startsWith('prompt');

export interface OutboxOptions {
  readonly store: Pick<Store, 'listOutbox' | 'putOutbox' | 'removeOutbox'>;
  readonly clock: Clock;
  /** Where a session is hosted now; null: it is not known any more. */
  readonly target: (runId: RunId) => RemoteTarget | null;
  readonly broadcast: (message: Extract<HostMessage, { type: 'outbox:changed' }>) => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** The other machines, while this one is connected to them. */
export interface OutboxRoad {
  readonly peers: Pick<Peers, 'isOnline' | 'fresh' | 'send'>;
  readonly nameOf: (machine: MachineId) => string;
  /** This machine may only look. */
  readonly isViewer: () => boolean;
  /** That machine and this one are in no workspace together any more. */
  readonly isApart: (machine: MachineId) => boolean;
}

interface Item {
  readonly inputId: InputId;
  readonly target: RemoteTarget;
  readonly command: SessionCommand;
  readonly contentHash: string;
  readonly clientId: string;
  readonly sinceMs: number;
  readonly isKept: boolean;
  readonly outcome: Promise<Outcome>;
  readonly settle: (outcome: Outcome) => void;
  isStored: boolean;
  isSending: boolean;
  /** The host says that what it was sent last is old. */
  isExpired: boolean;
  /** It may have reached the host. */
  wasSent: boolean;
  isShown: boolean;
  cancelTimer: () => void;
  cancelExpiry: () => void;
}

/**
 * Commands for sessions of other machines. Each is sent until its host has answered, which carries it out once; those that can wait
 * are kept in the store before they are sent, so that they outlast an absence of the host and a restart of this machine.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #items = new Map<InputId, Item>();
  #road: OutboxRoad | null = null;

  private constructor(options: OutboxOptions) {
    this.#options = options;
  }

  static async open(options: OutboxOptions): Promise<Outbox> {
    const outbox = new Outbox(options);
    for (const row of await options.store.listOutbox()) outbox.#load(row);
    return outbox;
  }

  #load(row: OutboxRow): void {
    const command = PeerCommand.safeParse(row.command);
    const inputId = InputId.safeParse(row.inputId);
    const target = this.#options.target(row.runId);
    if (command.success && inputId.success && target !== null) {
      const { clientId, sinceMs } = row;
      const item = this.#add(target, command.data, clientId, { sinceMs, isKept: true });
      item.isStored = true;
      this.#show(item);
    } else this.#removeRow(row.inputId);
  }

  /** From now on what waits can go; again after each change of who is there. */
  connect(road: OutboxRoad): void {
    this.#road = road;
    this.sendAll();
  }

  disconnect(): void {
    this.#road = null;
    for (const item of [...this.#items.values()]) {
      item.cancelTimer();
      if (!item.isKept) this.#settle(item, refused(this.#lost(item)));
    }
  }

  list(): (OutboxItem & { runId: RunId })[] {
    return [...this.#items.values()]
      .filter(({ isKept, isStored }) => isKept && isStored)
      .map((item) => ({ runId: item.target.runId, ...shownOf(item) }));
  }

  cancel(inputId: InputId): void {
    const item = this.#items.get(inputId);
    if (item === undefined) {
      throw new RefusalError('unknown-target', 'That does not wait any more: it was answered, or taken back.');
    }
    if (item.wasSent || item.isSending) {
      throw new RefusalError('not-allowed', `${this.#name(item)} has it already, perhaps.`, 'Wait for its answer.');
    }
    this.#settle(item, refused(new RefusalError('not-ready', 'It was taken back before it was sent.')));
  }

  async execute(target: RemoteTarget, command: SessionCommand, clientId: string): Promise<Outcome> {
    const before = this.#items.get(command.inputId);
    if (before !== undefined) {
      if (before.contentHash === hashOf(command)) return before.outcome;
      return refused(new RefusalError('input-id-reused', 'This inputId was used for something else.'));
    }
    this.#mayWait(target, command);
    const item = this.#add(target, command, clientId, {
      sinceMs: this.#options.clock.nowMs(),
      isKept: WAITING_KINDS.has(command.kind),
    });
    if (item.isKept) await this.#keep(item);
    this.#planShow(item);
    this.#send(item);
    return item.outcome;
  }

  #mayWait(target: RemoteTarget, { kind }: SessionCommand): void {
    const name = this.#road?.nameOf(target.machineId) ?? 'The other machine';
    if (this.#road?.isApart(target.machineId) === true) {
      throw new RefusalError(
        'not-allowed',
        `${name} and this machine do not belong together any more: it would never arrive.`,
        'Pair them anew.',
      );
    }
    if (this.#road?.isViewer() === true) {
      throw new RefusalError('not-allowed', `This machine may only look at what runs on ${name}.`, 'Change its rights there.');
    }
    if (!WAITING_KINDS.has(kind) && this.#road?.peers.isOnline(target.machineId) !== true) {
      throw new RefusalError('not-ready', `${name} is out of reach.`, 'It has to be on and connected to the relay.');
    }
    if (this.#items.size >= MAX_OUTBOX_ITEMS) {
      throw new RefusalError('queue-full', `${MAX_OUTBOX_ITEMS} commands wait for other machines.`, 'Take some of them back.');
    }
  }

  #add(target: RemoteTarget, command: SessionCommand, clientId: string, of: Pick<Item, 'sinceMs' | 'isKept'>): Item {
    let settle: Item['settle'] = () => {};
    const outcome = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    const { inputId } = command;
    const item: Item = {
      ...of,
      inputId,
      target,
      command,
      clientId,
      contentHash: hashOf(command),
      outcome,
      settle,
      isStored: !of.isKept,
      isSending: false,
      isExpired: false,
      wasSent: false,
      isShown: false,
      cancelTimer: () => {},
      cancelExpiry: () => {},
    };
    this.#items.set(inputId, item);
    if (command.kind === 'permission') {
      // By a clock that was set back meanwhile it would wait for as much longer.
      const leftMs = Math.min(PERMISSION_WAITS_MS, Math.max(0, item.sinceMs + PERMISSION_WAITS_MS - this.#options.clock.nowMs()));
      item.cancelExpiry = this.#options.clock.setTimer(() => this.#settle(item, refused(this.#late(item))), leftMs);
    }
    return item;
  }

  async #keep(item: Item): Promise<void> {
    const { inputId, target, clientId, sinceMs, command } = item;
    const { runId, machineId } = target;
    try {
      await this.#options.store.putOutbox({ inputId, runId, machineId, clientId, sinceMs, command: toJson(command) });
      item.isStored = true;
    } catch (error) {
      this.#items.delete(inputId);
      item.cancelExpiry();
      // Whoever sent it once more meanwhile waits for the same answer.
      item.settle({ ok: false, refusal: { code: 'failed', message: 'It could not be kept, and was not sent.', hint: null } });
      throw error;
    }
  }

  /** What the host says became of it. Anything that nobody waits for is ignored. */
  answered(from: MachineId, inputId: InputId, outcome: Outcome): void {
    const item = this.#items.get(inputId);
    if (item !== undefined && this.#hostOf(item) === from) this.#settle(item, outcome);
  }

  /** The host has not done it, because what was sent was old: it is sent anew. */
  expired(from: MachineId, of: string): void {
    const item = this.#items.get(of as InputId);
    if (item === undefined || this.#hostOf(item) !== from) return;
    item.isExpired = true;
    this.#send(item);
  }

  /** A machine is there: what waits for it goes. Of one that has gone nothing comes any more for what cannot wait. */
  seen(machine: MachineId, online: boolean): void {
    for (const item of [...this.#items.values()]) {
      if (this.#hostOf(item) !== machine) continue;
      if (online) this.#send(item);
      else if (!item.isKept) this.#settle(item, refused(this.#lost(item)));
    }
  }

  /** Its host is another one, and may have been there for long [outbox-5]. */
  moved(runId: RunId): void {
    for (const item of [...this.#items.values()]) if (item.target.runId === runId) this.#send(item);
  }

  sendAll(): void {
    for (const item of [...this.#items.values()]) this.#send(item);
  }

  #hostOf({ target }: Item): MachineId {
    return (this.#options.target(target.runId) ?? target).machineId;
  }

  #send(item: Item): void {
    const road = this.#road;
    if (road === null || !item.isStored || item.isSending || !this.#items.has(item.inputId) || this.#isBehind(item)) return;
    const target = this.#options.target(item.target.runId);
    if (target === null) {
      this.#settle(item, refused(new RefusalError('unknown-session', 'The session was deleted.')));
      return;
    }
    if (!road.peers.isOnline(target.machineId)) return;
    item.isSending = true;
    item.isExpired = false;
    item.cancelTimer();
    this.#deliver(item, target, road)
      .catch((error: unknown) => this.#failed(item, error))
      .finally(() => {
        item.isSending = false;
      });
  }

  #isBehind(item: Item): boolean {
    if (!isOrdered(item.command)) return false;
    for (const other of this.#items.values()) {
      if (other === item) return false;
      if (other.target.runId === item.target.runId && isOrdered(other.command)) return true;
    }
    return false;
  }

  async #deliver(item: Item, { runId, machineId, epoch }: RemoteTarget, { peers }: OutboxRoad): Promise<void> {
    const { command, clientId } = item;
    let again = TRY_AGAIN_MS;
    if (await peers.fresh(machineId)) {
      const delivery = await peers.send(machineId, { type: 'command', runId, epoch, clientId, command });
      if (delivery === 'reached') again = ASK_AGAIN_MS;
      if (delivery !== 'missed' && !item.wasSent) {
        item.wasSent = true;
        if (item.isShown) this.#announce(runId);
      }
    }
    if (!this.#items.has(item.inputId)) return;
    // It may have said so before the relay said that it has it.
    item.cancelTimer = this.#options.clock.setTimer(() => this.#send(item), item.isExpired ? 0 : again);
  }

  #failed(item: Item, error: unknown): void {
    if (error instanceof RefusalError) this.#settle(item, refused(error));
    else {
      this.#options.onProblem('a command could not be sent to another machine', error);
      this.#settle(item, { ok: false, refusal: { code: 'failed', message: 'It could not be sent.', hint: null } });
    }
  }

  #settle(item: Item, outcome: Outcome): void {
    if (!this.#items.delete(item.inputId)) return;
    item.cancelTimer();
    item.cancelExpiry();
    if (item.isKept) this.#removeRow(item.inputId);
    if (item.isShown) this.#announce(item.target.runId);
    item.settle(outcome);
    for (const next of [...this.#items.values()]) if (next.target.runId === item.target.runId) this.#send(next);
  }

  #removeRow(inputId: string): void {
    // Should it stay, the host answers it as before.
    this.#options.store
      .removeOutbox(inputId)
      .catch((error: unknown) => this.#options.onProblem('what another machine has answered could not be forgotten', error));
  }

  // ——— what clients are told ———

  #planShow(item: Item): void {
    if (!item.isKept) return;
    const isThere = this.#road?.peers.isOnline(this.#hostOf(item)) === true;
    if (isThere) this.#options.clock.setTimer(() => this.#show(item), SHOWN_AFTER_MS);
    else this.#show(item);
  }

  #show(item: Item): void {
    if (!this.#items.has(item.inputId)) return;
    item.isShown = true;
    this.#announce(item.target.runId);
  }

  #announce(runId: RunId): void {
    const items = [...this.#items.values()].filter(({ target, isShown }) => isShown && target.runId === runId).map(shownOf);
    this.#options.broadcast({ type: 'outbox:changed', runId, items });
  }

  #name(item: Item): string {
    return this.#road?.nameOf(this.#hostOf(item)) ?? 'The other machine';
  }

  #late(item: Item): RefusalError {
    const minutes = PERMISSION_WAITS_MS / 60_000;
    if (item.wasSent) {
      return new RefusalError('not-ready', `${this.#name(item)} has not answered for ${minutes} minutes.`, 'Look what it shows.');
    }
    return new RefusalError(
      'not-ready',
      `${this.#name(item)} was out of reach for ${minutes} minutes: the answer was not sent.`,
      'Answer again when it is there.',
    );
  }

  #lost(item: Item): RefusalError {
    return new RefusalError(
      'not-ready',
      `${this.#name(item)} went away before it answered.`,
      'Look what it shows when it is back.',
    );
  }
}

function shownOf(item: Item): OutboxItem {
  const { inputId, command, sinceMs, wasSent } = item;
  const text = command.kind === 'prompt' ? command.content.text : command.kind === 'prompt-edit' ? command.text : '';
  return {
    inputId,
    kind: command.kind,
    text: text.slice(0, SHOWN_CHARACTERS),
    since: new Date(sinceMs).toISOString(),
    state: wasSent ? 'sent' : 'waiting',
  };
}

const refused = ({ refusal }: { readonly refusal: Refusal }): Outcome => ({ ok: false, refusal });

/** A command is JSON by its schema. */
const toJson = (command: SessionCommand): Json => JSON.parse(JSON.stringify(command)) as Json;

function hashOf(command: SessionCommand): string {
  return createHash('sha256').update(JSON.stringify(command)).digest('hex');
}
