import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunId } from '../../src-shared/ids.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { newInputId, pty, type Watcher, watch } from '../engine/engine.fixture.ts';
import { RelayProcess } from '../relay/relay.fixture.ts';
import { MachineGround } from './machines.fixture.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Two machines of one user: engines in processes of their own, and a real relay between them. */
let relay: RelayProcess;
let anna: MachineGround;
let ben: MachineGround;
beforeAll(async () => {
  relay = new RelayProcess();
  await relay.start();
  const settings = { 'relay.url': `ws://127.0.0.1:${relay.port}` };
  [anna, ben] = await Promise.all([new MachineGround().begin('anna', settings), new MachineGround().begin('ben', settings)]);
  await anna.lets(ben);
});
afterAll(async () => {
  await Promise.all([anna.dispose(), ben.dispose()]);
  await relay.dispose();
});

/** Waits until a machine knows this of a session. */
function known(ground: MachineGround, runId: RunId, holds: (session: SessionSummary) => boolean = () => true): Promise<void> {
  return new Promise((resolve) => {
    let end = () => {};
    const look = () => {
      const session = ground.client.sessions.get(runId);
      if (session === undefined || !holds(session)) return;
      end();
      resolve();
    };
    end = ground.client.onSessions(look);
    look();
  });
}
const isLive = ({ remote }: SessionSummary) => remote?.connection === 'live';
const isAway = ({ remote }: SessionSummary) => remote?.connection === 'away';
const prompt = (text: string) => ({ kind: 'prompt' as const, inputId: newInputId(), content: { text, images: [] } });
const queuedIn = ({ events }: Watcher) => events.filter(({ channel, type }) => channel === 'run:prompt' && type === 'queued');

it('[drive-1] [drive-4] a terminal is started on another machine, typed into, and echoes here', async () => {
  await ben.until(({ machines }) => machines.every(({ online }) => online));
  const machineId = (await ben.listed()).machines.find(({ self }) => !self)?.machineId;
  const spec = pty('/bin/sh', ['-c', 'printf ready; exec cat']);
  const { session } = await ben.client.call('session.create', { inputId: newInputId(), spec, title: null, machineId });
  expect(session).toMatchObject({ machine: 'anna', machineId });
  expect(anna.client.sessions.has(session.runId)).toBe(true);
  const there = watch(ben.client, session.runId, { viewport: { cols: 91, rows: 31 } });
  await there.until(() => there.text.includes('ready'));
  there.attachment?.keys(Buffer.from('hello from ben\r'));
  await there.until(() => there.text.split('hello from ben').length === 3);
  await there.until(() => there.state?.cols === 91);
});

it('[drive-2] a prompt and the answer to its permission request come from another machine', async () => {
  const { session } = await anna.client.call('session.create', {
    inputId: newInputId(),
    spec: { kind: 'echo', cwd: '/' },
    title: null,
  });
  await known(ben, session.runId, isLive);
  const there = watch(ben.client, session.runId);
  await ben.client.send(session.runId, prompt('may I speak'));
  await there.until(() => there.state?.permissions.length === 1);
  const requestId = there.state?.permissions[0]?.asked.requestId ?? '';
  await ben.client.send(session.runId, { kind: 'permission', inputId: newInputId(), requestId, decision: 'allow', reason: null });
  await there.until(() => there.events.some(({ channel, type }) => channel === 'run:turn' && type === 'ended'));
});

it('[outbox-1] what is sent while its machine is off waits over a restart of this one, and arrives once', async () => {
  const { session } = await anna.client.call('session.create', {
    inputId: newInputId(),
    spec: { kind: 'echo', cwd: '/' },
    title: null,
  });
  const { runId } = session;
  await known(ben, runId, isLive);
  await anna.ok(['server', 'stop', '--yes']);
  await known(ben, runId, isAway);
  const told = await ben.run(['send', runId, 'for later']);
  expect([told.code, told.stderr]).toEqual([0, expect.stringContaining('anna is out of reach')]);
  for (const verb of ['interrupt', 'close']) {
    const { code, stderr } = await ben.run([verb, runId]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('anna is out of reach')]);
  }
  await ben.restart();
  const { items } = await ben.client.call('outbox.list', {});
  expect(items).toMatchObject([{ runId, kind: 'prompt', text: 'for later', state: 'waiting' }]);
  await anna.ok(['server', 'start']);
  await anna.client.ready();
  const here = watch(anna.client, runId);
  await here.until(() => queuedIn(here).length === 1);
  await expect.poll(async () => (await ben.client.call('outbox.list', {})).items).toEqual([]);
  const there = watch(ben.client, runId);
  await there.until(() => there.events.some(({ channel, type }) => channel === 'run:turn' && type === 'ended'));
  expect([queuedIn(here).length, queuedIn(there).length]).toEqual([1, 1]);
});
