import * as z from 'zod/mini';
import { MachineId } from '../../src-shared/ids.ts';
import { liveMember } from '../../src-shared/membership.ts';
import { revokeMachine } from '../../src-shared/membership-keys.ts';
import type { Store } from '../store/store.ts';
import { untilLive } from '../sync/link/until-live.ts';
import type { Workspace } from '../sync/membership/workspace.ts';

/** In the store's facts. */
const FORMER = 'workspace.former';
const Former = z.array(z.object({ workspace: z.string(), machine: MachineId }));
type Former = z.infer<typeof Former>;
/** The oldest are forgotten: whoever leaves that often removes them by hand. */
const MAX_FORMER = 16;

/** Whom this machine was in workspaces that it has left. */
export class FormerIds {
  readonly #store: Pick<Store, 'getFact' | 'setFact'>;

  constructor(store: Pick<Store, 'getFact' | 'setFact'>) {
    this.#store = store;
  }

  /** Before it leaves. */
  async remember({ membership, signer }: Workspace): Promise<void> {
    const now = { workspace: membership.workspace, machine: signer.machine };
    await this.#store.setFact(FORMER, [...(await this.#read()), now].slice(-MAX_FORMER));
  }

  /**
   * It was in this workspace before, under an id whose keys it has forgotten: that one is removed, so that it is listed once, and so that
   * its logs are this one's to go on with [machine-13]. Rejects where that cannot be done now; it is to be tried at the next start.
   */
  async remove(workspace: Workspace): Promise<void> {
    const former = await this.#read();
    const here = former.filter((each) => each.workspace === workspace.membership.workspace);
    if (here.length === 0 || workspace.excluded !== null) return;
    await untilLive(workspace);
    const { signer, clock } = workspace;
    for (const { machine } of here) {
      const isThere = () => liveMember(workspace.membership, machine) !== null;
      const mayRemove = liveMember(workspace.membership, signer.machine)?.rights === 'start';
      if (isThere() && mayRemove)
        await workspace.append((membership) => revokeMachine(membership, signer, machine, clock.nowMs()));
      if (isThere()) return;
    }
    await this.#store.setFact(
      FORMER,
      former.filter((each) => !here.includes(each)),
    );
  }

  async #read(): Promise<Former> {
    return z.catch(Former, []).parse(await this.#store.getFact(FORMER));
  }
}
