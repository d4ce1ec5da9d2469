import { defaultKeys, isCommandId, Keybinding, parseChord, resolveKeymap, sameChord } from '../src-shared/keymap.ts';
import type { ParamsOf, ResultOf } from '../src-shared/operations.ts';
import { RefusalError } from '../src-shared/refusal.ts';
import { type JsoncContent, type JsoncEdit, JsoncFile } from './jsonc-file.ts';

export interface KeybindingsFileOptions {
  readonly onChange: (bindings: readonly Keybinding[]) => void;
  readonly onError: (error: unknown) => void;
}

const isMac = process.platform === 'darwin';

/** keybindings.json: rows {key, command, when?} in force from top to bottom; `-command` takes keys away. */
export class KeybindingsFile {
  readonly #file: JsoncFile;
  readonly #options: KeybindingsFileOptions;
  #bindings: readonly Keybinding[] = [];
  #problems: readonly string[] = [];

  private constructor(path: string, options: KeybindingsFileOptions) {
    this.#file = new JsoncFile(path);
    this.#options = options;
  }

  static async open(path: string, options: KeybindingsFileOptions): Promise<KeybindingsFile> {
    const opened = new KeybindingsFile(path, options);
    await opened.#file.watch(() => void opened.#reload(), options.onError);
    const { bindings, problems } = readBindings(await opened.#file.read());
    opened.#bindings = bindings;
    opened.#problems = problems;
    return opened;
  }

  get(): ResultOf<'keybindings.get'> {
    return { bindings: [...this.#bindings], path: this.#file.path, problems: [...this.#problems] };
  }

  async set({ command, keys }: ParamsOf<'keybindings.set'>): Promise<ResultOf<'keybindings.set'>> {
    if (!isCommandId(command)) throw new RefusalError('bad-request', `There is no command "${command}".`);
    const wrong = keys?.find((key) => parseChord(key) === null);
    if (wrong !== undefined)
      throw new RefusalError('bad-request', `"${wrong}" is not a key stroke.`, 'Write it as in ctrl+shift+t.');
    const rows = keys === null ? [] : rowsFor(command, defaultKeys(command, isMac), keys);
    this.#apply(await this.#file.edit((value) => [...removals(value, command), ...additions(value, command, rows)]));
    return { bindings: [...this.#bindings] };
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
    const { bindings, problems } = readBindings(content);
    const isNew = JSON.stringify([bindings, problems]) !== JSON.stringify([this.#bindings, this.#problems]);
    this.#bindings = bindings;
    this.#problems = problems;
    if (isNew) this.#options.onChange(bindings);
  }
}

/** The rows that turn a command's default keys into `keys`. */
export function rowsFor(command: string, defaults: readonly string[], keys: readonly string[]): Keybinding[] {
  const isIn = (key: string, others: readonly string[]) => {
    const chord = parseChord(key);
    return others.some((other) => {
      const otherChord = parseChord(other);
      return chord !== null && otherChord !== null && sameChord(chord, otherChord);
    });
  };
  return [
    ...defaults.filter((key) => !isIn(key, keys)).map((key) => ({ key, command: `-${command}` })),
    ...keys.filter((key) => !isIn(key, defaults)).map((key) => ({ key, command })),
  ];
}

export function readBindings({ value, problem }: JsoncContent): { bindings: Keybinding[]; problems: string[] } {
  const problems = problem === null ? [] : [`${problem} What comes after it may have been ignored.`];
  if (value === undefined) return { bindings: [], problems };
  if (!Array.isArray(value)) {
    return { bindings: [], problems: [...problems, 'The key bindings must be a list, [ … ]. Defaults are used.'] };
  }
  const bindings = value.flatMap((row: unknown, index) => {
    const read = Keybinding.safeParse(row);
    if (read.success) return [read.data];
    problems.push(`Row ${index + 1} is not of the form {"key": "ctrl+shift+t", "command": "session.newTerminal"}.`);
    return [];
  });
  return { bindings, problems: [...problems, ...resolveKeymap(isMac, bindings).problems] };
}

/** From the last row to the first, so that the positions of those before stay right. */
function removals(value: unknown, command: string): JsoncEdit[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((row: unknown, index) => (isOf(row, command) ? [{ path: [index], value: undefined }] : [])).reverse();
}

function additions(value: unknown, command: string, rows: readonly Keybinding[]): JsoncEdit[] {
  if (value !== undefined && !Array.isArray(value)) {
    throw new RefusalError('failed', 'keybindings.json is not a list. Nothing was changed.', 'Correct the file and try again.');
  }
  if (value === undefined) return rows.length === 0 ? [] : [{ path: [], value: rows }];
  const kept = value.filter((row: unknown) => !isOf(row, command)).length;
  return rows.map((row, index) => ({ path: [kept + index], value: row, insert: true }));
}

function isOf(row: unknown, command: string): boolean {
  if (typeof row !== 'object' || row === null || !('command' in row)) return false;
  return row.command === command || row.command === `-${command}`;
}
