import * as z from 'zod/mini';
import type { Json } from '../../../src-shared/events.ts';
import type { MachineId, RunId } from '../../../src-shared/ids.ts';
import { liveMembers, type Member } from '../../../src-shared/membership.ts';
import { nameOf } from '../../../src-shared/membership-keys.ts';
import { EMPTY_STREAM, receiveBatch, type StreamState, writerOf } from '../../../src-shared/receive-batch.ts';
import type { FromRelay } from '../../../src-shared/relay-protocol.ts';
import {
  type CardSession,
  type Checkpoint,
  MAX_SESSIONS_OF_MACHINE,
  MachineCard,
  newReplica,
} from '../../../src-shared/replication.ts';
import type { RemoteStanding } from '../../../src-shared/session.ts';
import type { RemoteSessions } from '../../engine/remote-sessions.ts';
import type { LinkState } from '../link/link.ts';
import type { MachineAbout, SyncContext } from '../sync-context.ts';
import { Backfill } from './backfill.ts';
import { decodeCard } from './card.ts';
import { openCheckpoint, readCheckpoint, streamOfCheckpoint } from './checkpoint.ts';
import { Replica } from './replica.ts';

/** New sessions that are stored at a time: a machine may come with thousands. */
const CREATE_AT_A_TIME = 50;

/** Where replicas and what other machines said last are kept. */
export interface ReplicaStore {
  readonly sessions: Pick<
    RemoteSessions,
    | 'all'
    | 'isHosted'
    | 'members'
    | 'isOrphan'
    | 'create'
    | 'append'
    | 'missing'
    | 'fill'
    | 'keepScreen'
    | 'note'
    | 'stand'
    | 'remove'
    | 'onWatched'
  >;
  readonly getFact: (name: string) => Promise<Json>;
  readonly setFact: (name: string, value: Json) => Promise<void>;
}

export interface ReplicasOptions {
  readonly store: ReplicaStore;
  readonly onAbout: () => void;
  readonly onNotice: (message: string) => void;
}

const CARD_RETRY_MS = 2_000;

/** It will never be taken, however often it comes. */
class CardRefusedError extends Error {}

const KeptCard = z.object({ counter: z.int(), hash: z.string(), card: MachineCard });

/** Another machine: its card, as it came last. */
interface Peer {
  readonly machine: MachineId;
  card: MachineCard | null;
  stream: StreamState;
  /** One card after the other. */
  queue: Promise<void>;
  end: () => void;
}

/**
 * What other machines host, as far as it is kept here: follows their cards, and the log of every session that one of them names.
 * Absence from a card deletes nothing; only its `deleted` does.
 */
export class Replicas {
  readonly #context: SyncContext;
  readonly #options: ReplicasOptions;
  readonly #peers = new Map<MachineId, Peer>();
  readonly #replicas = new Map<RunId, Replica>();
  readonly #online = new Set<MachineId>();
  readonly #backfill: Backfill;
  readonly #endsOfScreens = new Map<RunId, () => void>();
  readonly #ends: (() => void)[] = [];
  /** Under way in the store. */
  readonly #writing = new Set<Promise<unknown>>();
  #isStopped = false;

