import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PATHS, ServerFile, tokenSubprotocol, WIRE_SUBPROTOCOL } from '../../src-shared/http-api.ts';
import { DEFAULT_SETTINGS, Settings } from '../../src-shared/settings.ts';
import { namesOf, publicUrls, reachOf } from './reach.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

/** Writes both files; its certificate. */
function makeCertificate(certificate: string, key: string): string {
  const subject = ['-subj', '/CN=baton.example.net', '-addext', 'subjectAltName=DNS:baton.example.net'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return readFileSync(certificate, 'utf8');
}

let here: ServerGround | null = null;
afterEach(async () => {
  await here?.dispose();
  here = null;
});

const tunnel = { hostNames: ['baton.example.net', 'localhost:9000'], tls: null };

describe('[door-6] names beside loopback', () => {
  it('have encrypted origins, but for a forwarded port of this machine', () => {
    const { origins } = namesOf(8080, tunnel);
    expect(origins.get('baton.example.net')).toEqual(['https://baton.example.net']);
    expect(origins.get('localhost:9000')).toContain('http://localhost:9000');
    expect(origins.get('localhost:8080')).toEqual(['http://localhost:8080']);
    expect(origins.has('example.net')).toBe(false);
    expect(publicUrls(tunnel)).toEqual(['https://baton.example.net', 'http://localhost:9000']);
  });

  it('are written as hosts', () => {
    const fits = (name: string) => Settings.safeParse({ 'server.hostNames': [name] }).success;
    expect(['laptop', 'a.b.net:8443', '10.0.0.2', '[fd00::1]:80'].filter((name) => !fits(name))).toEqual([]);
    expect(['', '*', 'http://a', 'a/b', 'a b', 'a:', '.a'].filter(fits)).toEqual([]);
  });

  it('are answered to, others are not', async () => {
    here = await serverGround({ 'server.hostNames': ['baton.example.net'] });
    const { port } = here.server;
    const status = (host: string, origin?: string) =>
      new Promise((resolve, reject) => {
        const headers = { host, ...(origin === undefined ? {} : { origin }), connection: 'close' };
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        const socket = connect(port, '127.0.0.1', () => socket.write(`GET ${PATHS.health} HTTP/1.1\r\n${lines.join('')}\r\n`));
        socket.once('data', (data) => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(data.toString())?.[1])));
        socket.once('error', reject);
      });
    expect(await status('baton.example.net')).toBe(200);
    expect(await status('baton.example.net', 'https://baton.example.net')).toBe(200);
    expect(await status('baton.example.net', 'http://baton.example.net')).toBe(403);
    expect(await status('baton.example.net', `http://127.0.0.1:${port}`)).toBe(403);
    expect(await status('evil.example.net')).toBe(403);
    expect(await status('baton.example.net.evil.net')).toBe(403);
  });
});

describe.skipIf(spawnSync('openssl', ['version']).status !== 0)('[door-6] a certificate', () => {
  const withCertificate = async () => {
    here = await serverGround();
    const folder = join(here.file, '..');
    const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    makeCertificate(certificate, key);
    return { here, certificate, key, settings: { 'server.tlsCertificate': certificate, 'server.tlsKey': key } };
  };

  it('lets other machines in over an encrypted way, behind the same gate', async () => {
    const { here, certificate, settings } = await withCertificate();
    const port = await freePort();
    await here.change({ ...settings, 'server.hostNames': ['baton.example.net'], 'server.tlsPort': port });
    expect(here.notices).toEqual([]);
    expect(here.server.publicUrls).toEqual([`https://baton.example.net:${port}`]);
    let ca = readFileSync(certificate, 'utf8');
    const lookup: LookupFunction = (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]);
    const status = (host: string, path: string = PATHS.health) =>
      new Promise((resolve, reject) => {
        const options = { host: 'baton.example.net', port, path, ca, lookup, headers: { host }, agent: false };
        request(options, (answer) => resolve(answer.resume().statusCode))
          .once('error', reject)
          .end();
      });
    expect(await status(`baton.example.net:${port}`)).toBe(200);
    expect(await status(`baton.example.net:${port}`, '/api/v1/sessions')).toBe(401);
    expect(await status(`127.0.0.1:${port}`)).toBe(403);
    const { key } = ServerFile.parse(JSON.parse(readFileSync(here.file, 'utf8')));
    const protocols = [WIRE_SUBPROTOCOL, tokenSubprotocol(key)];
    const socket = new WebSocket(`wss://baton.example.net:${port}${PATHS.wire}`, protocols, { ca, lookup });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    // Renewed while somebody is connected: who comes from then on sees the new one.
    const before = socket.readyState;
    const renewed = makeCertificate(settings['server.tlsCertificate'], settings['server.tlsKey']);
    await here.local.follow();
    await expect(status(`baton.example.net:${port}`)).rejects.toThrow('certificate');
    ca = renewed;
    expect(await status(`baton.example.net:${port}`)).toBe(200);
    expect([before, socket.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
    writeFileSync(settings['server.tlsKey'], 'half of it');
    await here.local.follow();
    expect(await status(`baton.example.net:${port}`)).toBe(200);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
    await here.change({ 'server.tlsCertificate': '', 'server.tlsKey': '' });
    await expect(status(`baton.example.net:${port}`)).rejects.toThrow('ECONNREFUSED');
  });

  it('that does not do is named, and the server stays off the network', async () => {
    const { here, certificate, settings } = await withCertificate();
    await here.change({ ...settings, 'server.hostNames': [] });
    await here.change({ ...settings, 'server.hostNames': ['a.net'], 'server.tlsKey': '' });
    await here.change({ ...settings, 'server.hostNames': ['a.net'], 'server.tlsKey': certificate });
    await here.change({ ...settings, 'server.hostNames': ['a.net'], 'server.tlsKey': '/nowhere/key.pem' });
    for (const [at, named] of ['server.hostNames', 'server.tlsKey', 'server.tlsKey', '/nowhere/key.pem'].entries()) {
      expect(here.notices[at]).toContain(named);
    }
    expect(here.local.address).toBeNull();
    await expect(reachOf(DEFAULT_SETTINGS)).resolves.toEqual({ hostNames: [], tls: null });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
