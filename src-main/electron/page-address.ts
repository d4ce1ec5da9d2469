import { contentSecurityPolicy, pageFile } from '../page-file.ts';

/** The page's own scheme: unlike file:// it has one origin, and nothing outside the built page can be read through it. */
export const SCHEME = 'app';
const HOST = 'baton';
export const PAGE_ORIGIN = `${SCHEME}://${HOST}`;

/** The page of a window speaks over its message port, not over a network. */
export const CONTENT_SECURITY_POLICY = contentSecurityPolicy("'none'");

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
  return pageFile(pathname, folder);
}
