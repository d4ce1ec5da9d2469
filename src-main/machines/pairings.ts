import { cleanName } from '../../src-shared/clean-text.ts';
import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { PairingState } from '../../src-shared/machines.ts';
import { liveMember } from '../../src-shared/membership.ts';
import type { ParamsOf, ResultOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { makeMachineKeys } from '../../src-shared/seal.ts';
import { openSocketWire } from '../socket-wire.ts';
import { joinTextOf, readJoinText } from '../sync/membership/join-text.ts';
import { PairingJoin } from '../sync/membership/pairing-join.ts';
import { PairingOffer } from '../sync/membership/pairing-offer.ts';
import type { Synced, SyncedOptions } from './synced.ts';

type PairingsOptions = Pick<
  SyncedOptions,
  'machineId' | 'renewMachineId' | 'machineName' | 'setSettings' | 'onProblem' | 'relay'
> & {
  readonly synced: Synced;
  readonly onState: (state: PairingState) => void;
};

/** The one pairing at a time that this machine takes part in, on either side. */
export class Pairings {
  readonly #options: PairingsOptions;
  #offer: PairingOffer | null = null;
  #join: PairingJoin | null = null;
  #state: PairingState = { is: 'none' };

  constructor(options: PairingsOptions) {
    this.#options = options;
  }

  get state(): PairingState {
    return this.#state;
  }

  async offer({ rights, relay = null }: ParamsOf<'pairing.offer'>): Promise<ResultOf<'pairing.offer'>> {
    const { synced, setSettings, relay: place } = this.#options;
    this.cancel();
    if (relay !== null) {
      await setSettings({ 'relay.url': relay });
      await synced.follow();
    }
    if (place() === null) throw noRelay();
    await synced.found();
    const workspace = await synced.active();
    if (liveMember(workspace.membership, workspace.signer.machine)?.rights !== 'start') {
      throw new RefusalError('not-allowed', 'This machine may not add others.', 'Do it on a machine with the right to start.');
    }
    const url = synced.relayUrl;
    if (url === null) throw noRelay();
    this.cancel();
    const offer = new PairingOffer({
      workspace,
      rights,
      joinTextOf: (code) => joinTextOf(code, url),
      onState: (state) => this.#tell(() => this.#offer === offer, state),
    });
    this.#offer = offer;
    await offer.open();
    const { code, joinText, expiresAtMs } = offer;
    return { code, address: joinText.slice(code.length + 1), joinText, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  async join({ code, relay = null }: ParamsOf<'pairing.join'>): Promise<void> {
    const { synced, machineId, machineName, setSettings, onProblem, relay: place } = this.#options;
    const { secret, url: told } = readJoinText(code);
    if (synced.workspace !== null && synced.excluded === null && synced.linkState?.is !== 'refused') {
      throw new RefusalError('not-allowed', 'This machine is in a workspace already.', 'Leave it first: baton machines leave');
    }
    const url = relay ?? told ?? place()?.url ?? null;
    if (url === null) throw noRelay();
    // Refused now rather than when everything is agreed.
    synced.protection();
    this.cancel();
    if (synced.workspace !== null) await synced.leave();
    const signer = { machine: machineId(), keys: makeMachineKeys() };
    const join = new PairingJoin({
      secret,
      signer,
      name: cleanName(machineName()),
      connect: () => openSocketWire(url),
      clock: SYSTEM_CLOCK,
      onJoined: async ({ chain, relayKey }) => {
        if (place()?.url !== url) await setSettings({ 'relay.url': url });
        await synced.join(signer, chain, { url, key: relayKey });
        // Whoever looks at the list as soon as it is done sees the others; what may be wrong with the relay is told there.
        await synced.active().catch((error: unknown) => onProblem('the relay could not be reached after joining', error));
      },
      onState: (state) => {
        // The other machine may have added it, and does not add it again.
        if (state.is === 'failed' && join.hasRevealed) void this.#options.renewMachineId();
        this.#tell(() => this.#join === join, state);
      },
      onProblem,
    });
    this.#join = join;
    void join.start();
  }

  async confirm({ digits }: ParamsOf<'pairing.confirm'>): Promise<void> {
    if (this.#join !== null && this.#state.is === 'compare') {
      throw new RefusalError('not-allowed', 'The other machine decides.', 'Compare the digits, and say yes there.');
    }
    if (this.#offer === null) throw new RefusalError('not-ready', 'No machine waits to be let in.', 'Ask for a code: baton pair');
    await this.#offer.confirm(digits);
  }

  decline(): void {
    if (this.#offer !== null) this.#offer.decline();
    else this.cancel();
  }

  cancel(): void {
    this.#offer?.cancel();
    this.#join?.cancel();
    this.#offer = null;
    this.#join = null;
    if (this.#state.is !== 'none') this.#tell(() => true, { is: 'none' });
  }

  #tell(isCurrent: () => boolean, state: PairingState): void {
    if (!isCurrent()) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function noRelay(): RefusalError {
  return new RefusalError(
    'not-ready',
    'This machine has no relay to meet others at.',
    'Switch one on here (baton relay start --host ADDRESS), or name one: baton config set relay.url ws://HOST:PORT',
  );
}
