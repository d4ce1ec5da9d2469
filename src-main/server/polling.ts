import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod/mini';
import {
  FRAMES_CONTENT_TYPE,
  MAX_POLL_BYTES,
  PATHS,
  POLL_MS,
  packFrames,
  unpackFrames,
  type WireGone,
  wireFramesPath,
  wirePath,
} from '../../src-shared/http-api.ts';
import { MAX_FRAME_BYTES } from '../../src-shared/protocol.ts';
import { CLOSE, type CloseReason, RefusalError } from '../../src-shared/refusal.ts';
import type { Wire } from '../../src-shared/wire.ts';
import { principalOf } from './gate.ts';
import { newSecret } from './proof.ts';
import type { Routes } from './server.ts';
import type { ServerStats } from './stats.ts';
import type { Principal } from './tokens.ts';
import { MAX_UNSENT_BYTES } from './wires.ts';

/** How long a closed wire is known, so that its client hears why. */
const GONE_KNOWN_MS = 60_000;
/** Room for the largest frame and what stands around it. */
const MAX_FRAMES_BODY_BYTES = MAX_FRAME_BYTES + 64 * 1024;

/** The wire of a client that cannot have a WebSocket: the same frames, fetched and posted by number (http-api.ts). */
export const pollingRoutes: Routes = (app, { wires, stats, tokens }) => {
  const known = new Map<string, PollingWire>();
  const find = (request: FastifyRequest): PollingWire => {
    const { wireId = '' } = WireParams.parse(request.params);
    const wire = known.get(wireId);
    if (wire === undefined || !wire.belongsTo(principalOf(request))) {
      throw new RefusalError('unknown-target', 'There is no such wire.', 'Open a new one.');
    }
    return wire;
  };
  const open = { config: { access: 'wire' as const } };
  const wirePattern = decodeURIComponent(wirePath(':wireId'));
  const framesPattern = decodeURIComponent(wireFramesPath(':wireId'));

  app.post(PATHS.wires, open, async ({ wireToken }, reply) => {
    if (wireToken === null) throw new Error('a wire came past the gate without a token');
    const wireId = newSecret();
    const wire = new PollingWire(tokens.ownerOf(wireToken), stats, () => {
      setTimeout(() => known.delete(wireId), GONE_KNOWN_MS).unref();
    });
    const refused = wires.open(wire, wireToken, 'polling');
    if (refused !== null) return reply.code(410).send(wire.gone(refused));
    known.set(wireId, wire);
    return reply.code(201).send({ wireId });
  });
  app.delete(wirePattern, async (request) => {
    find(request).close({ code: 1000, reason: 'closed by the client' });
    return {};
  });
  app.get(framesPattern, async (request, reply) => {
    const wire = find(request);
    const { after } = FramesQuery.parse(request.query);
    return answerPoll(wire, Number(after), reply);
  });
  app.register((scope, _options, done) => {
    const parser = { parseAs: 'buffer' as const, bodyLimit: MAX_FRAMES_BODY_BYTES };
    scope.addContentTypeParser(FRAMES_CONTENT_TYPE, parser, (_request, body, parsed) => parsed(null, body));
    scope.post(framesPattern, async (request, reply) => {
      const wire = find(request);
      if (!Buffer.isBuffer(request.body)) throw new RefusalError('bad-request', `Frames come as ${FRAMES_CONTENT_TYPE}.`);
      if (wire.closedBecause !== null) return reply.code(410).send(wire.gone(wire.closedBecause));
      return { received: wire.receive(request.body) };
    });
    done();
  });
};

const WireParams = z.object({ wireId: z.optional(z.string()) });
const FramesQuery = z.object({ after: z.string().check(z.regex(/^\d{1,9}$/)) });

async function answerPoll(wire: PollingWire, after: number, reply: FastifyReply): Promise<FastifyReply> {
  wire.acknowledge(after);
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  await wire.untilMore(gone.signal);
  const frames = wire.take();
  if (frames.length === 0 && wire.closedBecause !== null) return reply.code(410).send(wire.gone(wire.closedBecause));
  return reply.type(FRAMES_CONTENT_TYPE).send(Buffer.from(packFrames(after + 1, frames).buffer));
}

