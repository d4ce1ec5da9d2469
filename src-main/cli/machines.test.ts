import { chmodSync, readFileSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MachineList } from '../../src-shared/machines.ts';
import type { Settings } from '../../src-shared/settings.ts';
import { newInputId } from '../engine/engine.fixture.ts';
import { RelayProcess } from '../relay/relay.fixture.ts';
import { MachineGround } from './machines.fixture.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Real engines, each with a folder of its own, and a real relay; everything through the command line. */
let relay: RelayProcess;
let grounds: MachineGround[] = [];
beforeEach(async () => {
  relay = new RelayProcess();
  await relay.start();
});
afterEach(async () => {
  await Promise.all(grounds.map((ground) => ground.dispose()));
  grounds = [];
  await relay.dispose();
});

const relayUrl = () => `ws://127.0.0.1:${relay.port}`;

async function machine(name: string, settings: Partial<Settings> = { 'relay.url': relayUrl() }) {
  const ground = new MachineGround();
  grounds.push(ground);
  return await ground.begin(name, settings);
}

const names = (ground: MachineGround) => ground.listed().then(({ machines }) => machines.map(({ name }) => name));
const everyoneIsOnline = ({ machines }: MachineList) => machines.length > 1 && machines.every(({ online }) => online);

describe('pairing', () => {
  it('[pair-1] [machine-1] lets a machine in that shows the same digits: both list each other, and the keys are for the user alone', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben', {})]);
    const listed = await anna.json(['machines']);
    expect(listed).toMatchObject({ workspace: null, machines: [], relay: { state: 'off' } });
    const digits = await anna.lets(ben, '--rights', 'type');
    expect(digits).toMatch(/^\d{6}$/);
    const atAnna = await anna.until(everyoneIsOnline);
    const atBen = await ben.until(everyoneIsOnline);
    expect(atAnna.machines).toMatchObject([
      { name: 'anna', self: true, rights: 'start' },
      { name: 'ben', self: false, rights: 'type' },
    ]);
    expect(atBen.machines).toMatchObject([{ name: 'ben', self: true }, { name: 'anna' }]);
    expect(atBen.workspace?.id).toBe(atAnna.workspace?.id);
    // The address in the code has become the newcomer's relay.
    expect((await ben.ok(['config', 'get', 'relay.url'])).trim()).toBe(relayUrl());
    for (const ground of [anna, ben]) {
      const file = join(ground.home, 'b', 'data', 'machine-keys.json');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const { secret } = JSON.parse(readFileSync(file, 'utf8')) as { secret: { bytes: string } };
      expect(readFileSync(join(ground.home, 'b', 'data', 'baton.db')).includes(secret.bytes.slice(0, 64))).toBe(false);
    }
    // A machine that may not start sessions may not let others in either.
    const { code, stderr } = await ben.run(['pair', '--json']);
    expect([code, stderr]).toEqual([5, expect.stringContaining('may not add others')]);
  });

  it('[pair-1] takes digits in the place of a yes, and lets nobody in when they are others', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben')]);
    const wrong = anna.verb('pair', '--json', '--confirm', '1');
    const refused = ben.verb('join', String((await wrong.next()).code), '--json');
    await refused.next();
    expect(await Promise.all([wrong.exit, refused.exit])).toEqual([5, 5]);
    expect(wrong.stderr).toContain('The digits differ');
    expect(refused.stderr).toContain('not let in');
    expect(await names(anna)).toEqual(['anna']);
    expect((await ben.listed()).workspace).toBeNull();
    // The same machine may try again, as somebody new. The yes may come from another terminal.
    const pair = anna.verb('pair', '--json');
    const join = ben.verb('join', String((await pair.next()).code), '--json');
    const [{ digits }] = await Promise.all([pair.next(), join.next()]);
    await anna.ok(['pair', '--confirm', String(digits)]);
    expect(await Promise.all([pair.exit, join.exit])).toEqual([0, 0]);
    expect(await names(anna)).toEqual(['anna', 'ben']);
  });

  it('[pair-5] tells the newcomer when the person says no, and what is wrong with a code', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben')]);
    const pair = anna.verb('pair', '--json');
    const { code } = await pair.next();
    const mistyped = await ben.run(['join', `${String(code).slice(0, -1)}`]);
    expect([mistyped.code, mistyped.stderr]).toEqual([2, expect.stringContaining('This is no code')]);
    const newcomer = ben.verb('join', String(code), '--json');
    await Promise.all([pair.next(), newcomer.next()]);
    pair.say('n');
    expect(await Promise.all([pair.exit, newcomer.exit])).toEqual([5, 5]);
    expect(newcomer.stderr).toContain('The machine was not let in');
    // A code serves once.
    const again = await ben.run(['join', String(code)]);
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining('No machine waits under this code')]);
  });

  it('says what is missing where there is no relay, and where it cannot be reached', async () => {
    const anna = await machine('anna', {});
    const none = await anna.run(['pair']);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('baton relay start')]);
    const away = await anna.run(['join', '00000-00000-00000-00000-000000@127.0.0.1:1']);
    expect(away.code).not.toBe(0);
  });
});

