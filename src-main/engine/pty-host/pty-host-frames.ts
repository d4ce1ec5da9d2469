import { type FromPtyHost, FromPtyHostMessage, type ToPtyHost, ToPtyHostMessage } from './pty-host-protocol.ts';

/**
 * How main and the pty host talk: a socket of their own, because every terminal's bytes pass here, and a process's message channel
 * copies and allocates each of them several times. A frame is
 *
 *   bytes of the body u32 | form u8 | pty u32 | chunk u32 | body
 *
 * form 0: the body is a message as JSON, pty and chunk are 0. form 1: it is the pty's output, or what was typed (chunk 0).
 */
export const FRAME_HEADER_BYTES = 13;
const FORM_JSON = 0;
const FORM_BYTES = 1;
/** Larger than anything that is sent. */
const MAX_BODY_BYTES = 512 * 1024 * 1024;

export function messageFrame(message: FromPtyHostMessage | ToPtyHostMessage): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  writeHeader(frame, FORM_JSON, 0, 0);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** `frame`: memory of exactly the frame's size. */
export function bytesFrame(id: number, chunk: number, data: Uint8Array, frame: Buffer): Buffer {
  writeHeader(frame, FORM_BYTES, id, chunk);
  frame.set(data, FRAME_HEADER_BYTES);
  return frame;
}

function writeHeader(frame: Buffer, form: number, id: number, chunk: number): void {
  frame.writeUInt32BE(frame.length - FRAME_HEADER_BYTES, 0);
  frame[4] = form;
  frame.writeUInt32BE(id, 5);
  frame.writeUInt32BE(chunk, 9);
}

/** What came is no frame, or holds no message. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}

export function readFromPtyHost(handle: (message: FromPtyHost) => void): FrameReader {
  return new FrameReader(
    (json) => handle(parse(FromPtyHostMessage, json)),
    (id, chunk, data) => handle({ type: 'output', id, chunk, data }),
  );
}

export function readToPtyHost(handle: (message: ToPtyHost) => void): FrameReader {
  return new FrameReader(
    (json) => handle(parse(ToPtyHostMessage, json)),
    (id, _chunk, data) => handle({ type: 'write', id, data }),
  );
}

function parse<T>(schema: { parse(value: unknown): T }, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    throw new MalformedFrame(error instanceof Error ? error.message : String(error));
  }
}

/** Joins what a socket delivers to frames again. A body is copied once, into memory of its own. */
class FrameReader {
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #body: Buffer | null = null;
  #bodyBytes = 0;
  readonly #onJson: (json: string) => void;
  readonly #onBytes: (id: number, chunk: number, data: Uint8Array) => void;

  constructor(onJson: (json: string) => void, onBytes: (id: number, chunk: number, data: Uint8Array) => void) {
    this.#onJson = onJson;
    this.#onBytes = onBytes;
  }

  /** The bytes are looked at during the call only. Throws MalformedFrame. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at += this.#body === null ? this.#readHeader(bytes, at) : this.#readBody(this.#body, bytes, at);
  }

  #readHeader(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + FRAME_HEADER_BYTES - this.#headerBytes);
    this.#header.set(part, this.#headerBytes);
    this.#headerBytes += part.length;
    if (this.#headerBytes < FRAME_HEADER_BYTES) return part.length;
    const length = this.#header.readUInt32BE(0);
    if (length === 0 || length > MAX_BODY_BYTES) throw new MalformedFrame(`a frame of ${length} bytes`);
    this.#body = Buffer.allocUnsafeSlow(length);
    return part.length;
  }

  #readBody(body: Buffer, bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + body.length - this.#bodyBytes);
    body.set(part, this.#bodyBytes);
    this.#bodyBytes += part.length;
    if (this.#bodyBytes < body.length) return part.length;
    this.#headerBytes = 0;
    this.#body = null;
    this.#bodyBytes = 0;
    const form = this.#header[4];
    if (form === FORM_BYTES) this.#onBytes(this.#header.readUInt32BE(5), this.#header.readUInt32BE(9), body);
    else if (form === FORM_JSON) this.#onJson(body.toString());
    else throw new MalformedFrame(`a frame of form ${form}`);
    return part.length;
  }
}
