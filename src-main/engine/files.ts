import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { ParamsOf, ResultOf } from '../../src-shared/operations.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { type FoundPath, rankPaths } from './file-rank.ts';
import { gitFiles } from './git-files.ts';
import { expandHome } from './home-folder.ts';

/** What one folder lists at most; with more, the ones nearest to the top (git: the first in its order) are offered. */
const MAX_FILES = 50_000;
const MAX_LISTING_MS = 2_000;
/** Each keystroke asks again; a list this young answers all of them. */
const FRESH_MS = 5_000;
const MAX_KEPT_LISTINGS = 4;
/** Never what somebody means, and large. */
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', 'node_modules']);

interface Listing {
  readonly paths: readonly FoundPath[];
  readonly isCut: boolean;
}

interface Running {
  readonly listing: Promise<Listing>;
  readonly stop: AbortController;
  waiting: number;
  doneAt: number;
}

/** Finds files below a folder for completion. Lists are shared by callers and kept for a moment. */
export class FileFinder {
  readonly #now: () => number;
  #running = new Map<string, Running>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** `signal`: the asker is gone. A list that nobody waits for is given up. Throws RefusalError where `cwd` is no folder. */
  async complete(params: ParamsOf<'files.complete'>, signal: AbortSignal): Promise<ResultOf<'files.complete'>> {
    signal.throwIfAborted();
    const cwd = expandHome(params.cwd);
    const { paths, isCut } = await this.#listing(cwd, signal);
    const { best, more } = await rankPaths(paths, params.query, params.limit, signal);
    const found = await Promise.all(best.map((candidate) => onDisk(cwd, candidate)));
    return { paths: found.filter((path) => path !== null), more: more || isCut };
  }

  async #listing(cwd: string, signal: AbortSignal): Promise<Listing> {
    const running = this.#fresh(cwd) ?? this.#start(cwd);
    running.waiting++;
    let onAbort: (() => void) | undefined;
    try {
      const aborted = new Promise<never>((_resolve, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort);
      });
      return await Promise.race([running.listing, aborted]);
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
      running.waiting--;
      if (running.waiting === 0 && running.doneAt === Number.POSITIVE_INFINITY) {
        this.#forget(cwd, running);
        running.stop.abort();
      }
    }
  }

  #fresh(cwd: string): Running | undefined {
    const kept = this.#running.get(cwd);
    return kept && this.#now() - kept.doneAt < FRESH_MS ? kept : undefined;
  }

  #start(cwd: string): Running {
    const stop = new AbortController();
    const running: Running = { listing: listFiles(cwd, stop.signal), stop, waiting: 0, doneAt: Number.POSITIVE_INFINITY };
    this.#running.delete(cwd);
    this.#running.set(cwd, running);
    const eldest = this.#running.keys().next().value;
    if (this.#running.size > MAX_KEPT_LISTINGS && eldest !== undefined) this.#running.delete(eldest);
    running.listing.then(
      () => {
        running.doneAt = this.#now();
      },
      () => this.#forget(cwd, running),
    );
    return running;
  }

  #forget(cwd: string, running: Running): void {
    if (this.#running.get(cwd) === running) this.#running.delete(cwd);
  }
}

async function listFiles(cwd: string, stopped: AbortSignal): Promise<Listing> {
  await requireFolder(cwd);
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(MAX_LISTING_MS)]);
  const { files, isCut } = (await gitFiles(cwd, MAX_FILES, signal)) ?? (await walk(cwd, signal));
  return { paths: withFolders(files), isCut };
}

async function requireFolder(cwd: string): Promise<void> {
  const found = await fs.stat(cwd).catch((error: unknown) => {
    throw new RefusalError('unknown-target', `Cannot list files in ${cwd}: ${error instanceof Error ? error.message : error}.`);
  });
  if (!found.isDirectory()) throw new RefusalError('unknown-target', `Cannot list files in ${cwd}: it is not a folder.`);
}

/** Where there is no repository: level by level, so that a bound cuts off what is deepest. Links are not followed. */
async function walk(cwd: string, signal: AbortSignal): Promise<{ files: string[]; isCut: boolean }> {
  const files: string[] = [];
  let level = [''];
  while (level.length > 0) {
    const next: string[] = [];
    for (const folder of level) {
      if (signal.aborted || files.length >= MAX_FILES) return { files, isCut: true };
      for (const entry of await entriesOf(join(cwd, folder))) {
        const path = folder + entry.name;
        if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) next.push(`${path}/`);
        else if (entry.isFile() || entry.isSymbolicLink()) files.push(path);
      }
    }
    level = next;
  }
  return { files, isCut: false };
}

/** A folder that cannot be read has nothing to offer. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await fs.readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function withFolders(files: readonly string[]): FoundPath[] {
  const folders = new Set<string>();
  for (const file of files) {
    for (let slash = file.lastIndexOf('/'); slash > 0; slash = file.lastIndexOf('/', slash - 1)) {
      const folder = file.slice(0, slash);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return [...folders, ...files].map((path) => ({ path, lower: path.toLowerCase() }));
}

/** git also lists what has been deleted since, and submodules as if they were files. */
async function onDisk(cwd: string, { path }: FoundPath): Promise<{ path: string; isFolder: boolean } | null> {
  try {
    return { path, isFolder: (await fs.stat(join(cwd, path))).isDirectory() };
  } catch {
    return null;
  }
}
