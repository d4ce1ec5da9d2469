import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { RunId } from '../../src-shared/ids.ts';
import type { MachineList } from '../../src-shared/machines.ts';
import type { Command } from '../../src-shared/protocol.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { ECHO, newInputId, pty, watch } from '../engine/engine.fixture.ts';
import { RelayProcess } from '../relay/relay.fixture.ts';
import { FLOOD, SLOW_BYTES_PER_SECOND, TestLine } from '../sync/line.fixture.ts';
import { expectInvariants } from './invariants.fixture.ts';
import { MachineGround } from './machines.fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Two real engines in processes of their own and a real relay: what runs at anna's is used from ben's. */
let relay: RelayProcess;
/** Between ben's machine and the relay. */
let line: TestLine;
let anna: MachineGround;
let ben: MachineGround;
beforeAll(async () => {
  relay = new RelayProcess();
  await relay.start();
  const settings = { 'relay.url': `ws://127.0.0.1:${relay.port}` };
  [anna, ben] = await Promise.all([new MachineGround().begin('anna', settings), new MachineGround().begin('ben', settings)]);
  await anna.lets(ben);
  line = new TestLine(() => relay.port);
  const isUsed = new Promise<void>((resolve) => {
    line.onFromRelay = () => resolve();
  });
  await ben.ok(['config', 'set', 'relay.url', await line.listen()]);
  await isUsed;
  for (const ground of [anna, ben]) await ground.until(everyoneIsOnline);
});
afterAll(async () => {
  try {
    await expectInvariants([anna, ben], relay);
  } finally {
    await Promise.all([anna.dispose(), ben.dispose(), relay.dispose()]);
    await line.close();
  }
});

const everyoneIsOnline = ({ machines }: MachineList) => machines.length > 1 && machines.every(({ online }) => online);

/** Until ben's list has the session like this. */
function seen(runId: RunId, holds: (session: SessionSummary) => boolean): Promise<SessionSummary> {
  return new Promise((resolve) => {
    const look = (sessions: ReadonlyMap<RunId, SessionSummary>) => {
      const session = sessions.get(runId);
      if (session === undefined || !holds(session)) return;
      end();
      resolve(session);
    };
    const end = ben.client.onSessions(look);
    look(ben.client.sessions);
  });
}

/** A session of anna's that answers with what it is sent. */
async function echoOfAnna(): Promise<RunId> {
  const params = { inputId: newInputId(), spec: ECHO, title: 'echo' };
  const { runId } = (await anna.client.call('session.create', params)).session;
  await seen(runId, ({ remote }) => remote?.connection === 'live');
  return runId;
}

const prompt = (text: string): Command => ({ kind: 'prompt', inputId: newInputId(), content: { text, images: [] } });

async function promptsOf(ground: MachineGround, runId: RunId): Promise<string[]> {
  const page = await ground.client.call('history.read', { runId, after: undefined, limit: 1000, channels: ['run:prompt'] });
  return page.events.flatMap(({ type, payload }) =>
    type === 'queued' ? [(payload as { content: { text: string } }).content.text] : [],
  );
}

it('[where-1] [where-4] [drive-1] [drive-4] starts a terminal on another machine by the beginning of its name; what is typed here is typed there', async () => {
  const near = await ben.run(['new', '--machine', 'amna', '--json']);
  expect([near.code, near.stderr]).toEqual([4, expect.stringContaining('Did you mean anna')]);
  const created = JSON.parse(await ben.ok(['new', '--machine', 'an', '--json', '--', 'cat']));
  const runId = RunId.parse(created.runId);
  const runs = await seen(runId, ({ remote, status }) => remote?.connection === 'live' && status === 'running');
  expect(runs.machine).toBe('anna');
  expect(anna.client.sessions.get(runId)).toMatchObject({ remote: null, status: 'running' });

  const here = watch(ben.client, runId, { viewport: { cols: 91, rows: 27 } });
  const there = watch(anna.client, runId);
  await here.until(() => here.attachment?.state !== null);
  const typed = Array.from({ length: 100 }, (_, index) => `k${index}.`).join('');
  for (const key of typed) here.attachment?.keys(new TextEncoder().encode(key));
  for (const watcher of [here, there]) await watcher.until(() => watcher.text.includes('k99.'));
  // As the terminal echoes it: nothing twice, nothing out of order.
  expect(here.text.replaceAll(/[\r\n]/g, '')).toContain(typed);
  expect(there.text.split('k42.')).toHaveLength(2);
  // Whoever types decides the size, wherever that is.
  await there.until(() => there.state?.cols === 91 && there.state.rows === 27);

  await ben.ok(['close', runId]);
  await seen(runId, ({ status }) => status === 'ended');
});