  private constructor(context: SyncContext, options: ReplicasOptions) {
    this.#context = context;
    this.#options = options;
    this.#backfill = new Backfill(context, {
      sessions: options.store.sessions,
      onFork: (runId) => {
        const forking = this.#replicas.get(runId)?.forked();
        forking?.catch((error: unknown) => context.onProblem(`the fork of session ${runId} could not be kept`, error));
      },
    });
  }

  static async start(context: SyncContext, options: ReplicasOptions): Promise<Replicas> {
    const replicas = new Replicas(context, options);
    const { link } = context;
    replicas.#ends.push(
      link.onState((state) => replicas.#linked(state)),
      link.onMessage((message) => replicas.#heard(message)),
      context.onMembership(() => {
        replicas.#tellMembers();
        replicas.#followMembers().catch((error: unknown) => context.onProblem('the machines could not be followed', error));
      }),
      options.store.sessions.onWatched((runId) => replicas.#replicas.get(runId)?.changeLane()),
    );
    replicas.#tellMembers();
    for (const [runId, { replica }] of options.store.sessions.all) replicas.#add(runId, replica);
    await replicas.#followMembers();
    replicas.#linked(link.state);
    return replicas;
  }

  /** Resolves when nothing is being written any more, and what was asked of the relay writes nothing when it comes. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const writing: Promise<unknown>[] = [...this.#writing, this.#backfill.stop()];
    for (const end of this.#endsOfScreens.values()) end();
    this.#options.store.sessions.members = null;
    for (const end of this.#ends) end();
    for (const { end } of this.#peers.values()) end();
    for (const [runId, replica] of this.#replicas) {
      writing.push(replica.stop());
      this.#options.store.sessions.stand(runId, replica.state.forked ? 'forked' : 'away');
    }
    await Promise.allSettled(writing);
  }

  about(machine: MachineId): MachineAbout | null {
    const card = this.#peers.get(machine)?.card ?? null;
    if (card === null) return null;
    const { state, version, platform, sessions, allows = 'start' } = card;
    return { state, version, platform, sessions: sessions.length, allows };
  }

  // ——— who is there ———

  #linked(state: LinkState): void {
    this.#online.clear();
    if (state.is === 'live') {
      for (const { machine, online } of state.welcome.machines) if (online) this.#online.add(machine);
    } else for (const replica of this.#replicas.values()) replica.lost();
    this.#standAll();
  }

  #heard(message: FromRelay): void {
    if (message.type !== 'machine') return;
    const { machine, online } = message.seen;
    if (online) this.#online.add(machine);
    else this.#online.delete(machine);
    this.#standAll(machine);
  }

  #standAll(machine: MachineId | null = null): void {
    for (const [runId, { state }] of this.#replicas) if (machine === null || state.machineId === machine) this.#stand(runId);
  }

  #stand(runId: RunId): void {
    const replica = this.#replicas.get(runId);
    if (replica === undefined || this.#isStopped) return;
    this.#options.store.sessions.stand(runId, this.#standingOf(replica));
  }

  #standingOf({ state, isCaughtUp, isRefused }: Replica): RemoteStanding['connection'] {
    if (state.forked) return 'forked';
    if (this.#context.link.state.is !== 'live' || !this.#online.has(state.machineId)) return 'away';
    if (isRefused) return 'refused';
    return isCaughtUp ? 'live' : 'behind';
  }

  #tellMembers(): void {
    this.#options.store.sessions.members = liveMembers(this.#context.membership);
  }

  async #followMembers(): Promise<void> {
    const { membership, signer } = this.#context;
    const others = liveMembers(membership).filter(({ machine }) => machine !== signer.machine);
    const live = new Set(others.map(({ machine }) => machine));
    for (const [machine, peer] of this.#peers) {
      if (live.has(machine)) continue;
      // It was removed. What it wrote before stays here; nothing is added.
      peer.end();
      this.#peers.delete(machine);
      for (const replica of this.#replicas.values()) if (replica.state.machineId === machine) await replica.stop();
    }
    for (const member of others) {
      const peer = this.#peers.get(member.machine);
      if (peer === undefined) await this.#meet(member);
      else if (peer.card !== null) await this.#name(member, peer.card);
    }
  }

  async #meet({ machine }: Member): Promise<void> {
    const peer: Peer = { machine, card: null, stream: EMPTY_STREAM, queue: Promise.resolve(), end: () => {} };
    this.#peers.set(machine, peer);
    const kept = KeptCard.safeParse(await this.#options.store.getFact(factOf(machine)));
    if (this.#isStopped || this.#peers.get(machine) !== peer) return;
    if (kept.success) {
      const { counter, hash, card } = kept.data;
      peer.card = card;
      peer.stream = { ...EMPTY_STREAM, writers: new Map([[writerOf({ machine, kind: 'index' }), { counter, hash }]]) };
      this.#options.onAbout();
    }
    this.#followCard(peer);
  }

  #followCard(peer: Peer): void {
    const { machine } = peer;
    peer.end = this.#context.link.follow(this.#context.keyring.streamName('index', machine), {
      lane: 'rest',
      // There is one, the newest.
      cursor: () => 0,
      onBatch: (frame) => {
        const take = () => (this.#isStopped ? undefined : this.#takeCard(peer, frame));
        peer.queue = peer.queue.then(take).catch((error: unknown) => this.#cardFailed(peer, error));
        return peer.queue;
      },
    });
  }

  // ——— cards ———

  async #takeCard(peer: Peer, frame: Uint8Array): Promise<void> {
    const { membership, keyring } = this.#context;
    const received = receiveBatch(frame, { membership, keyring, state: peer.stream });
    if (received.is === 'repeated') return;
    if (received.is === 'refused') {
      if (received.why === 'replayed') return;
      if (received.why === 'unknown-head' || received.why === 'no-key') throw new Error(received.why);
      throw new CardRefusedError(received.why);
    }
    const { header, hash } = received.batch;
    if (header.kind !== 'index' || header.machine !== peer.machine) throw new CardRefusedError('somebody else wrote it');
    const card = await decodeCard(received.payload).catch(() => null);
    if (card === null) throw new CardRefusedError('it is no card');
    await this.#apply(peer, card);
    if (this.#isStopped) return;
    peer.stream = received.state;
    peer.card = card;
    await this.#write(
      this.#options.store.setFact(factOf(peer.machine), { counter: header.counter, hash, card } as unknown as Json),
    );
    this.#options.onAbout();
  }

  /** A full disk, a chain that is not here yet, a line that was lost: the card is taken up again after a while. */
  #cardFailed(peer: Peer, error: unknown): void {
    if (this.#isStopped || this.#peers.get(peer.machine) !== peer) return;
    if (!(error instanceof CardRefusedError)) {
      peer.end();
      const cancel = this.#context.clock.setTimer(() => this.#followCard(peer), CARD_RETRY_MS);
      peer.end = cancel;
    }
    this.#context.onProblem(`what machine ${peer.machine} says of itself could not be read`, error);
  }

  async #apply(peer: Peer, card: MachineCard): Promise<void> {
    const { sessions } = this.#options.store;
    const member = this.#context.membership.members.get(peer.machine);
    if (member !== undefined) await this.#name(member, card);
    for (const runId of card.deleted) await this.#remove(runId, peer.machine);
    const deleted = new Set(card.deleted);
    for (const session of card.sessions) await this.#rebind(session, peer.machine, this.#nameOf(peer.machine, card));
    const kept = [...this.#replicas.values()].filter(({ state }) => state.machineId === peer.machine).length;
    const wanted = card.sessions.filter(
      ({ runId }) => !deleted.has(runId) && !sessions.isHosted(runId) && !sessions.all.has(runId),
    );
    const unknown = wanted.slice(0, Math.max(0, MAX_SESSIONS_OF_MACHINE - kept));
    if (unknown.length < wanted.length) {
      this.#context.onProblem(`of machine ${peer.machine} at most ${MAX_SESSIONS_OF_MACHINE} sessions are kept here`);
    }
    const name = this.#nameOf(peer.machine, card);
    for (let at = 0; at < unknown.length && !this.#isStopped; at += CREATE_AT_A_TIME) {
      await Promise.all(unknown.slice(at, at + CREATE_AT_A_TIME).map((session) => this.#create(session, peer.machine, name)));
    }
  }

  async #create(session: CardSession, machine: MachineId, name: string): Promise<void> {
    const checkpoint = await this.#checkpointOf(session.runId, machine);
    if (this.#isStopped) return;
    const nowMs = this.#context.clock.nowMs();
    const replica = newReplica(machine, name, session.epoch, checkpoint && { checkpoint, nowMs });
    await this.#write(this.#options.store.sessions.create(session, replica, checkpoint));
    if (!this.#isStopped) this.#add(session.runId, replica);
  }

  /** Null: its log is read from the beginning. */
  async #checkpointOf(runId: RunId, machine: MachineId): Promise<Checkpoint | null> {
    try {
      return await readCheckpoint(this.#context, runId, machine);
    } catch (error) {
      this.#context.onProblem(`the checkpoint of session ${runId} could not be read`, error);
      return null;
    }
  }

  /**
   * Its host left its workspace and is somebody else now: its log goes on, and has to fit what is here. What it sent before under its
   * former id is taken once it says that it has another epoch.
   */
  async #rebind({ runId, epoch }: CardSession, machine: MachineId, name: string): Promise<void> {
    const { sessions } = this.#options.store;
    const session = sessions.all.get(runId);
    if (session === undefined || session.replica.forked || this.#isStopped) return;
    const before = this.#replicas.get(runId)?.state ?? session.replica;
    const isNextEpoch = before.machineId === machine && epoch > before.hostEpoch;
    if (!isNextEpoch && !sessions.isOrphan(session)) return;
    await this.#replicas.get(runId)?.stop();
    if (this.#isStopped) return;
    const now = this.#replicas.get(runId)?.state ?? session.replica;
    const state = isNextEpoch
      ? { ...now, hostEpoch: epoch }
      : { ...newReplica(machine, name, epoch), lastSeq: session.log.published.seq, heardMs: now.heardMs };
    await this.#write(sessions.note(runId, state));
    if (!this.#isStopped) this.#add(runId, state);
  }

  async #remove(runId: RunId, machine: MachineId): Promise<void> {
    const replica = this.#replicas.get(runId);
    if (replica?.state.machineId !== machine) return;
    await replica.stop();
    if (this.#isStopped) return;
    this.#endsOfScreens.get(runId)?.();
    this.#endsOfScreens.delete(runId);
    await this.#write(this.#options.store.sessions.remove(runId));
    this.#replicas.delete(runId);
  }

  #write<T>(writing: Promise<T>): Promise<T> {
    const settled = writing.then(
      () => {},
      () => {},
    );
    this.#writing.add(settled);
    void settled.then(() => this.#writing.delete(settled));
    return writing;
  }

  #nameOf(machine: MachineId, card: MachineCard): string {
    const { membership, keyring } = this.#context;
    const member = membership.members.get(machine);
    return (member === undefined ? null : nameOf(member, keyring)) ?? card.name;
  }

  async #name({ machine }: Member, card: MachineCard): Promise<void> {
    const name = this.#nameOf(machine, card);
    for (const replica of this.#replicas.values()) if (replica.state.machineId === machine) await replica.renamed(name);
  }

  // ——— logs ———

  #add(runId: RunId, state: ConstructorParameters<typeof Replica>[1]['state']): void {
    const { store, onNotice } = this.#options;
    const replica = new Replica(this.#context, {
      runId,
      state,
      sink: store.sessions,
      lane: () => ((store.sessions.all.get(runId)?.viewers.size ?? 0) > 0 ? 'watch' : 'rest'),
      onStanding: () => this.#stand(runId),
      onNotice,
    });
    this.#replicas.set(runId, replica);
    const isMember = this.#context.membership.members.get(state.machineId)?.revokedHeight === null;
    if (isMember) {
      replica.follow();
      this.#followScreens(runId, state.machineId);
      if (store.sessions.all.get(runId)?.isHistoryComplete === false) this.#backfill.add(runId);
    }
    this.#stand(runId);
  }

  /** So that opening a terminal costs the same however much of it has come in while nobody looked. */
  #followScreens(runId: RunId, host: MachineId): void {
    const { sessions } = this.#options.store;
    if (sessions.all.get(runId)?.spec.kind !== 'pty') return;
    this.#endsOfScreens.get(runId)?.();
    const { link } = this.#context;
    const incarnation = () => (link.state.is === 'live' ? link.state.welcome.incarnation : null);
    // At a relay that has lost its disk positions begin anew.
    let last = { position: 0, at: incarnation() };
    const end = link.follow(streamOfCheckpoint(this.#context, runId), {
      lane: 'rest',
      cursor: () => (last.at === incarnation() ? last.position : 0),
      onBatch: async (frame, position) => {
        last = { position: position ?? 0, at: incarnation() };
        try {
          const { screen } = await openCheckpoint(this.#context, frame, host);
          if (screen !== null && sessions.all.has(runId)) await sessions.keepScreen(runId, screen);
        } catch (error) {
          this.#context.onProblem(`a screen of session ${runId} could not be kept`, error);
        }
      },
    });
    this.#endsOfScreens.set(runId, end);
  }
}

function factOf(machine: MachineId): string {
  return `replication.card:${machine}`;
}
