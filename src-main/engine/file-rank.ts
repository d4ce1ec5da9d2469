export interface FoundPath {
  readonly path: string;
  readonly lower: string;
}

interface Ranked {
  readonly found: FoundPath;
  readonly rank: number;
}

/** The loop is given back after this many paths. */
const SLICE = 5_000;

/** The best `limit` paths for what was typed, best first. Throws the signal's reason when it is aborted. */
export async function rankPaths(
  paths: readonly FoundPath[],
  query: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ best: FoundPath[]; more: boolean }> {
  const wanted = query.toLowerCase();
  const best: Ranked[] = [];
  let matches = 0;
  for (let index = 0; index < paths.length; index++) {
    if (index % SLICE === SLICE - 1) {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
    const found = paths[index];
    if (found === undefined) continue;
    const rank = rankOf(found.lower, wanted);
    if (rank === null) continue;
    matches++;
    insert(best, { found, rank }, limit);
  }
  return { best: best.map(({ found }) => found), more: matches > limit };
}

/** Lower is better; null: no match. The hundreds say how it matches, the rest how far down it lies and how scattered it is. */
export function rankOf(path: string, wanted: string): number | null {
  const depth = depthOf(path);
  if (wanted === '') return depth;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === wanted || path === wanted) return depth;
  if (name.startsWith(wanted)) return 100 + depth;
  const inName = name.indexOf(wanted);
  if (inName > 0) return (/[a-z0-9]/.test(name[inName - 1] ?? '') ? 300 : 200) + depth;
  if (path.includes(wanted)) return 400 + depth;
  const gaps = gapsOf(path, wanted);
  return gaps === null ? null : 500 + Math.min(gaps, 300) + depth;
}

/** How many letters lie between those of `wanted`, found from the end so that the name counts most; null: not all are there. */
function gapsOf(path: string, wanted: string): number | null {
  let at = path.length;
  let end = -1;
  for (let index = wanted.length - 1; index >= 0; index--) {
    at = at === 0 ? -1 : path.lastIndexOf(wanted[index] ?? '', at - 1);
    if (at < 0) return null;
    if (end < 0) end = at;
  }
  return end - at + 1 - wanted.length;
}

function depthOf(path: string): number {
  let depth = 0;
  for (let slash = path.indexOf('/'); slash >= 0 && depth < 99; slash = path.indexOf('/', slash + 1)) depth++;
  return depth;
}

function isBetter(a: Ranked, b: Ranked): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.found.path.length !== b.found.path.length) return a.found.path.length < b.found.path.length;
  return a.found.path < b.found.path;
}

function insert(best: Ranked[], candidate: Ranked, limit: number): void {
  const worst = best[limit - 1];
  if (worst !== undefined && !isBetter(candidate, worst)) return;
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = best[middle];
    if (other !== undefined && isBetter(other, candidate)) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, candidate);
  if (best.length > limit) best.pop();
}
