import type { MachineId } from '../../../src-shared/ids.ts';
import { allows, type Machine } from '../../../src-shared/machines.ts';
import { liveMember, liveMembers } from '../../../src-shared/membership.ts';
import { nameOf } from '../../../src-shared/membership-keys.ts';
import type { FromRelay } from '../../../src-shared/relay-protocol.ts';
import type { LinkState } from '../link/link.ts';
import type { MachineAbout } from '../sync-context.ts';
import type { Workspace } from './workspace.ts';

interface Seen {
  readonly online: boolean;
  readonly atMs: number;
}

/** Who is connected, as the relay tells it, and the list that people get. */
export class MachineList {
  readonly #workspace: Workspace;
  readonly #onChange: () => void;
  readonly #seen = new Map<MachineId, Seen>();
  readonly #cancels: readonly (() => void)[];

  constructor(workspace: Workspace, onChange: () => void) {
    this.#workspace = workspace;
    this.#onChange = onChange;
    const { link } = workspace;
    this.#cancels = [
      link.onState((state) => this.#linked(state)),
      link.onMessage((message) => this.#heard(message)),
      workspace.onMembership(onChange),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }

  #linked(state: LinkState): void {
    if (state.is === 'live')
      for (const { machine, online, seenAtMs } of state.welcome.machines) this.#see(machine, online, seenAtMs);
    else {
      const now = this.#workspace.clock.nowMs();
      for (const [machine, { online }] of this.#seen) if (online) this.#see(machine, false, now);
    }
    this.#onChange();
  }

  #heard(message: FromRelay): void {
    if (message.type !== 'machine') return;
    this.#see(message.seen.machine, message.seen.online, message.seen.seenAtMs);
    this.#onChange();
  }

  #see(machine: MachineId, online: boolean, atMs: number): void {
    this.#seen.set(machine, { online, atMs });
  }

  /** This machine first, then in the order in which they were added. */
  list(about: (machine: MachineId) => MachineAbout | null, self: MachineAbout): Machine[] {
    const { membership, keyring, signer, link } = this.#workspace;
    const own = liveMember(membership, signer.machine)?.rights ?? 'view';
    const members = liveMembers(membership).map((member): Machine => {
      const { machine: machineId, rights } = member;
      const isSelf = machineId === signer.machine;
      const seen = this.#seen.get(machineId);
      const online = isSelf ? link.state.is === 'live' : seen?.online === true;
      const said = isSelf ? self : about(machineId);
      const { version = null, platform = null, sessions = 0, allows: theirs = 'start' } = said ?? {};
      return {
        machineId,
        name: nameOf(member, keyring) ?? machineId.slice(-8),
        self: isSelf,
        online,
        // What another one has said may be over by now: who is not connected does not know.
        state: isSelf || link.state.is === 'live' ? (said?.state ?? 'unknown') : 'unknown',
        lastSeen: online || isSelf || seen === undefined || seen.atMs === 0 ? null : new Date(seen.atMs).toISOString(),
        version,
        platform,
        rights,
        may: isSelf ? 'start' : allows(theirs, own) ? own : theirs,
        sessions,
      };
    });
    return members.sort((a, b) => Number(b.self) - Number(a.self));
  }
}
