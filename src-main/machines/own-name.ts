import { cleanName } from '../../src-shared/clean-text.ts';
import { nameOf, renameMachine } from '../../src-shared/membership-keys.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { LinkState } from '../sync/link/link.ts';
import type { Workspace } from '../sync/membership/workspace.ts';

/** Of a workspace what it takes to be named in it. */
type Named = Pick<Workspace, 'membership' | 'keyring' | 'signer' | 'clock' | 'excluded' | 'append'> & {
  readonly link: { readonly state: Pick<LinkState, 'is'> };
};

export interface OwnNameOptions {
  readonly machineName: () => string;
  readonly setName: (name: string) => Promise<unknown>;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** The name of this machine, in its settings and in the chain: where one is changed the other follows. */
export class OwnName {
  readonly #workspace: Named;
  readonly #options: OwnNameOptions;
  /** In the chain, when it was looked at last. */
  #label: string | null;

  constructor(workspace: Named, options: OwnNameOptions) {
    this.#workspace = workspace;
    this.#options = options;
    this.#label = this.#inChain();
  }

  #inChain(): string | null {
    const { membership, keyring, signer } = this.#workspace;
    const self = membership.members.get(signer.machine);
    return self === undefined ? null : nameOf(self, keyring);
  }

  /** Another machine may have renamed this one: it calls itself so too. */
  follow(): void {
    const label = this.#inChain();
    if (label === null || label === this.#label) return;
    this.#label = label;
    const { machineName, setName, onProblem } = this.#options;
    if (cleanName(machineName()) === label) return;
    setName(label).catch((error: unknown) => onProblem('the new name could not be kept', error));
  }

  /** It may be called something else in its settings: the others are told, once they can be. */
  tell(): void {
    const { link, signer, keyring, clock, excluded } = this.#workspace;
    const name = cleanName(this.#options.machineName());
    if (name === this.#label || link.state.is !== 'live' || excluded !== null) return;
    const { machine } = signer;
    this.#workspace
      .append((membership) => renameMachine(membership, signer, keyring, { machine, name }, clock.nowMs()))
      .catch((error: unknown) => {
        if (!(error instanceof RefusalError)) this.#options.onProblem('the others could not be told the new name', error);
      });
  }
}
