import { createHash } from 'node:crypto';
import { InputId, type MachineId, type RunId } from '../../../src-shared/ids.ts';
import type { Rights } from '../../../src-shared/machines.ts';
import { liveMember } from '../../../src-shared/membership.ts';
import { addMachine, revokeMachine, rotateKey, setRights } from '../../../src-shared/membership-keys.ts';
import { makeMachineKeys, toHex } from '../../../src-shared/seal.ts';
import { type TestMachine, testMachineId, testWorkspace } from '../../../src-shared/sim/workspace.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import type { Outcome, SessionCommand } from '../../engine/session-commands.ts';
import { Agenda, randomOf } from '../../engine/sim.fixture.ts';
import type { Logger } from '../../logger.ts';
import { Relay } from '../../relay/relay.ts';
import { evilRelay } from './evil-relay.fixture.ts';
import { Line } from './line.fixture.ts';
import { SimMachine } from './machine.fixture.ts';
import { Promises } from './promises.fixture.ts';
import { MemoryRelayStorage, RelayDisk } from './relay-disk.fixture.ts';
import { Texts } from './texts.fixture.ts';

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, close() {} };
/** Every so many-th history has a relay that lies. */
const EVIL_EACH = 5;
/** What costs much is in some of them only: in those whose seed leaves this when divided so. */
const DOCUMENTS_IN = { each: 7, left: 2 };
const LONG_LOGS_IN = { each: 7, left: 4 };
const TWO_FACED_IN = { each: 11, left: 5 };
const LEAVING_IN = { each: 11, left: 8 };
const isIn = (seed: number, { each, left }: typeof DOCUMENTS_IN) => seed % each === left;
/** A step is a frame that arrives, or a commit. */
const STEP_MS = 8;
/** The number in the id of the first that comes back. */
const FIRST_NEWCOMER = 100;
const DAY_MS = 24 * 60 * 60_000;

/** A promise of the product does not hold. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

interface Sent {
  readonly runId: RunId;
  readonly from: SimMachine;
  readonly command: SessionCommand;
  outcome: Outcome | Error | null;
}

/** A relay process on its disk. */
interface RelayLife {
  readonly relay: Relay;
  readonly kill: () => void;
}

/** What some machines are shown for the relay. */
interface Face {
  readonly disk: RelayDisk;
  /** Nothing is left out of it. */
  readonly isWhole: boolean;
  readonly to: ReadonlySet<SimMachine>;
}

const chains = new Map<number, Promise<TestMachine[]>>();
/** Founding is dear, and the same for all. */
function workspaceOf(count: number): Promise<TestMachine[]> {
  let made = chains.get(count);
  if (made === undefined) {
    made = testWorkspace(...Array.from({ length: count - 1 }, (): Rights => 'start'));
    chains.set(count, made);
  }
  return made;
}

/** Several machines, their relay and the lines between them, on one agenda. What happens to them is decided from outside. */
export class World {
  readonly random: () => number;
  readonly agenda: Agenda;
  readonly machines: readonly SimMachine[];
  readonly hosts = new Map<RunId, SimMachine>();
  /** What users were told of. */
  readonly sent = new Map<InputId, Sent>();
  /** Heads of the chain that who made them was told are kept. */
  readonly chained: { readonly by: SimMachine; readonly head: string }[] = [];
  relayDisk = new RelayDisk();
  /** Of the relay's disk, from earlier. */
  backup: RelayDisk | null = null;
  isRelayDiskFull = false;
  /** The relay's disk was lost or set back, and with it what it had acknowledged of the chain. */
  wasSetBack = false;
  relay: RelayLife | null = null;
  readonly lines = new Map<SimMachine, Line>();
  readonly history: string[] = [];
  /** The relay drops, repeats, reorders, replays and changes what passes, and says that it has stored what it has not. */
  isEvil: boolean;
  /** What users write together; null: not in this history. */
  readonly texts: Texts | null;
  /** Logs have checkpoints, and events that are larger than a batch. A machine comes when they are long. */
  readonly hasLongLogs: boolean;
  /** Machines leave, and come back as somebody else. */
  readonly hasLeaving: boolean;
  /** Whom they were before. */
  readonly #former: MachineId[] = [];
  /** The relay may show some machines another state than the rest. */
  readonly isTwoFaced: boolean;
  face: (Face & { readonly life: RelayLife }) | null = null;
  /** How often something goes wrong. */
  readonly troubles: number;
  /** Machines that reach no relay. */
  readonly apart = new Set<SimMachine>();
  readonly promises = new Promises(this);
  /** The first promise that was broken in a place from where it cannot be thrown. */
  broken: Broken | null = null;
  lineCount = 0;

