import type { Clock } from '../../../src-shared/client.ts';
import { applyEntry, type EntryRefusal, liveMember, liveMembers, type Membership } from '../../../src-shared/membership.ts';
import { type MembershipEntry, readEntry } from '../../../src-shared/membership-entry.ts';
import { rotateKey, type Signer, takeKeys } from '../../../src-shared/membership-keys.ts';
import { RefusalError } from '../../../src-shared/refusal.ts';
import { type FromRelay, relayRefusalText } from '../../../src-shared/relay-protocol.ts';
import { Keyring } from '../../../src-shared/seal.ts';
import type { Wire } from '../../../src-shared/wire.ts';
import { Link, type LinkState, RelayRefusedError } from '../link/link.ts';
import type { SyncContext } from '../sync-context.ts';
import type { PassCounter } from './pass-counter.ts';

/** The workspace key is changed so often, by whichever machine sees first that it is time. */
const ROTATE_AFTER_MS = 7 * 24 * 60 * 60_000;
/** At most so long between two looks at whether it is; a random part of it, so that machines do not all come at once. */
const ROTATE_LOOK_MS = 60 * 60_000;
/** After connecting: by then whoever knows entries that the relay has lost has brought them. */
const ROTATE_FIRST_LOOK_MS = 30_000;
/** Others may write to the chain at the same time: then it is read, and the entry made again. */
const MAX_APPEND_ATTEMPTS = 5;

export interface WorkspaceOptions {
  readonly signer: Signer;
  /** Every entry from the first, as it was kept. */
  readonly chain: readonly Uint8Array[];
  /** Pinned when the machine joined; null: the first relay that is met is the one. */
  readonly relayKey: Uint8Array | null;
  /** A fork was seen before: that is for good. */
  readonly isForked: boolean;
  /** Null: there is no relay to go to. */
  readonly connect: (() => Promise<Wire>) | null;
  readonly passCounter: PassCounter;
  readonly clock: Clock;
  /** Puts it on the disk. */
  readonly keep: (kept: { readonly chain: readonly Uint8Array[]; readonly isForked: boolean }) => Promise<void>;
  /** The user has to know: this machine takes no part any more, and why. */
  readonly onAlarm: (message: string) => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** Why a machine takes no part any more, though it has a workspace. */
export type Exclusion = 'removed' | 'forked' | 'broken';
const EXCLUDED: Readonly<Record<Exclusion, string>> = {
  removed: 'This machine was removed from the workspace. What it has stays here.',
  forked:
    'There are two histories of who belongs to the workspace: somebody shows the machines different ones. Nothing more is taken.',
  broken: 'The membership chain has keys for this machine that are not the announced ones. Nothing more is taken.',
};

/** This machine in its workspace: the chain, the keys in it, and the one connection to the relay. */
export class Workspace implements SyncContext {
  readonly signer: Signer;
  readonly keyring = new Keyring();
  readonly clock: Clock;
  readonly onProblem: (message: string, error?: unknown) => void;
  readonly link: Link;
  readonly #options: WorkspaceOptions;
  readonly #chain: Uint8Array[] = [];
  readonly #listeners = new Set<() => void>();
  #membership: Membership;
  #excluded: Exclusion | null = null;
  /** When the newest key was made, by its maker's clock. */
  #keyAtMs = 0;
  #cancelRotation: () => void = () => {};
  #appending: Promise<unknown> = Promise.resolve();
  #kept: Promise<void> = Promise.resolve();

