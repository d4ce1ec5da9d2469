import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { applyEdits, type JSONPath, modify, type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import writeFileAtomic from 'write-file-atomic';
import { RefusalError } from '../src-shared/refusal.ts';

/** One change: sets the value at `path`, or removes it with `undefined`. */
export interface JsoncEdit {
  readonly path: JSONPath;
  readonly value: unknown;
  /** Inserts into an array at `path` instead of replacing what is there. */
  readonly insert?: boolean;
}

export interface JsoncContent {
  /** undefined: there is no file, or nothing in it. */
  readonly value: unknown;
  /** Where the text is no JSON, in words; what could be read of it is in `value`. */
  readonly problem: string | null;
}

const FORMAT = { insertSpaces: true, tabSize: 2, eol: '\n' } as const;
/** Editors write a file in several steps; it is read when it has been quiet for this long. */
const QUIET_MS = 50;

export interface JsoncFileOptions<T> {
  /** What the content means; never throws: what is of no use is left out, and said in what it returns. */
  readonly read: (content: JsoncContent) => T;
  /** What the file means is something else than before, by whomever it was edited. */
  readonly onChange: (current: T) => void;
  /** The file cannot be read or watched any more; what it meant stays in force. */
  readonly onError: (error: unknown) => void;
}

/**
 * A JSON file with comments that people and Baton both write: edits keep the comments, and changes from outside are noticed while it is
 * open. The folder has to exist, the file need not.
 */
export class JsoncFile<T> {
  readonly path: string;
  readonly #options: JsoncFileOptions<T>;
  readonly #watcher: FSWatcher;
  #current: T;
  #edits: Promise<unknown> = Promise.resolve();

  private constructor(path: string, watcher: FSWatcher, current: T, options: JsoncFileOptions<T>) {
    this.path = path;
    this.#watcher = watcher;
    this.#current = current;
    this.#options = options;
  }

  static async open<T>(path: string, options: JsoncFileOptions<T>): Promise<JsoncFile<T>> {
    const watcher = await watchFile(path, options.onError);
    const opened = new JsoncFile(path, watcher, options.read(await readJsonc(path)), options);
    for (const event of ['add', 'change', 'unlink'] as const) watcher.on(event, () => void opened.#reload());
    return opened;
  }

  get current(): T {
    return this.#current;
  }

  /** One edit at a time, each on what the file holds then. Throws RefusalError when the text is no JSON: an edit could garble it. */
  edit(changes: (value: unknown) => readonly JsoncEdit[]): Promise<T> {
    const done = this.#edits.then(async () => {
      const text = await textOf(this.path);
      const { value, problem } = parseText(text, this.path);
      if (problem !== null)
        throw new RefusalError('failed', `${problem} Nothing was changed.`, 'Correct the file and try again.');
      let edited = text;
      for (const { path, value: next, insert } of changes(value)) {
        edited = applyEdits(
          edited,
          modify(edited, path, next, { formattingOptions: FORMAT, ...(insert ? { isArrayInsertion: true } : {}) }),
        );
      }
      if (edited !== text) await writeFileAtomic(this.path, edited.endsWith('\n') ? edited : `${edited}\n`, { mode: 0o600 });
      this.#apply(parseText(edited, this.path));
      return this.#current;
    });
    this.#edits = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    await this.#edits;
    await this.#watcher.close();
  }

  async #reload(): Promise<void> {
    try {
      this.#apply(await readJsonc(this.path));
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #apply(content: JsoncContent): void {
    const next = this.#options.read(content);
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
    this.#current = next;
    this.#options.onChange(next);
  }
}

export async function readJsonc(path: string): Promise<JsoncContent> {
  return parseText(await textOf(path), path);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** Resolves when changes from then on will be noticed. */
async function watchFile(path: string, onError: (error: unknown) => void): Promise<FSWatcher> {
  const folder = dirname(path);
  // The folder is watched, not the file: editors replace the file, and it may not exist yet.
  const watcher = watch(folder, {
    depth: 0,
    ignoreInitial: true,
    ignored: (each) => each !== folder && each !== path,
    awaitWriteFinish: { stabilityThreshold: QUIET_MS, pollInterval: QUIET_MS / 2 },
  });
  watcher.on('error', onError);
  await new Promise<void>((resolve) => watcher.once('ready', resolve));
  return watcher;
}

function parseText(text: string, path: string): JsoncContent {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true, allowEmptyContent: true });
  const first = errors[0];
  if (first === undefined) return { value, problem: null };
  const line = text.slice(0, first.offset).split('\n').length;
  return { value, problem: `${basename(path)}, line ${line}: ${wordsOf(printParseErrorCode(first.error))}.` };
}

/** ValueExpected -> value expected */
function wordsOf(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
