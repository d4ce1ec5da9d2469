import { randomUUID } from 'node:crypto';
import { ClientId, type MachineId, type RunId } from '../../../src-shared/ids.ts';
import { liveMember } from '../../../src-shared/membership.ts';
import { nameOf } from '../../../src-shared/membership-keys.ts';
import { OPERATIONS, type OperationName, type ParamsOf, type ResultOf } from '../../../src-shared/operations.ts';
import { MAX_LOOKING, type PeerShow, type PeerWord } from '../../../src-shared/peer-protocol.ts';
import type { HostMessage } from '../../../src-shared/protocol.ts';
import { type Refusal, RefusalError } from '../../../src-shared/refusal.ts';
import type { RemoteDrive, RemoteSession, RemoteTarget, RemoteViewer } from '../../engine/remote-session.ts';
import type { Outcome, SessionCommand } from '../../engine/session-commands.ts';
import type { SyncContext } from '../sync-context.ts';
import type { Outbox } from './outbox.ts';
import type { PeerMessage, Peers } from './peers.ts';
import { RemoteKeys } from './remote-keys.ts';
import { ScreenAsks, type WatchedSession } from './screen-asks.ts';

/** Who looks is said again so often; the host forgets those it has not heard of for `FORGOTTEN_MS` (driving-host.ts). */
const LOOK_EVERY_MS = 15_000;
const CALL_AGAIN_MS = 5_000;
const CALL_GIVES_UP_MS = 60_000;
export const MAX_CALLS_UNDER_WAY = 200;
/** The same trouble is told at most so often. */
const NOTICE_EVERY_MS = 5_000;

export interface DrivingOptions {
  readonly context: SyncContext;
  readonly peers: Peers;
  readonly outbox: Outbox;
  /** A session of another machine, while it is kept here. */
  readonly remote: (runId: RunId) => DrivenSession | undefined;
  readonly broadcast: (message: Extract<HostMessage, { type: 'session:notice' }>) => void;
}

type DrivenSession = WatchedSession & Pick<RemoteSession, 'live' | 'remoteViewers' | 'showEarly' | 'hostIsAt'>;

interface Look {
  target: RemoteTarget;
  message: Extract<PeerWord, { type: 'look' }>;
  endWatch: () => void;
  cancelRepeat: () => void;
}

interface Call {
  readonly machine: MachineId;
  readonly settle: (outcome: Extract<PeerWord, { type: 'reply' }>['outcome']) => void;
  readonly send: () => void;
}

/** This machine at the wheel of sessions that others host: what its clients ask is carried there, and what comes back is shown. */
export class Driving implements RemoteDrive {
  readonly #options: DrivingOptions;
  readonly #keys: RemoteKeys;
  readonly #screens: ScreenAsks;
  readonly #looks = new Map<RunId, Look>();
  readonly #calls = new Map<string, Call>();
  readonly #noticedMs = new Map<string, number>();
  readonly #ends: (() => void)[];

