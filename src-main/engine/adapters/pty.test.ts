import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { RefusalError } from '../../../src-shared/refusal.ts';
import type { PtySpec } from '../../../src-shared/session.ts';
import { type PtyHost, startPtyHost } from '../pty-host/pty-host-client.ts';
import { forkPtyHost } from '../pty-host/pty-host-fork.ts';
import type { Adapter } from './adapter.ts';
import { describeAdapterContract } from './contract.ts';
import { ptyAdapter } from './pty.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

let home: string;
let ptyHost: PtyHost;
beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'baton-pty-')));
  ptyHost = startPtyHost(forkPtyHost);
});
afterAll(async () => {
  await ptyHost.stop(1000);
  rmSync(home, { recursive: true, force: true });
});

const factory = () => ptyAdapter(ptyHost, { shellIntegrationFolder: join(home, 'shell-integration'), version: '1.2.3' });
const env = () => ({ HOME: home, PATH: process.env.PATH ?? '/usr/bin:/bin', SHELL: '/bin/bash' });

function spec(change: Partial<PtySpec> = {}): PtySpec {
  return {
    kind: 'pty',
    command: null,
    args: [],
    cwd: home,
    env: {},
    cols: 80,
    rows: 24,
    term: 'xterm-256color',
    options: {},
    shellIntegration: false,
    ...change,
  };
}
const sh = (script: string, change: Partial<PtySpec> = {}) => spec({ command: '/bin/sh', args: ['-c', script], ...change });

describeAdapterContract('pty', {
  open: async () => ({ factory: factory(), dispose: async () => {} }),
  spec: () => spec({ shellIntegration: true }),
  env,
  produce: (adapter) => adapter.write(Buffer.from('echo hello\n')),
  end: { run: (adapter) => adapter.write(Buffer.from("printf '%020000d'; echo last words; exit\n")), lastWords: 'last words' },
  prompts: null,
  impossible: {
    'a second start': (adapter) => adapter.start(),
    'a prompt': (adapter) => adapter.prompt({ inputId: crypto.randomUUID() as never, content: { text: 'hello', images: [] } }),
    'an answer': (adapter) => adapter.answer({ requestId: 'none', decision: 'allow', reason: null }),
    'other options': (adapter) => adapter.setOptions({ model: 'larger' }),
  },
});