describe('a workspace', () => {
  it('[machine-2] [machine-3] is renamed, given rights and revoked: who was revoked is cut off at once, keeps what it has and says so', async () => {
    const [anna, ben, cleo] = await Promise.all([machine('anna'), machine('ben'), machine('cleo')]);
    await anna.lets(ben);
    await ben.lets(cleo, '--rights', 'view');
    for (const ground of [anna, ben, cleo]) await ground.until(({ machines }) => machines.length === 3);

    await anna.ok(['machines', 'rename', 'cleo', 'Cleopatra']);
    for (const ground of [anna, ben]) await ground.until(({ machines }) => machines.some(({ name }) => name === 'Cleopatra'));
    await cleo.until(({ machines }) => machines[0]?.name === 'Cleopatra');
    await vi.waitFor(async () => {
      expect((await cleo.client.call('settings.get', {})).settings['machine.name']).toBe('Cleopatra');
    });
    // And the other way round: it calls itself something else.
    await cleo.ok(['config', 'set', 'machine.name', 'cleo']);
    await anna.until(({ machines }) => machines.some(({ name }) => name === 'cleo'));

    await ben.ok(['machines', 'rights', 'cleo', 'type']);
    await anna.until(({ machines }) => machines.some(({ name, rights }) => name === 'cleo' && rights === 'type'));
    const may = await cleo.run(['machines', 'rights', 'anna', 'view']);
    expect([may.code, may.stderr]).toEqual([5, expect.stringContaining('may not change')]);

    const runId = await anna.start('read x');
    await vi.waitFor(async () => expect(await cleo.ok(['list'])).toContain(runId.slice(-8)), { timeout: 60_000 });
    await anna.ok(['machines', 'revoke', 'cleo']);
    for (const ground of [anna, ben]) await ground.until(({ machines }) => machines.length === 2);
    const out = await cleo.until(({ relay: { state } }) => state === 'refused');
    expect(out.relay.why).toContain('removed');
    // What would never arrive is not kept for later.
    const sent = await cleo.run(['send', runId, 'hello']);
    expect(sent.code).not.toBe(0);
    expect(sent.stderr).not.toContain('is kept here');
    expect((await ben.run(['machines', 'revoke', 'ben'])).stderr).toContain('does not remove itself');
    await cleo.restart();
    await cleo.until(({ relay: { why } }) => why?.includes('removed') === true);
    // It can be let in anew, as somebody else.
    const before = out.machines[0]?.machineId;
    await ben.lets(cleo);
    const back = await cleo.until(everyoneIsOnline);
    expect(back.machines[0]?.machineId).not.toBe(before);
    expect(back.machines).toHaveLength(3);
  });

  it('[machine-4] goes on after restarts of machines and relay, and gives a relay that lost its disk everything again', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben')]);
    await anna.lets(ben);
    const { workspace } = await anna.until(everyoneIsOnline);
    await ben.restart();
    await ben.until(everyoneIsOnline);

    await relay.kill();
    await anna.until(({ relay: { state } }) => state !== 'live');
    await relay.start();
    await anna.until(everyoneIsOnline);

    await Promise.all([anna, ben].map((ground) => ground.ok(['server', 'stop', '--yes'])));
    await relay.kill();
    for (const file of ['relay.db', 'relay.db-wal', 'relay.db-shm']) rmSync(join(relay.folder, file), { force: true });
    await relay.start();
    for (const ground of [anna, ben]) await ground.ok(['server', 'start']);
    const again = await anna.until(everyoneIsOnline);
    expect(again.workspace?.id).toBe(workspace?.id);
    await ben.until(everyoneIsOnline);
  });

  it('[machine-5] leaves: its keys are gone, and it is in no workspace', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben')]);
    await anna.lets(ben);
    expect((await ben.run(['join', '00000-00000-00000-00000-000000'])).code).not.toBe(0);
    await ben.ok(['machines', 'leave']);
    expect((await ben.listed()).workspace).toBeNull();
    expect(() => statSync(join(ben.home, 'b', 'data', 'machine-keys.json'))).toThrow();
    await anna.until(({ machines }) => machines.some(({ name, online }) => name === 'ben' && !online));
    await ben.restart();
    expect((await ben.listed()).workspace).toBeNull();
    await anna.ok(['machines', 'revoke', 'ben']);
    await anna.lets(ben);
    expect(await names(anna)).toEqual(['anna', 'ben']);
  });
});

