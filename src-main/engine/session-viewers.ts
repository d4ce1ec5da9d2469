import type { LogEvent } from '../../src-shared/events.ts';
import type { ClientId, RunId } from '../../src-shared/ids.ts';
import { encodeMessage, type HostMessage, type LiveText } from '../../src-shared/protocol.ts';

/** Events that viewers may now see, encoded once for all of them. */
export interface Published {
  readonly events: readonly LogEvent[];
  /** Bytes of terminal output in them. */
  readonly outputBytes: number;
  readonly frame: () => Uint8Array;
}

export function publishedOf(runId: RunId, events: readonly LogEvent[]): Published {
  let outputBytes = 0;
  for (const { channel, payload } of events) {
    if (channel === 'pty:stdout' && payload instanceof Uint8Array) outputBytes += payload.byteLength;
  }
  let encoded: Uint8Array | null = null;
  const frame = () => {
    encoded ??= encodeMessage({ type: 'run:events', runId, events: events as LogEvent[] });
    return encoded;
  };
  return { events, outputBytes, frame };
}

/** One attached client, as its session sees it. */
export interface SessionViewer {
  readonly clientId: ClientId;
  readonly name: string;
  /** In this process or on this machine: its terminal may hold the program back [pty-4]. */
  readonly isLocal: boolean;
  viewport: { readonly cols: number; readonly rows: number } | null;
  publish(published: Published): void;
  /** Output that is not in the log yet: shown where it follows at once, else left to come with the log. */
  publishEarly(published: Published): void;
  /** What it was shown early is not what the log has. */
  startOver(): void;
  /** Frames that may be dropped when the viewer is behind. */
  tell(frame: Uint8Array): void;
  /** The session has another screen `ahead` of its log. */
  lookAhead(): void;
  /** Output it was to be shown and has not parsed yet. */
  readonly behindBytes: number;
}

/** Who watches a session, and whose typing decides a terminal's size [pty-3]. */
export class SessionViewers {
  readonly #runId: RunId;
  readonly #viewers = new Set<SessionViewer>();
  readonly #toldListeners = new Set<(message: HostMessage) => void>();
  #driver: SessionViewer | null = null;
  #told: Extract<HostMessage, { type: 'run:viewers' }> | null = null;
  readonly #events: { readonly onDriverSize: () => void; readonly onViewers: () => void };

  constructor(runId: RunId, events: { readonly onDriverSize: () => void; readonly onViewers: () => void }) {
    this.#runId = runId;
    this.#events = events;
  }

  get size(): number {
    return this.#viewers.size;
  }
  get driver(): SessionViewer | null {
    return this.#driver;
  }

  add(viewer: SessionViewer): void {
    this.#viewers.add(viewer);
    if (this.#driver === null && viewer.viewport !== null) this.#drive(viewer);
    this.#announce();
    this.#events.onViewers();
  }

  remove(viewer: SessionViewer): void {
    if (!this.#viewers.delete(viewer)) return;
    if (this.#driver === viewer) {
      this.#driver = null;
      const heir = [...this.#viewers].findLast((candidate) => candidate.viewport !== null);
      if (heir !== undefined) this.#drive(heir);
    }
    this.#announce();
    this.#events.onViewers();
  }

  /** The one who typed last drives. */
  typed(viewer: SessionViewer): void {
    if (this.#driver === viewer || !this.#viewers.has(viewer)) return;
    this.#drive(viewer);
    this.#announce();
  }

  resized(viewer: SessionViewer): void {
    if (this.#driver === null && this.#viewers.has(viewer)) {
      this.#drive(viewer);
      this.#announce();
    } else if (this.#driver === viewer) this.#events.onDriverSize();
  }

  publish(published: Published): void {
    for (const viewer of this.#viewers) viewer.publish(published);
  }

  publishEarly(published: Published): void {
    for (const viewer of this.#viewers) viewer.publishEarly(published);
  }

  startOver(): void {
    for (const viewer of this.#viewers) viewer.startOver();
  }

  lookAhead(): void {
    for (const viewer of this.#viewers) viewer.lookAhead();
  }

  live(live: LiveText): void {
    if (this.#viewers.size > 0) this.#tell({ type: 'run:live', runId: this.#runId, live });
  }

  /** Told what every viewer is told beside the log, for those of other machines. */
  onTold(listener: (message: HostMessage) => void): () => void {
    this.#toldListeners.add(listener);
    return () => this.#toldListeners.delete(listener);
  }

  get all(): readonly SessionViewer[] {
    return [...this.#viewers];
  }

  /** What the machine that hosts the session says of who watches, wherever they are. null: nothing; only those here are known. */
  tellInstead(message: Extract<HostMessage, { type: 'run:viewers' }> | null): void {
    this.#told = message;
    this.#announce();
  }

  message(): Extract<HostMessage, { type: 'run:viewers' }> {
    if (this.#told !== null) return this.#told;
    return {
      type: 'run:viewers',
      runId: this.#runId,
      driver: this.#driver?.clientId ?? null,
      viewers: [...this.#viewers].map(({ clientId, name }) => ({ clientId, name })),
    };
  }

  #drive(viewer: SessionViewer): void {
    this.#driver = viewer;
    this.#events.onDriverSize();
  }

  #announce(): void {
    if (this.#viewers.size > 0) this.#tell(this.message());
  }

  #tell(message: HostMessage): void {
    const frame = encodeMessage(message);
    for (const viewer of this.#viewers) viewer.tell(frame);
    for (const listener of this.#toldListeners) listener(message);
  }
}
