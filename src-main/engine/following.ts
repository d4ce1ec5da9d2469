import type { MachineId, RunId } from '../../src-shared/ids.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import type { WorkspaceMember } from './remote-sessions.ts';
import type { SessionDocuments } from './session-documents.ts';

export interface FollowingOptions {
  readonly documents: Pick<SessionDocuments, 'follow' | 'followsOthers' | 'setFollow'>;
  readonly self: () => MachineId;
  /** The machines of the workspace; null: this one is in none. */
  readonly members: () => readonly WorkspaceMember[] | null;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** Which machines follow a session: are told when it needs the user, ends or fails. */
export class Following {
  readonly #options: FollowingOptions;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  /** A machine follows what it hosts; of the rest what was chosen for it, else what it wants in general [follow-1]. */
  of(runId: RunId, host: MachineId): Pick<SessionSummary, 'followers' | 'followed'> {
    const { documents, self: selfNow, members } = this.#options;
    const self = selfNow();
    const others = (members() ?? []).flatMap(({ machine }) => (machine === self ? [] : [machine]));
    const followers = [self, ...others].filter(
      (machine) => documents.follow(runId, machine) ?? (machine === host || documents.followsOthers(machine)),
    );
    return { followers, followed: followers[0] === self };
  }

  /** Whoever works here on a session of another machine hears of it from then on, unless it was chosen otherwise [follow-2]. */
  used(runId: RunId): void {
    const { documents, self, onProblem } = this.#options;
    if (documents.follow(runId, self()) !== undefined) return;
    documents.setFollow(runId, self(), true).catch((error: unknown) => {
      onProblem('that a session is followed could not be kept', error);
    });
  }

  /** For itself a machine decides whatever its rights are; for others it has to be more than somebody who looks. */
  async choose(runId: RunId, machine: MachineId, follows: boolean): Promise<void> {
    const { documents, self, members } = this.#options;
    if (machine !== self()) {
      const rightsOf = (id: MachineId) => members()?.find((member) => member.machine === id)?.rights;
      if (rightsOf(machine) === undefined)
        throw new RefusalError('unknown-target', 'There is no such machine in this workspace.');
      if (rightsOf(self()) === 'view') {
        const hint = 'Give it more rights on another one: baton machines rights';
        throw new RefusalError('not-allowed', 'This machine may only look at the others.', hint);
      }
    }
    await documents.setFollow(runId, machine, follows);
  }
}
