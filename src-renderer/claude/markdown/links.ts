/** What may become of an address that Claude wrote. */
export type Link =
  | { readonly is: 'web'; readonly url: string }
  | { readonly is: 'file'; readonly path: string; readonly line: number | undefined }
  /** Nothing to open: another scheme, or no address at all. */
  | { readonly is: 'none' };

const WEB: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);

/** Only web and mail addresses are links; a path is a file; `javascript:`, `data:`, `vscode:` and their like are text. */
export function readLink(href: string): Link {
  const trimmed = href.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return { is: 'none' };
  if (trimmed.startsWith('//')) return { is: 'none' };
  // A drive letter is no scheme.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(trimmed)?.[1];
  if (scheme !== undefined) {
    if (!URL.canParse(trimmed)) return { is: 'none' };
    const url = new URL(trimmed);
    if (WEB.has(url.protocol)) return { is: 'web', url: url.href };
    return url.protocol === 'file:' ? readPath(decode(url.pathname) + url.hash) : { is: 'none' };
  }
  return readPath(decode(trimmed));
}

/** `src/a.ts:12`, `src/a.ts#L12`, `src/a.ts#L12-L20`. */
function readPath(path: string): Link {
  const [, file = '', line] = /^(.*?)(?:(?::|#L)(\d+)(?:[-:]L?\d+)?)?$/.exec(path) ?? [];
  if (file === '' || file.includes('\u0000')) return { is: 'none' };
  return { is: 'file', path: file, line: line === undefined ? undefined : Number(line) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % is part of the name.
    return text;
  }
}
