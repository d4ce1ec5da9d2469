import { ClientId, type MachineId, RunId } from '../../../src-shared/ids.ts';
import { allows, type Rights } from '../../../src-shared/machines.ts';
import { liveMember } from '../../../src-shared/membership.ts';
import { nameOf } from '../../../src-shared/membership-keys.ts';
import { OPERATIONS, type OperationName } from '../../../src-shared/operations.ts';
import type { PeerDeed, PeerWord } from '../../../src-shared/peer-protocol.ts';
import { type Refusal, RefusalError } from '../../../src-shared/refusal.ts';
import type { Caller } from '../../engine/connection.ts';
import type { Session } from '../../engine/session.ts';
import type { Outcome } from '../../engine/session-commands.ts';
import type { Published, SessionViewer } from '../../engine/session-viewers.ts';
import { LogTeller } from '../logs/log-teller.ts';
import type { SyncContext } from '../sync-context.ts';
import { EarlyOutput } from './early-output.ts';
import type { PeerMessage, Peers } from './peers.ts';
import { ScreenShows } from './screen-shows.ts';
import { Showing } from './showing.ts';

/** A machine that has not said for so long who looks has nobody looking. */
const FORGOTTEN_MS = 45_000;
/** Sessions that one machine may look at, at a time. */
const MAX_LOOKS = 200;
/** Calls of one machine that are being carried out at the same time. */
const MAX_CALLS_UNDER_WAY = 64;
/** Answers that are kept for those who did not hear them, of each machine. */
const MAX_KNOWN_CALLS = 256;
/** That keys are refused is said at most so often. */
const REFUSED_EVERY_MS = 5_000;

/** What another machine may ask for, and the rights that it needs. */
const CALLABLE: Partial<Record<OperationName, Rights>> = {
  'session.create': 'start',
  'session.fork': 'start',
  'session.delete': 'start',
  'files.complete': 'type',
  'claude.check': 'type',
  'claude.models': 'type',
  'engine.status': 'type',
};

type HostedSession = Pick<Session, 'runId' | 'epoch' | 'execute' | 'keys' | 'liveTexts' | 'viewers' | 'log' | 'screen'>;

export interface DrivingHostOptions {
  readonly context: SyncContext;
  readonly peers: Peers;
  readonly hosted: (runId: RunId) => HostedSession | undefined;
  /** Events of a session were published; of so many bytes. */
  readonly onLog: (listener: (runId: RunId, bytes: number) => void) => () => void;
  /** Carries out an operation; parameters are read by their schema. */
  readonly perform: (operation: OperationName, params: unknown, caller: Caller) => Promise<unknown>;
  /** What this machine lets any other do, whatever its rights are. */
  readonly allows: () => Rights;
}

/** A client of another machine, among those who watch. */
class DistantViewer implements SessionViewer {
  readonly clientId: ClientId;
  readonly name: string;
  readonly isLocal = false;
  readonly behindBytes = 0;
  viewport: SessionViewer['viewport'];

  readonly #onPublished: (published: Published) => void;

  constructor(
    clientId: ClientId,
    name: string,
    viewport: SessionViewer['viewport'],
    onPublished: (published: Published) => void,
  ) {
    this.clientId = clientId;
    this.name = name;
    this.viewport = viewport;
    this.#onPublished = onPublished;
  }

  publish(published: Published): void {
    this.#onPublished(published);
  }
  /** Its machine has it from the log and from what is shown to all who watch. */
  tell(): void {}
  publishEarly(): void {}
  startOver(): void {}
  lookAhead(): void {}
}

interface Look {
  readonly session: HostedSession;
  readonly viewers: Map<ClientId, DistantViewer>;
  readonly endShowing: () => void;
  cancelExpiry: () => void;
}

type Reply = Extract<PeerWord, { type: 'reply' }>['outcome'];

/** This machine as the host of what others drive: their commands are carried out once, their keys reach the terminal, their sizes count. */
export class DrivingHost {
  readonly #options: DrivingHostOptions;
  readonly #showing: Showing;
  readonly #early: EarlyOutput;
  readonly #screens: ScreenShows;
  readonly #logs: LogTeller;
  readonly #looks = new Map<MachineId, Map<RunId, Look>>();
  readonly #calls = new Map<MachineId, Map<string, Promise<Reply>>>();
  readonly #underWay = new Map<MachineId, number>();
  readonly #refusedMs = new Map<string, number>();
  readonly #gone = new AbortController();
  readonly #ends: (() => void)[];

  constructor(options: DrivingHostOptions) {
    this.#options = options;
    const { context, peers } = options;
    this.#showing = new Showing(peers, context.clock);
    this.#early = new EarlyOutput(peers, context.clock);
    this.#screens = new ScreenShows(peers, context.onProblem);
    this.#logs = new LogTeller({ clock: context.clock, peers, machines: () => peers.online, hosted: options.hosted });
    this.#ends = [
      options.onLog((runId, bytes) => {
        this.#screens.published(runId);
        this.#logs.published(runId, bytes);
      }),
      peers.onMessage((from, message) => this.#handle(from, message)),
      peers.onSeen((machine, online) => {
        if (!online) this.#forgetLooks(machine);
      }),
    ];
  }

