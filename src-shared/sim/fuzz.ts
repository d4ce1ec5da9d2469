import * as encoding from 'lib0/encoding';

/**
 * Hostile input, made by chance: every fuzz test takes its mutations from here. A case is decided by one number, which is named when it
 * fails: `npm run fuzz -- --seed N` is that case alone, with `--count M` the M from there on; `--count N` alone is N of each kind.
 */

const COUNT = process.env.BATON_FUZZ_COUNT;
const ONLY = process.env.BATON_FUZZ_SEED;
/** Of the processor, on one frame. Honest ones take well under one; a machine that is busy with other things is not the frame's fault. */
const MAX_CASE_MS = 1_000;

/** For one test. */
export const FUZZ_WITHIN_MS = COUNT === undefined ? 120_000 : 3_600_000;

/** Numbers that follow from a seed (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('nothing to choose from');
    return from[this.below(from.length)] as T;
  }
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }
}

/** How long the processor took for it; throws where that is too long for one frame. What it awaits is other work, too, and not counted. */
export function measured<T>(work: () => T): { readonly result: T; readonly tookMs: number } {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  const tookMs = Math.min(performance.now() - startedMs, (user + system) / 1_000);
  if (tookMs > MAX_CASE_MS) throw new Error(`it took ${Math.round(tookMs)} ms`);
  return { result, tookMs };
}

/** What is looked at once for many cases, because looking costs more than a case. */
export interface Look {
  /** Throws where something is otherwise than it may be. */
  readonly check: () => Promise<void>;
  /** Everything anew, as before the first case. */
  readonly renew: () => Promise<void>;
}
const LOOK_EVERY = 500;
/** What many cases leave behind makes the next ones slow. */
const RENEW_EVERY = 10_000;

type Case = (chance: Chance) => Promise<void> | void;
interface Cases {
  readonly from: number;
  readonly to: number;
}

/** Runs `one` as often as usual, or as it was asked for. Fails with the seed of the case that threw, took too long or left its mark. */
export async function fuzz(usual: number, one: Case, look: Look | null = null): Promise<void> {
  const first = Number(ONLY ?? 1);
  const end = first + Number(COUNT ?? (ONLY === undefined ? usual : 1));
  let longestMs = 0;
  for (let from = first; from < end; from += LOOK_EVERY) {
    const cases = { from, to: Math.min(end, from + LOOK_EVERY) };
    longestMs = Math.max(longestMs, await run(cases, one));
    if (look === null) continue;
    try {
      await look.check();
    } catch (error) {
      throw failure(await narrowed(cases, one, look), error);
    }
    if ((cases.to - first) % RENEW_EVERY === 0 && cases.to < end) await look.renew();
  }
  if (COUNT !== undefined) process.stdout.write(`${end - first} cases, the longest took ${Math.round(longestMs)} ms\n`);
}

async function run({ from, to }: Cases, one: Case): Promise<number> {
  let longestMs = 0;
  for (let seed = from; seed < to; seed++) {
    try {
      const { result, tookMs } = measured(() => one(new Chance(seed)));
      longestMs = Math.max(longestMs, tookMs);
      await result;
    } catch (error) {
      throw failure({ from: seed, to: seed + 1 }, error);
    }
  }
  return longestMs;
}

/** As few of the cases as still fail when they are all that has happened. */
async function narrowed(cases: Cases, one: Case, { check, renew }: Look): Promise<Cases> {
  const fails = async (some: Cases) => {
    await renew();
    try {
      await run(some, one);
      await check();
      return false;
    } catch {
      return true;
    }
  };
  let { from, to } = cases;
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (await fails({ from, to: middle })) to = middle;
    else if (await fails({ from: middle, to })) from = middle;
    // It takes several of them.
    else break;
  }
  return { from, to };
}

