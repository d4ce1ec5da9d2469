import * as z from 'zod/mini';
import type { Json } from '../../../src-shared/events.ts';
import { MachineId } from '../../../src-shared/ids.ts';
import { EMPTY_STREAM, type StreamState, writerOf } from '../../../src-shared/receive-batch.ts';
import type { Covered } from './document-payload.ts';

const Count = z.int().check(z.nonnegative());
const Stored = z.object({
  place: z.string(),
  position: Count,
  writers: z.array(z.tuple([z.string(), Count, z.string()])),
  atRelay: z.array(z.tuple([Count, Count])),
  bytesOnTop: Count,
  hasRefused: z.boolean(),
});

/** Where a document stands with the relay: what of the stream is in it, and what of it is in the stream. */
export class DocumentState {
  /** The workspace, in one life of its relay: in another one nothing of what is said here holds. */
  readonly place: string;
  /** Everything up to here is in the document. */
  position = 0;
  #stream: StreamState = EMPTY_STREAM;
  /** Of each Yjs client, the operations before this clock lie at the relay. */
  readonly atRelay = new Map<number, number>();
  /** Of updates behind the newest snapshot. */
  bytesOnTop = 0;
  /** Something in the stream was refused: a snapshot made here would make it unreachable for others, who may see it otherwise. */
  hasRefused = false;

  constructor(place: string) {
    this.place = place;
  }

  /** As it was noted; from the beginning where it was not, or of another place. */
  static from(noted: Json, place: string): DocumentState {
    const state = new DocumentState(place);
    const read = Stored.safeParse(noted);
    if (!read.success || read.data.place !== place) return state;
    const { position, writers, atRelay, bytesOnTop, hasRefused } = read.data;
    state.position = position;
    state.received({ ...EMPTY_STREAM, writers: new Map(writers.map(([writer, counter, hash]) => [writer, { counter, hash }])) });
    for (const [client, clock] of atRelay) state.atRelay.set(client, clock);
    state.bytesOnTop = bytesOnTop;
    state.hasRefused = hasRefused;
    return state;
  }

  static placeOf(noted: Json): string | null {
    return Stored.safeParse(noted).data?.place ?? null;
  }
  static positionOf(noted: Json): number {
    return Stored.safeParse(noted).data?.position ?? 0;
  }

  get stream(): StreamState {
    return this.#stream;
  }
  received(stream: StreamState): void {
    this.#stream = stream;
  }
  /** This machine's own is not sent back to it. */
  wrote(writer: string, last: { readonly counter: number; readonly hash: string }): void {
    this.#stream = { ...this.#stream, writers: new Map(this.#stream.writers).set(writer, last) };
  }

  toJson(): Json {
    const { place, position, bytesOnTop, hasRefused } = this;
    const writers = [...this.#stream.writers].map(([writer, { counter, hash }]): Json => [writer, counter, hash]);
    return {
      place,
      position,
      writers,
      atRelay: [...this.atRelay].map((entry): Json => [...entry]),
      bytesOnTop,
      hasRefused,
    };
  }

  /** The relay has these operations too. What lies behind a hole is not counted: it is sent once more. */
  reached(ranges: Iterable<readonly [client: number, from: number, to: number]>): void {
    for (const [client, from, to] of ranges) {
      const known = this.atRelay.get(client) ?? 0;
      if (from <= known && to > known) this.atRelay.set(client, to);
    }
  }

  /** The newest update of each machine that is in the document. */
  covers(): readonly Covered[] {
    return [...this.#stream.writers].flatMap(([writer, last]) => {
      const [kind, id] = writer.split(' ');
      const machine = MachineId.safeParse(id);
      return kind === 'document' && machine.success ? [{ machine: machine.data, ...last }] : [];
    });
  }

  /** A snapshot was taken over: what it covers is never seen, and the next update of each machine follows it. */
  covered(covers: readonly Covered[]): void {
    const writers = new Map(this.#stream.writers);
    for (const { machine, counter, hash } of covers) {
      const writer = writerOf({ machine, kind: 'document' });
      if ((writers.get(writer)?.counter ?? 0) < counter) writers.set(writer, { counter, hash });
    }
    this.#stream = { ...this.#stream, writers };
    this.bytesOnTop = 0;
  }

  /** What is missing of a machine's updates will not come any more: go on with the next one. */
  forgetWriter(machine: MachineId | null): void {
    if (machine === null) return;
    const writers = new Map(this.#stream.writers);
    writers.delete(writerOf({ machine, kind: 'document' }));
    this.#stream = { ...this.#stream, writers };
  }
}