  private constructor(seed: number, signers: readonly TestMachine[]) {
    this.random = randomOf(seed);
    this.isEvil = seed % EVIL_EACH === 0;
    this.agenda = new Agenda(this.random, STEP_MS);
    this.troubles = this.random() * 0.05;
    this.texts = isIn(seed, DOCUMENTS_IN) ? new Texts(this) : null;
    this.hasLongLogs = isIn(seed, LONG_LOGS_IN);
    this.isTwoFaced = isIn(seed, TWO_FACED_IN);
    this.hasLeaving = isIn(seed, LEAVING_IN);
    let yjsClients = 0;
    const chain = signers[0]?.entries ?? [];
    this.machines = signers.map((signer, index) => {
      // One of them may be days off.
      const clockOffsetMs = this.chance(0.3) ? Math.floor((this.random() - 0.5) * 10 * DAY_MS) : 0;
      return new SimMachine({
        ...{ name: `m${index + 1}`, signer, chain, agenda: this.agenda, random: this.random, clockOffsetMs },
        hasDocuments: this.texts !== null,
        hasLongLogs: this.hasLongLogs,
        nextYjsClient: () => ++yjsClients,
        connect: (machine) => this.#connect(machine),
        onCommitted: (machine, runId) => this.promises.committed(machine, runId),
      });
    });
    this.agenda.hold((lane) => this.machines.some(({ isAsleep, name }) => isAsleep && lane.startsWith(`${name}/`)));
  }

  static async create(seed: number): Promise<World> {
    const count = 2 + Math.floor(randomOf(seed)() * 2.3);
    return new World(seed, await workspaceOf(count));
  }

  chance(share: number): boolean {
    return this.random() < share;
  }
  pick<T>(from: Iterable<T>): T | undefined {
    const all = [...from];
    return all[Math.floor(this.random() * all.length)];
  }
  /** Those that are in the workspace, as far as they know. */
  members(): readonly SimMachine[] {
    return this.machines.filter(({ life }) => life?.workspace.excluded === null && life.workspace.link.state.is !== 'refused');
  }
  /** For whoever looks into a seed. */
  note(what: string): void {
    this.history.push(`${this.agenda.nowMs} ${what}`);
  }
  fail(message: string): void {
    this.note(message);
    this.broken ??= new Broken(message);
  }

  // ——— the relay ———

  startRelay(): void {
    this.relay ??= this.#openRelay(this.relayDisk, 'relay');
  }

  #openRelay(disk: RelayDisk, name: string): RelayLife {
    const state = { isDead: false };
    const storage = new MemoryRelayStorage(disk, () => !state.isDead && !this.isRelayDiskFull);
    const relay = new Relay({
      storage,
      logger: SILENT,
      nowMs: () => this.agenda.nowMs,
      soon: (work) => {
        if (!state.isDead) this.agenda.add(`${name}/soon`, work);
      },
    });
    const kill = () => {
      state.isDead = true;
      this.agenda.drop((lane) => lane.startsWith(`${name}/`));
      for (const [machine, line] of this.lines) if (this.#relayOf(machine).name === name) line.cut();
      // Its timers; nothing of what it still wants to write or say gets anywhere.
      relay.close();
      this.agenda.drop((lane) => lane.startsWith(`${name}/`));
    };
    return { relay, kill };
  }

