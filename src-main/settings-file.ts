import * as z from 'zod/mini';
import type { ParamsOf, ResultOf } from '../src-shared/operations.ts';
import { RefusalError } from '../src-shared/refusal.ts';
import { DEFAULT_SETTINGS, Settings } from '../src-shared/settings.ts';
import { type JsoncContent, JsoncFile } from './jsonc-file.ts';

export interface SettingsFileOptions {
  /** The settings in force are others than before, by an edit of the file or by `set`. */
  readonly onChange: (settings: Settings) => void;
  readonly onError: (error: unknown) => void;
}

/** A name that an editor needs in the file and that sets nothing. */
const SCHEMA_KEY = '$schema';

const WORDS = z.locales.en().localeError;

/** settings.json: read tolerantly, edited in place, followed while it is open. */
export class SettingsFile {
  readonly #file: JsoncFile<ReturnType<typeof readSettings>>;

  private constructor(file: JsoncFile<ReturnType<typeof readSettings>>) {
    this.#file = file;
  }

  static async open(path: string, { onChange, onError }: SettingsFileOptions): Promise<SettingsFile> {
    const file = await JsoncFile.open(path, { read: readSettings, onChange: ({ settings }) => onChange(settings), onError });
    return new SettingsFile(file);
  }

  get settings(): Settings {
    return this.#file.current.settings;
  }

  get(): ResultOf<'settings.get'> {
    const { settings, problems } = this.#file.current;
    return { settings, path: this.#file.path, problems: [...problems] };
  }

  async set({ changes }: ParamsOf<'settings.set'>): Promise<ResultOf<'settings.set'>> {
    for (const [key, value] of Object.entries(changes)) {
      const problem = value === null ? unknownKey(key) : problemOf(key, value);
      if (problem !== null) throw new RefusalError('bad-request', `${key}: ${problem}`);
    }
    const { settings } = await this.#file.edit(() =>
      Object.entries(changes).map(([key, value]) => ({ path: [key], value: value === null ? undefined : value })),
    );
    return { settings };
  }

  close(): Promise<void> {
    return this.#file.close();
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
