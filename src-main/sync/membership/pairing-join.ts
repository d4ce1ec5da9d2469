import type { Clock } from '../../../src-shared/client.ts';
import type { PairingState, Rights } from '../../../src-shared/machines.ts';
import { applyEntry, liveMember, type Membership } from '../../../src-shared/membership.ts';
import { type Newcomer, nameOf, type Signer, takeKeys } from '../../../src-shared/membership-keys.ts';
import {
  mailboxOf,
  type NewcomerState,
  newcomerReceives,
  PAIRING_MS,
  type PairingWelcome,
  type Step,
  startNewcomer,
} from '../../../src-shared/pairing.ts';
import { CLOSE } from '../../../src-shared/refusal.ts';
import {
  encodeRelayMessage,
  type FromRelay,
  PING_EVERY_MS,
  parseFromRelay,
  type RelayRefusal,
  relayRefusalText,
  type ToRelay,
} from '../../../src-shared/relay-protocol.ts';
import { fromHex, Keyring, toHex } from '../../../src-shared/seal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { Handshake } from '../link/handshake.ts';
import { pairingFailure } from './pairing-offer.ts';

/** What a machine that was let in keeps: enough to go on by itself. */
export interface Joined {
  readonly signer: Signer;
  readonly chain: readonly Uint8Array[];
  readonly relayKey: Uint8Array;
  /** Who let it in. */
  readonly by: { readonly machineId: Signer['machine']; readonly name: string };
}

export interface PairingJoinOptions {
  readonly secret: Uint8Array;
  readonly signer: Signer;
  readonly name: string;
  readonly connect: () => Promise<Wire>;
  readonly clock: Clock;
  readonly onState: (state: PairingState) => void;
  /** Takes it over; `done` is told when it resolves. */
  readonly onJoined: (joined: Joined) => Promise<void>;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** For people: what ended a pairing that is not in pairing.ts. */
class PairingFailed extends Error {
  readonly hint: string | null;
  constructor(reason: string, hint: string | null = null) {
    super(reason);
    this.name = 'PairingFailed';
    this.hint = hint;
  }
}

const JOIN_ASK = 1;
const CHAIN_ASK = 2;
/** The chain is read over a connection of its own, and again where that is lost. */
const MAX_READ_ATTEMPTS = 5;
const READ_AGAIN_MS = 1_000;
/** For connecting and for each answer of the relay. */
const ANSWER_MS = 15_000;

/** A machine that has a code asks to be let in: pairing.ts carried out from the other end. */
export class PairingJoin {
  readonly #options: PairingJoinOptions;
  readonly #mailbox: string;
  readonly #newcomer: Newcomer;
  #state: NewcomerState | null = null;
  #wire: Wire | null = null;
  #cancelTimers: (() => void)[] = [];
  #isOver = false;
  #hasRevealed = false;

  constructor(options: PairingJoinOptions) {
    this.#options = options;
    this.#mailbox = mailboxOf(options.secret);
    const { machine, keys } = options.signer;
    const { publicKey: signKey } = keys.sign;
    this.#newcomer = { machine, signKey: toHex(signKey), boxKey: toHex(keys.box.publicKey), name: options.name };
  }

  /** The other machine knows who this one is, and may have added it: the same id cannot be added again. */
  get hasRevealed(): boolean {
    return this.#hasRevealed;
  }

  async start(): Promise<void> {
    const { clock, connect, onState } = this.#options;
    onState({ is: 'joining' });
    this.#cancelTimers.push(clock.setTimer(() => this.#fail(expired()), PAIRING_MS));
    let wire: Wire;
    try {
      wire = await connect();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(new PairingFailed(`The relay is out of reach: ${reason}`, 'Is its address right, and is it running?'));
      return;
    }
    if (this.#isOver) {
      wire.close(CLOSE.shuttingDown);
      return;
    }
    this.#wire = wire;
    wire.onClose = () => this.#fail(new PairingFailed('The connection to the relay was lost.', 'Ask for another code.'));
    wire.onFrame = (frame) => this.#receive(frame);
    this.#ping();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#close();
    this.#options.onState({ is: 'none' });
  }