it('[machine-1] keeps keys sealed with a passphrase: locked after a start until it is given', async () => {
  const [anna, ben] = await Promise.all([machine('anna'), machine('ben')]);
  await ben.ok(['config', 'set', 'machines.keyProtection', 'passphrase']);
  const pair = anna.verb('pair', '--json');
  const { code } = await pair.next();
  const without = await ben.run(['join', String(code)]);
  expect(without.stderr).toContain('baton machines unlock');
  pair.child.kill('SIGINT');
  expect(await pair.exit).toBe(130);
  await ben.ok(['machines', 'unlock'], { input: 'open sesame\n' });
  await anna.lets(ben);
  expect((await ben.listed()).workspace?.keys).toBe('passphrase');
  expect(readFileSync(join(ben.home, 'b', 'data', 'machine-keys.json'), 'utf8')).not.toContain('plain');
  await ben.restart();
  await ben.until(({ relay: { state, why } }) => state === 'refused' && why?.includes('passphrase') === true);
  expect((await ben.run(['machines', 'unlock'], { input: 'wrong' })).code).toBe(5);
  await ben.ok(['machines', 'unlock'], { input: 'open sesame\n' });
  await ben.until(everyoneIsOnline);
});

it('[embedded-1] runs a relay inside the engine that others meet at, and starts it again when it dies', async () => {
  const [anna, ben] = await Promise.all([machine('anna', { 'relay.port': 0, 'relay.announce': false }), machine('ben', {})]);
  const started = (await anna.json(['relay', 'start'])) as { embedded: { running: boolean; address: string } };
  expect(started.embedded).toMatchObject({ running: true, address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  await anna.lets(ben);
  await anna.until(everyoneIsOnline);
  await anna.restart();
  await ben.until(({ machines }) => machines.length === 2);
  await anna.ok(['relay', 'stop']);
  expect((await anna.listed()).relay).toMatchObject({ state: 'off', url: null });
});

const isOnNetwork = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ internal, family }) => !internal && family === 'IPv4'),
);

it.runIf(isOnNetwork)(
  '[embedded-3] finds the relay of its workspace on the local network when its address is another one',
  async () => {
    const [anna, ben] = await Promise.all([machine('anna', { 'relay.port': 0, 'relay.host': '0.0.0.0' }), machine('ben', {})]);
    await anna.ok(['relay', 'start']);
    await anna.lets(ben);
    const before = await ben.until(everyoneIsOnline);
    expect(before.relay).toMatchObject({ lan: true, url: expect.not.stringContaining('127.0.0.1') });
    // Where it is now nobody has told the other machine.
    await anna.ok(['relay', 'stop']);
    await ben.until(({ relay: { state } }) => state === 'lost');
    await anna.ok(['relay', 'start']);
    const after = await ben.until(everyoneIsOnline);
    expect(after.relay.url).not.toBe(before.relay.url);
    expect((await ben.client.call('settings.get', {})).settings['relay.url']).toBe(before.relay.url);
  },
);

