import * as z from 'zod/mini';
import { SYSTEM_CLOCK } from '../../src-shared/client.ts';
import type { MachineId } from '../../src-shared/ids.ts';
import type { Machine, MachineList as MachineListAnswer } from '../../src-shared/machines.ts';
import { foundWorkspace, renameMachine, revokeMachine, type Signer, setRights } from '../../src-shared/membership-keys.ts';
import type { ParamsOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { fromHex, makeMachineKeys, sealReady, toHex } from '../../src-shared/seal.ts';
import type { Settings } from '../../src-shared/settings.ts';
import type { KeyRing } from '../secrets.ts';
import type { Store } from '../store/store.ts';
import { OTHER_RELAY } from '../sync/link/handshake.ts';
import type { LinkState } from '../sync/link/link.ts';
import { untilLive } from '../sync/link/until-live.ts';
import {
  type KeyProtection,
  LOCKED,
  type Locked,
  readMachineKeys,
  removeMachineKeys,
  writeMachineKeys,
} from '../sync/membership/machine-keys.ts';
import { MachineList } from '../sync/membership/machine-list.ts';
import { PassCounter } from '../sync/membership/pass-counter.ts';
import { entryTimeMs, Workspace } from '../sync/membership/workspace.ts';
import type { MachineAbout, StartSyncPart, SyncPart } from '../sync/sync-context.ts';
import { FormerIds } from './former-ids.ts';
import { OwnName } from './own-name.ts';
import { isSamePlace, type RelayPlace, RelayRoad } from './relay-road.ts';

export interface SyncedOptions {
  readonly store: Pick<Store, 'getFact' | 'setFact'>;
  readonly keysFile: string;
  readonly keyRing: KeyRing;
  readonly settings: () => Settings;
  readonly setSettings: (changes: ParamsOf<'settings.set'>['changes']) => Promise<unknown>;
  readonly machineId: () => MachineId;
  /** This machine is somebody else from now on: in a chain an id is added once, ever. */
  readonly renewMachineId: () => Promise<void>;
  readonly machineName: () => string;
  /** What this machine says of itself in the list. */
  readonly about: () => MachineAbout;
  /** Asked for each time they are started. */
  readonly parts: () => readonly StartSyncPart[];
  readonly relay: () => RelayPlace | null;
  readonly onChange: () => void;
  readonly onNotice: (message: string) => void;
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** In the store's facts. */
const WORKSPACE = 'workspace';
const PASS_COUNTER = 'workspace.passCounter';
const Base64 = z.string();
const Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const Kept = z.object({
  chain: z.array(Base64).check(z.minLength(1)),
  isForked: z.boolean(),
  /** The relay that was met there, pinned. */
  relay: z.nullable(z.object({ url: z.string(), key: Hex })),
});
type Kept = z.infer<typeof Kept>;

/** What runs while this machine is in a workspace. */
interface Life {
  readonly workspace: Workspace;
  readonly list: MachineList;
  readonly name: OwnName;
  readonly parts: readonly SyncPart[];
  /** null: it knows no relay. */
  readonly road: RelayRoad | null;
}

/** This machine's place in its workspace, if it has one: its keys, the chain, and the parts that sync. Loaded when it is needed. */
export class Synced {
  readonly #options: SyncedOptions;
  readonly #former: FormerIds;
  #life: Life | null = null;
  #locked: Locked | null = null;
  #passphrase: string | null;
  #kept: Kept | null = null;
  #keptBy: KeyProtection['by'] = 'plain';
  #changing: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  private constructor(options: SyncedOptions, passphrase: string | null) {
    this.#options = options;
    this.#former = new FormerIds(options.store);
    this.#passphrase = passphrase;
  }

  /** `passphrase`: given to the process when it was started. */
  static async open(options: SyncedOptions, passphrase: string | null): Promise<Synced> {
    await sealReady;
    const synced = new Synced(options, passphrase);
    await synced.#inTurn(() => synced.#start());
    return synced;
  }

  /** Null while this machine is in no workspace, or cannot read its keys. */
  get workspace(): Workspace | null {
    return this.#life?.workspace ?? null;
  }
  /** For lists. */
  about(): MachineListAnswer['workspace'] {
    const { workspace } = this;
    if (workspace === null) return null;
    const createdAt = new Date(entryTimeMs(workspace.chain[0]) ?? 0).toISOString();
    return { id: workspace.membership.workspace, createdAt, keys: this.#keptBy };
  }
  /** Why it does not sync though it is in a workspace; null where it does. */
  get excluded(): string | null {
    if (this.#locked !== null) return LOCKED[this.#locked][0];
    return this.#life?.workspace.excluded ?? null;
  }
  get linkState(): LinkState | null {
    return this.#life?.workspace.link.state ?? null;
  }
  get relayUrl(): string | null {
    return this.#life?.road?.url ?? this.#options.relay()?.url ?? null;
  }

  machines(): Machine[] {
    const life = this.#life;
    if (life === null) return [];
    const about = (machine: MachineId) =>
      life.parts.map((part) => part.about?.(machine) ?? null).find((it) => it !== null) ?? null;
    return life.list.list(about, this.#options.about());
  }

  /** One change at a time. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => {});
    return done;
  }

  async #start(): Promise<void> {
    const kept = Kept.safeParse(await this.#options.store.getFact(WORKSPACE));
    if (!kept.success) return;
    this.#kept = kept.data;
    const { keysFile, keyRing, onNotice } = this.#options;
    const keys = await readMachineKeys(keysFile, { keyRing, passphrase: this.#passphrase });
    this.#locked = keys.is === 'locked' ? keys.why : null;
    if (keys.is === 'open') this.#keptBy = keys.by;
    if (keys.is === 'open') await this.#live(keys.signer, kept.data);
    else if (keys.is === 'none') {
      this.#kept = null;
      onNotice(
        'The keys of this machine are gone: it is in its workspace no longer. Remove it from the list on another machine, and pair it anew.',
      );
    }
  }

  async #live(signer: Signer, kept: Kept): Promise<void> {
    const { store, relay, parts, machineName, setSettings, onChange, onNotice, onProblem } = this.#options;
    const place = relay();
    const reserved = await store.getFact(PASS_COUNTER);
    const passCounter = await PassCounter.open(
      typeof reserved === 'number' ? reserved : 0,
      SYSTEM_CLOCK.nowMs(),
      (upTo) => store.setFact(PASS_COUNTER, upTo),
      onProblem,
    );
    const road = place && new RelayRoad(place, () => this.#pinnedAt(place));
    const workspace = new Workspace({
      signer,
      chain: kept.chain.map((entry) => new Uint8Array(Buffer.from(entry, 'base64'))),
      relayKey: place && (place.key ?? this.#pinnedAt(place)),
      isForked: kept.isForked,
      connect: road && (() => road.connect()),
      passCounter,
      clock: SYSTEM_CLOCK,
      keep: ({ chain, isForked }) => this.#keep({ chain: chain.map(toBase64), isForked }),
      onAlarm: onNotice,
      onProblem,
    });
    const started: SyncPart[] = [];
    const list = new MachineList(workspace, onChange);
    const name = new OwnName(workspace, { machineName, setName: (name) => setSettings({ 'machine.name': name }), onProblem });
    this.#life = { workspace, list, name, parts: started, road };
    workspace.link.onState((state) => this.#linked(state, place));
    workspace.onMembership(() => name.follow());
    try {
      if (workspace.excluded === null) {
        const onFound = () => workspace.link.retryIfLost();
        await road?.openLan({ keyring: workspace.keyring, onFound, onProblem });
      }
      await this.#former.remove(workspace).catch((error: unknown) => {
        onProblem('whom this machine was before it left could not be removed', error);
      });
      for (const start of parts()) started.push(await start(workspace, onChange));
    } catch (error) {
      // Half of it would go on unseen, beside the next start [machine-17].
      await this.#end();
      throw error;
    }
    onChange();
  }

  #pinnedAt({ url }: RelayPlace): Uint8Array | null {
    const relay = this.#kept?.relay;
    return relay?.url === url ? fromHex(relay.key) : null;
  }

  async #keep(change: Partial<Kept>): Promise<void> {
    if (this.#kept === null) return;
    this.#kept = { ...this.#kept, ...change };
    await this.#options.store.setFact(WORKSPACE, this.#kept);
  }

  #linked(state: LinkState, place: RelayPlace | null): void {
    const url = place?.url ?? '';
    const { onProblem } = this.#options;
    if (state.is === 'refused' && state.why === OTHER_RELAY && place?.key === null) {
      this.#meetAnew(url).catch((error: unknown) => onProblem('the new relay could not be taken', error));
    }
    if (state.is !== 'live') return;
    const key = toHex(state.relayKey);
    if (this.#kept !== null && (this.#kept.relay?.url !== url || this.#kept.relay.key !== key)) {
      this.#keep({ relay: { url, key } }).catch((error: unknown) => onProblem('the relay’s key could not be kept', error));
    }
    this.#life?.name.tell();
  }

  /**
   * Where the user said that the relay is, there is one with another key: it has lost its disk, or somebody has taken its place, who
   * then sees no more than any relay does. The user is told, and the machine goes on: a relay that lost its disk must not end syncing.
   */
  #meetAnew(url: string): Promise<void> {
    this.#options.onNotice(
      `The relay at ${url} is another one than before. If you have not set it up anew, somebody may have taken its place: it can read nothing, but hold things back.`,
    );
    return this.#inTurn(async () => {
      const signer = this.#life?.workspace.signer;
      if (signer === undefined || this.#kept === null || this.#isStopped) return;
      await this.#end();
      this.#kept = { ...this.#kept, relay: null };
      await this.#live(signer, this.#kept);
    });
  }

  /** The settings, or where the embedded relay listens, may be others. */
  follow(): Promise<void> {
    return this.#inTurn(async () => {
      const life = this.#life;
      if (this.#isStopped || this.#kept === null || this.#locked !== null) return;
      if (life === null) return this.#start();
      if (isSamePlace(life.road?.place ?? null, this.#options.relay())) {
        this.#life?.name.tell();
        for (const part of life.parts) part.aboutChanged?.();
        return;
      }
      const { signer } = life.workspace;
      await this.#end();
      if (this.#kept !== null) await this.#live(signer, this.#kept);
    });
  }

  async rename({ machineId: machine, name }: ParamsOf<'machines.rename'>): Promise<void> {
    const { signer, keyring, clock } = await this.active();
    await this.#mustActive().append((membership) => renameMachine(membership, signer, keyring, { machine, name }, clock.nowMs()));
  }

  async setRights({ machineId: machine, rights }: ParamsOf<'machines.setRights'>): Promise<void> {
    const { signer, clock } = await this.active();
    await this.#mustActive().append((membership) => setRights(membership, signer, { machine, rights }, clock.nowMs()));
  }

  async revoke(machine: MachineId): Promise<void> {
    const { signer, clock } = await this.active();
    await this.#mustActive().append((membership) => revokeMachine(membership, signer, machine, clock.nowMs()));
  }

  #mustActive(): Workspace {
    if (this.#locked !== null) throw new RefusalError('not-ready', ...LOCKED[this.#locked]);
    const { workspace } = this;
    if (workspace === null)
      throw new RefusalError('not-ready', 'This machine is in no workspace.', 'Pair it: baton pair, or baton join CODE.');
    if (workspace.excluded !== null) {
      throw new RefusalError('not-allowed', workspace.excluded, 'Leave the workspace, and join anew.');
    }
    return workspace;
  }

  /** The workspace, once it is connected to its relay. */
  async active(): Promise<Workspace> {
    await this.#changing;
    const workspace = this.#mustActive();
    await untilLive(workspace);
    return workspace;
  }

  /** Founds a workspace where there is none. */
  found(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#life !== null || this.#locked !== null) return;
      // It is in one, and could not begin.
      if (this.#kept !== null) return this.#start();
      const { machineId, machineName } = this.#options;
      const signer: Signer = { machine: machineId(), keys: makeMachineKeys() };
      const genesis = foundWorkspace(signer, machineName(), SYSTEM_CLOCK.nowMs());
      await this.#enter(signer, { chain: [toBase64(genesis)], isForked: false, relay: null });
    });
  }

  /** Takes over what a pairing came to. */
  join(signer: Signer, chain: readonly Uint8Array[], relay: { readonly url: string; readonly key: Uint8Array }): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end();
      await this.#enter(signer, {
        chain: chain.map(toBase64),
        isForked: false,
        relay: { url: relay.url, key: toHex(relay.key) },
      });
    });
  }

  async #enter(signer: Signer, kept: Kept): Promise<void> {
    const { keysFile, store } = this.#options;
    const protection = this.protection();
    await writeMachineKeys(keysFile, signer, protection);
    this.#keptBy = protection.by;
    await store.setFact(WORKSPACE, kept);
    this.#kept = kept;
    await this.#live(signer, kept);
  }

  /** How keys that are made now are kept; refused where the passphrase that the settings want is not here. */
  protection(): KeyProtection {
    const { settings, keyRing } = this.#options;
    const wanted = settings()['machines.keyProtection'];
    if (wanted === 'passphrase') {
      if (this.#passphrase === null) throw new RefusalError('not-ready', ...LOCKED.passphrase);
      return { by: 'passphrase', passphrase: this.#passphrase };
    }
    return wanted === 'auto' && keyRing.isAvailable() ? { by: 'key-ring', keyRing } : { by: 'plain' };
  }

  unlock(passphrase: string): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#passphrase;
      this.#passphrase = passphrase;
      if (this.#life !== null || this.#locked === null) return;
      await this.#start();
      if (this.#locked === 'wrong-passphrase') {
        this.#passphrase = before;
        this.#locked = 'passphrase';
        throw new RefusalError('not-allowed', ...LOCKED['wrong-passphrase']);
      }
    });
  }

  /** Forgets the workspace. The sessions of the other machines stay as they were here; the others see this one as gone away. */
  leave(): Promise<void> {
    return this.#inTurn(async () => {
      const { store, keysFile, renewMachineId, onChange } = this.#options;
      if (this.#kept === null) throw new RefusalError('not-ready', 'This machine is in no workspace.');
      if (this.workspace !== null) await this.#former.remember(this.workspace);
      await this.#end();
      this.#kept = null;
      this.#locked = null;
      await store.setFact(WORKSPACE, null);
      await removeMachineKeys(keysFile);
      await renewMachineId();
      onChange();
    });
  }

  async #end(): Promise<void> {
    const life = this.#life;
    this.#life = null;
    if (life === null) return;
    life.list.stop();
    const ends = [...life.parts].reverse().map((part) => async () => await part.stop());
    // The line ends, whatever else cannot.
    for (const end of [...ends, async () => await life.road?.stop(), () => life.workspace.stop()]) {
      await end().catch((error: unknown) => this.#options.onProblem('a part of syncing could not be ended', error));
    }
  }

  /** The computer is about to sleep. Resolves when the others know, or when there is no time for that. */
  async sleep(): Promise<void> {
    await Promise.all((this.#life?.parts ?? []).map((part) => part.sleep?.()));
  }

  /** It has woken: nothing is left of any delay, and no connection is believed that was open before. */
  wake(): void {
    if (this.#life === null) return;
    this.#life.workspace.link.retryNow();
    for (const part of this.#life.parts) part.wake?.();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#inTurn(() => this.#end());
  }
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
