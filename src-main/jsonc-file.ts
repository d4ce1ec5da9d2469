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

/** A JSON file with comments that people and Baton both write: edits keep the comments, and changes from outside are noticed. */
export class JsoncFile {
  readonly path: string;
  #watcher: FSWatcher | null = null;
  #edits: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<JsoncContent> {
    return parseText(await this.#text(), this.path);
  }

  /** One edit at a time, each on what the file holds then. Throws RefusalError when the text is no JSON: an edit could garble it. */
  edit(changes: (value: unknown) => readonly JsoncEdit[]): Promise<JsoncContent> {
    const done = this.#edits.then(async () => {
      const text = await this.#text();
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
      return parseText(edited, this.path);
    });
    this.#edits = done.catch(() => {});
    return done;
  }

  /** Resolves when changes from then on will be noticed. The folder has to exist, the file need not. */
  async watch(onChange: () => void, onError: (error: unknown) => void): Promise<void> {
    const folder = dirname(this.path);
    // The folder is watched, not the file: editors replace the file, and it may not exist yet.
    const watcher = watch(folder, {
      depth: 0,
      ignoreInitial: true,
      ignored: (path) => path !== folder && path !== this.path,
      awaitWriteFinish: { stabilityThreshold: QUIET_MS, pollInterval: QUIET_MS / 2 },
    });
    this.#watcher = watcher;
    watcher.on('add', onChange).on('change', onChange).on('unlink', onChange).on('error', onError);
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
  }

  async close(): Promise<void> {
    await this.#edits;
    await this.#watcher?.close();
  }

  async #text(): Promise<string> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    }
  }
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
