import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import type * as z from 'zod/mini';
import type { Json } from './events.ts';

/**
 * What every wire of ours is encoded in: lib0's `any` (JSON values plus raw bytes). Written by lib0, read by this: bytes decide neither
 * how deep their reader calls itself, nor how much the schema behind it has to complain of, nor what an object inherits.
 */

interface ValueBounds {
  readonly values: number;
  readonly depth: number;
}

/**
 * Of one message from somebody who may be hostile. The largest honest one, everybody who watches one session, has a third of so many
 * values; so deep is nothing honest, and a schema that calls itself for each level can bear far more.
 */
const BOUNDS: ValueBounds = { values: 100_000, depth: 200 };
/** From one's own engine: events hold whatever a program said, and have to be shown. */
export const BOUNDS_OF_HOST: ValueBounds = { values: Number.POSITIVE_INFINITY, depth: 2_000 };

/** Messages are written here and copied out, each into memory of its own size: an encoder that grows by itself makes four times as much. */
const SCRATCH = new Uint8Array(256 * 1024);

export function encodeValue(value: object): Uint8Array {
  const encoder = encoding.createEncoder();
  encoder.cbuf = SCRATCH;
  encoding.writeAny(encoder, value as Parameters<typeof encoding.writeAny>[1]);
  return encoding.toUint8Array(encoder);
}

/** Throws for anything but one value with nothing behind it. Bytes in it are views of `bytes`. */
export function decodeValue(bytes: Uint8Array, { values: maxValues, depth: maxDepth } = BOUNDS): unknown {
  const decoder = decoding.createDecoder(bytes);
  let left = maxValues;
  const read = (depth: number): unknown => {
    left -= 1;
    if (left < 0) throw new Error(`more than ${maxValues} values`);
    if (depth > maxDepth) throw new Error(`values more than ${maxDepth} deep`);
    const kind = decoding.readUint8(decoder);
    switch (kind) {
      case 127:
        return undefined;
      case 126:
        return null;
      case 125:
        return decoding.readVarInt(decoder);
      case 124:
        return decoding.readFloat32(decoder);
      case 123:
        return decoding.readFloat64(decoder);
      case 121:
        return false;
      case 120:
        return true;
      case 119:
        return decoding.readVarString(decoder);
      case 118:
        return readObject(depth);
      case 117: {
        const values: unknown[] = [];
        for (let count = decoding.readVarUint(decoder); count > 0; count--) values.push(read(depth + 1));
        return values;
      }
      case 116:
        return decoding.readVarUint8Array(decoder);
      default:
        throw new Error(`a value of kind ${kind}`);
    }
  };
  const readObject = (depth: number): unknown => {
    const object: Record<string, unknown> = {};
    for (let count = decoding.readVarUint(decoder); count > 0; count--) {
      const key = decoding.readVarString(decoder);
      if (key === '__proto__') throw new Error('an object that names what it inherits from');
      object[key] = read(depth + 1);
    }
    return object;
  };
  const value = read(0);
  if (decoding.hasContent(decoder)) throw new Error('more behind the message');
  return value;
}

/** The same for what comes as JSON. */
export function decodeJson(text: string, maxValues = BOUNDS.values): unknown {
  const value: unknown = JSON.parse(text);
  let level: unknown[] = [value];
  let counted = 0;
  for (let depth = 0; level.length > 0; depth++) {
    counted += level.length;
    if (counted > maxValues) throw new Error(`more than ${maxValues} values`);
    if (depth > BOUNDS.depth) throw new Error(`values more than ${BOUNDS.depth} deep`);
    const next: unknown[] = [];
    for (const inner of level) {
      if (typeof inner !== 'object' || inner === null) continue;
      for (const each of Object.values(inner)) next.push(each);
    }
    level = next;
  }
  return value;
}

/**
 * What an event of another machine holds. Clients get it inside a message, and have to be able to read that: whatever is deeper than they
 * read is refused here, where it costs one session and not each of them its wire.
 */
export function decodeEventJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  // Each level takes two characters.
  if (text.length > 2 * MAX_EVENT_DEPTH && isDeeper(value, MAX_EVENT_DEPTH)) throw new Error('values that are too deep');
  return value;
}
const MAX_EVENT_DEPTH = BOUNDS_OF_HOST.depth - 50;

function isDeeper(value: Json, maxDepth: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true;
    level = level.flatMap((inner) => (typeof inner === 'object' && inner !== null ? Object.values(inner) : []));
  }
  return false;
}

/** A door: what fits the schema, or an error that is made of nothing of it (one that named all that is wrong would cost seconds). */
export function parseAs<S extends z.ZodMiniType>(schema: S, value: unknown): z.infer<S> {
  let parsed: z.util.SafeParseResult<z.infer<S>> | null = null;
  try {
    parsed = schema.safeParse(value);
  } catch {
    // More is wrong with it than the schema can collect.
  }
  if (!parsed?.success) throw new Error('it does not fit its schema');
  return parsed.data;
}
