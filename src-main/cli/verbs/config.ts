import * as z from 'zod/mini';
import { Settings } from '../../../src-shared/settings.ts';
import { withEngine } from '../engine-client.ts';
import { enginePlace } from '../engine-place.ts';
import { EXIT, Failure } from '../failure.ts';
import { oneLine, printJson, printLine, say } from '../output.ts';

export async function get(key: string | undefined, options: { readonly json?: boolean }): Promise<undefined> {
  if (key !== undefined) knownKey(key);
  await withEngine(async (client) => {
    const found = await client.call('settings.get', {});
    const values: Readonly<Record<string, unknown>> = found.settings;
    if (key !== undefined) {
      if (options.json) printJson(values[key]);
      else printLine(shown(values[key]));
    } else if (options.json) printJson(found);
    else for (const [name, value] of Object.entries(values)) printLine(`${name} = ${JSON.stringify(value)}`);
  });
}

export async function set(key: string, text: string | undefined): Promise<undefined> {
  const name = knownKey(key);
  const value = text === undefined ? null : valueFor(name, text);
  await withEngine(async (client) => {
    await client.call('settings.set', { changes: { [name]: value } });
  });
}

export async function validate(options: { readonly json?: boolean }): Promise<number> {
  return await withEngine(async (client) => {
    const { path: file, problems } = await client.call('settings.get', {});
    if (options.json) printJson({ path: file, problems });
    else if (problems.length === 0) say(`${file}: nothing is wrong.`);
    else for (const problem of problems) printLine(oneLine(problem));
    return problems.length === 0 ? EXIT.done : EXIT.failed;
  });
}

/** Needs no engine: whoever cannot start one may want to look into the file. */
export async function path(): Promise<undefined> {
  printLine(enginePlace().paths.settingsFile);
}

/** What a value should be, in words: the schemas of this project bring none with them. */
const WORDS = { error: z.locales.en().localeError };

type Key = keyof Settings;
const KEYS = Object.keys(Settings.shape);

function isKey(text: string): text is Key {
  return KEYS.includes(text);
}

function knownKey(text: string): Key {
  if (isKey(text)) return text;
  const last = text.split('.').at(-1)?.toLowerCase() ?? '';
  const near = KEYS.filter((key) => last !== '' && key.toLowerCase().includes(last)).slice(0, 3);
  const hint = near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'baton config get lists them all.';
  throw new Failure(EXIT.notFound, `There is no setting “${oneLine(text)}”.`, hint);
}

/** As it stands where that fits the setting, else read as JSON: a text needs no quotes, and `14` is a number where one is wanted. */
function valueFor(key: Key, text: string) {
  const schema = Settings.shape[key];
  const asText = schema.safeParse(text, WORDS);
  if (asText.success) return asText.data;
  const json = parsed(text);
  // `undefined` would be taken for the default.
  const asJson = json === undefined ? asText : schema.safeParse(json, WORDS);
  if (asJson.success) return asJson.data;
  throw new Failure(EXIT.usage, `${key} cannot be “${oneLine(text)}”: ${asJson.error.issues[0]?.message ?? 'it does not fit'}.`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
