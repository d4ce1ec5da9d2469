import { RefusalError } from '../../../src-shared/refusal.ts';
import type { Workspace } from '../membership/workspace.ts';
import type { LinkState } from './link.ts';

const WITHIN_MS = 15_000;

/** Until the workspace is connected to its relay; refused where that does not come about soon. */
export function untilLive({ link, clock }: Workspace): Promise<void> {
  return new Promise((resolve, reject) => {
    let cancelTimer: () => void = () => {};
    let end: () => void = () => {};
    const look = (isLate: boolean) => {
      const { state } = link;
      if (!isLate && (state.is === 'connecting' || state.is === 'lost')) return;
      cancelTimer();
      end();
      if (state.is === 'live') resolve();
      else reject(outOfReach(state));
    };
    cancelTimer = clock.setTimer(() => look(true), WITHIN_MS);
    end = link.onState(() => look(false));
    look(false);
    link.retryNow();
  });
}

function outOfReach(state: LinkState): RefusalError {
  if (state.is === 'stopped') {
    return new RefusalError(
      'not-ready',
      'This machine has no relay.',
      'Switch one on here (baton relay start), or set relay.url.',
    );
  }
  const why = 'why' in state ? state.why : 'it does not answer';
  return new RefusalError(
    'not-ready',
    `The relay is out of reach: ${why}`,
    'Is its address right (relay.url), and is it running?',
  );
}