function failure({ from, to }: Cases, error: unknown): Error {
  const which = to - from === 1 ? `--seed ${from}` : `--seed ${from} --count ${to - from}`;
  return new Error(`${which}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** Somewhere in it one to four things are otherwise: bits, bytes, lengths, pieces. Never what it was. */
export function mutatedBytes(original: Uint8Array, chance: Chance): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let changes = 1 + chance.below(4); changes > 0; changes--) bytes = changedBytes(bytes, chance);
  const isSame = bytes.byteLength === original.byteLength && bytes.every((byte, at) => byte === original[at]);
  return isSame ? Uint8Array.from([...bytes, chance.below(256)]) : bytes;
}

function changedBytes(bytes: Uint8Array, chance: Chance): Uint8Array {
  const at = chance.below(bytes.byteLength);
  const until = Math.min(bytes.byteLength, at + 1 + chance.below(chance.pick([2, 8, 64])));
  switch (chance.below(7)) {
    case 0:
      return joined(bytes.subarray(0, at), bytes.subarray(until));
    case 1:
      return joined(bytes.subarray(0, at), chance.bytes(1 + chance.below(8)), bytes.subarray(at));
    case 2:
      return joined(bytes.subarray(0, until), bytes.subarray(at, until), bytes.subarray(until));
    case 3:
      return bytes.slice(0, at);
    case 4:
      // What reads as a very large number.
      return joined(bytes.subarray(0, at), new Uint8Array(until - at).fill(255), bytes.subarray(until));
    default: {
      const changed = bytes.slice();
      changed[at] = chance.below(2) === 0 ? chance.below(256) : (bytes[at] ?? 0) ^ (1 << chance.below(8));
      return changed;
    }
  }
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces));
}

/** An object that says what it inherits from, as nobody honest does. */
function withPrototype(prototype: unknown): object {
  return Object.defineProperty({}, '__proto__', { value: prototype, enumerable: true });
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const HOSTILE: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => undefined,
  () => true,
  () => -1,
  () => 0,
  () => 2 ** 53,
  () => Number.MAX_SAFE_INTEGER,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 0.5,
  () => 10n,
  () => '',
  () => '\ud800\u0000\u202e',
  () => 'constructor',
  () => [],
  () => ({}),
  () => withPrototype(new Uint8Array(3)),
  () => withPrototype({ type: 'ping' }),
  () => ({ toString: 1, valueOf: 1, length: 1e9 }),
  (chance) => chance.bytes(chance.below(80)),
  (chance) => 'x'.repeat(chance.pick([10, 300, 70_000])),
  (chance) => chance.below(2 ** 32),
  (chance) => nested(chance.pick([10, 150, 1_000, 3_000])),
  (chance) => Array.from({ length: chance.pick([20, 2_000, 20_000]) }, () => null),
];

/** One thing in it is replaced, taken away, doubled or added: `value` in another shape, as a hostile author would encode it. */
export function mutatedValue(value: unknown, chance: Chance): unknown {
  const isBranch = typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
  const keys = isBranch ? Object.keys(value) : [];
  if (!isBranch || keys.length === 0 || chance.below(8) === 0) return hostileIn(value, chance);
  const key = chance.pick(keys);
  if (Array.isArray(value)) {
    const at = Number(key);
    if (chance.below(4) > 0) return value.map((item, index) => (index === at ? mutatedValue(item, chance) : item));
    return chance.below(2) === 0 ? value.toSpliced(at, 1) : value.toSpliced(at, 0, value[at]);
  }
  const { [key]: inner, ...rest } = value as Record<string, unknown>;
  if (chance.below(8) === 0) return rest;
  if (chance.below(8) === 0)
    return { ...value, [chance.pick(['type', 'extra', '__proto_', 'length'])]: hostileIn(inner, chance) };
  return { ...value, [key]: mutatedValue(inner, chance) };
}

function hostileIn(value: unknown, chance: Chance): unknown {
  if (value instanceof Uint8Array && value.byteLength > 0 && chance.below(4) > 0) return mutatedBytes(value, chance);
  if (typeof value === 'number' && chance.below(2) === 0) return value + chance.pick([-1, 1, 1_000_000]);
  if (typeof value === 'string' && value !== '' && chance.below(2) === 0) {
    const at = chance.below(value.length);
    return value.slice(0, at) + chance.pick(['', '0', 'f', '\u0000', value]) + value.slice(at + 1);
  }
  return chance.pick(HOSTILE)(chance);
}

/** A message with something wrong in it, in its shape or in its bytes. */
export function mutatedMessage(message: object, chance: Chance): Uint8Array {
  if (chance.below(3) === 0) return mutatedBytes(encodeAnything(message), chance);
  return encodeAnything(mutatedValue(message, chance));
}

/** As lib0 encodes it, whatever it is. */
export function encodeAnything(value: unknown): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeAny(encoder, value as Parameters<typeof encoding.writeAny>[1]);
  return encoding.toUint8Array(encoder);
}