  #receive(frame: Uint8Array): void {
    if (this.#isOver) return;
    let message: FromRelay;
    try {
      message = parseFromRelay(frame);
    } catch {
      this.#fail(new PairingFailed('This is no relay of Baton’s.', 'Check its address.'));
      return;
    }
    if (message.type === 'challenge') this.#send({ type: 'mailbox:join', ask: JOIN_ASK, mailbox: this.#mailbox });
    else if (message.type === 'refused') this.#fail(refusedBy(message.why));
    else if (message.type === 'done') this.#begin();
    else if (message.type === 'mailbox:said' && this.#state !== null) {
      this.#step(newcomerReceives(this.#state, message.message, this.#options.clock.nowMs()));
    } else if (message.type === 'mailbox:closed') {
      this.#fail(new PairingFailed('The other machine went away before it let this one in.', 'Ask for another code.'));
    }
  }

  #begin(): void {
    if (this.#state === null) this.#step(startNewcomer(this.#options.secret, this.#newcomer, this.#options.clock.nowMs()));
  }

  #step({ state, send }: Step<NewcomerState>): void {
    const was = this.#state;
    this.#state = state;
    if (send !== null) this.#send({ type: 'mailbox:say', mailbox: this.#mailbox, message: send });
    if (state.is === 'failed') {
      const { reason, hint } = pairingFailure(state.why);
      this.#fail(new PairingFailed(reason, hint));
    } else if (state.is === 'joined') {
      // What ends the connection now ends no pairing.
      const { welcome } = state;
      this.#close();
      this.#isOver = false;
      void this.#enter(welcome);
    } else if (state.is === 'comparing' && was?.is !== 'comparing') {
      this.#hasRevealed = true;
      const { digits } = state;
      this.#options.onState({ is: 'compare', digits, machine: null, rights: null, side: 'newcomer' });
    }
  }

  /** Reads the chain, and believes only one that is as the other machine said. */
  async #enter(welcome: PairingWelcome): Promise<void> {
    const { signer, connect, clock, onJoined, onState } = this.#options;
    try {
      const chain = await readChain({ signer, welcome, connect, clock });
      const { by } = verified(chain, welcome, signer);
      if (this.#isOver) return;
      await onJoined({ signer, chain, relayKey: fromHex(welcome.relayKey), by });
      this.#isOver = true;
      onState({ is: 'done', machine: by });
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(message: ToRelay): void {
    this.#wire?.send(encodeRelayMessage(message));
  }

  #ping(): void {
    const cancel = this.#options.clock.setTimer(() => {
      this.#send({ type: 'ping' });
      this.#ping();
    }, PING_EVERY_MS);
    this.#cancelTimers = [...this.#cancelTimers.slice(0, 1), cancel];
  }

  #close(): void {
    this.#isOver = true;
    for (const cancel of this.#cancelTimers.splice(0)) cancel();
    const wire = this.#wire;
    this.#wire = null;
    wire?.close(CLOSE.shuttingDown);
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#close();
    const { onState, onProblem } = this.#options;
    if (error instanceof PairingFailed) onState({ is: 'failed', reason: error.message, hint: error.hint });
    else {
      onProblem('joining the workspace failed', error);
      const reason = error instanceof Error ? error.message : String(error);
      onState({ is: 'failed', reason: `This machine could not join: ${reason}`, hint: null });
    }
  }
}

function expired(): PairingFailed {
  const { reason, hint } = pairingFailure('expired');
  return new PairingFailed(reason, hint);
}

function refusedBy(why: RelayRefusal): PairingFailed {
  if (why === 'unknown-mailbox') {
    return new PairingFailed(
      'No machine waits under this code, or no longer.',
      'Check the code and the relay’s address, or ask for another code.',
    );
  }
  return new PairingFailed(relayRefusalText(why));
}

