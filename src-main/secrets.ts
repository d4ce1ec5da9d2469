import { readFile, rm } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import * as z from 'zod/mini';
import type { ParamsOf, ResultOf } from '../src-shared/operations.ts';
import { RefusalError } from '../src-shared/refusal.ts';

/** The system's key ring, where this process can use it. */
export interface KeyRing {
  isAvailable(): boolean;
  seal(text: string): Buffer;
  /** Throws what was sealed by another user or another key ring. */
  open(sealed: Buffer): string;
}

/** Headless there is no key ring: a key can be kept in plain text only, and one that the app sealed cannot be read. */
export const NO_KEY_RING: KeyRing = {
  isAvailable: () => false,
  seal: () => {
    throw new Error('there is no key ring');
  },
  open: () => {
    throw new Error('there is no key ring');
  },
};

const SecretsFile = z.object({
  claudeApiKey: z.optional(z.union([z.object({ sealed: z.string() }), z.object({ plain: z.string() })])),
});
type Kept = z.infer<typeof SecretsFile>['claudeApiKey'];

/** What the user entrusts to Baton. It goes to Claude's processes and nowhere else: no log, no wire, no settings file. */
export class Secrets {
  readonly #path: string;
  readonly #keyRing: KeyRing;
  #kept: Kept;
  #apiKey: string | null = null;

  private constructor(path: string, keyRing: KeyRing) {
    this.#path = path;
    this.#keyRing = keyRing;
  }

  /** Throws where the file cannot be read or is none of ours. */
  static async open(path: string, keyRing: KeyRing): Promise<Secrets> {
    const secrets = new Secrets(path, keyRing);
    const text = await readIfThere(path);
    if (text !== null) secrets.#take(parseSecrets(text, path).claudeApiKey);
    return secrets;
  }

  /** The API key for Claude's processes; null: none, or none that can be read here. */
  get apiKey(): string | null {
    return this.#apiKey;
  }

  state(): ResultOf<'claude.apiKey'> {
    return { stored: this.#stored(), hasKeyRing: this.#keyRing.isAvailable() };
  }

  async setApiKey({ apiKey, allowPlain }: ParamsOf<'claude.setApiKey'>): Promise<ResultOf<'claude.setApiKey'>> {
    if (apiKey === null) {
      await rm(this.#path, { force: true });
      this.#take(undefined);
      return { stored: 'none' };
    }
    const canSeal = this.#keyRing.isAvailable();
    if (!canSeal && !allowPlain) {
      throw new RefusalError(
        'not-ready',
        'This machine has no key ring that Baton can use, so the key would lie on the disk in plain text.',
        'Allow that (only you can read the file), or sign in to Claude Code instead.',
      );
    }
    const kept = canSeal ? { sealed: this.#keyRing.seal(apiKey).toString('base64') } : { plain: apiKey };
    await writeFileAtomic(this.#path, `${JSON.stringify({ claudeApiKey: kept })}\n`, { mode: 0o600 });
    this.#kept = kept;
    this.#apiKey = apiKey;
    return { stored: canSeal ? 'key-ring' : 'plain' };
  }

  #take(kept: Kept): void {
    this.#kept = kept;
    this.#apiKey = null;
    if (kept === undefined) return;
    try {
      this.#apiKey = 'plain' in kept ? kept.plain : this.#keyRing.open(Buffer.from(kept.sealed, 'base64'));
    } catch {
      // Told by state(): the key ring may be there again at the next start, so the sealed key is kept.
    }
  }

  #stored(): ResultOf<'claude.apiKey'>['stored'] {
    if (this.#kept === undefined) return 'none';
    if (this.#apiKey === null) return 'unreadable';
    return 'plain' in this.#kept ? 'plain' : 'key-ring';
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parseSecrets(text: string, path: string): z.infer<typeof SecretsFile> {
  try {
    return SecretsFile.parse(JSON.parse(text));
  } catch {
    // Neither the text nor the parser's words about it may reach a log.
    throw new Error(`${path} is not readable as Baton's secrets. Move it away, and enter the API key again.`);
  }
}