  constructor(options: WorkspaceOptions) {
    this.#options = options;
    this.signer = options.signer;
    this.clock = options.clock;
    this.onProblem = options.onProblem;
    this.#membership = this.#read(options.chain);
    if (options.isForked) this.#excluded = 'forked';
    this.link = new Link({
      connect: options.connect ?? (() => Promise.reject(new Error('no relay is set'))),
      signer: this.signer,
      workspace: this.#membership.workspace,
      chain: () => this.#chain,
      relayKey: options.relayKey,
      onFailure: (stream, error) => this.onProblem(`following the stream ${stream} failed`, error),
      clock: this.clock,
    });
    if (this.#excluded !== null || options.connect === null) {
      this.link.stop();
      return;
    }
    this.link.onState((state) => this.#linked(state));
    this.link.onMessage((message) => this.#heard(message));
  }

  get membership(): Membership {
    return this.#membership;
  }
  /** Every entry from the first. */
  get chain(): readonly Uint8Array[] {
    return this.#chain;
  }
  /** Null while this machine takes part. */
  get excluded(): string | null {
    return this.#excluded === null ? null : EXCLUDED[this.#excluded];
  }
  get isRemoved(): boolean {
    return this.#excluded === 'removed';
  }

  onMembership(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  nextPassCounter(): number {
    return this.#options.passCounter.next();
  }

  /**
   * Adds an entry to the chain, at the relay and here; `make` is called again where somebody else was quicker. Resolves when it is
   * on the disk of both.
   */
  append(make: (membership: Membership) => Uint8Array): Promise<void> {
    const appended = this.#appending.then(() => this.#append(make));
    this.#appending = appended.catch(() => {});
    return appended;
  }

  async #append(make: (membership: Membership) => Uint8Array): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      this.#mustTakePart();
      const entry = make(this.#membership);
      const applied = applyEntry(this.#membership, entry);
      if (applied.is === 'refused') throw refusalOf(applied.why);
      try {
        await this.link.ask({ type: 'chain:append', entry });
        this.#take([entry]);
        return await this.#kept;
      } catch (error) {
        if (!(error instanceof RelayRefusedError)) throw error;
        if (error.why !== 'entry-refused' || attempt === MAX_APPEND_ATTEMPTS) {
          throw new RefusalError('failed', relayRefusalText(error.why));
        }
        await this.#fetch(this.#membership.height);
      }
    }
  }

  #mustTakePart(): void {
    if (this.#excluded !== null)
      throw new RefusalError('not-allowed', EXCLUDED[this.#excluded], 'Leave the workspace, and join anew.');
  }

  async stop(): Promise<void> {
    this.#cancelRotation();
    this.link.stop();
    await this.#appending;
    await this.#kept;
  }

  /** What was kept was checked before; a chain that does not hold is a damaged disk. */
  #read(entries: readonly Uint8Array[]): Membership {
    let membership: Membership | null = null;
    for (const bytes of entries) {
      const applied = applyEntry(membership, bytes);
      if (applied.is !== 'applied') throw new Error('the kept membership chain is damaged');
      membership = applied.membership;
      this.#accept(applied.entry, membership);
    }
    if (membership === null) throw new Error('a workspace has at least one entry');
    return membership;
  }

  #accept(entry: MembershipEntry, membership: Membership): void {
    this.#chain.push(entry.bytes);
    if (!takeKeys(this.keyring, entry, membership, this.signer)) this.#excluded ??= 'broken';
    const { type, atMs } = entry.body;
    if (type === 'genesis' || type === 'revoke' || type === 'rotate') this.#keyAtMs = atMs;
    if (type === 'revoke' && entry.body.machine === this.signer.machine) this.#excluded ??= 'removed';
  }

  /** Takes entries that follow; those that are known change nothing. Gives what was wrong with the first that does not fit. */
  #take(entries: readonly Uint8Array[]): EntryRefusal | null {
    const before = this.#membership;
    let refused: EntryRefusal | null = null;
    for (const bytes of entries) {
      const applied = applyEntry(this.#membership, bytes.slice());
      if (applied.is === 'known') continue;
      if (applied.is === 'refused') {
        refused = applied.why;
        break;
      }
      this.#membership = applied.membership;
      if (applied.is === 'fork') this.#excluded ??= 'forked';
      else this.#accept(applied.entry, applied.membership);
      if (this.#excluded !== null) break;
    }
    if (this.#membership !== before) this.#grown();
    return refused;
  }

  #grown(): void {
    const kept = { chain: [...this.#chain], isForked: this.#membership.fork !== null };
    this.#kept = this.#kept
      .then(() => this.#options.keep(kept))
      .catch((error: unknown) => this.onProblem('the membership chain could not be kept', error));
    if (this.#excluded !== null) {
      // At once: nothing of this machine is sent any more, and nothing taken.
      this.#cancelRotation();
      this.link.stop();
      this.#options.onAlarm(EXCLUDED[this.#excluded]);
    }
    for (const listener of this.#listeners) listener();
  }

  #linked(state: LinkState): void {
    if (state.is === 'live') this.#catchUp(state.welcome).catch((error: unknown) => this.#failed(error));
  }

  #heard(message: FromRelay): void {
    if (message.type !== 'chain') return;
    const refused = this.#take(message.entries);
    if (refused !== null) this.#fetch(this.#membership.height).catch((error: unknown) => this.#failed(error));
  }

  /** A connection that was lost meanwhile is no problem: the next one does it. */
  #failed(error: unknown): void {
    if (!(error instanceof RefusalError)) this.onProblem('the membership chain could not be brought up to date', error);
  }

  /** What the relay lacks it gets; what is missing here is read. */
  async #catchUp({ height, head }: { readonly height: number; readonly head: string }): Promise<void> {
    const isOurs = this.#membership.entries.has(head);
    if (!isOurs) await this.#fetch(height <= this.#membership.height ? 0 : this.#membership.height);
    else for (const entry of this.#chain.slice(height)) await this.link.ask({ type: 'chain:append', entry });
    this.#planRotation(ROTATE_FIRST_LOOK_MS);
  }

  async #fetch(from: number): Promise<void> {
    for (let after = from; this.#excluded === null; ) {
      const answer = await this.link.ask({ type: 'chain:read', after });
      if (answer.type !== 'chain') return;
      const refused = this.#take(answer.entries);
      if (refused !== null && after > 0) {
        // It does not follow what is here: where they part is further back.
        after = 0;
        continue;
      }
      if (refused !== null) throw new Error(`the relay's chain does not hold: ${refused}`);
      after += answer.entries.length;
      if (answer.entries.length === 0 || after >= answer.height) return;
    }
  }

  #planRotation(withinMs: number): void {
    this.#cancelRotation();
    if (this.#excluded !== null || this.link.state.is === 'stopped') return;
    this.#cancelRotation = this.clock.setTimer(
      () => {
        this.#rotateIfDue();
        this.#planRotation(ROTATE_LOOK_MS);
      },
      withinMs * (0.5 + this.clock.random() / 2),
    );
  }

  #rotateIfDue(): void {
    const { membership, signer, clock, link } = this;
    // A key of the far future would never be old.
    const isDue = Math.abs(clock.nowMs() - this.#keyAtMs) >= ROTATE_AFTER_MS;
    if (!isDue || link.state.is !== 'live' || liveMember(membership, signer.machine)?.rights !== 'start') return;
    if (!this.#hasCompany(link.state.welcome)) return;
    const height = membership.height;
    this.append((now) => {
      if (now.height !== height) throw new RefusalError('already-answered', 'The chain has grown meanwhile.');
      return rotateKey(now, signer, clock.nowMs());
    }).catch((error: unknown) => this.#failed(error));
  }

  /**
   * Nobody adds to the chain by itself while it is alone with the relay [machine-14]: of a relay that has lost entries, or was set back to
   * before them, it would not know that there are more, and two histories end the workspace.
   */
  #hasCompany({ machines }: Extract<LinkState, { is: 'live' }>['welcome']): boolean {
    const others = liveMembers(this.#membership).filter(({ machine }) => machine !== this.signer.machine);
    return others.length === 0 || machines.some(({ machine, online }) => online && others.some((it) => it.machine === machine));
  }
}

const ENTRY_REFUSALS: Partial<Readonly<Record<EntryRefusal, readonly [message: string, hint: string | null]>>> = {
  'not-allowed': ['This machine may not change who belongs to the workspace.', 'Do it on a machine with the right to start.'],
  'signer-revoked': ['This machine was removed from the workspace.', null],
  'machine-known': [
    'That machine is in the workspace already, or was removed from it.',
    'Let it leave its workspace, then pair it anew.',
  ],
  'key-known': [
    'That machine is in the workspace already, or was removed from it.',
    'Let it leave its workspace, then pair it anew.',
  ],
  'unknown-machine': ['There is no such machine in the workspace.', 'baton machines lists them.'],
  'machine-revoked': ['That machine was removed already.', null],
  'own-revocation': ['A machine does not remove itself.', 'Leave the workspace instead, or remove it from another machine.'],
  'last-owner': ['It is the last machine that may do everything.', 'Give another one that right first.'],
  'too-many': ['The workspace has as many machines, or changes, as it may have.', 'Remove machines that are not used.'],
};

function refusalOf(why: EntryRefusal): RefusalError {
  const [message, hint] = ENTRY_REFUSALS[why] ?? [`The membership does not allow this (${why}).`, null];
  return new RefusalError(why === 'unknown-machine' ? 'unknown-target' : 'not-allowed', message, hint);
}

/** What an entry says, for lists. */
export function entryTimeMs(entry: Uint8Array | undefined): number | null {
  return entry === undefined ? null : (readEntry(entry)?.body.atMs ?? null);
}
