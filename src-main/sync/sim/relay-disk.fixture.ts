import type { MachineId } from '../../../src-shared/ids.ts';
import { writerOf } from '../../../src-shared/receive-batch.ts';
import { randomBytes, toHex } from '../../../src-shared/seal.ts';
import type { SealedBatch } from '../../../src-shared/sealed-batch.ts';
import type { Append, RelayStorage, StoredBatch, StoredStream } from '../../relay/storage/storage.ts';

interface DiskStream {
  readonly stored: StoredStream;
  readonly batches: readonly StoredBatch[];
}

interface DiskWorkspace {
  chain: readonly Uint8Array[];
  readonly streams: Map<string, DiskStream>;
  readonly seen: Map<MachineId, number>;
}

/** What a relay has written, as it outlasts the process. */
export class RelayDisk {
  readonly relaySeed: Uint8Array;
  readonly incarnation: string;
  readonly workspaces = new Map<string, DiskWorkspace>();

  constructor(relaySeed = randomBytes(32), incarnation = toHex(randomBytes(16))) {
    this.relaySeed = relaySeed;
    this.incarnation = incarnation;
  }

  /** A backup of it, or what an evil relay shows to some. */
  copy(): RelayDisk {
    const copy = new RelayDisk(this.relaySeed, this.incarnation);
    for (const [id, { chain, streams, seen }] of this.workspaces) {
      copy.workspaces.set(id, { chain, streams: new Map(streams), seen: new Map(seen) });
    }
    return copy;
  }

  /** Some of what it says it has is not shown. */
  withhold(random: () => number): void {
    for (const { streams } of this.workspaces.values()) {
      for (const [name, { stored, batches }] of streams) {
        const share = random() < 0.5 ? 0 : random();
        streams.set(name, { stored, batches: batches.filter(() => random() >= share) });
      }
    }
  }

  /** The counter of its writer's newest batch in the stream; 0: there is none. */
  counterOf({ header }: Pick<SealedBatch, 'header'>): number {
    for (const { streams } of this.workspaces.values()) {
      const stored = streams.get(header.stream)?.stored;
      // Its host took everything of it away.
      if (stored?.kind === 'removed') return Number.POSITIVE_INFINITY;
      const last = stored?.state.writers.get(writerOf(header));
      if (last !== undefined) return last.counter;
    }
    return 0;
  }
}

/** The disk as one process has it open. A dead process writes nothing any more. */
export class MemoryRelayStorage implements RelayStorage {
  readonly disk: RelayDisk;
  readonly #mayWrite: () => boolean;

  constructor(disk: RelayDisk, mayWrite: () => boolean) {
    this.disk = disk;
    this.#mayWrite = mayWrite;
  }
  get relaySeed(): Uint8Array {
    return this.disk.relaySeed;
  }
  get incarnation(): string {
    return this.disk.incarnation;
  }
  workspaces(): readonly string[] {
    return [...this.disk.workspaces.keys()];
  }
  chain(workspace: string): readonly Uint8Array[] {
    return this.disk.workspaces.get(workspace)?.chain ?? [];
  }
  addEntries(workspace: string, height: number, entries: readonly Uint8Array[]): void {
    this.#write();
    const known = this.disk.workspaces.get(workspace) ?? { chain: [], streams: new Map(), seen: new Map() };
    if (known.chain.length !== height - 1) throw new Error(`entry ${height} is there already, or does not follow`);
    known.chain = [...known.chain, ...entries];
    this.disk.workspaces.set(workspace, known);
  }
  usedBytes(workspace: string): number {
    let bytes = 0;
    for (const { batches } of this.#streams(workspace).values()) for (const { frame } of batches) bytes += frame.byteLength;
    return bytes;
  }
  stream(workspace: string, stream: string): StoredStream | null {
    return this.#streams(workspace).get(stream)?.stored ?? null;
  }
  append(appends: readonly Append[]): void {
    this.#write();
    for (const { workspace, batch, position, replacesUpTo, after } of appends) {
      const streams = this.#streams(workspace);
      const before = streams.get(batch.header.stream)?.batches ?? [];
      const kept = before.filter((it) => it.position > replacesUpTo);
      const batches = [...kept, { position, frame: batch.frame }].sort((a, b) => a.position - b.position);
      streams.set(batch.header.stream, { stored: after, batches });
    }
  }
  remove(workspace: string, removed: readonly string[]): void {
    this.#write();
    const state = { epoch: 0, holder: null, lastSeq: 0, writers: new Map() };
    for (const name of removed) {
      this.#streams(workspace).set(name, { stored: { kind: 'removed', lastPosition: 0, state }, batches: [] });
    }
  }
  setHolder(workspace: string, stream: string, epoch: number, holder: MachineId): void {
    this.#write();
    const streams = this.#streams(workspace);
    const known = streams.get(stream);
    if (known === undefined) return;
    const { stored, batches } = known;
    streams.set(stream, { batches, stored: { ...stored, state: { ...stored.state, epoch, holder } } });
  }
  read(workspace: string, stream: string, after: number, maxBytes: number): readonly StoredBatch[] {
    const page: StoredBatch[] = [];
    let bytes = 0;
    for (const batch of this.#streams(workspace).get(stream)?.batches ?? []) {
      if (batch.position <= after) continue;
      if (page.length > 0 && bytes + batch.frame.byteLength > maxBytes) break;
      page.push(batch);
      bytes += batch.frame.byteLength;
    }
    return page;
  }
  seen(workspace: string): ReadonlyMap<MachineId, number> {
    return this.disk.workspaces.get(workspace)?.seen ?? new Map();
  }
  setSeen(workspace: string, machine: MachineId, atMs: number): void {
    this.#write();
    this.disk.workspaces.get(workspace)?.seen.set(machine, atMs);
  }
  close(): void {}

  #streams(workspace: string): Map<string, DiskStream> {
    return this.disk.workspaces.get(workspace)?.streams ?? new Map();
  }
  #write(): void {
    if (!this.#mayWrite()) throw new Error('the disk does not take it');
  }
}
