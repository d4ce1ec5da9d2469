import type { MachineId, RunId, Seq } from '../../../src-shared/ids.ts';
import { MAX_SHOWN_SCREEN_BYTES, type PeerWord } from '../../../src-shared/peer-protocol.ts';
import type { Session } from '../../engine/session.ts';
import { pack } from '../logs/log-payload.ts';
import type { Peers } from './peers.ts';

type Shown = Pick<Session, 'runId' | 'log' | 'screen'>;
interface Wanted {
  readonly session: Shown;
  readonly after: Seq;
  isUnderWay: boolean;
}

/**
 * Shows the screens of this machine's terminals to machines whose line is too slow for the log. One is sent for each that was asked
 * for, as soon as it is another one, and the newest at that moment: nothing of the kind ever waits behind another.
 */
export class ScreenShows {
  readonly #peers: Pick<Peers, 'send'>;
  readonly #onProblem: (message: string, error: unknown) => void;
  readonly #wanted = new Map<RunId, Map<MachineId, Wanted>>();

  constructor(peers: Pick<Peers, 'send'>, onProblem: (message: string, error: unknown) => void) {
    this.#peers = peers;
    this.#onProblem = onProblem;
  }

  want(from: MachineId, session: Shown, after: Seq): void {
    const { runId } = session;
    const wanted = this.#wanted.get(runId) ?? new Map<MachineId, Wanted>();
    this.#wanted.set(runId, wanted);
    // The answer to what it asked before is on its way.
    if (wanted.get(from)?.isUnderWay === true) return;
    wanted.set(from, { session, after, isUnderWay: false });
    this.published(runId);
  }

  forget(from: MachineId, runId: RunId): void {
    const wanted = this.#wanted.get(runId);
    wanted?.delete(from);
    if (wanted?.size === 0) this.#wanted.delete(runId);
  }

  published(runId: RunId): void {
    for (const [machine, wanted] of this.#wanted.get(runId) ?? []) {
      // Its log was set back by a crash where what was shown is further on than it.
      if (wanted.isUnderWay || wanted.session.log.published.seq === wanted.after) continue;
      wanted.isUnderWay = true;
      this.#show(machine, wanted).catch((error: unknown) => {
        this.#onProblem(`the screen of session ${runId} could not be shown to another machine`, error);
      });
    }
  }

  async #show(machine: MachineId, wanted: Wanted): Promise<void> {
    const { session, after } = wanted;
    const { runId } = session;
    try {
      let screen = await session.screen.latest(0);
      // Nothing of what is new has been drawn yet.
      if (screen?.seq === after) screen = await session.screen.snapshot(0);
      if (screen === null || this.#wanted.get(runId)?.get(machine) !== wanted) return;
      const { seq, cols, rows } = screen;
      const data = await pack(new TextEncoder().encode(screen.data));
      if (data.byteLength > MAX_SHOWN_SCREEN_BYTES) return;
      const word: PeerWord = { type: 'screen', runId, seq, cols, rows, data };
      await this.#peers.send(machine, word);
    } finally {
      if (this.#wanted.get(runId)?.get(machine) === wanted) this.forget(machine, runId);
    }
  }
}