  #relayOf(machine: SimMachine): { readonly life: RelayLife | null; readonly name: string } {
    const isShownOther = this.face?.to.has(machine) === true;
    return isShownOther ? { life: this.face?.life ?? null, name: 'other relay' } : { life: this.relay, name: 'relay' };
  }

  showOther(face: Face): void {
    for (const machine of face.to) this.lines.get(machine)?.cut();
    this.face = { ...face, life: this.#openRelay(face.disk, 'other relay') };
  }

  /** All are shown this from now on. */
  unite(disk: RelayDisk): void {
    this.face?.life.kill();
    this.face = null;
    this.note('all machines are shown one relay');
    // Also where it is the one that it was: what is acknowledged beside it is not in it.
    this.replaceRelayDisk(disk);
    this.startRelay();
  }

  killRelay(): void {
    this.relay?.kill();
    this.relay = null;
    this.promises.relayKilled();
  }

  /** Its disk is another one from now on. */
  replaceRelayDisk(disk: RelayDisk): void {
    this.killRelay();
    this.wasSetBack = true;
    this.promises.relayReplaced();
    this.relayDisk = disk;
  }

  #connect(machine: SimMachine): Promise<Wire> {
    return new Promise((resolve, reject) => {
      this.agenda.add(machine.lane('connecting'), () => {
        const { life: relay, name } = this.#relayOf(machine);
        if (relay === null || this.apart.has(machine)) {
          reject(new Error('nobody answers'));
          return;
        }
        const id = this.lineCount++;
        const asked = new Map<number, Uint8Array>();
        const line = new Line({
          agenda: this.agenda,
          lanes: { 'to-relay': `${name}/line ${id}`, 'from-relay': machine.lane(`line ${id}`) },
          meddle: (direction, frame) => {
            if (this.isEvil) return evil(direction, frame);
            this.promises.overhear(machine, { direction, frame, asked });
            return [frame];
          },
        });
        const evil = evilRelay(this.random, line);
        this.lines.get(machine)?.cut();
        this.lines.set(machine, line);
        relay.relay.attach(line.relayEnd);
        resolve(line.machineEnd);
      });
    });
  }

  /** What was not fsynced is gone: nobody else may have it [replica-2]. */
  powerCut(machine: SimMachine): void {
    const before = new Set(machine.disk.sessions.keys());
    if (this.texts === null) machine.kill('power');
    else this.texts.cut(machine, () => machine.kill('power'));
    this.lines.get(machine)?.died('to-relay');
    this.promises.lostUnsynced(machine, before);
  }

  kill(machine: SimMachine): void {
    machine.kill('process');
    this.lines.get(machine)?.died('to-relay');
  }

  // ——— what users do ———

  create(machine: SimMachine): void {
    machine.create(this.inputId(), (runId) => this.note(`${machine.name} created ${runId}`));
  }

  /** Its terminal prints something that does not become smaller. */
  print(machine: SimMachine, runId: RunId): void {
    const bytes = Math.ceil(10 ** (2 + 2 * this.random()));
    this.note(`${bytes} bytes are typed into ${runId}`);
    machine.type(runId, Buffer.from(Array.from({ length: bytes }, () => Math.floor(this.random() * 256))));
  }

  inputId(): InputId {
    const bytes = createHash('md5').update(`${this.sent.size} ${this.random()}`).digest('hex');
    const [a, b, c, d] = [bytes.slice(0, 8), bytes.slice(8, 12), bytes.slice(13, 16), bytes.slice(17, 20)];
    return InputId.parse(`${a}-${b}-4${c}-8${d}-${bytes.slice(20, 32)}`);
  }

  send(from: SimMachine, runId: RunId, command: SessionCommand): void {
    const sent: Sent = this.sent.get(command.inputId) ?? { runId, from, command, outcome: null };
    this.sent.set(command.inputId, sent);
    this.note(`${from.name} sends ${command.kind} ${command.inputId.slice(0, 8)} to ${runId}`);
    from.send(runId, command, (outcome) => {
      const { outcome: before } = sent;
      const isOk = !(outcome instanceof Error) && outcome.ok;
      if (isOk && before !== null && !(before instanceof Error) && before.ok && before.seq !== outcome.seq) {
        this.fail(`an input was answered with event ${before.seq}, then with ${outcome.seq} (I3)`);
      }
      if (isOk || before === null) sent.outcome = outcome;
    });
  }

  changeChain(by: SimMachine, what: 'rotate' | 'revoke' | Rights, whom: SimMachine): void {
    const workspace = by.life?.workspace;
    if (workspace === undefined || workspace.excluded !== null) return;
    const { signer, clock } = workspace;
    this.note(`${by.name} changes the chain: ${what} ${whom.name}`);
    workspace
      .append((membership) => {
        if (what === 'rotate') return rotateKey(membership, signer, clock.nowMs());
        if (what === 'revoke') return revokeMachine(membership, signer, whom.signer.machine, clock.nowMs());
        return setRights(membership, signer, { machine: whom.signer.machine, rights: what }, clock.nowMs());
      })
      .then(() => this.chained.push({ by, head: workspace.membership.head }))
      // The line was lost, or the chain does not allow it: the user tries again, or not.
      .catch(() => {});
  }

  /** It leaves the workspace, and `by` adds it again. */
  rejoin(machine: SimMachine, by: SimMachine): void {
    const workspace = by.life?.workspace;
    if (workspace === undefined || workspace.excluded !== null || machine.life === null) return;
    const signer = { machine: testMachineId(FIRST_NEWCOMER + this.#former.length), keys: makeMachineKeys() };
    const { sign, box } = signer.keys;
    const keys = { signKey: toHex(sign.publicKey), boxKey: toHex(box.publicKey) };
    const newcomer = { machine: signer.machine, ...keys, name: machine.name, rights: 'start' } as const;
    const former = machine.signer.machine;
    workspace
      .append((membership) => addMachine(membership, workspace.signer, workspace.keyring, newcomer, workspace.clock.nowMs()))
      .then(() => {
        this.note(`${machine.name} has left, and was added again by ${by.name}`);
        this.#former.push(former);
        this.kill(machine);
        machine.become(signer, workspace.chain);
        machine.start();
      })
      .catch(() => {});
  }

  /** Whoever may removes those who will not come back. False: there are none. */
  removeFormer(): boolean {
    for (const former of this.#former) {
      const by = this.members().find(({ life, signer }) => {
        const membership = life?.workspace.membership;
        const mayRemove = membership !== undefined && liveMember(membership, signer.machine)?.rights === 'start';
        return mayRemove && liveMember(membership, former) !== null;
      });
      const workspace = by?.life?.workspace;
      if (workspace === undefined) continue;
      workspace
        .append((membership) => revokeMachine(membership, workspace.signer, former, workspace.clock.nowMs()))
        .catch(() => {});
      return true;
    }
    return false;
  }
}
