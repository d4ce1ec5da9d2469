import type { PairingState, Rights } from '../../../src-shared/machines.ts';
import { addMachine } from '../../../src-shared/membership-keys.ts';
import {
  type MemberState,
  mailboxOf,
  memberConfirms,
  memberDeclines,
  memberExpires,
  memberReceives,
  memberWelcomes,
  PAIRING_MS,
  type PairingFailure,
  type Step,
  startMember,
} from '../../../src-shared/pairing.ts';
import { codeOf, makeSecret } from '../../../src-shared/pairing-code.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { FromRelay } from '../../../src-shared/relay-protocol.ts';
import { toHex } from '../../../src-shared/seal.ts';
import type { LinkState } from '../link/link.ts';
import type { Workspace } from './workspace.ts';

export interface PairingOfferOptions {
  readonly workspace: Workspace;
  readonly rights: Rights;
  /** What the person enters at the new machine, made of the code. */
  readonly joinTextOf: (code: string) => string;
  readonly onState: (state: PairingState) => void;
}

type Failed = Extract<PairingState, { is: 'failed' }>;
const failed = (reason: string, hint: string | null): Failed => ({ is: 'failed', reason, hint });

const FAILURES: Readonly<Record<PairingFailure, Failed>> = {
  expired: failed('The code has expired: it is good for five minutes.', 'Ask for another one.'),
  'too-many-attempts': failed('Somebody has tried with a wrong code too often.', 'Ask for another one, and show it to nobody.'),
  declined: failed('The machine was not let in.', null),
  tampered: failed(
    'Somebody has changed what the machines said to each other.',
    'Do not use this relay, or try from another network.',
  ),
};
const WENT_AWAY = failed('The other machine went away before it was let in.', 'Ask for another code.');

export const pairingFailure = (why: PairingFailure): Failed => FAILURES[why];

/** The door that a machine of the workspace holds open for one new one: pairing.ts carried out in a mailbox at the relay. */
export class PairingOffer {
  readonly code: string;
  readonly joinText: string;
  readonly expiresAtMs: number;
  readonly #options: PairingOfferOptions;
  readonly #mailbox: string;
  readonly #cancels: (() => void)[] = [];
  #member: MemberState;
  #isOver = false;

  constructor(options: PairingOfferOptions) {
    this.#options = options;
    const { clock } = options.workspace;
    const secret = makeSecret();
    this.code = codeOf(secret);
    this.joinText = options.joinTextOf(this.code);
    this.#mailbox = mailboxOf(secret);
    this.#member = startMember(secret, clock.nowMs());
    this.expiresAtMs = clock.nowMs() + PAIRING_MS;
  }