describe('documents', () => {
  it('[doc-1] [doc-6] what is written on one machine, before and after it has others, is on the other', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben', {})]);
    const spec = { kind: 'echo', cwd: anna.home } as const;
    const { session } = await anna.client.call('session.create', { inputId: newInputId(), spec, title: null });
    await anna.client.call('session.rename', { runId: session.runId, title: 'named before' });
    await anna.lets(ben);
    const { runId } = session;
    const atBen = () => ben.client.sessions.get(runId)?.title;
    await vi.waitFor(() => expect(atBen()).toBe('named before'), { timeout: 30_000 });
    await anna.ok(['rename', session.runId, 'named after']);
    await vi.waitFor(() => expect(atBen()).toBe('named after'), { timeout: 30_000 });
    await ben.client.call('notes.set', { runId, text: 'from ben' });
    const notes = async () => (await anna.client.call('notes.get', { runId })).text;
    await vi.waitFor(async () => expect(await notes()).toBe('from ben'), { timeout: 30_000 });
    await ben.restart();
    await relay.kill();
    await anna.ok(['rename', session.runId, 'named apart']);
    await relay.start();
    await vi.waitFor(() => expect(atBen()).toBe('named apart'), { timeout: 60_000 });
  });
});

describe('what is wrong between machines', () => {
  const checksOf = async (ground: MachineGround) => {
    const { stdout } = await ground.run(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string; message: string; fix: string | null }[] };
    return new Map(checks.map((check) => [check.name, check]));
  };

  it('[machine-10] [machine-11] [view-1] is said by doctor with a way out; without a relay a machine does not guess how the others are', async () => {
    const [anna, ben] = await Promise.all([machine('anna'), machine('ben', {})]);
    expect((await checksOf(anna)).get('workspace')).toMatchObject({ state: 'ok', message: expect.stringContaining('in none') });
    await anna.lets(ben);
    await anna.until(everyoneIsOnline);
    const file = join(anna.home, 'b', 'data', 'machine-keys.json');
    chmodSync(file, 0o644);
    const before = await checksOf(anna);
    expect(before.get('machines')).toMatchObject({ state: 'ok', message: 'ben (online).' });
    expect(before.get('relay')).toMatchObject({ state: 'ok', message: expect.stringMatching(/version \d.* is connected/) });
    expect(before.get('clock')?.state).toBe('ok');
    expect(before.get('keys')).toMatchObject({ state: 'bad', message: expect.stringContaining('644'), fix: expect.anything() });
    // What stood open was closed by that.
    expect((await checksOf(anna)).get('keys')?.state).toBe('ok');

    const runId = await ben.start('read x');
    await vi.waitFor(async () => expect(await anna.ok(['list'])).toContain(runId.slice(-8)), { timeout: 60_000 });
    expect(await anna.ok(['list'])).toMatch(/MACHINE[\s\S]*running +ben /);
    await relay.kill('SIGKILL');
    const { machines: cut } = await anna.until(({ relay: { state } }) => state !== 'live');
    expect(cut).toMatchObject([
      { name: 'anna', online: false, lastSeen: null },
      { name: 'ben', online: false, state: 'unknown', lastSeen: expect.any(String) },
    ]);
    const shown = await anna.ok(['machines']);
    expect(shown).toMatch(/anna \(this one\)\s+not connected/);
    expect(shown).toMatch(/ben\s+unknown, seen \d+s ago/);
    expect(await anna.ok(['list'])).toContain('ben (away)');
    expect((await checksOf(anna)).get('relay')?.message).toMatch(/nothing listens at 127\.0\.0\.1:\d+/);
    expect((await checksOf(anna)).get('relay')).toMatchObject({
      state: 'bad',
      message: expect.stringContaining('does not answer'),
    });
  });
});
