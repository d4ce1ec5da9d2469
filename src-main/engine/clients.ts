import type { ClientId, RunId } from '../../src-shared/ids.ts';
import type { ClientKind, ClientSummary, ParamsOf, Road } from '../../src-shared/operations.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';

/** One wire of a client that has said hello. */
export interface ClientWire {
  readonly client: { readonly clientId: ClientId; readonly kind: ClientKind; readonly name: string } | null;
  readonly road: Road;
  /** By the monotonic clock. */
  readonly heardMs: number;
  readonly sessions: readonly RunId[];
  close(why: CloseReason): void;
}

export interface ClientsOptions {
  readonly idleMs: () => number;
  /** The list is another one than before. */
  readonly onChange: () => void;
  readonly clock?: { readonly nowMs: () => number; readonly wallMs: () => number };
}

interface Known {
  readonly clientId: ClientId;
  kind: ClientKind;
  name: string;
  road: Road;
  readonly wires: Set<ClientWire>;
  connectedWallMs: number;
  /** Of wires that are closed, and of single requests. */
  heardMs: number;
  hasLeft: boolean;
  shown: ClientSummary['state'];
}

/** Nothing heard for so long: it may have gone, or its machine sleeps. Wires are asked before that [wire-9]. */
const ACTIVE_MS = 25_000;
const LOOK_EVERY_MS = 5_000;
/** Clients that are gone and still listed; of more, those heard last. */
const MAX_GONE = 200;
/** Close codes by which a client says goodbye: it will not be back by itself. */
const GOODBYES: ReadonlySet<number> = new Set([1000, 1001]);

const SYSTEM_CLOCK = { nowMs: () => performance.now(), wallMs: () => Date.now() };

/** Who uses this engine, by whatever road [client-1]. */
export class Clients {
  readonly #options: ClientsOptions;
  readonly #clock: NonNullable<ClientsOptions['clock']>;
  readonly #known = new Map<ClientId, Known>();
  readonly #watch: ReturnType<typeof setInterval>;
  readonly #disconnectListeners = new Set<(clientId: ClientId) => void>();
  #lookedMs: number;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#lookedMs = this.#clock.nowMs();
    this.#watch = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#watch.unref();
  }

  get active(): number {
    return [...this.#known.values()].filter((known) => this.#stateOf(known) === 'active').length;
  }

  joined(wire: ClientWire): void {
    if (wire.client === null) return;
    const known = this.#know(wire.client, wire.road);
    if (known.wires.size === 0) known.connectedWallMs = this.#clock.wallMs();
    known.wires.add(wire);
    this.#changed(known);
  }

  left(wire: ClientWire, why: CloseReason): void {
    const known = wire.client === null ? undefined : this.#known.get(wire.client.clientId);
    if (known === undefined || !known.wires.delete(wire)) return;
    known.heardMs = Math.max(known.heardMs, wire.heardMs);
    known.hasLeft = GOODBYES.has(why.code);
    this.#changed(known);
    this.#forget();
  }

  /** A client has asked something by a single request. */
  heard(client: NonNullable<ClientWire['client']>): void {
    const before = this.#known.get(client.clientId);
    const known = before ?? this.#know(client, 'http');
    known.heardMs = this.#clock.nowMs();
    if (before === undefined) known.connectedWallMs = this.#clock.wallMs();
    if (known.wires.size === 0) known.hasLeft = false;
    if (known.shown !== this.#stateOf(known) || before === undefined) this.#changed(known);
  }

  /** The latest heard first. */
  list(): ClientSummary[] {
    const now = this.#clock.nowMs();
    const wall = this.#clock.wallMs();
    const iso = (ms: number) => new Date(ms).toISOString();
    return [...this.#known.values()]
      .sort((a, b) => heardOf(b) - heardOf(a))
      .map((known) => ({
        clientId: known.clientId,
        kind: known.kind,
        name: known.name,
        state: this.#stateOf(known),
        connectedAt: iso(known.connectedWallMs),
        lastHeardAt: iso(wall - Math.max(0, now - heardOf(known))),
        sessions: [...new Set([...known.wires].flatMap(({ sessions }) => sessions))],
        road: known.road,
      }));
  }

  /** Closes the wires of these clients for good, but those of `except`. Tells how many clients that were. */
  disconnect(target: ParamsOf<'clients.disconnect'>, except: ClientId): number {
    const meant = [...this.#known.values()].filter(
      (known) =>
        known.clientId !== except &&
        ('kind' in target ? known.kind === target.kind : known.clientId === target.clientId) &&
        this.#stateOf(known) !== 'disconnected',
    );
    for (const known of meant) {
      for (const wire of [...known.wires]) wire.close(CLOSE.disconnected);
      known.hasLeft = true;
      this.#changed(known);
      for (const listener of this.#disconnectListeners) listener(known.clientId);
    }
    return meant.length;
  }

  /** Told of every client that is disconnected on purpose. */
  onDisconnect(listener: (clientId: ClientId) => void): () => void {
    this.#disconnectListeners.add(listener);
    return () => this.#disconnectListeners.delete(listener);
  }

  /** Notices who has gone quiet. A late look means that this machine slept: nobody could be heard meanwhile [client-2]. */
  look(): void {
    const now = this.#clock.nowMs();
    const lateMs = now - this.#lookedMs - LOOK_EVERY_MS;
    this.#lookedMs = now;
    for (const known of this.#known.values()) {
      if (lateMs > LOOK_EVERY_MS) known.heardMs += lateMs;
      if (known.shown !== this.#stateOf(known)) this.#changed(known);
    }
    this.#forget();
  }

  stop(): void {
    clearInterval(this.#watch);
  }

  #know({ clientId, kind, name }: NonNullable<ClientWire['client']>, road: Road): Known {
    const known: Known = this.#known.get(clientId) ?? {
      clientId,
      kind,
      name,
      road,
      wires: new Set(),
      connectedWallMs: 0,
      heardMs: Number.NEGATIVE_INFINITY,
      hasLeft: false,
      shown: 'active',
    };
    Object.assign(known, { kind, name, road, hasLeft: false });
    this.#known.set(clientId, known);
    return known;
  }

  #stateOf(known: Known): ClientSummary['state'] {
    const silentMs = this.#clock.nowMs() - heardOf(known);
    const isReached = known.wires.size > 0 || known.road === 'http';
    if ((known.hasLeft && known.wires.size === 0) || silentMs >= this.#options.idleMs()) return 'disconnected';
    return isReached && silentMs <= ACTIVE_MS ? 'active' : 'idle';
  }

  #changed(known: Known): void {
    known.shown = this.#stateOf(known);
    this.#options.onChange();
  }

  #forget(): void {
    const gone = [...this.#known.values()].filter((known) => known.wires.size === 0 && this.#stateOf(known) === 'disconnected');
    if (gone.length <= MAX_GONE) return;
    gone.sort((a, b) => heardOf(b) - heardOf(a));
    for (const { clientId } of gone.slice(MAX_GONE)) this.#known.delete(clientId);
  }
}

function heardOf(known: Known): number {
  return Math.max(known.heardMs, ...[...known.wires].map(({ heardMs }) => heardMs));
}