  /** Resolves when somebody may come; throws where the relay refuses. */
  async open(): Promise<void> {
    const { workspace } = this.#options;
    await workspace.link.ask({ type: 'mailbox:open', mailbox: this.#mailbox });
    this.#cancels.push(
      workspace.link.onMessage((message) => this.#heard(message)),
      workspace.link.onState((state) => this.#linked(state)),
      workspace.clock.setTimer(() => this.#expire(), PAIRING_MS),
    );
    this.#tell();
  }

  /** The person has compared. `digits`: what the other machine shows; other ones are a no. Resolves when the machine is in the chain. */
  async confirm(digits: string | null): Promise<void> {
    const { workspace, rights } = this.#options;
    const member = this.#member;
    if (member.is !== 'comparing' || this.#isOver) throw nothingToConfirm();
    if (digits !== null && digits.replace(/\D/g, '') !== member.digits) {
      this.decline();
      throw new RefusalError(
        'not-allowed',
        'The digits differ: somebody may stand between the two machines. The machine was not let in.',
        'Try again with a new code; if they differ again, use another relay.',
      );
    }
    const confirmed = memberConfirms(member, rights, workspace.clock.nowMs());
    this.#member = confirmed;
    if (confirmed.is !== 'confirmed') {
      this.#tell();
      throw nothingToConfirm();
    }
    const { newcomer } = confirmed;
    try {
      await workspace.append((membership) =>
        addMachine(membership, workspace.signer, workspace.keyring, { ...newcomer, rights }, workspace.clock.nowMs()),
      );
    } catch (error) {
      this.#take(memberDeclines(confirmed));
      throw error;
    }
    this.#welcome(confirmed);
  }

  #welcome(confirmed: MemberState): void {
    const { workspace, rights } = this.#options;
    const { link, membership } = workspace;
    if (link.state.is !== 'live') {
      this.#end(failed('The machine was added, but could not be told so.', 'Remove it from the list, and pair it anew.'));
      return;
    }
    const { workspace: id, head: chainHead } = membership;
    const relayKey = toHex(link.state.relayKey);
    const newcomer = confirmed.is === 'confirmed' ? confirmed.newcomer : null;
    this.#take(memberWelcomes(confirmed, { workspace: id, chainHead, relayKey, rights }));
    if (newcomer !== null) this.#end({ is: 'done', machine: { machineId: newcomer.machine, name: newcomer.name } });
  }

  /** The person says no: the other machine is told. */
  decline(): void {
    if (!this.#isOver) this.#take(memberDeclines(this.#member));
  }

  /** Without a word to the person. */
  cancel(): void {
    if (this.#isOver) return;
    const { send } = memberDeclines(this.#member);
    if (send !== null) this.#say(send);
    this.#end({ is: 'none' });
  }

  #heard(message: FromRelay): void {
    if (!('mailbox' in message) || message.mailbox !== this.#mailbox) return;
    const { clock } = this.#options.workspace;
    if (message.type === 'mailbox:said') this.#take(memberReceives(this.#member, message.message, clock.nowMs()));
    else if (message.type === 'mailbox:closed') this.#lost();
  }

  /** Nobody has used the code yet: the door is opened again. */
  #lost(): void {
    if (this.#member.is === 'waiting') this.#reopen();
    else if (this.#member.is !== 'confirmed') this.#end(WENT_AWAY);
  }

  #linked(state: LinkState): void {
    if (state.is === 'live') this.#reopen();
    else if (state.is === 'refused' || state.is === 'stopped') {
      this.#end(failed('This machine is not connected to its relay any more.', 'See baton machines.'));
    } else if (state.is === 'lost' && this.#member.is !== 'waiting' && this.#member.is !== 'confirmed') this.#end(WENT_AWAY);
  }

  #reopen(): void {
    const { link, onProblem } = this.#options.workspace;
    if (this.#isOver || this.#member.is !== 'waiting' || link.state.is !== 'live') return;
    link
      .ask({ type: 'mailbox:open', mailbox: this.#mailbox })
      .catch((error: unknown) => onProblem('the door for a new machine could not be opened again', error));
  }

  #expire(): void {
    const step = memberExpires(this.#member, this.expiresAtMs);
    if (step !== null) this.#take(step);
  }

  #take({ state, send }: Step<MemberState>): void {
    const was = this.#member.is;
    this.#member = state;
    if (send !== null) this.#say(send);
    if (state.is !== was) this.#tell();
  }

  #say(message: Uint8Array): void {
    this.#options.workspace.link.tell({ type: 'mailbox:say', mailbox: this.#mailbox, message });
  }

  #tell(): void {
    const { rights, onState } = this.#options;
    const member = this.#member;
    const expiresAt = new Date(this.expiresAtMs).toISOString();
    if (member.is === 'waiting') onState({ is: 'offering', code: this.code, joinText: this.joinText, expiresAt, rights });
    else if (member.is === 'comparing') {
      const { digits, newcomer } = member;
      onState({ is: 'compare', digits, machine: { machineId: newcomer.machine, name: newcomer.name }, rights, side: 'member' });
    } else if (member.is === 'failed') this.#end(FAILURES[member.why]);
  }

  #end(state: PairingState): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#options.workspace.link.tell({ type: 'mailbox:close', mailbox: this.#mailbox });
    this.#options.onState(state);
  }
}

function nothingToConfirm(): RefusalError {
  return new RefusalError('not-ready', 'No machine waits to be let in.', 'Ask for a code: baton pair.');
}