  constructor(options: DrivingOptions) {
    this.#options = options;
    const { context, peers, outbox } = options;
    this.#keys = new RemoteKeys({
      peers,
      clock: context.clock,
      onLost: (runId, machine, why) => this.#notice(runId, machine, why),
    });
    this.#screens = new ScreenAsks({
      clock: context.clock,
      peers,
      watched: (runId) => (this.#looks.has(runId) ? options.remote(runId) : undefined),
      onProblem: context.onProblem,
    });
    this.#ends = [
      peers.onMessage((from, message) => this.#handle(from, message)),
      peers.onSeen((machine, online) => this.#seen(machine, online)),
    ];
    outbox.connect({
      peers,
      nameOf: (machine) => this.#name(machine),
      isViewer: () => this.#isViewer(),
      isApart: (machine) => this.#isApart(machine),
    });
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#screens.stop();
    this.#options.outbox.disconnect();
    for (const { endWatch, cancelRepeat } of this.#looks.values()) {
      endWatch();
      cancelRepeat();
    }
    this.#looks.clear();
    for (const { settle, machine } of [...this.#calls.values()]) settle({ ok: false, refusal: this.#outOfReach(machine) });
  }

  // ——— RemoteDrive ———

  execute(target: RemoteTarget, command: SessionCommand, clientId: string): Promise<Outcome> {
    return this.#options.outbox.execute(target, command, clientId);
  }

  keys({ runId, epoch, machineId }: RemoteTarget, clientId: string, data: Uint8Array): void {
    if (this.#isViewer()) {
      this.#notice(runId, machineId, 'viewer');
      return;
    }
    const client = ClientId.safeParse(clientId);
    this.#keys.type({ runId, epoch, machineId, clientId: client.success ? client.data : null }, data);
  }

  moved(runId: RunId): void {
    this.#options.outbox.moved(runId);
  }

  viewers(target: RemoteTarget, viewers: readonly RemoteViewer[], driver: string | null): void {
    const { peers } = this.#options;
    const { runId } = target;
    const message = lookOf(runId, viewers, driver);
    const before = this.#looks.get(runId);
    if (viewers.length === 0) {
      if (before === undefined) return;
      this.#looks.delete(runId);
      before.endWatch();
      before.cancelRepeat();
      peers.pass(before.target.machineId, message);
      return;
    }
    if (before?.target.machineId === target.machineId) Object.assign(before, { target, message });
    else {
      before?.endWatch();
      before?.cancelRepeat();
      const endWatch = peers.watch(runId, target.machineId, (body) => this.#shown(runId, body));
      this.#looks.set(runId, { target, message, endWatch, cancelRepeat: () => {} });
    }
    this.#look(runId);
    this.#screens.check(runId);
  }

  call<N extends OperationName>(machine: MachineId, operation: N, params: ParamsOf<N>): Promise<ResultOf<N>> {
    const { context, peers } = this.#options;
    if (!peers.isOnline(machine)) return Promise.reject(errorOf(this.#outOfReach(machine)));
    if (this.#calls.size >= MAX_CALLS_UNDER_WAY) {
      return Promise.reject(
        new RefusalError(
          'queue-full',
          `${MAX_CALLS_UNDER_WAY} calls to other machines are under way.`,
          'Wait for their answers.',
        ),
      );
    }
    const callId = randomUUID();
    const startedMs = context.clock.nowMs();
    return new Promise((resolve, reject) => {
      let cancel = () => {};
      const end = () => {
        cancel();
        this.#calls.delete(callId);
      };
      const settle: Call['settle'] = (outcome) => {
        end();
        if (!outcome.ok) return reject(errorOf(outcome.refusal));
        const result = OPERATIONS[operation].result.safeParse(outcome.result);
        if (result.success) resolve(result.data as ResultOf<N>);
        else reject(new RefusalError('failed', `${this.#name(machine)} gave an answer that this version does not know.`));
      };
      const send = () => {
        cancel();
        if (context.clock.nowMs() - startedMs > CALL_GIVES_UP_MS) return settle({ ok: false, refusal: this.#silent(machine) });
        cancel = context.clock.setTimer(send, CALL_AGAIN_MS);
        peers
          .fresh(machine)
          .then((isFresh) => (isFresh ? peers.send(machine, { type: 'call', callId, operation, params }) : 'missed'))
          .catch((error: unknown) => {
            end();
            reject(error instanceof Error ? error : new Error(String(error)));
          });
      };
      this.#calls.set(callId, { machine, settle, send });
      send();
    });
  }

  // ——— what comes back ———

  #handle(from: MachineId, message: PeerMessage): void {
    switch (message.type) {
      case 'result':
        this.#options.outbox.answered(from, message.inputId, message.outcome);
        return;
      case 'reply': {
        const call = this.#calls.get(message.callId);
        if (call?.machine === from) call.settle(message.outcome);
        return;
      }
      case 'expired': {
        const call = this.#calls.get(message.of);
        if (call?.machine === from) call.send();
        else this.#options.outbox.expired(from, message.of);
        return;
      }
      case 'logs':
        for (const { runId, ...point } of message.logs) {
          const session = this.#options.remote(runId);
          if (session?.machineId === from) session.hostIsAt(point);
          this.#screens.check(runId);
        }
        return;
      case 'screen':
        this.#screens.came(from, message);
        return;
      case 'keys-refused':
        if (this.#looks.get(message.runId)?.target.machineId === from) this.#tell(message.runId, message.refusal.message);
    }
  }

  #shown(runId: RunId, body: PeerShow): void {
    const session = this.#options.remote(runId);
    if (body.type === 'live') for (const text of body.texts) session?.live(text);
    else if (body.type === 'output') session?.showEarly(body);
    else session?.remoteViewers({ ...body, type: 'run:viewers', runId });
  }

  #seen(machine: MachineId, online: boolean): void {
    this.#options.outbox.seen(machine, online);
    if (online) {
      for (const [runId, { target }] of this.#looks) if (target.machineId === machine) this.#look(runId);
      return;
    }
    for (const call of [...this.#calls.values()]) {
      if (call.machine === machine) call.settle({ ok: false, refusal: this.#outOfReach(machine) });
    }
  }

  #look(runId: RunId): void {
    const look = this.#looks.get(runId);
    if (look === undefined) return;
    const { context, peers } = this.#options;
    look.cancelRepeat();
    peers.pass(look.target.machineId, look.message);
    look.cancelRepeat = context.clock.setTimer(() => this.#look(runId), LOOK_EVERY_MS);
  }

  // ——— words ———

  #isViewer(): boolean {
    const { membership, signer } = this.#options.context;
    return liveMember(membership, signer.machine)?.rights === 'view';
  }

  #isApart(machine: MachineId): boolean {
    const { membership, signer } = this.#options.context;
    return liveMember(membership, signer.machine) === null || liveMember(membership, machine) === null;
  }

  #name(machine: MachineId): string {
    const { membership, keyring } = this.#options.context;
    const member = membership.members.get(machine);
    return (member === undefined ? null : nameOf(member, keyring)) ?? 'The other machine';
  }

  #outOfReach(machine: MachineId): Refusal {
    const message = `${this.#name(machine)} is out of reach.`;
    return { code: 'not-ready', message, hint: 'It has to be on and connected to the relay.' };
  }

  #silent(machine: MachineId): Refusal {
    return { code: 'not-ready', message: `${this.#name(machine)} does not answer.`, hint: 'Try again in a moment.' };
  }

  #notice(runId: RunId, machine: MachineId, why: 'away' | 'too-much' | 'viewer'): void {
    const name = this.#name(machine);
    if (why === 'viewer') this.#tell(runId, `This machine may only look at what runs on ${name}.`);
    else if (why === 'away') this.#tell(runId, `${name} is out of reach: what you type does not arrive.`);
    else this.#tell(runId, `Too much was typed at once for the line to ${name}: the last of it does not arrive.`);
  }

  #tell(runId: RunId, body: string): void {
    const key = `${runId} ${body}`;
    const now = this.#options.context.clock.nowMs();
    if (now - (this.#noticedMs.get(key) ?? Number.NEGATIVE_INFINITY) < NOTICE_EVERY_MS) return;
    for (const [old, atMs] of this.#noticedMs) if (now - atMs >= NOTICE_EVERY_MS) this.#noticedMs.delete(old);
    this.#noticedMs.set(key, now);
    this.#options.broadcast({ type: 'session:notice', runId, title: null, body: body.slice(0, 256) });
  }
}

function lookOf(runId: RunId, viewers: readonly RemoteViewer[], driver: string | null): Extract<PeerWord, { type: 'look' }> {
  const looking = viewers.slice(0, MAX_LOOKING).flatMap(({ clientId, name, viewport }) => {
    const id = ClientId.safeParse(clientId);
    return id.success ? [{ clientId: id.data, name: name.slice(0, 128), viewport }] : [];
  });
  return { type: 'look', runId, viewers: looking, driver: looking.find(({ clientId }) => clientId === driver)?.clientId ?? null };
}

function errorOf({ code, message, hint }: Refusal): RefusalError {
  return new RefusalError(code, message, hint);
}
