/** A mention of a place in a file, found in a line of output. `start` and `end` count UTF-16 units of that line. */
export interface PathMention {
  readonly start: number;
  readonly end: number;
  readonly path: string;
  readonly line: number;
}

/** Words of a line: what stands between blanks, quotes and brackets. */
const WORDS = /[^\s"'<>|()[\]{}`,;*?=]+/g;
/** a/b.ts:12, a/b.ts:12:3, and what grep puts behind it. */
const WITH_LINE = /^((?:[A-Za-z]:[\\/])?[^:]+):(\d{1,7})(?::\d{1,5})?(?![\w.])/;
/** a/b.ts(12,3): tsc, MSBuild. */
const IN_BRACKETS = /^\((\d{1,7})(?:,\d{1,5})?\)/;
const PYTHON = /File "([^"\n]{1,1024})", line (\d{1,7})/g;
/** Longer lines are looked through up to here: finding a link must not hold up the pointer. */
const MOST_CHARACTERS = 4096;

/** In the order of their place, not overlapping. */
export function findPaths(text: string): readonly PathMention[] {
  const searched = text.slice(0, MOST_CHARACTERS);
  const found: PathMention[] = [];
  for (const { 0: whole, 1: path = '', 2: line, index } of searched.matchAll(PYTHON)) {
    found.push({ start: index, end: index + whole.length, path, line: Number(line) });
  }
  for (const { 0: word, index } of searched.matchAll(WORDS)) {
    const mention = readWord(word, index, searched);
    if (mention && !found.some((other) => mention.start < other.end && other.start < mention.end)) found.push(mention);
  }
  return found.sort((a, b) => a.start - b.start);
}

function readWord(word: string, start: number, text: string): PathMention | null {
  if (word.includes('://')) return null;
  const withLine = WITH_LINE.exec(word);
  if (withLine) {
    const [whole, path = '', line] = withLine;
    return looksLikePath(path) ? { start, end: start + whole.length, path, line: Number(line) } : null;
  }
  const behind = start + word.length;
  const inBrackets = looksLikePath(word) ? IN_BRACKETS.exec(text.slice(behind, behind + 16)) : null;
  return inBrackets && { start, end: behind + inBrackets[0].length, path: word, line: Number(inBrackets[1]) };
}

/** An extension or a folder, so that times and addresses (12:30, localhost:3000, example.com:443) are not taken for files. */
function looksLikePath(word: string): boolean {
  if (word.startsWith('//') || /^[\w.-]+\.(?:com|net|org|io|dev|local)$/i.test(word)) return false;
  return /[\\/][^\\/]+$/.test(word) || /[^.\\/]\.[A-Za-z][\w-]{0,11}$/.test(word);
}

/** The whole path of what was written in `folder`. null: it names nothing that could be opened. */
export function absolutePath(path: string, folder: string, platform: string): string | null {
  const isWindows = platform === 'win32';
  const isAbsolute = isWindows ? /^(?:[A-Za-z]:[\\/]|\\\\)/.test(path) : path.startsWith('/');
  if (isAbsolute) return path;
  const isFolderAbsolute = isWindows ? /^(?:[A-Za-z]:[\\/]|\\\\)/.test(folder) : folder.startsWith('/');
  if (!isFolderAbsolute) return null;
  const separator = isWindows ? '\\' : '/';
  const parts = folder.split(isWindows ? /[\\/]/ : '/').filter((part, at) => part !== '' || at === 0);
  for (const part of path.split(isWindows ? /[\\/]/ : '/')) {
    if (part === '..') {
      if (parts.length > 1) parts.pop();
    } else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.length === 1 && !isWindows ? '/' : parts.join(separator);
}

/** The address that a link may be opened with, as the user is to see it. null: not a web address. */
export function webAddress(uri: string): string | null {
  if (!URL.canParse(uri)) return null;
  const { protocol, href } = new URL(uri);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