it('[where-4] [drive-2] prompts, the queue and permissions of another machine are used as if they were here', async () => {
  const runId = await echoOfAnna();
  const here = watch(ben.client, runId);
  await ben.client.send(runId, prompt('may I go on'));
  await here.until(() => here.state?.permissions.length === 1);
  const queued = prompt('second');
  await ben.client.send(runId, queued);
  await ben.client.send(runId, { kind: 'prompt-edit', inputId: newInputId(), target: queued.inputId, text: 'edited' });
  expect((await ben.run(['permit', runId, 'allow'])).code).toBe(0);
  await here.until(() => here.state?.turn === null && here.state.queue.length === 0 && here.state.lastTurn?.outcome === 'done');
  await seen(runId, ({ permissions, queued: left }) => permissions === 0 && left === 0);
  expect(await promptsOf(ben, runId)).toEqual(await promptsOf(anna, runId));
});

it('[where-5] [outbox-1] what is sent while its machine is away waits, and is delivered once when it is back', async () => {
  const runId = await echoOfAnna();
  await anna.ok(['server', 'stop', '--yes']);
  await seen(runId, ({ remote }) => remote?.connection === 'away');

  const sent = await ben.run(['send', runId, 'for later', '--json']);
  expect([sent.code, JSON.parse(sent.stdout), sent.stderr]).toEqual([
    0,
    { runId, seq: null, waitsFor: 'anna' },
    expect.stringContaining('anna is out of reach'),
  ]);
  expect((await ben.client.call('outbox.list', {})).items).toMatchObject([{ runId, text: 'for later', state: 'waiting' }]);
  // What makes sense only now is refused.
  for (const verb of ['interrupt', 'close']) {
    const { code, stderr } = await ben.run([verb, runId]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('anna is out of reach')]);
  }
  // It outlives the engine that keeps it.
  await ben.restart();
  expect((await ben.client.call('outbox.list', {})).items).toMatchObject([{ runId, kind: 'prompt', state: 'waiting' }]);

  await anna.ok(['server', 'start']);
  await vi.waitFor(async () => expect((await ben.client.call('outbox.list', {})).items).toEqual([]), { timeout: 60_000 });
  const here = watch(ben.client, runId);
  await here.until(() => here.state?.lastTurn?.outcome === 'done');
  for (const ground of [anna, ben]) expect(await promptsOf(ground, runId)).toEqual(['for later']);
});

it('[where-6] a command that is sent three times over lost connections is executed once', async () => {
  const runId = await echoOfAnna();
  const once = prompt('only once');
  const first = ben.client.send(runId, once);
  await relay.kill();
  await relay.start();
  const seqs = [await first, await ben.client.send(runId, once), await ben.client.send(runId, once)];
  expect(new Set(seqs).size).toBe(1);
  expect(await promptsOf(anna, runId)).toEqual(['only once']);
});

