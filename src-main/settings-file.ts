import * as z from 'zod/mini';
import type { ParamsOf, ResultOf } from '../src-shared/operations.ts';
import { RefusalError } from '../src-shared/refusal.ts';
import { DEFAULT_SETTINGS, Settings } from '../src-shared/settings.ts';
import { type JsoncContent, JsoncFile } from './jsonc-file.ts';

export interface SettingsFileOptions {
  /** The settings in force are others than before, by an edit of the file or by `set`. */
  readonly onChange: (settings: Settings) => void;
  /** The file cannot be read or watched any more; the settings in force stay. */
  readonly onError: (error: unknown) => void;
}

/** A name that an editor needs in the file and that sets nothing. */
const SCHEMA_KEY = '$schema';

const WORDS = z.locales.en().localeError;

/** settings.json: read tolerantly, edited in place, followed while it is open. */
export class SettingsFile {
  readonly #file: JsoncFile;
  readonly #options: SettingsFileOptions;
  #settings = DEFAULT_SETTINGS;
  #problems: readonly string[] = [];

  private constructor(path: string, options: SettingsFileOptions) {
    this.#file = new JsoncFile(path);
    this.#options = options;
  }

  static async open(path: string, options: SettingsFileOptions): Promise<SettingsFile> {
    const opened = new SettingsFile(path, options);
    await opened.#file.watch(() => void opened.#reload(), options.onError);
    const { settings, problems } = readSettings(await opened.#file.read());
    opened.#settings = settings;
    opened.#problems = problems;
    return opened;
  }

  get settings(): Settings {
    return this.#settings;
  }

  get(): ResultOf<'settings.get'> {
    return { settings: this.#settings, path: this.#file.path, problems: [...this.#problems] };
  }

  async set({ changes }: ParamsOf<'settings.set'>): Promise<ResultOf<'settings.set'>> {
    for (const [key, value] of Object.entries(changes)) {
      const problem = value === null ? unknownKey(key) : problemOf(key, value);
      if (problem !== null) throw new RefusalError('bad-request', `${key}: ${problem}`);
    }
    const edited = await this.#file.edit(() =>
      Object.entries(changes).map(([key, value]) => ({ path: [key], value: value === null ? undefined : value })),
    );
    this.#apply(edited);
    return { settings: this.#settings };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #reload(): Promise<void> {
    try {
      this.#apply(await this.#file.read());
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #apply(content: JsoncContent): void {
    const { settings, problems } = readSettings(content);
    const isNew = JSON.stringify([settings, problems]) !== JSON.stringify([this.#settings, this.#problems]);
    this.#settings = settings;
    this.#problems = problems;
    if (isNew) this.#options.onChange(settings);
  }
}

/** Every key that can be used is used; of every other one is said why not. */
export function readSettings({ value, problem }: JsoncContent): { settings: Settings; problems: string[] } {
  const problems = problem === null ? [] : [`${problem} What comes after it may have been ignored.`];
  if (value === undefined) return { settings: DEFAULT_SETTINGS, problems };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { settings: DEFAULT_SETTINGS, problems: [...problems, 'The settings must be an object, { … }. Defaults are used.'] };
  }
  const usable: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    if (key === SCHEMA_KEY) continue;
    const reason = problemOf(key, given);
    if (reason === null) usable[key] = given;
    else
      problems.push(isSetting(key) ? `${key}: ${reason} ${JSON.stringify(DEFAULT_SETTINGS[key])} is used.` : `${key}: ${reason}`);
  }
  return { settings: Settings.parse(usable), problems };
}

function isSetting(key: string): key is keyof Settings {
  return Object.hasOwn(Settings.shape, key);
}

function unknownKey(key: string): string | null {
  return isSetting(key) ? null : 'there is no such setting.';
}

function problemOf(key: string, value: unknown): string | null {
  if (!isSetting(key)) return unknownKey(key);
  const read = Settings.shape[key].safeParse(value, { error: WORDS });
  return read.success ? null : `${read.error.issues[0]?.message ?? 'Not a valid value'}.`;
}
