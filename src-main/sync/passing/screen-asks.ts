import type { Clock } from '../../../src-shared/client.ts';
import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import type { Screen } from '../../../src-shared/operations.ts';
import type { PeerWord } from '../../../src-shared/peer-protocol.ts';
import type { RemoteSession } from '../../engine/remote-session.ts';
import { unpack } from '../logs/log-payload.ts';
import type { Peers } from './peers.ts';

const ASK_EVERY_MS = 1_000;
/** What was not answered by then was lost, or shows the same as before: asked again, in case. */
const ASK_AGAIN_MS = 10_000;

export type WatchedSession = Pick<RemoteSession, 'machineId' | 'needsScreens' | 'shownSeq' | 'screenBeat'>;

export interface ScreenAsksOptions {
  readonly clock: Clock;
  readonly peers: Pick<Peers, 'pass'>;
  /** A session that somebody here looks at. */
  readonly watched: (runId: RunId) => WatchedSession | undefined;
  readonly onProblem: (message: string, error: unknown) => void;
}

/**
 * Asks hosts for the screens of terminals whose logs are behind and that somebody looks at: the next one when the one before has come,
 * about each second, so that a slow line carries no more of them than it can.
 */
export class ScreenAsks {
  readonly #options: ScreenAsksOptions;
  readonly #asked = new Map<RunId, { readonly atMs: number; cancel: () => void }>();

  constructor(options: ScreenAsksOptions) {
    this.#options = options;
  }

  stop(): void {
    for (const { cancel } of this.#asked.values()) cancel();
    this.#asked.clear();
  }

  /** How a log stands, or who looks at it, has changed. */
  check(runId: RunId): void {
    const { clock, peers, watched } = this.#options;
    const session = watched(runId);
    if (this.#asked.has(runId) || session?.needsScreens !== true) return;
    if (!peers.pass(session.machineId, { type: 'screen-wanted', runId, after: session.shownSeq })) return;
    this.#asked.set(runId, { atMs: clock.nowMs(), cancel: this.#checkAfter(runId, ASK_AGAIN_MS) });
  }

  came(from: MachineId, screen: Extract<PeerWord, { type: 'screen' }>): void {
    const { clock, watched, onProblem } = this.#options;
    const { runId } = screen;
    const asked = this.#asked.get(runId);
    const session = watched(runId);
    if (asked === undefined || session?.machineId !== from) return;
    asked.cancel();
    asked.cancel = this.#checkAfter(runId, Math.max(0, asked.atMs + ASK_EVERY_MS - clock.nowMs()));
    screenOf(screen).then(
      (opened) => watched(runId)?.screenBeat(opened),
      (error: unknown) => onProblem(`a screen of session ${runId} could not be read`, error),
    );
  }

  #checkAfter(runId: RunId, ms: number): () => void {
    return this.#options.clock.setTimer(() => {
      this.#asked.delete(runId);
      this.check(runId);
    }, ms);
  }
}

async function screenOf({ seq, cols, rows, data }: Extract<PeerWord, { type: 'screen' }>): Promise<Screen> {
  return { seq, cols, rows, data: new TextDecoder().decode(await unpack(data)) };
}
