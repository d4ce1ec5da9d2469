import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { CliGround } from './cli.fixture.ts';

let ground: CliGround;
beforeAll(() => {
  ground = new CliGround();
});
afterAll(() => ground.dispose(), 60_000);

const NewSession = z.strictObject({ runId: z.uuid() });
const Session = z.object({
  runId: z.uuid(),
  kind: z.string(),
  status: z.string(),
  title: z.string(),
  cwd: z.string(),
  machine: z.string(),
  epoch: z.int(),
  lastSeq: z.int(),
  createdAt: z.string().check(z.regex(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)),
});
const Sessions = z.strictObject({ sessions: z.array(Session) });
const Line = z.strictObject({
  runId: z.uuid(),
  seq: z.int(),
  epoch: z.int(),
  ts: z.int(),
  channel: z.string(),
  type: z.string(),
  payload: z.unknown(),
});
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => Line.parse(JSON.parse(line)));

describe('without a server', { timeout: 60_000 }, () => {
  it.each([['list'], ['session', 'x'], ['log', 'x'], ['send', 'x', 'y'], ['close', 'x'], ['search', 'x'], ['server', 'stop']])(
    '%s %s says so with code 3',
    async (...args) => {
      const { code, stdout, stderr } = await ground.run(args);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('baton server start');
    },
  );

  it('server status tells it in JSON too', async () => {
    const { code, stdout } = await ground.run(['server', 'status', '--json']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ running: false, pid: null });
  });

  it('help, version and usage need none', async () => {
    expect(await ground.ok(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(await ground.ok([])).toContain('Usage: baton');
    expect(await ground.ok(['help', 'attach'])).toContain('--detach-keys');
    for (const args of [['nosuchverb'], ['list', '--nosuch'], ['wait', '--for', 'ever'], ['attach', '--detach-keys', 'd']]) {
      expect((await ground.run(args)).code).toBe(2);
    }
    expect((await ground.run(['attach'])).code).toBe(2);
  });
});

describe('started by hand', { timeout: 60_000 }, () => {
  it('answers over HTTP too by the time it says that it runs', async () => {
    const fresh = new CliGround();
    try {
      const started = z.object({ port: z.int(), url: z.url() }).parse(await fresh.json(['server', 'start']));
      expect(await fresh.json(['server', 'status'])).toMatchObject(started);
      expect(await fresh.ok(['server', 'status'])).toContain('0 sessions, 0 running; 1 client;');
    } finally {
      await fresh.dispose();
    }
  });
});

describe('with a server', { timeout: 120_000 }, () => {
  it('new starts one; it goes on when the command has ended', async () => {
    const { runId } = NewSession.parse(await ground.json(['new', '--title', 'first']));
    const status = z.object({ running: z.literal(true), pid: z.int(), version: z.string(), socket: z.string() });
    const { pid } = status.parse(await ground.json(['server', 'status']));
    expect(status.parse(await ground.json(['server', 'start'])).pid).toBe(pid);
    const { sessions } = Sessions.parse(await ground.json(['list']));
    expect(sessions).toMatchObject([{ runId, kind: 'pty', title: 'first', cwd: ground.home, epoch: 1 }]);
    expect(Session.parse(await ground.json(['server', 'session', 'first']))).toMatchObject({ runId });
    // Elsewhere there is always a screen, and a window would open.
    if (process.platform === 'linux') await ground.terminal([]).shows(/running.*first/);
    await ground.ok(['close', 'first']);
  });

  it('[doc-10] finds sessions by parts of their id and by title, and suggests near ones', async () => {
    const runId = await ground.start('read line');
    await ground.ok(['rename', runId, 'the build']);
    for (const name of [runId, runId.slice(-6), 'the build', 'The Build', '-']) {
      expect(await ground.json(['session', name])).toMatchObject({ runId });
    }
    expect(await ground.ok(['list'])).toContain(runId.slice(-8));
    const unknown = await ground.run(['session', 'the bild']);
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain(`${runId.slice(-8)} (the build)`);
    const inside = await ground.run(['session', '--json'], { env: { BATON_SESSION_ID: runId } });
    expect(JSON.parse(inside.stdout)).toMatchObject({ runId });
    const { hits } = (await ground.json(['search', 'HE BUI'])) as { hits: unknown[] };
    expect(hits[0]).toMatchObject({ runId, channel: 'title', before: 't', match: 'he bui', after: 'ld' });
    expect(await ground.ok(['search', 'build'])).toMatch(/title +the build/);
    await ground.ok(['rename', runId]);
    expect((await ground.run(['search', 'the build'])).code).toBe(1);
    expect(await ground.json(['session', runId])).toMatchObject({ title: 'sh -c read line' });
    await ground.ok(['close', runId]);
  });

  it('logs output as text, whole characters only, and what is not UTF-8 as base64', async () => {
    const runId = await ground.start(
      String.raw`stty -echo; printf '<'; read go; printf 'caf\303'; read go; printf '\251 \360\237'; read go; printf '\230\200'; read go; printf '\377\376'`,
    );
    const read = async () => lines(await ground.ok(['log', runId, '--json'])).filter(({ channel }) => channel === 'pty:stdout');
    const text = async () => (await read()).map(({ payload }) => (typeof payload === 'string' ? payload : '')).join('');
    for (const seen of ['<', '<caf', '<café ', '<café 😀']) {
      await expect.poll(text, { timeout: 30_000 }).toBe(seen);
      await ground.ok(['send', runId, '']);
    }
    await ground.ok(['wait', runId]);
    const Raw = z.object({ base64: z.string() });
    const raw = (await read()).flatMap(({ payload }) =>
      typeof payload === 'string' ? [] : [Buffer.from(Raw.parse(payload).base64, 'base64')],
    );
    expect(Buffer.concat(raw)).toEqual(Buffer.of(0xff, 0xfe));
  });

  it('goes on after an event, and follows until the end', async () => {
    const runId = await ground.start('echo one; read line; echo "two $line"; exit 4');
    const following = ground.run(['log', runId, '--json', '--follow']);
    await ground.ok(['send', runId, 'hällo']);
    const events = lines((await following).stdout);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    expect(events.at(-1)).toMatchObject({ channel: 'system:status', type: 'exited', payload: { exitCode: 4 } });
    const later = lines(await ground.ok(['log', runId, '--json', '--after', '2']));
    expect(later).toEqual(events.slice(2));
    expect(await ground.ok(['log', runId])).toMatch(/^one\n(hällo\n)?two hällo\n$/);
    expect((await ground.ok(['log', runId, '--after', '999'])).trim()).toBe('');
  });

  it('follows a flood without a hole', async () => {
    const runId = await ground.start('read go; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo "line $i of the flood"; done');
    const following = ground.run(['log', runId, '--follow', '--json']);
    await ground.ok(['send', runId, '']);
    const events = lines((await following).stdout);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    const text = events.map(({ payload, channel }) => (channel === 'pty:stdout' ? payload : '')).join('');
    expect(text.match(/line \d+ of the flood/g)).toHaveLength(30_000);
  });

  it('sends bytes as they are', async () => {
    const runId = await ground.start('stty raw -echo; echo ready; dd bs=1 count=4 2>/dev/null | od -An -tx1');
    await expect.poll(() => ground.ok(['log', runId]), { timeout: 30_000 }).toContain('ready');
    await ground.ok(['send', runId, '--raw'], { input: Uint8Array.of(0, 0xff, 0x1b, 0x0a) });
    await ground.ok(['wait', runId]);
    expect(await ground.ok(['log', runId])).toContain('00 ff 1b 0a');
    const late = await ground.run(['send', runId, 'anybody?']);
    expect(late.code).toBe(6);
  });

  it('waits for quiet and for the end, and gives up', async () => {
    const runId = await ground.start('echo busy; read line; exit 9');
    await ground.ok(['wait', runId, '--for', 'idle']);
    const inVain = await ground.run(['wait', runId, '--timeout', '50ms']);
    expect(inVain.code).toBe(7);
    await ground.ok(['send', runId, 'go']);
    expect(await ground.json(['wait', runId, '--for', 'exit'])).toMatchObject({ runId, status: 'ended', exitCode: 9 });
    expect((await ground.run(['wait', runId, '--for', 'permission'])).code).toBe(2);
  });

  it('interrupts', async () => {
    const runId = await ground.start('trap "exit 11" INT; echo ready; while :; do read line; done');
    await expect.poll(() => ground.ok(['log', runId]), { timeout: 30_000 }).toContain('ready');
    await ground.ok(['interrupt', runId]);
    expect(await ground.json(['wait', runId])).toMatchObject({ exitCode: 11 });
  });

  it('searches; as with grep, code 1 says that there is nothing', async () => {
    const runId = await ground.start('echo a needle in a haystack');
    await ground.ok(['wait', runId]);
    const hits = z.object({ hits: z.array(z.object({ runId: z.uuid(), match: z.string() })) });
    await expect
      .poll(async () => hits.parse(JSON.parse((await ground.run(['search', 'needle in a hay', '--json'])).stdout)).hits, {
        timeout: 30_000,
      })
      .toContainEqual(expect.objectContaining({ runId }));
    expect((await ground.run(['search', 'nosuchwordanywhere'])).code).toBe(1);
  });

  it('reads and changes settings', async () => {
    expect(await ground.ok(['config', 'get', 'terminal.fontSize'])).toBe('13\n');
    await ground.ok(['config', 'set', 'terminal.fontSize', '15']);
    await ground.ok(['config', 'set', 'machine.name', '42']);
    expect(await ground.ok(['config', 'get', 'terminal.fontSize'])).toBe('15\n');
    expect(await ground.json(['config', 'get', 'machine.name'])).toBe('42');
    await ground.ok(['config', 'set', 'terminal.fontSize']);
    expect(await ground.ok(['config', 'get', 'terminal.fontSize'])).toBe('13\n');
    expect((await ground.run(['config', 'set', 'terminal.fontSize', 'huge'])).code).toBe(2);
    const tooLarge = await ground.run(['config', 'set', 'terminal.fontSize', '999']);
    expect(tooLarge.stderr).toMatch(/terminal\.fontSize cannot be “999”: .*<=\d+/);
    const unknown = await ground.run(['config', 'get', 'fontsize']);
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toContain('terminal.fontSize');
    expect((await ground.run(['config', 'validate'])).code).toBe(0);
    expect((await ground.ok(['config', 'path'])).trim()).toMatch(/settings\.json$/);
  });

  it('colours where it is told to, and ends quietly when nobody reads on', async () => {
    const runId = await ground.start('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i"; done');
    await ground.ok(['wait', runId]);
    const colours = async (env: Record<string, string>) => (await ground.run(['list'], { env })).stdout.includes('\x1b[');
    expect(await colours({})).toBe(false);
    expect(await colours({ FORCE_COLOR: '1' })).toBe(true);
    expect(await colours({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(await ground.pipe(['log', runId], 'head -n 1')).toEqual({ code: 0, stdout: 'line 1\n', stderr: '' });
  });

  it('says why a command cannot be started', async () => {
    const { code, stderr } = await ground.run(['new', '--', '/nosuch/program']);
    expect(code).toBe(4);
    expect(stderr).toContain('/nosuch/program');
  });

  it('answers no permission from inside a session', async () => {
    expect((await ground.run(['permit'], { env: { BATON_SESSION_ID: 'x' } })).code).toBe(5);
    expect((await ground.run(['permit'], { env: { CLAUDECODE: '1' } })).code).toBe(5);
    expect(await ground.json(['permit'])).toEqual({ permissions: [] });
  });

  it('completes verbs and sessions', async () => {
    const runId = await ground.start('read line');
    expect(await ground.ok(['complete', '--', 'att'])).toContain('attach\t');
    expect(await ground.ok(['complete', '--', 'wait', '--for', ''])).toContain('permission');
    await expect.poll(() => ground.ok(['complete', '--', 'attach', '']), { timeout: 30_000 }).toContain(runId.slice(-8));
    for (const shell of ['bash', 'zsh', 'fish', 'powershell']) expect(await ground.ok(['completions', shell])).toContain('baton');
    await ground.ok(['close', runId]);
  });

  it('says what is in order', async () => {
    const { checks } = z
      .object({ checks: z.array(z.object({ name: z.string(), state: z.string() })) })
      .parse(await ground.json(['doctor']));
    const found = new Map(checks.map(({ name, state }) => [name, state]));
    for (const name of ['folders', 'better-sqlite3', 'node-pty', 'engine', 'settings']) expect(found.get(name)).toBe('ok');
  });

  it('stops it, with the programs in it', async () => {
    const runId = await ground.start('read line');
    await ground.ok(['server', 'stop']);
    expect((await ground.run(['list'])).code).toBe(3);
    await ground.ok(['server', 'start']);
    expect(await ground.json(['session', runId])).toMatchObject({
      runId,
      status: expect.stringMatching(/^(ended|interrupted)$/),
    });
  });
});
