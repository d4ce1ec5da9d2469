import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ErrorAnswer, HealthAnswer, LoginAnswer, PATHS, ProofAnswer, ServerFile } from '../../src-shared/http-api.ts';
import { newChallenge, proofOf, tokenIdOf } from '../../src-shared/http-proof.ts';
import { type ServerGround, serverGround } from './server.fixture.ts';

let here: ServerGround;
beforeEach(async () => {
  here = await serverGround();
});
afterEach(() => here.dispose());

const json = { 'content-type': 'application/json' };
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(here.server.url + path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });
const fileOf = () => ServerFile.parse(JSON.parse(readFileSync(here.file, 'utf8')));

it('[door-1] listens on both loopback addresses at one port, and says where in a file that only this user can read', async () => {
  const file = fileOf();
  expect(file).toMatchObject({ pid: process.pid, port: here.server.port, url: here.server.url });
  expect(statSync(here.file).mode & 0o777).toBe(0o600);
  for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
    const answer = await fetch(`http://${name}:${file.port}${PATHS.health}`);
    expect(HealthAnswer.parse(await answer.json())).toEqual({ ok: true, version: '0.0.0' });
  }
  await here.local.stop();
  expect(() => statSync(here.file)).toThrow('ENOENT');
});

it('[door-2] proves that it knows a token to whoever knows it, for the address that was dialled', async () => {
  const { key } = fileOf();
  const challenge = newChallenge();
  const ask = async () => ProofAnswer.parse(await (await post(PATHS.proof, { tokenId: await tokenIdOf(key), challenge })).json());
  const { proof } = await ask();
  expect(proof).toBe(await proofOf(key, `127.0.0.1:${here.server.port}`, challenge));
  expect(proof).not.toBe(await proofOf(key, '127.0.0.1:1', challenge));
  expect((await post(PATHS.proof, { tokenId: await tokenIdOf(newChallenge()), challenge })).status).toBe(401);
});

it('[token-1] a login code works once', async () => {
  const { code } = here.tokens.newCode();
  const clientId = randomUUID();
  const first = await post(PATHS.login, { code, clientId });
  expect(first.status).toBe(200);
  LoginAnswer.parse(await first.json());
  const again = await post(PATHS.login, { code, clientId });
  expect(again.status).toBe(401);
  expect(ErrorAnswer.parse(await again.json()).error.code).toBe('not-allowed');
});

it('[door-3] keeps the port over a restart, and takes another one where it is gone', async () => {
  const { port } = here.server;
  await here.change({ 'server.enabled': false });
  expect(here.local.address).toBeNull();
  await here.change({ 'server.enabled': true });
  expect(here.server.port).toBe(port);
  await here.change({ 'server.enabled': false });
  const other = createServer().listen(port, '::1');
  await once(other, 'listening');
  await here.change({ 'server.enabled': true });
  expect(here.server.port).not.toBe(port);
  // A port that was asked for is not silently another one.
  await here.change({ 'server.port': port });
  expect(here.local.address).toBeNull();
  expect(here.notices).toEqual([expect.stringContaining(`Port ${port}`)]);
  other.close();
  await once(other, 'close');
});

it('[token-9] whoever shows wrong tokens over and over is told to wait; who has a right one is let in all the same', async () => {
  const ask = (token: string) => fetch(`${here.server.url}/api/v1/sessions`, { headers: { authorization: `Bearer ${token}` } });
  const wrong = new Set<number>();
  // The count begins anew each minute, so that one may pass in between.
  for (let tries = 0; tries < 3_000 && !wrong.has(429); tries += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask('A'.repeat(43))));
    for (const { status } of answers) wrong.add(status);
  }
  expect(wrong).toEqual(new Set([401, 429]));
  expect((await ask(here.tokens.key)).status).toBe(200);
  expect(here.logged.filter(({ event }) => event === 'refused an attempt').length).toBeLessThan(200);
});
