import { extname, join, normalize, sep } from 'node:path';

/** The page's own scheme: unlike file:// it has one origin, and nothing outside the built page can be read through it. */
export const SCHEME = 'app';
const HOST = 'baton';
export const PAGE_ORIGIN = `${SCHEME}://${HOST}`;

/**
 * Only what the page is built from. Inline styles: Radix, xterm and dockview set them at run time. `connect-src`: the page speaks
 * over its message port, not over a network.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "media-src 'self'",
  "worker-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** The address of a window's page. `window` tells windows apart that share the page's storage. */
export function pageAddress(window: string, devServer: string | undefined): string {
  return `${devServer ?? PAGE_ORIGIN}/index.html?window=${encodeURIComponent(window)}`;
}

/** A page of ours, and nothing else, may speak to the main process. */
export function isOurPage(address: string, devServer: string | undefined): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, host, origin } = new URL(address);
  if (protocol === `${SCHEME}:`) return host === HOST;
  return devServer !== undefined && origin === new URL(devServer).origin;
}

/** The file below `folder` that an address of our scheme names; null: none may be given. */
export function fileOf(address: string, folder: string): { path: string; contentType: string } | null {
  if (!URL.canParse(address)) return null;
  const { protocol, host, pathname } = new URL(address);
  if (protocol !== `${SCHEME}:` || host !== HOST) return null;
  let name: string;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  const path = normalize(join(folder, name));
  const contentType = CONTENT_TYPES[extname(path)];
  if (!path.startsWith(normalize(folder) + sep) || /[\0\\]/.test(name) || contentType === undefined) return null;
  return { path, contentType };
}
