import { toHex } from '../../src-shared/seal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { openSocketWire } from '../socket-wire.ts';
import { Lan, type LanOptions, openPinnedWire } from '../sync/link/lan.ts';

/** Where this machine's relay is, and its key where it is known for sure: of one that this engine runs itself. */
export interface RelayPlace {
  readonly url: string;
  readonly key: Uint8Array | null;
  /** What is done about it on the local network: announce the port of an own one, look for another machine's, or nothing. */
  readonly lan: { readonly announcePort: number | null } | null;
}

/** As far as it decides where this machine goes. */
export function isSamePlace(a: RelayPlace | null, b: RelayPlace | null): boolean {
  const said = (place: RelayPlace | null) => place && JSON.stringify([place.url, place.lan, place.key && toHex(place.key)]);
  return said(a) === said(b);
}

/** The way to the relay: directly, where it was found on the local network; else by the address that the user gave. */
export class RelayRoad {
  readonly place: RelayPlace;
  /** The relay that was met at this place, for sure. */
  readonly #pinned: () => Uint8Array | null;
  #lan: Lan | null = null;
  #url: string;

  constructor(place: RelayPlace, pinned: () => Uint8Array | null) {
    this.place = place;
    this.#pinned = pinned;
    this.#url = place.url;
  }

  /** How the relay was reached last. */
  get url(): string {
    return this.#url;
  }

  /** From now on the local network is a way too, where the place has it so. */
  async openLan(options: Omit<LanOptions, 'announcePort'>): Promise<void> {
    if (this.place.lan !== null) this.#lan = await Lan.start({ ...options, ...this.place.lan });
  }

  async connect(): Promise<Wire> {
    const pinned = this.#pinned();
    for (const url of pinned === null ? [] : (this.#lan?.urls ?? [])) {
      const wire = pinned && (await openPinnedWire(url, pinned));
      if (wire === null) continue;
      this.#url = url;
      return wire;
    }
    this.#url = this.place.url;
    return await openSocketWire(this.#url);
  }

  async stop(): Promise<void> {
    await this.#lan?.stop();
  }
}
