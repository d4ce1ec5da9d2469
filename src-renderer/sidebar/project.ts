/** The home folder as paths show it. The engine's home is not told to windows; the usual places are recognised by form. */
const homePattern = /^(?:\/home\/[^/]+|\/Users\/[^/]+|\/root|[A-Za-z]:\\Users\\[^\\]+)(?=$|[/\\])/;

/** `/home/ada/code/baton` -> `~/code/baton`. */
export function shortPath(path: string): string {
  return path.replace(homePattern, '~');
}

/** The last part of a folder's path; `~` for the home folder itself. */
export function projectOf(cwd: string): string {
  const short = shortPath(cwd);
  const parts = short.split(/[/\\]/).filter((part) => part !== '');
  return parts.at(-1) ?? short;
}
