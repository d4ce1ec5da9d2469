import { randomUUID, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import type { ReconnectToken } from '../../src-shared/http-api.ts';
import { ClientId } from '../../src-shared/ids.ts';
import { CLOSE, type CloseReason } from '../../src-shared/refusal.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import { hashOf, newSecret, tokenIdOfHash } from './proof.ts';
import { isOver, Lineage, newLineage, presentToken, showToken, type Verdict, withToken } from './token-lineage.ts';

/** Who a request comes from. */
export interface Principal {
  readonly via: 'key' | 'token';
  /** The client that the token was made for; with the key, the one that the request names. */
  readonly clientId: ClientId;
  /** Aborted when the token is revoked: whatever still goes on for it has to end. */
  readonly signal: AbortSignal;
}

/** A wire that a token has opened. */
export interface OpenedWire {
  /** The only client that may speak on it; null: any. */
  readonly clientId: ClientId | null;
  /** Its client has had one before. */
  readonly isReturn: boolean;
  /** A token for the next wire of the client that speaks on this one; stored when this resolves. */
  renew(clientId: ClientId): Promise<ReconnectToken>;
  /** The wire is closed. */
  release(): void;
}

export interface TokensOptions {
  readonly store: Pick<Store, 'getFact' | 'setFact'>;
  readonly logger: Logger;
  readonly reconnectMs: () => number;
  /** A token was used by two parties. */
  readonly onReuse: (clientId: ClientId) => void;
  readonly now?: () => number;
}

const LOGIN_CODE_MS = 30_000;
/** Codes that wait to be used; older ones are dropped. */
const MAX_CODES = 64;
/** Clients that may come back; beyond, the one that was made longest ago is forgotten. */
const MAX_LINEAGES = 2_000;
/** Wires that one client may open a minute. */
const MAX_OPENED_PER_MINUTE = 600;
/** Refusals that are logged a minute; the rest is counted. */
const MAX_LOGGED_PER_MINUTE = 60;
/** Wrong tokens and codes a minute that are answered as such; further ones are told to wait. Right ones always pass. */
const MAX_WRONG_PER_MINUTE = 1_000;
const FACT = 'server.tokens';

interface Holder {
  lineage: Lineage;
  readonly revoked: AbortController;
  open: { readonly number: number; readonly close: (why: CloseReason) => void } | null;
  readonly attempts: Limit;
}

/** Every token there is: the key, login codes, and what brings clients back. Only hashes are kept, in memory and in the store. */
export class Tokens {
  /** Of server.json: for programs of this user, until the engine ends. */
  readonly key = newSecret();
  readonly #keyHash = hashOf(this.key);
  readonly #keyClient = ClientId.parse(randomUUID());
  readonly #never = new AbortController();
  readonly #options: TokensOptions;
  readonly #now: () => number;
  readonly #codes = new Map<string, number>();
  readonly #holders = new Set<Holder>();
  readonly #byHash = new Map<string, Holder>();
  readonly #byId = new Map<string, string>();
  readonly #logged: Limit;
  readonly #wrong: Limit;
  #refused = 0;
  #saved: Promise<void> = Promise.resolve();
  #nextSave: Promise<void> | null = null;

  private constructor(options: TokensOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#logged = new Limit(MAX_LOGGED_PER_MINUTE, this.#now);
    this.#wrong = new Limit(MAX_WRONG_PER_MINUTE, this.#now);
  }

  static async open(options: TokensOptions): Promise<Tokens> {
    const tokens = new Tokens(options);
    const kept = z.array(Lineage).safeParse(await options.store.getFact(FACT));
    for (const lineage of kept.success ? kept.data : []) tokens.#hold(lineage);
    return tokens;
  }

  get refusedAttempts(): number {
    return this.#refused;
  }

  /** Counts a wrong token or code; false: there were too many of them lately. */
  mayTryAgain(): boolean {
    return this.#wrong.allows();
  }

  /** Something that opens nothing was refused; `why` never holds what was shown. */
  refuse(why: string, clientId?: ClientId): void {
    this.#refused += 1;
    if (this.#logged.allows()) {
      this.#options.logger.warn('refused an attempt', { code: why, ...(clientId === undefined ? {} : { clientId }) });
    }
  }

  /** Who shows this token with a request; null: refused. `named`: the client that a program with the key says it is. */
  authenticate(token: string | null, named: ClientId | null): Principal | null {
    if (token === null) return this.#refuseAs('missing');
    const hash = hashOf(token);
    if (this.#isKey(hash)) return { via: 'key', clientId: named ?? this.#keyClient, signal: this.#never.signal };
    const holder = this.#byHash.get(hash);
    if (holder === undefined) return this.#refuseAs('unknown');
    const { clientId } = holder.lineage;
    const verdict = showToken(holder.lineage, hash, this.#now());
    if (verdict === 'accepted') return { via: 'token', clientId, signal: holder.revoked.signal };
    if (verdict === 'reused') this.#alarm(holder);
    return this.#refuseAs(verdict, clientId);
  }

  /** Whose wire a token opens. */
  ownerOf(token: string): Pick<Principal, 'via' | 'clientId'> {
    const holder = this.#byHash.get(hashOf(token));
    return holder === undefined ? { via: 'key', clientId: this.#keyClient } : { via: 'token', clientId: holder.lineage.clientId };
  }

  /** Whether a wire may be tried to be opened with this token, or it is worth nothing. */
  mayOpenWire(token: string): boolean {
    const hash = hashOf(token);
    if (this.#isKey(hash)) return true;
    const holder = this.#byHash.get(hash);
    if (holder === undefined) return this.#refuseAs('unknown') !== null;
    const { verdict } = presentToken(holder.lineage, hash, this.#now(), null);
    if (verdict === 'accepted') return true;
    if (verdict === 'reused') this.#alarm(holder);
    return this.#refuseAs(verdict, holder.lineage.clientId) !== null;
  }

  /** Opens a wire with this token; `close` ends it when the token is revoked. A string says why it is refused. */
  openWire(
    token: string,
    close: (why: CloseReason) => void,
  ): OpenedWire | Exclude<Verdict, 'accepted'> | 'unknown' | 'too-often' {
    const hash = hashOf(token);
    if (this.#isKey(hash)) return this.#wireOf(null, close);
    const holder = this.#byHash.get(hash);
    if (holder === undefined) return this.#refusal('unknown');
    const { clientId } = holder.lineage;
    if (!holder.attempts.allows()) return this.#refusal('too-often', clientId);
    const { verdict, lineage, number } = presentToken(holder.lineage, hash, this.#now(), holder.open?.number ?? null);
    if (verdict === 'reused') this.#alarm(holder);
    if (verdict !== 'accepted') return this.#refusal(verdict, clientId);
    const before = holder.open;
    holder.lineage = lineage;
    holder.open = { number, close };
    before?.close(CLOSE.superseded);
    return this.#wireOf(holder, close);
  }

  /** A single-use code that lets a browser in. */
  newCode(): { readonly code: string; readonly expiresAt: number } {
    const code = newSecret();
    const expiresAt = this.#now() + LOGIN_CODE_MS;
    this.#codes.set(hashOf(code), expiresAt);
    for (const oldest of this.#codes.keys()) {
      if (this.#codes.size <= MAX_CODES) break;
      this.#codes.delete(oldest);
    }
    return { code, expiresAt };
  }

  /** null: refused. */
  async login(code: string, clientId: ClientId): Promise<ReconnectToken | null> {
    const hash = hashOf(code);
    const expiresAt = this.#codes.get(hash);
    this.#codes.delete(hash);
    if (expiresAt === undefined || expiresAt <= this.#now()) {
      this.refuse('login-code', clientId);
      return null;
    }
    return this.#mint(this.#hold(newLineage(clientId, 0)));
  }

  /** The hash of the token that has this id; null: there is none that would be accepted. */
  hashOfId(tokenId: string): string | null {
    if (tokenIdOfHash(this.#keyHash) === tokenId) return this.#keyHash;
    return this.#byId.get(tokenId) ?? null;
  }

  /** Ends every token of this client, and the wires that they opened. */
  revoke(clientId: ClientId): void {
    for (const holder of [...this.#holders]) {
      if (holder.lineage.clientId === clientId) this.#drop(holder, CLOSE.disconnected);
    }
    void this.#save().catch((error: unknown) => this.#options.logger.error('storing tokens failed', { error }));
  }

  /** Resolves when everything is stored. */
  async settled(): Promise<void> {
    await (this.#nextSave ?? this.#saved);
  }

  #wireOf(opener: Holder | null, close: (why: CloseReason) => void): OpenedWire {
    let holder = opener;
    const isOurs = () => holder?.open?.close === close;
    return {
      clientId: opener?.lineage.clientId ?? null,
      isReturn: (opener?.open?.number ?? 0) > 1,
      renew: (clientId) => {
        if (holder === null) {
          holder = this.#hold(newLineage(clientId, 1));
          holder.open = { number: 1, close };
        }
        return this.#mint(holder);
      },
      release: () => {
        if (holder !== null && isOurs()) holder.open = null;
      },
    };
  }

  #isKey(hash: string): boolean {
    return timingSafeEqual(Buffer.from(hash), Buffer.from(this.#keyHash));
  }

  #refuseAs(why: string, clientId?: ClientId): null {
    this.refuse(why, clientId);
    return null;
  }

  #refusal<V extends string>(why: V, clientId?: ClientId): V {
    this.refuse(why, clientId);
    return why;
  }

  #hold(lineage: Lineage): Holder {
    const attempts = new Limit(MAX_OPENED_PER_MINUTE, this.#now);
    const holder: Holder = { lineage, revoked: new AbortController(), open: null, attempts };
    this.#holders.add(holder);
    this.#index(holder);
    this.#forget();
    return holder;
  }

  #index(holder: Holder): void {
    for (const { hash } of holder.lineage.tokens) {
      this.#byHash.set(hash, holder);
      this.#byId.set(tokenIdOfHash(hash), hash);
    }
  }

  #unindex(holder: Holder): void {
    for (const { hash } of holder.lineage.tokens) {
      this.#byHash.delete(hash);
      this.#byId.delete(tokenIdOfHash(hash));
    }
  }

  #forget(): void {
    const now = this.#now();
    for (const holder of this.#holders) {
      const isEmpty = holder.open === null && holder.lineage.tokens.length > 0;
      if (isEmpty && (isOver(holder.lineage, now) || this.#holders.size > MAX_LINEAGES)) this.#drop(holder, CLOSE.revoked);
    }
  }

  async #mint(holder: Holder): Promise<ReconnectToken> {
    const token = newSecret();
    const now = this.#now();
    const expiresAt = now + this.#options.reconnectMs();
    this.#unindex(holder);
    holder.lineage = withToken(holder.lineage, hashOf(token), expiresAt, now);
    if (this.#holders.has(holder)) this.#index(holder);
    await this.#save();
    return { token, expiresAt };
  }

  #alarm(holder: Holder): void {
    const { clientId } = holder.lineage;
    this.#options.logger.warn('a spent reconnect token was used again: its client has to log in anew', { clientId });
    this.#drop(holder, CLOSE.revoked);
    this.#options.onReuse(clientId);
    void this.#save().catch((error: unknown) => this.#options.logger.error('storing tokens failed', { error }));
  }

  #drop(holder: Holder, why: CloseReason): void {
    this.#holders.delete(holder);
    this.#unindex(holder);
    holder.revoked.abort();
    holder.open?.close(why);
  }

  /** One write at a time; what comes meanwhile goes with the next one. */
  #save(): Promise<void> {
    this.#nextSave ??= this.#saved
      .catch(() => undefined)
      .then(() => {
        this.#nextSave = null;
        this.#saved = this.#options.store.setFact(
          FACT,
          [...this.#holders].map(({ lineage }) => lineage),
        );
        return this.#saved;
      });
    return this.#nextSave;
  }
}

/** So many a minute. */
class Limit {
  readonly #most: number;
  readonly #now: () => number;
  #minute = 0;
  #count = 0;
  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }
  allows(): boolean {
    const minute = Math.floor(this.#now() / 60_000);
    if (minute !== this.#minute) this.#count = 0;
    this.#minute = minute;
    this.#count += 1;
    return this.#count <= this.#most;
  }
}
