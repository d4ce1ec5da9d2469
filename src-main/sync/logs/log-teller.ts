import type { Clock } from '../../../src-shared/client.ts';
import type { MachineId, RunId, Seq } from '../../../src-shared/ids.ts';
import { MAX_TOLD_LOGS } from '../../../src-shared/peer-protocol.ts';
import type { Session } from '../../engine/session.ts';
import type { Peers } from '../passing/peers.ts';

const TELL_EVERY_MS = 1_000;
/** A log that has grown by less since it was told is not worth telling. */
const TELL_FROM_BYTES = 64 * 1024;

interface Growing {
  readonly since: Seq;
  bytes: number;
  toldBytes: number;
  /** When it was told last there was something new. */
  hasGrown: boolean;
}

export interface LogTellerOptions {
  readonly clock: Clock;
  readonly peers: Pick<Peers, 'pass'>;
  readonly machines: () => readonly MachineId[];
  readonly hosted: (runId: RunId) => Pick<Session, 'log'> | undefined;
}

/**
 * Tells the other machines how far logs of this one have come while they grow quickly, in front of what is on its way of them: so each
 * of them knows how far it is behind, whichever line is the slow one. What is told comes once more when it has stopped growing.
 */
export class LogTeller {
  readonly #options: LogTellerOptions;
  readonly #growing = new Map<RunId, Growing>();
  #cancel: (() => void) | null = null;

  constructor(options: LogTellerOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#cancel?.();
  }

  published(runId: RunId, bytes: number): void {
    const growing = this.#growing.get(runId);
    if (growing !== undefined) growing.bytes += bytes;
    else {
      const session = this.#options.hosted(runId);
      // What was published before is counted by nobody.
      if (session === undefined) return;
      this.#growing.set(runId, { since: session.log.published.seq, bytes: 0, toldBytes: 0, hasGrown: false });
    }
    this.#plan();
  }

  #plan(): void {
    this.#cancel ??= this.#options.clock.setTimer(() => {
      this.#cancel = null;
      this.#tell();
    }, TELL_EVERY_MS);
  }

  #tell(): void {
    const { peers, machines, hosted } = this.#options;
    const logs = [];
    for (const [runId, growing] of this.#growing) {
      const session = hosted(runId);
      if (session === undefined) this.#growing.delete(runId);
      else if (logs.length < MAX_TOLD_LOGS && (growing.hasGrown || growing.bytes - growing.toldBytes >= TELL_FROM_BYTES)) {
        const { since, bytes } = growing;
        growing.hasGrown = bytes > growing.toldBytes;
        growing.toldBytes = bytes;
        logs.push({ runId, since, seq: session.log.published.seq, bytes });
      }
    }
    if (logs.length === 0) return;
    for (const machine of machines()) peers.pass(machine, { type: 'logs', logs });
    this.#plan();
  }
}
