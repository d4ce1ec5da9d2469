import type { Signer } from '../../../src-shared/membership-keys.ts';
import { CLOSE } from '../../../src-shared/refusal.ts';
import {
  encodeRelayMessage,
  type FromRelay,
  handshakeBytes,
  MAX_CHAIN_PAGE_BYTES,
  RELAY_PROTOCOL_VERSION,
  type RelayRefusal,
  type ToRelay,
} from '../../../src-shared/relay-protocol.ts';
import { HASH_BYTES, isSame, isSignedBy, randomBytes, sign } from '../../../src-shared/seal.ts';

export type Welcome = Extract<FromRelay, { type: 'welcome' }>;

export interface HandshakeOptions {
  readonly signer: Signer;
  readonly workspace: string;
  /** Every entry from the first: what a relay gets that does not know the workspace. */
  readonly chain: () => readonly Uint8Array[];
  /** Pinned when the machine joined; null takes whatever relay is there. */
  readonly relayKey: Uint8Array | null;
  readonly send: (frame: Uint8Array) => void;
}

export type Shaken =
  | { readonly is: 'going-on' }
  | { readonly is: 'welcome'; readonly welcome: Welcome; readonly relayKey: Uint8Array; readonly relayNonce: Uint8Array }
  /** Coming back with the same words would end the same way. */
  | { readonly is: 'refused'; readonly why: string }
  /** Worth another try later. */
  | { readonly is: 'failed'; readonly why: RelayRefusal };

const FOUND_ASK = 1;
export const OTHER_RELAY = 'This is another relay than the one this machine was paired at, or somebody stands in between.';

/** A machine's side of the greeting: fed with what the relay says until it comes to something. */
export class Handshake {
  readonly #options: HandshakeOptions;
  #relayKey: Uint8Array | null = null;
  #relayNonce: Uint8Array = new Uint8Array();
  #shake: Uint8Array = new Uint8Array();
  #hasFounded = false;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  hear(message: FromRelay): Shaken {
    switch (message.type) {
      case 'challenge':
        return this.#prove(message);
      case 'done':
        return this.#sendProof();
      case 'welcome':
        return this.#check(message);
      case 'refused':
        return this.#refused(message.why);
      default:
        return { is: 'refused', why: CLOSE.malformedFrame.reason };
    }
  }

  #prove({ version, nonce, relayKey }: Extract<FromRelay, { type: 'challenge' }>): Shaken {
    if (version !== RELAY_PROTOCOL_VERSION) {
      return {
        is: 'refused',
        why: `The relay speaks version ${version}, this machine ${RELAY_PROTOCOL_VERSION}. Update the older one.`,
      };
    }
    const pinned = this.#options.relayKey;
    if (pinned !== null && !isSame(pinned, relayKey)) {
      return { is: 'refused', why: OTHER_RELAY };
    }
    this.#relayKey = relayKey.slice();
    this.#relayNonce = nonce.slice();
    return this.#sendProof();
  }

  #sendProof(): Shaken {
    const { signer, workspace } = this.#options;
    if (this.#relayKey === null) return { is: 'refused', why: CLOSE.malformedFrame.reason };
    const nonce = randomBytes(HASH_BYTES);
    const { machine } = signer;
    this.#shake = handshakeBytes({
      relayKey: this.#relayKey,
      relayNonce: this.#relayNonce,
      machineNonce: nonce,
      workspace,
      machine,
    });
    const signature = sign('relay-machine', this.#shake, signer.keys.sign.secretKey);
    this.#send({ type: 'prove', version: RELAY_PROTOCOL_VERSION, workspace, machine, nonce, signature });
    return { is: 'going-on' };
  }

  #check(welcome: Welcome): Shaken {
    if (this.#relayKey === null || !isSignedBy('relay-identity', this.#shake, welcome.signature, this.#relayKey)) {
      return { is: 'refused', why: 'The relay cannot prove that it is the one it says.' };
    }
    return { is: 'welcome', welcome, relayKey: this.#relayKey, relayNonce: this.#relayNonce };
  }

  #refused(why: RelayRefusal): Shaken {
    // Another machine may have brought it in the same moment: then proving is all that is left to do.
    if (why === 'workspace-exists') return this.#sendProof();
    if (why !== 'unknown-workspace' || this.#hasFounded) return { is: 'failed', why };
    this.#hasFounded = true;
    const entries: Uint8Array[] = [];
    let bytes = 0;
    for (const entry of this.#options.chain()) {
      bytes += entry.byteLength;
      // The rest is appended once the machine is in.
      if (entries.length > 0 && bytes > MAX_CHAIN_PAGE_BYTES) break;
      entries.push(entry);
    }
    this.#send({ type: 'found', ask: FOUND_ASK, entries });
    return { is: 'going-on' };
  }

  #send(message: ToRelay): void {
    this.#options.send(encodeRelayMessage(message));
  }
}
