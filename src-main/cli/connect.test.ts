import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { HealthAnswer, LOGIN_FRAGMENT, LoginAnswer, PATHS, ServerFile } from '../../src-shared/http-api.ts';
import { ClientSummary } from '../../src-shared/operations.ts';
import { newClientId } from '../engine/engine.fixture.ts';
import { batonPaths } from '../paths.ts';
import { CliGround } from './cli.fixture.ts';

let ground: CliGround;
let serverFile: string;
beforeAll(() => {
  ground = new CliGround();
  serverFile = batonPaths(ground.env).serverFile;
});
afterAll(() => ground.dispose(), 60_000);

const Clients = z.object({ clients: z.array(ClientSummary) });
const Link = z.object({ url: z.string(), expiresAt: z.string() });

/** What a page does with its code. */
async function login(link: string): Promise<number> {
  const [page = '', code] = link.split(LOGIN_FRAGMENT);
  const answer = await fetch(new URL(PATHS.login, page), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code, clientId: newClientId() }),
  });
  if (answer.ok) LoginAnswer.parse(await answer.json());
  return answer.status;
}

describe('an interface', { timeout: 60_000 }, () => {
  it('[token-1] the dashboard: starts an engine where none runs, and prints a link that works once', async () => {
    const { stdout, stderr } = await ground.run(['connect', 'dashboard', '--print']);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43}\n$/);
    expect(stderr).toContain('once');
    expect(await login(stdout.trim())).toBe(200);
    expect(await login(stdout.trim())).toBe(401);
  });

  it('the dashboard in JSON, with the time until which the link works', async () => {
    const { url, expiresAt } = Link.parse(await ground.json(['connect', 'dashboard']));
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(await login(url)).toBe(200);
  });

  it('without a display the link is printed, for there is no browser to open', async () => {
    const { code, stdout } = await ground.run(['connect', 'dashboard'], { env: { PATH: '/nowhere' } });
    expect({ code, isLink: stdout.includes(LOGIN_FRAGMENT) }).toEqual({ code: 0, isLink: true });
  });

  it('[road-2] no browser is sent to a server that cannot prove to know the key', async () => {
    const written = readFileSync(serverFile, 'utf8');
    const file = ServerFile.parse(JSON.parse(written));
    writeFileSync(serverFile, JSON.stringify({ ...file, key: 'A'.repeat(43) }));
    const { code, stdout, stderr } = await ground.run(['connect', 'dashboard', '--print']);
    writeFileSync(serverFile, written);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain('is not Baton');
  });

  it('the command line: where the engine answers', async () => {
    const status = z.object({ socket: z.string(), pid: z.int(), url: z.string(), port: z.int() });
    const { socket, pid, url } = status.parse(await ground.json(['server', 'status']));
    expect(await ground.json(['connect', 'cli'])).toMatchObject({ socket, pid, sessions: 0 });
    expect(await ground.ok(['connect', 'cli'])).toContain(socket);
    HealthAnswer.parse(await (await fetch(url + PATHS.health)).json());
  });

  it('[client-3] is listed with its clients, and closed', async () => {
    const runId = await ground.start('cat');
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('detaches');
    const followers = async () => {
      const { clients } = Clients.parse(await ground.json(['server', 'users']));
      return clients.filter(({ kind, sessions }) => kind === 'cli' && sessions.some((id) => id === runId));
    };
    await expect.poll(followers, { timeout: 20_000 }).toMatchObject([{ road: 'socket', state: 'active' }]);
    const users = await ground.run(['server', 'users']);
    expect(users.stdout).toMatch(/cli\s+socket\s+active/);
    expect(users.stdout).not.toContain('disconnected');
    expect(users.stderr).toMatch(/\d+ more (has|have) left: baton server users --all/);
    expect(await ground.ok(['server', 'users', '--all'])).toMatch(/cli\s+socket\s+disconnected/);
    expect(await ground.json(['disconnect', 'cli'])).toEqual({ disconnected: 1 });
    expect(await terminal.exit).not.toBe(0);
    expect((await ground.run(['disconnect', 'dashboard'])).stderr).toContain('None was connected');
    expect((await ground.run(['disconnect', 'window'])).code).toBe(2);
  });

  it('leaves figures behind', async () => {
    const stats = z.object({
      requests: z.array(z.object({ route: z.string(), status: z.int(), count: z.int() })),
      events: z.int(),
    });
    const { requests } = stats.parse(await ground.json(['server', 'stats']));
    expect(requests).toContainEqual({ route: `POST ${PATHS.login}`, status: 401, count: 1 });
    expect(await ground.ok(['server', 'stats'])).toMatch(/^up\s.*\nwires\s+1 socket/);
  });

  it('the dashboard is refused where the server is switched off, with the way out', async () => {
    await ground.ok(['config', 'set', 'server.enabled', 'false']);
    const refused = async () => (await ground.run(['connect', 'dashboard', '--print'])).stderr;
    await expect.poll(refused, { timeout: 20_000 }).toContain('baton config set server.enabled true');
    await ground.ok(['config', 'set', 'server.enabled']);
    expect(await ground.ok(['connect', 'dashboard', '--print'])).toContain(LOGIN_FRAGMENT);
  });
});
