// What Node, Electron and browsers all have, and nothing else: src-shared compiles against neither node nor DOM types.

type TimerHandle = { readonly __timer: unique symbol };
declare function setTimeout(run: () => void, delayMs?: number): TimerHandle;
declare function clearTimeout(timer: TimerHandle | undefined): void;
declare function setInterval(run: () => void, delayMs: number): TimerHandle;
declare function clearInterval(timer: TimerHandle | undefined): void;
declare function queueMicrotask(run: () => void): void;
declare function structuredClone<T>(value: T): T;

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, target: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(encoding?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array | ArrayBuffer, options?: { stream?: boolean }): string;
}

interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare const performance: { now(): number };
interface CryptoKey {
  readonly type: string;
}
/** Absent in a page that came over plain HTTP from another machine. */
interface SubtleCrypto {
  digest(algorithm: 'SHA-256', bytes: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<ArrayBuffer>;
  importKey(
    format: 'raw',
    key: ArrayBuffer,
    algorithm: { name: 'HMAC'; hash: 'SHA-256' },
    extractable: boolean,
    usages: readonly 'sign'[],
  ): Promise<CryptoKey>;
  sign(algorithm: 'HMAC', key: CryptoKey, bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer>;
}
declare const crypto: {
  getRandomValues<T extends Uint8Array>(bytes: T): T;
  randomUUID(): string;
  readonly subtle: SubtleCrypto;
};
declare function btoa(binary: string): string;
declare function atob(base64: string): string;

declare class URL {
  constructor(url: string, base?: string | URL);
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}
