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
  readonly #file: JsoncFile<ReturnType<typeof readBindings>>;

  private constructor(file: JsoncFile<ReturnType<typeof readBindings>>) {
    this.#file = file;
  }

  static async open(path: string, { onChange, onError }: KeybindingsFileOptions): Promise<KeybindingsFile> {
    const file = await JsoncFile.open(path, { read: readBindings, onChange: ({ bindings }) => onChange(bindings), onError });
    return new KeybindingsFile(file);
  }

  get(): ResultOf<'keybindings.get'> {
    const { bindings, problems } = this.#file.current;
    return { bindings: [...bindings], path: this.#file.path, problems: [...problems] };
  }

  async set({ command, keys }: ParamsOf<'keybindings.set'>): Promise<ResultOf<'keybindings.set'>> {
    if (!isCommandId(command)) throw new RefusalError('bad-request', `There is no command "${command}".`);
    const wrong = keys?.find((key) => parseChord(key) === null);
    if (wrong !== undefined)
      throw new RefusalError('bad-request', `"${wrong}" is not a key stroke.`, 'Write it as in ctrl+shift+t.');
    const rows = keys === null ? [] : rowsFor(command, defaultKeys(command, isMac), keys);
    const { bindings } = await this.#file.edit((value) => [...removals(value, command), ...additions(value, command, rows)]);
    return { bindings: [...bindings] };
  }

  close(): Promise<void> {
    return this.#file.close();
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