it('[where-7] a machine that may only look is refused, and so is any other where its host allows no more', async () => {
  const runId = await echoOfAnna();
  await anna.ok(['machines', 'rights', 'ben', 'view']);
  await ben.until(({ machines }) => machines.some(({ self, rights }) => self && rights === 'view'));
  const refused = await ben.run(['send', runId, 'may not']);
  expect([refused.code, refused.stderr]).toEqual([5, expect.stringContaining('only look')]);
  await anna.ok(['machines', 'rights', 'ben', 'start']);
  await ben.until(({ machines }) => machines.some(({ self, rights }) => self && rights === 'start'));
  await anna.ok(['config', 'set', 'machines.allow', 'view']);
  expect((await ben.run(['send', runId, 'may not either'])).code).toBe(5);
  expect((await ben.run(['new', '--machine', 'anna', '--json'])).code).toBe(5);
  await anna.ok(['config', 'set', 'machines.allow', 'type']);
  expect((await ben.run(['new', '--machine', 'anna', '--json'])).code).toBe(5);
  expect((await ben.run(['send', runId, 'may'])).code).toBe(0);
  expect(await promptsOf(anna, runId)).toEqual(['may']);
});

it('[where-9] a machine knows what it may do on another before it tries, and its terminal says so', async () => {
  const { runId } = (
    await anna.client.call('session.create', {
      inputId: newInputId(),
      spec: pty('/bin/sh', ['-c', 'echo shown; read a; echo "got $a"; read b']),
      title: 'looked at',
    })
  ).session;
  const mayOnAnna = (may: string) =>
    ben.until(({ machines }) => machines.some((machine) => !machine.self && machine.may === may));
  await anna.ok(['config', 'set', 'machines.allow', 'view']);
  await mayOnAnna('view');
  await seen(runId, ({ remote }) => remote?.connection === 'live');
  const looking = ben.terminal(['attach', runId]);
  await looking.shows('[read-only: other machines may only look at what runs on anna]');
  await looking.shows('shown');
  looking.type('not heard\r\x1cd');
  expect(await looking.exit).toBe(0);
  await anna.ok(['config', 'set', 'machines.allow', 'type']);
  await mayOnAnna('type');
  await anna.ok(['machines', 'rights', 'ben', 'view']);
  await mayOnAnna('view');
  await anna.ok(['machines', 'rights', 'ben', 'start']);
  await anna.ok(['config', 'set', 'machines.allow', 'start']);
  await mayOnAnna('start');
  await ben.ok(['send', runId, 'heard']);
  await seen(runId, ({ lastSeq }) => lastSeq > 2);
  await vi.waitFor(async () => expect(await anna.ok(['log', runId])).toContain('got heard'));
});

it('[slow-1] [slow-2] [slow-3] behind a slow line a terminal of another machine is shown as it is, and says how far its log is behind', async () => {
  const params = { inputId: newInputId(), spec: pty('/bin/sh', ['-c', FLOOD]), title: 'flood' };
  const { runId } = (await anna.client.call('session.create', params)).session;
  await seen(runId, ({ remote }) => remote?.connection === 'live');
  line.slowDown(SLOW_BYTES_PER_SECOND);
  await seen(runId, ({ remote }) => remote?.connection === 'behind' && remote.behindBytes !== null);
  expect(await ben.ok(['session', runId])).toMatch(/remote +behind \d+\.\d MB, heard /);
  const here = watch(ben.client, runId);
  await here.until(() => here.state !== null);
  here.attachment?.keys(Uint8Array.of(3));
  await here.until(() => here.starts.at(-1)?.screen?.includes('stopped-here') === true);
  // What is shown is further on than the log that is here.
  expect(ben.client.sessions.get(runId)?.lastSeq).toBeLessThan(here.starts.at(-1)?.after ?? 0);
  line.mend();
  const caughtUp = await seen(runId, ({ remote }) => remote?.connection === 'live' && remote.behindBytes === null);
  await seen(runId, ({ lastSeq }) => lastSeq === anna.client.sessions.get(runId)?.lastSeq);
  expect(caughtUp.lastSeq).toBeGreaterThan(here.starts[0]?.after ?? 0);
  here.attachment?.keys(new TextEncoder().encode('after-all\n'));
  await here.until(() => here.text.split('after-all').length === 3);
  await ben.ok(['close', runId]);
  await seen(runId, ({ status }) => status === 'ended');
});
