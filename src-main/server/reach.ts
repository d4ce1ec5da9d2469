import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Settings } from '../../src-shared/settings.ts';
import type { Names } from './gate.ts';
import type { Encrypted } from './listen.ts';

/** How the server is reached beside loopback: by names that a tunnel or a private network gives this machine. */
export interface Reach {
  /** Lower case, with a port where it is not the usual one. */
  readonly hostNames: readonly string[];
  /** With it the server listens on every address of the machine, encrypted; null: on loopback only. */
  readonly tls: Encrypted | null;
}

/** Throws an error that names the setting at fault. */
export async function reachOf(settings: Settings): Promise<Reach> {
  const hostNames = [...new Set(settings['server.hostNames'].map((name) => name.toLowerCase()))];
  const [certificateFile, keyFile] = [settings['server.tlsCertificate'], settings['server.tlsKey']];
  if (certificateFile === '' && keyFile === '') return { hostNames, tls: null };
  if (certificateFile === '' || keyFile === '') {
    throw new Error(
      `server.${certificateFile === '' ? 'tlsCertificate' : 'tlsKey'} is empty: a certificate and its key go together.`,
    );
  }
  if (hostNames.length === 0) {
    throw new Error('server.hostNames is empty: name the hosts that the certificate is for, or remove the certificate.');
  }
  const certificate = await readNamed('server.tlsCertificate', certificateFile);
  const key = await readNamed('server.tlsKey', keyFile);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`server.tlsCertificate and server.tlsKey cannot be used together: ${reason}.`, { cause: error });
  }
  return { hostNames, tls: { port: settings['server.tlsPort'], certificate, key } };
}

/**
 * What Host may say, and the origins of pages that were loaded from there. A name beside loopback has an encrypted origin only: on
 * the way to it a page could be anybody's. A forwarded port of this machine itself has no way to be listened in on.
 */
export function namesOf(port: number, { hostNames, tls }: Reach): Names {
  const origins = new Map<string, readonly string[]>();
  for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
    const host = port === 80 ? name : `${name}:${port}`;
    origins.set(host, [`http://${host}`]);
  }
  for (const host of hostNames) {
    const withPort = tls === null || tls.port === 443 || hasPort(host) ? [host] : [host, `${host}:${tls.port}`];
    for (const each of withPort)
      origins.set(each, isLoopback(each) ? [`http://${each}`, `https://${each}`] : [`https://${each}`]);
  }
  return { origins };
}

/** Addresses that a browser elsewhere can dial; the first is the one to hand out. */
export function publicUrls({ hostNames, tls }: Reach): string[] {
  return hostNames.map((host) => {
    if (isLoopback(host)) return `http://${host}`;
    return `https://${tls === null || tls.port === 443 || hasPort(host) ? host : `${host}:${tls.port}`}`;
  });
}

async function readNamed(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${setting} cannot be read: ${reason}.`, { cause: error });
  }
}

const hasPort = (host: string) => /:\d+$/.test(host.replace(/^\[.*\]/, ''));

function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'));
}