class PollingWire implements Wire {
  onClose: ((why: CloseReason) => void) | null = null;
  readonly #owner: Pick<Principal, 'via' | 'clientId'>;
  readonly #stats: ServerStats;
  readonly #onGone: () => void;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #early: Uint8Array[] = [];
  /** Sent and not acknowledged. */
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** Frames up to this number were acknowledged by the client; received from it. */
  #acknowledged = 0;
  #received = 0;
  #wake: (() => void) | null = null;
  #why: CloseReason | null = null;

  constructor(owner: Pick<Principal, 'via' | 'clientId'>, stats: ServerStats, onGone: () => void) {
    this.#owner = owner;
    this.#stats = stats;
    this.#onGone = onGone;
  }

  get bufferedBytes(): number {
    return this.#keptBytes;
  }
  get closedBecause(): CloseReason | null {
    return this.#why;
  }

  get onFrame() {
    return this.#onFrame;
  }
  set onFrame(handler) {
    this.#onFrame = handler;
    for (const frame of handler === null ? [] : this.#early.splice(0)) handler?.(frame);
  }

  gone(close: CloseReason): WireGone {
    return { close, received: this.#received };
  }

  belongsTo({ via, clientId }: Principal): boolean {
    return via === this.#owner.via && (via === 'key' || clientId === this.#owner.clientId);
  }

  send(frame: Uint8Array): void {
    if (this.#why !== null) return;
    if (this.#keptBytes > MAX_UNSENT_BYTES) {
      this.close(CLOSE.tooSlow);
      return;
    }
    this.#stats.sent(frame.byteLength);
    this.#kept.push(frame);
    this.#keptBytes += frame.byteLength;
    this.#wake?.();
  }

  close(why: CloseReason): void {
    if (this.#why !== null) return;
    this.#why = why;
    this.#wake?.();
    this.#onGone();
    this.onClose?.(why);
  }

  /** Takes the frames of a body that have not come before; tells up to which number all have come. */
  receive(body: Uint8Array): number {
    const { first, frames } = readFrames(body);
    if (first > this.#received + 1) {
      throw new RefusalError('bad-request', `Frame ${first} came after frame ${this.#received}.`, 'Send those between first.');
    }
    for (const frame of frames.slice(this.#received + 1 - first)) {
      if (this.#why !== null) break;
      this.#received += 1;
      this.#stats.received(frame.byteLength);
      if (this.#onFrame === null) this.#early.push(frame);
      else this.#onFrame(frame);
    }
    return this.#received;
  }

  /** The client has every frame up to `number`. */
  acknowledge(number: number): void {
    const taken = number - this.#acknowledged;
    if (taken < 0 || taken > this.#kept.length) {
      throw new RefusalError('bad-request', `Frame ${number} is not one that could be acknowledged now.`, 'Open a new wire.');
    }
    for (const frame of this.#kept.splice(0, taken)) this.#keptBytes -= frame.byteLength;
    this.#acknowledged = number;
  }

  /** The frames that wait, as many as fit in one answer. */
  take(): readonly Uint8Array[] {
    let bytes = 0;
    const end = this.#kept.findIndex((frame, index) => {
      bytes += frame.byteLength;
      return index > 0 && bytes > MAX_POLL_BYTES;
    });
    return end < 0 ? [...this.#kept] : this.#kept.slice(0, end);
  }

  /** Resolves when a frame waits, the wire is closed, another poll has come, or it has been long enough. */
  untilMore(gone: AbortSignal): Promise<void> {
    this.#wake?.();
    if (this.#kept.length > 0 || this.#why !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        if (this.#wake === wake) this.#wake = null;
        // Not at once: what is sent in the same turn goes with it.
        setImmediate(resolve);
      };
      const timer = setTimeout(wake, POLL_MS);
      gone.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}

function readFrames(body: Uint8Array): ReturnType<typeof unpackFrames> {
  try {
    return unpackFrames(body);
  } catch (error) {
    throw new RefusalError('bad-request', `Not a body of frames: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
