/** Paths as a shell of that platform reads them: one word each, whatever is in their names. */
export function quotePaths(paths: readonly string[], platform: string): string {
  const quote = platform === 'win32' ? quoteForWindows : quoteForPosix;
  return paths.map(quote).join(' ');
}

function quoteForPosix(path: string): string {
  // A leading ~ would be expanded; control characters (a line end!) are dropped by pasting, so they are written as escapes.
  if (/^[\w@%+=:,./-]+$/.test(path)) return path;
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(path)) return `'${path.replaceAll("'", "'\\''")}'`;
  const escaped = path
    .replace(/[\\']/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (control) => [...new TextEncoder().encode(control)].map(octal).join(''));
  return `$'${escaped}'`;
}

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** Names cannot hold quotes there. */
function quoteForWindows(path: string): string {
  return /^[\w@+=:.\\/-]+$/.test(path) ? path : `"${path}"`;
}
