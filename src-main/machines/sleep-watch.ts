import { uptime } from 'node:os';
import type { Clock } from '../../src-shared/client.ts';

const LOOK_EVERY_MS = 2_000;
/** The two clocks are read one after the other, and one of them in hundredths of a second. */
const SLEPT_ABOVE_MS = 1_000;

export interface SleepWatchOptions {
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly onWoke: () => void;
  /** Since the system started, sleep included. */
  readonly bootMs?: () => number;
  /** The same without it. */
  readonly awakeMs?: () => number;
}

/**
 * Tells when the machine has slept, where nothing else does: on Linux one clock stands still meanwhile and another does not, whatever
 * happens to the time of day. Elsewhere both stand still, or neither does, and this tells nothing. Returns what ends it.
 */
export function watchSleep({
  clock,
  onWoke,
  bootMs = () => uptime() * 1_000,
  awakeMs = () => performance.now(),
}: SleepWatchOptions): () => void {
  const asleepMs = () => bootMs() - awakeMs();
  let before = asleepMs();
  let cancel: () => void;
  const look = () => {
    const now = asleepMs();
    const hasSlept = now - before > SLEPT_ABOVE_MS;
    before = now;
    plan();
    if (hasSlept) onWoke();
  };
  const plan = () => {
    cancel = clock.setTimer(look, LOOK_EVERY_MS);
  };
  plan();
  return () => cancel();
}