  stop(): void {
    for (const end of this.#ends) end();
    this.#logs.stop();
    for (const machine of [...this.#looks.keys()]) this.#forgetLooks(machine);
    this.#gone.abort();
  }

  #handle(from: MachineId, message: PeerMessage): void {
    if (message.type === 'command') this.#command(from, message);
    else if (message.type === 'keys') this.#keys(from, message);
    else if (message.type === 'look') this.#look(from, message);
    else if (message.type === 'call') this.#call(from, message);
    else if (message.type === 'screen-wanted') {
      const look = this.#looks.get(from)?.get(message.runId);
      if (look !== undefined) this.#screens.want(from, look.session, message.after);
    }
  }

  // ——— rights ———

  /** Null: it may. */
  #whyNot(from: MachineId, needed: Rights): Refusal | null {
    const rights = liveMember(this.#options.context.membership, from)?.rights ?? 'view';
    if (!allows(rights, needed)) {
      return {
        code: 'not-allowed',
        message: `This machine’s rights end at “${rights}”.`,
        hint: 'Change them on a machine that may.',
      };
    }
    if (!allows(this.#options.allows(), needed)) {
      return {
        code: 'not-allowed',
        message: `${this.#name(this.#options.peers.self)} does not let other machines do that.`,
        hint: 'Its setting machines.allow says what they may.',
      };
    }
    return null;
  }

  #name(machine: MachineId): string {
    const { membership, keyring } = this.#options.context;
    const member = membership.members.get(machine);
    return (member === undefined ? null : nameOf(member, keyring)) ?? machine;
  }

  // ——— commands and keys ———

  #command(from: MachineId, { runId, epoch, clientId, command }: Extract<PeerDeed, { type: 'command' }>): void {
    const { inputId } = command;
    const answer = (outcome: Outcome) => this.#say(from, { type: 'result', runId, inputId, outcome });
    const session = this.#options.hosted(runId);
    const why = this.#whyNot(from, 'type') ?? whyNotHere(session, epoch);
    if (why !== null || session === undefined) {
      answer({ ok: false, refusal: why ?? unknownSession });
      return;
    }
    session.execute(command, clientId).then(answer, (error: unknown) => {
      if (error instanceof RefusalError) answer({ ok: false, refusal: error.refusal });
      else {
        this.#options.context.onProblem(`${command.kind} of another machine failed`, error);
        const reason = error instanceof Error ? error.message : String(error);
        answer({ ok: false, refusal: { code: 'failed', message: `${command.kind} failed: ${reason}`, hint: null } });
      }
    });
  }

  #keys(from: MachineId, { runId, epoch, clientId, data }: Extract<PeerDeed, { type: 'keys' }>): void {
    const session = this.#options.hosted(runId);
    const why = this.#whyNot(from, 'type') ?? whyNotHere(session, epoch);
    if (why !== null) this.#refuseKeys(from, runId, why);
    else {
      const viewer = clientId === null ? undefined : this.#looks.get(from)?.get(runId)?.viewers.get(clientId);
      session?.keys(viewer ?? null, data);
    }
  }

  #refuseKeys(from: MachineId, runId: RunId, refusal: Refusal): void {
    const now = this.#options.context.clock.nowMs();
    if (now - (this.#refusedMs.get(from) ?? Number.NEGATIVE_INFINITY) < REFUSED_EVERY_MS) return;
    this.#refusedMs.set(from, now);
    this.#options.peers.pass(from, { type: 'keys-refused', runId, refusal });
  }

  // ——— who looks ———

  #look(from: MachineId, { runId, viewers, driver }: Extract<PeerWord, { type: 'look' }>): void {
    const looks = this.#looks.get(from) ?? new Map<RunId, Look>();
    const session = this.#options.hosted(runId);
    let look = looks.get(runId);
    if (look !== undefined && look.session !== session) {
      this.#forget(from, runId);
      look = undefined;
    }
    if (session === undefined || viewers.length === 0) {
      this.#forget(from, runId);
      return;
    }
    if (look === undefined) {
      if (looks.size >= MAX_LOOKS) return;
      look = { session, viewers: new Map(), endShowing: this.#showing.begin(session), cancelExpiry: () => {} };
      looks.set(runId, look);
      this.#looks.set(from, looks);
    }
    look.cancelExpiry();
    look.cancelExpiry = this.#options.context.clock.setTimer(() => this.#forget(from, runId), FORGOTTEN_MS);
    this.#update(look, viewers, ` on ${this.#name(from)}`);
    // Its typing counts from what it types here on; before that, it is asked for its size where nobody else drives.
    const driving = driver === null ? undefined : look.viewers.get(driver);
    const current = session.viewers.driver;
    if (
      driving !== undefined &&
      driving !== current &&
      current !== null &&
      [...look.viewers.values()].some((it) => it === current)
    ) {
      session.viewers.typed(driving);
    }
  }

  #update({ session, viewers: known }: Look, said: Extract<PeerWord, { type: 'look' }>['viewers'], where: string): void {
    const now = new Set(said.map(({ clientId }) => clientId));
    for (const [clientId, viewer] of known) {
      if (now.has(clientId)) continue;
      known.delete(clientId);
      session.viewers.remove(viewer);
    }
    for (const { clientId, name, viewport } of said) {
      const viewer = known.get(clientId);
      if (viewer === undefined) {
        const onPublished = ({ events }: Published) => this.#early.published(session.runId, events);
        const added = new DistantViewer(clientId, `${name}${where}`, viewport, onPublished);
        known.set(clientId, added);
        session.viewers.add(added);
      } else if (viewer.viewport?.cols !== viewport?.cols || viewer.viewport?.rows !== viewport?.rows) {
        viewer.viewport = viewport;
        if (viewport !== null) session.viewers.resized(viewer);
      }
    }
  }

