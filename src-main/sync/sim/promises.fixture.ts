import type { RunId } from '../../../src-shared/ids.ts';
import { parseFromRelay, parseToRelay } from '../../../src-shared/relay-protocol.ts';
import { readBatch } from '../../../src-shared/sealed-batch.ts';
import type { ChainHash } from '../../store/chain.ts';
import type { Direction } from './line.fixture.ts';
import type { SimMachine } from './machine.fixture.ts';
import type { World } from './world.fixture.ts';

interface Overheard {
  readonly direction: Direction;
  readonly frame: Uint8Array;
  /** On this line, by the number of the request. */
  readonly asked: Map<number, Uint8Array>;
}

/** What has to hold at every moment, whatever happens. It looks at disks and lines, and is told of nothing by the product. */
export class Promises {
  readonly #world: World;
  /** The chain of each session as it was fsynced where it is hosted. */
  readonly #truth = new Map<RunId, Map<number, ChainHash>>();
  /** The counters that the relay has said it stored, of each stream and writer. */
  readonly #acknowledged = new Map<string, { readonly frame: Uint8Array; readonly counter: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** What was asked to be stored, and which of it the relay says is. */
  overhear(machine: SimMachine, { direction, frame, asked }: Overheard): void {
    if (direction === 'to-relay') {
      const message = parseToRelay(frame);
      if (message.type !== 'batch' || message.ask === null) return;
      asked.set(message.ask, message.frame);
      this.#checkDurable(machine, message.frame);
      return;
    }
    if (!isStored(frame)) return;
    const ask = askOf(frame);
    const batch = ask === null ? undefined : asked.get(ask);
    const header = batch === undefined ? undefined : readBatch(batch)?.header;
    if (batch === undefined || header === undefined) return;
    this.#acknowledged.set(`${header.stream} ${header.machine} ${header.kind}`, { frame: batch, counter: header.counter });
  }

  /** [replica-2] */
  #checkDurable(machine: SimMachine, frame: Uint8Array): void {
    const header = readBatch(frame)?.header;
    const { life } = machine;
    if (life === null || header?.kind !== 'log') return;
    for (const [runId, host] of this.#world.hosts) {
      if (host !== machine || !machine.disk.sessions.has(runId)) continue;
      if (life.workspace.keyring.streamName('log', runId) !== header.stream) continue;
      const durable = life.store.durableSeq(runId);
      if (header.seqTo > durable)
        this.#world.fail(`event ${header.seqTo} left its host, which has fsynced ${durable} (replica-2)`);
    }
  }

  // ——— what is written ———

  committed(machine: SimMachine, runId: RunId): void {
    const host = this.#world.hosts.get(runId) ?? machine;
    const truth = this.#truthOf(runId);
    if (host === machine) {
      this.#world.hosts.set(runId, machine);
      for (const [seq, hash] of machine.disk.hashes(runId)) {
        const before = truth.get(seq);
        if (before !== undefined && before !== hash)
          this.#world.fail(`event ${seq} of a log was rewritten where it is hosted (I1)`);
        truth.set(seq, hash);
      }
      return;
    }
    this.checkReplica(machine, runId);
  }

  #truthOf(runId: RunId): Map<number, ChainHash> {
    let truth = this.#truth.get(runId);
    if (truth === undefined) {
      truth = new Map();
      this.#truth.set(runId, truth);
    }
    return truth;
  }

  /** [replica-1] Everything that is here is so at the host, and was fsynced there. */
  checkReplica(machine: SimMachine, runId: RunId): void {
    const truth = this.#truthOf(runId);
    for (const [seq, hash] of machine.disk.hashes(runId)) {
      if (truth.get(seq) !== hash) this.#world.fail(`event ${seq} of a replica on ${machine.name} is not what its host has (I4)`);
    }
  }

  /** What was not fsynced there is gone: nobody else may have it [replica-2]. */
  lostUnsynced(machine: SimMachine, before: ReadonlySet<RunId>): void {
    for (const [runId, host] of this.#world.hosts) {
      if (host !== machine || !before.has(runId)) continue;
      const { seq } = machine.disk.headOf(runId);
      const truth = this.#truthOf(runId);
      for (const known of [...truth.keys()]) if (known > seq) truth.delete(known);
      for (const other of this.#world.machines) if (other !== machine) this.checkReplica(other, runId);
    }
  }

  /** [relay-15] Of an honest one. */
  relayKilled(): void {
    if (this.#world.isEvil || this.#world.isTwoFaced) return;
    for (const { frame, counter } of this.#acknowledged.values()) {
      const batch = readBatch(frame);
      if (batch !== null && this.#world.relayDisk.counterOf(batch) < counter) {
        this.#world.fail('the relay was killed and has lost what it had acknowledged (relay-15)');
      }
    }
  }

  relayReplaced(): void {
    this.#acknowledged.clear();
  }
}

const STORED = Buffer.from('stored');

/** `{type: 'stored', ask, position}`: looked at without reading all of every frame. */
function isStored(frame: Uint8Array): boolean {
  return frame.byteLength < 100 && Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).includes(STORED);
}

function askOf(frame: Uint8Array): number | null {
  const message = parseFromRelay(frame);
  return message.type === 'stored' ? message.ask : null;
}