interface ChainReading {
  readonly signer: Signer;
  readonly welcome: PairingWelcome;
  readonly connect: () => Promise<Wire>;
  readonly clock: Clock;
}

async function readChain(reading: ChainReading): Promise<readonly Uint8Array[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readChainOnce(reading);
    } catch (error) {
      if (error instanceof PairingFailed || attempt === MAX_READ_ATTEMPTS) throw error;
      await new Promise<void>((resolve) => {
        reading.clock.setTimer(resolve, READ_AGAIN_MS);
      });
    }
  }
}

/** As a machine of the workspace, at the relay that the other machine knows. */
async function readChainOnce({ signer, welcome, connect, clock }: ChainReading): Promise<readonly Uint8Array[]> {
  const wire = await connect();
  const chain: Uint8Array[] = [];
  const send = (message: ToRelay) => wire.send(encodeRelayMessage(message));
  const { workspace } = welcome;
  const relayKey = fromHex(welcome.relayKey);
  const handshake = new Handshake({ signer, workspace, chain: () => [], relayKey, send: (frame) => wire.send(frame) });
  let isIn = false;
  let cancelTimer: () => void = () => {};
  try {
    return await new Promise((resolve, reject) => {
      cancelTimer = clock.setTimer(() => reject(new Error('the relay does not answer')), ANSWER_MS);
      wire.onClose = ({ reason }) => reject(new Error(reason));
      const hear = (message: FromRelay): void => {
        if (isIn) {
          if (message.type === 'refused') reject(new Error(relayRefusalText(message.why)));
          if (message.type !== 'chain' || message.ask !== CHAIN_ASK) return;
          for (const entry of message.entries) chain.push(entry.slice());
          if (chain.length >= message.height || message.entries.length === 0) resolve(chain);
          else send({ type: 'chain:read', ask: CHAIN_ASK, after: chain.length });
          return;
        }
        const shaken = handshake.hear(message);
        if (shaken.is === 'refused') reject(new PairingFailed(shaken.why));
        else if (shaken.is === 'failed') reject(new Error(relayRefusalText(shaken.why)));
        else if (shaken.is === 'welcome') {
          isIn = true;
          send({ type: 'chain:read', ask: CHAIN_ASK, after: 0 });
        }
      };
      wire.onFrame = (frame) => {
        try {
          hear(parseFromRelay(frame));
        } catch (error) {
          reject(error);
        }
      };
    });
  } finally {
    cancelTimer();
    wire.onClose = null;
    wire.close(CLOSE.shuttingDown);
  }
}

/** The workspace that was named, with the head that was named, and with this machine in it as it is. */
function verified(chain: readonly Uint8Array[], welcome: PairingWelcome, signer: Signer): Pick<Joined, 'by'> {
  const wrong = new PairingFailed(
    'The relay shows another workspace than the other machine has.',
    'Do not use this relay. Remove this machine from the list of the other one.',
  );
  const keyring = new Keyring();
  let membership: Membership | null = null;
  let by: Signer['machine'] | null = null;
  let rights: Rights | null = null;
  for (const bytes of chain) {
    const applied = applyEntry(membership, bytes);
    if (applied.is !== 'applied' || !takeKeys(keyring, applied.entry, applied.membership, signer)) throw wrong;
    membership = applied.membership;
    const { body } = applied.entry;
    if (body.type === 'add' && body.machine === signer.machine) ({ by, rights } = body);
  }
  if (membership === null || by === null) throw wrong;
  const self = liveMember(membership, signer.machine);
  const isSelf =
    self?.signKey === toHex(signer.keys.sign.publicKey) &&
    self.boxKey === toHex(signer.keys.box.publicKey) &&
    rights === welcome.rights;
  if (membership.workspace !== welcome.workspace || !membership.entries.has(welcome.chainHead) || !isSelf) throw wrong;
  const adder = membership.members.get(by);
  return { by: { machineId: by, name: (adder && nameOf(adder, keyring)) ?? by.slice(0, 8) } };
}