  #forget(from: MachineId, runId: RunId): void {
    const looks = this.#looks.get(from);
    const look = looks?.get(runId);
    if (looks === undefined || look === undefined) return;
    looks.delete(runId);
    this.#screens.forget(from, runId);
    if (looks.size === 0) this.#looks.delete(from);
    look.cancelExpiry();
    for (const viewer of look.viewers.values()) look.session.viewers.remove(viewer);
    look.endShowing();
    this.#early.forget(runId);
  }

  #forgetLooks(machine: MachineId): void {
    for (const runId of [...(this.#looks.get(machine)?.keys() ?? [])]) this.#forget(machine, runId);
  }

  // ——— calls ———

  #call(from: MachineId, message: Extract<PeerDeed, { type: 'call' }>): void {
    const { callId } = message;
    const known = this.#calls.get(from) ?? new Map<string, Promise<Reply>>();
    this.#calls.set(from, known);
    const before = known.get(callId);
    const outcome = before ?? this.#perform(from, message);
    if (before === undefined) {
      known.set(callId, outcome);
      const [oldest] = known.keys();
      if (known.size > MAX_KNOWN_CALLS && oldest !== undefined) known.delete(oldest);
    }
    void outcome.then((it) => this.#say(from, { type: 'reply', callId, outcome: it }));
  }

  /** Never rejects. */
  async #perform(from: MachineId, { operation, params }: Extract<PeerDeed, { type: 'call' }>): Promise<Reply> {
    const needed = CALLABLE[operation];
    if (needed === undefined) {
      return { ok: false, refusal: { code: 'unsupported', message: `${operation} is for clients of that machine.`, hint: null } };
    }
    const wanted = OPERATIONS[operation].params.safeParse(params);
    if (!wanted.success) {
      return { ok: false, refusal: { code: 'bad-request', message: `${operation} is asked otherwise.`, hint: null } };
    }
    const why = this.#whyNot(from, needed) ?? this.#whyNotMine(wanted.data);
    if (why !== null) return { ok: false, refusal: why };
    const underWay = this.#underWay.get(from) ?? 0;
    if (underWay >= MAX_CALLS_UNDER_WAY) {
      const refusal = new RefusalError(
        'queue-full',
        `${MAX_CALLS_UNDER_WAY} calls are under way already.`,
        'Wait for their answers.',
      );
      return { ok: false, refusal: refusal.refusal };
    }
    this.#underWay.set(from, underWay + 1);
    try {
      return {
        ok: true,
        result: await this.#options.perform(operation, { ...wanted.data, machineId: undefined }, this.#caller(from)),
      };
    } catch (error) {
      if (error instanceof RefusalError) return { ok: false, refusal: error.refusal };
      this.#options.context.onProblem(`${operation} for another machine failed`, error);
      const reason = error instanceof Error ? error.message : String(error);
      return { ok: false, refusal: { code: 'failed', message: `${operation} failed: ${reason}`, hint: null } };
    } finally {
      this.#underWay.set(from, (this.#underWay.get(from) ?? 1) - 1);
    }
  }

  /** With its own rights a machine asks no third one for somebody else. */
  #whyNotMine(params: object): Refusal | null {
    const runId = 'runId' in params ? RunId.safeParse(params.runId) : null;
    return runId?.success === true && this.#options.hosted(runId.data) === undefined ? unknownSession : null;
  }

  #caller(from: MachineId): Caller {
    return { clientId: ClientId.parse(from), signal: this.#gone.signal, road: 'websocket' };
  }

  #say(to: MachineId, word: PeerWord): void {
    // Where it does not arrive it is asked for again.
    this.#options.peers
      .send(to, word)
      .catch((error: unknown) => this.#options.context.onProblem('an answer to another machine could not be sent', error));
  }
}

const unknownSession: Refusal = {
  code: 'unknown-session',
  message: 'There is no such session.',
  hint: 'It may have been deleted.',
};

function whyNotHere(session: HostedSession | undefined, epoch: number): Refusal | null {
  if (session === undefined) return unknownSession;
  if (session.epoch === epoch) return null;
  return { code: 'wrong-epoch', message: 'The session has moved to another machine since.', hint: null };
}
