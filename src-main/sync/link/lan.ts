import type { Bonjour as BonjourType, Service } from 'bonjour-service';
import { CLOSE } from '../../../src-shared/refusal.ts';
import { parseFromRelay } from '../../../src-shared/relay-protocol.ts';
import { isSame, type Keyring } from '../../../src-shared/seal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { openSocketWire } from '../../socket-wire.ts';

const TYPE = 'baton-relay';
/** Addresses that one name may have: a computer has a few, a flood of forged ones is no use. */
const MAX_ADDRESSES = 8;
/** On a local network that is long; the way round is still there. */
const ANSWER_MS = 2_000;

export interface LanOptions {
  readonly keyring: Keyring;
  /** The port of the relay on this machine, to be announced; null: others' are looked for. */
  readonly announcePort: number | null;
  /** An address that was not known. */
  readonly onFound: () => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * The workspace's relay on the local network, by mDNS. Its name there is made of the workspace key: members know it, for everybody
 * else it is a random number. Anyone may announce anything: an address is only a place to look, the relay's key decides.
 */
export class Lan {
  readonly #bonjour: BonjourType;
  readonly #urls = new Set<string>();

  private constructor(bonjour: BonjourType) {
    this.#bonjour = bonjour;
  }

  static async start({ keyring, announcePort, onFound, onProblem }: LanOptions): Promise<Lan> {
    // Loaded only where it is wanted: it opens sockets.
    const { Bonjour } = await import('bonjour-service');
    const bonjour = new Bonjour({}, (error: unknown) => onProblem('the local network cannot be searched', error));
    const lan = new Lan(bonjour);
    const name = keyring.streamName('lan', 'relay');
    if (announcePort !== null) {
      // Without `host` it would announce this computer's name.
      const service = bonjour.publish({ name, type: TYPE, port: announcePort, host: `${name}.local`, probe: false });
      service.on('error', (error: unknown) => onProblem('the relay cannot be announced on the local network', error));
    } else bonjour.find({ type: TYPE }, (service) => lan.#found(service, name, onFound));
    return lan;
  }

  /** ws:// */
  get urls(): readonly string[] {
    return [...this.#urls];
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#bonjour.unpublishAll(() => this.#bonjour.destroy(() => resolve()));
    });
  }

  #found(service: Service, name: string, onFound: () => void): void {
    if (service.name !== name) return;
    const before = this.#urls.size;
    for (const address of [service.referer?.address, ...(service.addresses ?? [])]) {
      // An IPv6 address of a link is worth nothing without its interface.
      if (address === undefined || address.includes(':') || this.#urls.size >= MAX_ADDRESSES) continue;
      this.#urls.add(`ws://${address}:${service.port}`);
    }
    if (this.#urls.size > before) onFound();
  }
}

/** A wire to the relay with this key; null where there is none, or another one, which then has learned nothing. */
export async function openPinnedWire(url: string, relayKey: Uint8Array): Promise<Wire | null> {
  let timer: NodeJS.Timeout | null = null;
  let wire: Wire | null = null;
  try {
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), ANSWER_MS);
    });
    const opening = openSocketWire(url);
    wire = await Promise.race([opening, late]);
    if (wire === null) {
      opening.then((opened) => opened.close(CLOSE.shuttingDown)).catch(() => {});
      return null;
    }
    const greeting = await Promise.race([firstFrame(wire), late]);
    if (greeting === null) throw new Error('no greeting');
    const challenge = parseFromRelay(greeting);
    if (challenge.type !== 'challenge' || !isSame(challenge.relayKey, relayKey)) throw new Error('another relay');
    return new GreetedWire(wire, greeting);
  } catch {
    wire?.close(CLOSE.shuttingDown);
    return null;
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

function firstFrame(wire: Wire): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    wire.onClose = ({ reason }) => reject(new Error(reason));
    wire.onFrame = (frame) => resolve(frame);
  });
}

/** A wire whose first frame was read already: whoever listens gets it again. */
class GreetedWire implements Wire {
  readonly #wire: Wire;
  #greeting: Uint8Array | null;

  constructor(wire: Wire, greeting: Uint8Array) {
    this.#wire = wire;
    this.#greeting = greeting;
  }

  get onFrame() {
    return this.#wire.onFrame;
  }
  set onFrame(handler) {
    this.#wire.onFrame = handler;
    const greeting = this.#greeting;
    if (handler === null || greeting === null) return;
    this.#greeting = null;
    handler(greeting);
  }
  get onClose() {
    return this.#wire.onClose;
  }
  set onClose(handler) {
    this.#wire.onClose = handler;
  }
  get bufferedBytes(): number {
    return this.#wire.bufferedBytes;
  }
  send(frame: Uint8Array): void {
    this.#wire.send(frame);
  }
  close(why: Parameters<Wire['close']>[0]): void {
    this.#wire.close(why);
  }
}
