import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { app, protocol, type Session } from 'electron';
import { PAGE_HEADERS } from '../page-file.ts';
import { CONTENT_SECURITY_POLICY, fileOf, SCHEME } from './page-address.ts';

/** Has to be called before the app is ready. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Gives the built page out under its own scheme. */
export function servePage(session: Session): void {
  const folder = join(app.getAppPath(), 'out', 'renderer');
  session.protocol.handle(SCHEME, async ({ url, method }) => {
    const file = method === 'GET' ? fileOf(url, folder) : null;
    if (file === null) return new Response(null, { status: 404 });
    try {
      return new Response(await readFile(file.path), {
        headers: {
          'content-type': file.contentType,
          'content-security-policy': CONTENT_SECURITY_POLICY,
          ...PAGE_HEADERS,
        },
      });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

/** What no page of ours needs, none gets: permissions, devices, downloads. */
export function denyEverything(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event) => event.preventDefault());
}