describe('pty adapter', () => {
  let open: Adapter[];
  beforeEach(() => {
    open = [];
  });
  afterEach(async () => {
    for (const adapter of open) await adapter.close(1000);
  });

  function terminal(of: PtySpec): { host: RecordingHost; adapter: Adapter } {
    const host = recordingHost(of, { env: env() });
    const adapter = factory()(host);
    open.push(adapter);
    return { host, adapter };
  }
  async function run(of: PtySpec): Promise<RecordingHost> {
    const { host, adapter } = terminal(of);
    await adapter.start();
    await host.until(() => host.toldOf('exited').length > 0);
    return host;
  }

  it('runs a command as it is, in its folder, and tells its exit code', async () => {
    mkdirSync(join(home, 'a b'));
    const host = await run(sh('pwd; exit 7', { cwd: join(home, 'a b') }));
    expect(host.outputText()).toBe(`${join(home, 'a b')}\r\n`);
    expect(host.toldOf('exited')).toEqual([{ kind: 'exited', exit: { exitCode: 7, signal: null, reason: null } }]);
  });

  it('tells the signal that ended a program by name', async () => {
    const host = await run(sh('kill -KILL $$'));
    expect(host.toldOf('exited')[0]?.exit).toEqual({ exitCode: null, signal: 'SIGKILL', reason: null });
  });

  it('describes itself in the environment, and hides other terminals', async () => {
    const { host, adapter } = terminal(sh('env', { env: { MINE: 'yes', TERM_PROGRAM_VERSION: 'overridden' } }));
    await adapter.start();
    await host.until(() => host.toldOf('exited').length > 0);
    const lines = host.outputText().split('\r\n');
    for (const line of ['TERM=xterm-256color', 'COLORTERM=truecolor', 'TERM_PROGRAM=Baton', 'MINE=yes', 'LANG=C.UTF-8'])
      expect(lines).toContain(line);
    expect(lines).toContain('TERM_PROGRAM_VERSION=overridden');
    expect(lines.filter((line) => line.startsWith('TMUX'))).toEqual([]);
  });

  it('starts the login shell where no command is named', async () => {
    const { host, adapter } = terminal(spec());
    await adapter.start();
    adapter.write(Buffer.from('echo "shell: $0"; exit\n'));
    await host.until(() => host.toldOf('exited').length > 0);
    expect(host.outputText()).toContain('shell: /bin/bash\r\n');
    expect(host.log[0]).toMatchObject({ type: 'started', payload: { command: '/bin/bash' } });
  });

  it('opens with the size of the session and follows it', async () => {
    const { host, adapter } = terminal(sh('stty size; read line; stty size', { cols: 101, rows: 33 }));
    await adapter.start();
    await host.until(() => host.outputText().includes('33 101'));
    adapter.resize(77, 22);
    adapter.write(Buffer.from('\n'));
    await host.until(() => host.outputText().includes('22 77'));
  });

  it('interrupts what runs in the foreground', async () => {
    const { host, adapter } = terminal(sh('trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.01; done'));
    await adapter.start();
    await host.until(() => host.outputText().includes('ready'));
    await adapter.interrupt();
    await host.until(() => host.toldOf('exited').length > 0);
    expect(host.outputText()).toContain('caught');
    expect(host.toldOf('exited')[0]?.exit.exitCode).toBe(3);
  });

  it('ends what does not hear the hang-up, and what runs in the foreground of its shell', async () => {
    const { host, adapter } = terminal(spec({ command: 'bash', args: ['--norc', '-i'] }));
    await adapter.start();
    adapter.write(Buffer.from(`sh -c 'trap "" HUP TERM INT; echo inner $$; while :; do sleep 0.05; done'\n`));
    await host.until(() => /inner \d+/.test(host.outputText()));
    const inner = Number(/inner (\d+)/.exec(host.outputText())?.[1]);
    await adapter.close(200);
    // It is an orphan by now: whoever adopted it has to notice.
    await vi.waitFor(() => expect(() => process.kill(inner, 0)).toThrow(), { timeout: 20_000 });
  });

  it('holds output back while it is paused, and loses none', async () => {
    const { host, adapter } = terminal(sh('read line; i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done'));
    adapter.pauseOutput();
    await adapter.start();
    adapter.write(Buffer.from('\n'));
    adapter.resumeOutput();
    await host.until(() => host.outputText().length > 1000);
    adapter.pauseOutput();
    adapter.resumeOutput();
    await host.until(() => host.toldOf('exited').length > 0);
    const expected = Array.from({ length: 20000 }, (_, index) => `line ${index}\r\n`).join('');
    expect(host.outputText().replace(/^\r\n/, '')).toBe(expected);
  });

  it('starts a shell again where the last one was, a command where it always starts', async () => {
    const shell = terminal(spec());
    mkdirSync(join(home, 'inner'), { recursive: true });
    await shell.host.append([{ channel: 'system:status', type: 'details', payload: { cwd: join(home, 'inner') } }]);
    await shell.adapter.start();
    shell.adapter.write(Buffer.from('pwd; exit\n'));
    await shell.host.until(() => shell.host.outputText().includes(`${join(home, 'inner')}\r\n`));
    const command = terminal(sh('pwd'));
    await command.host.append([{ channel: 'system:status', type: 'details', payload: { cwd: join(home, 'inner') } }]);
    await command.adapter.start();
    await command.host.until(() => command.host.toldOf('exited').length > 0);
    expect(command.host.outputText()).toBe(`${home}\r\n`);
  });

  it('logs what a Latin-1 program writes as UTF-8, and types Latin-1 at it', async () => {
    const { host, adapter } = terminal(
      sh(`stty -echo; printf 'caf\\351 \\n'; read line; printf %s "$line" | od -An -tx1`, { options: { encoding: 'latin1' } }),
    );
    await adapter.start();
    await host.until(() => host.outputText().includes('café'));
    adapter.write(Buffer.from('é\n').subarray(0, 1));
    adapter.write(Buffer.from('é\n').subarray(1));
    await host.until(() => host.toldOf('exited').length > 0);
    expect(host.outputText()).toContain(' e9');
  });

  it.each([
    ['a folder that does not exist', () => spec({ cwd: join(home, 'gone') }), /folder .*gone.* does not exist/],
    ['a command that is not in PATH', () => spec({ command: 'no-such-command' }), /“no-such-command” was not found/],
    ['a program that does not exist', () => spec({ command: './no-such-program' }), /no-such-program.* does not exist/],
    ['an option it does not know', () => spec({ options: { colour: 'red' } }), /“colour” is not known/],
    ['an option with a wrong value', () => spec({ options: { uid: -1, gid: 0 } }), /“uid” cannot be -1/],
    ['an option of another platform', () => spec({ options: { useConpty: true } }), /“useConpty” exists only on Windows/],
    ['half of a pair of options', () => spec({ options: { uid: 1000 } }), /“uid” stands alone/],
  ])('refuses %s, by name', async (_, of, message) => {
    const { host, adapter } = terminal(of());
    const refusal = await adapter.start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RefusalError);
    expect((refusal as RefusalError).message).toMatch(message);
    expect((refusal as RefusalError).refusal.hint).not.toBeNull();
    expect(host.told).toEqual([]);
  });

  it('stops reading and starts again by flow-control keys where the session asks for it', async () => {
    const { host, adapter } = terminal(sh('echo ready; cat -v', { options: { handleFlowControl: true } }));
    await adapter.start();
    await host.until(() => host.outputText().includes('ready'));
    adapter.write(Buffer.from('\x13'));
    adapter.write(Buffer.from('one\n'));
    adapter.write(Buffer.from('\x11'));
    await host.until(() => host.outputText().includes('one\r\none\r\n'));
    expect(host.outputText()).not.toContain('^S');
  });

  it('says that typed bytes were lost when a program never reads', async () => {
    const { host, adapter } = terminal(sh('stty raw -echo; echo ready; while :; do sleep 1; done'));
    await adapter.start();
    await host.until(() => host.outputText().includes('ready'));
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    for (let written = 0; written < 18; written++) adapter.write(megabyte);
    await host.until(() => host.log.some(({ type }) => type === 'failed'));
    expect(host.log.filter(({ type }) => type === 'failed')).toHaveLength(1);
  });

  it('takes a large paste whole when the program reads it', async () => {
    const bytes = 300_000;
    const { host, adapter } = terminal(sh(`stty raw -echo; echo ready; head -c ${bytes} | cksum`));
    const paste = Buffer.from(Array.from({ length: bytes }, (_, index) => 33 + (index % 90)));
    await adapter.start();
    await host.until(() => host.outputText().includes('ready'));
    adapter.write(paste);
    await host.until(() => host.toldOf('exited').length > 0);
    writeFileSync(join(home, 'paste'), paste);
    const expected = await run(sh(`cksum < ${join(home, 'paste')}`));
    expect(host.outputText().split('\n').at(-2)?.trim()).toBe(expected.outputText().trim());
  });
});
