import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PtySpec } from '../../../src-shared/session.ts';
import { type PtyHost, startPtyHost } from '../pty-host/pty-host-client.ts';
import { forkPtyHost } from '../pty-host/pty-host-fork.ts';
import type { Adapter } from './adapter.ts';
import { ptyAdapter } from './pty.ts';
import { withShellIntegration } from './pty-integration.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

const PATH = process.env.PATH ?? '/usr/bin:/bin';
/** Tests of a shell run where it is installed. */
const has = (shell: string): boolean => PATH.split(delimiter).some((folder) => folder !== '' && readable(folder).includes(shell));
function readable(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

let ptyHost: PtyHost;
let home: string;
let adapter: Adapter | null;
beforeAll(() => {
  ptyHost = startPtyHost(forkPtyHost);
});
afterAll(() => ptyHost.stop(1000));
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'baton-shell-')));
  adapter = null;
});
afterEach(async () => {
  await adapter?.close(1000);
  rmSync(home, { recursive: true, force: true });
});

function spec(change: Partial<PtySpec>): PtySpec {
  const size = { cols: 200, rows: 24 };
  return {
    kind: 'pty',
    command: null,
    args: [],
    cwd: home,
    env: {},
    ...size,
    term: 'xterm',
    options: {},
    shellIntegration: true,
    ...change,
  };
}

class Shell {
  readonly host: RecordingHost;
  private readonly adapter: Adapter;
  private seen = 0;

  constructor(of: PtySpec) {
    this.host = recordingHost(of, { env: { HOME: home, PATH, USER: 'someone' } });
    this.adapter = ptyAdapter(ptyHost, { shellIntegrationFolder: join(home, "it's ours"), version: '1' })(this.host);
    adapter = this.adapter;
  }

  async start(): Promise<this> {
    await this.adapter.start();
    await this.prompt();
    return this;
  }

  /** Everything up to the end of the next prompt. */
  async prompt(): Promise<string> {
    const end = '\x1b]133;B\x07';
    await this.host.until(() => this.host.outputText().indexOf(end, this.seen) >= 0);
    const text = this.host.outputText();
    const upTo = text.indexOf(end, this.seen) + end.length;
    const part = text.slice(this.seen, upTo);
    this.seen = upTo;
    return part;
  }

  async type(line: string): Promise<string> {
    this.adapter.write(Buffer.from(`${line}\r`));
    return this.prompt();
  }
}

const start = (change: Partial<PtySpec>): Promise<Shell> => new Shell(spec(change)).start();
const marks = (text: string): readonly string[] => [...text.matchAll(/\x1b\]133;([^\x07]*)\x07/g)].map(([, mark]) => mark ?? '');
const folders = (text: string): readonly string[] =>
  [...text.matchAll(/\x1b\]7;([^\x07]*)\x07/g)].map(([, folder]) => folder ?? '');

const shells = [
  { shell: 'bash', file: '.bashrc', setting: 'FROM_USER=yes\n' },
  { shell: 'zsh', file: '.zshrc', setting: 'FROM_USER=yes\n' },
  { shell: 'fish', file: '.config/fish/config.fish', setting: 'set -g FROM_USER yes\n' },
];

describe.each(shells)('shell integration of $shell', ({ shell, file, setting }) => {
  const here = it.runIf(has(shell));
  beforeEach(() => {
    mkdirSync(join(home, file, '..'), { recursive: true });
    writeFileSync(join(home, file), setting);
  });

  here('marks a command’s start and end with its status, and an empty line with neither', async () => {
    const terminal = await start({ command: shell });
    expect(marks(await terminal.type('false'))).toEqual(['C', 'D;1', 'A', 'B']);
    expect(marks(await terminal.type(shell === 'fish' ? 'true' : '(exit 42)'))).toEqual([
      'C',
      shell === 'fish' ? 'D;0' : 'D;42',
      'A',
      'B',
    ]);
    expect(marks(await terminal.type('')).filter((mark) => mark !== 'A' && mark !== 'B')).toEqual([]);
  });

  here('reports the folder, encoded', async () => {
    const terminal = await start({ command: shell });
    mkdirSync(join(home, 'a é;b'));
    const said = await terminal.type("cd 'a é;b'");
    expect(folders(said).at(-1)).toBe(`file://${hostname()}${home}/a%20%C3%A9%3Bb`);
  });

  here('reads the user’s own file, and changes nothing in it', async () => {
    const terminal = await start({ command: shell });
    expect(await terminal.type('echo "from user: $FROM_USER"')).toContain('from user: yes');
    expect(readFileSync(join(home, file), 'utf8')).toBe(setting);
  });

  here('lets a shell inside the shell be an ordinary one', async () => {
    const terminal = await start({ command: shell });
    const said = await terminal.type(`${shell} -c 'echo "inner: $ZDOTDIR$BATON_USER_ZDOTDIR$BATON_LOGIN_SHELL."'`);
    expect(said).toContain('inner: .');
  });
});

describe('shell integration of bash, with the user’s own prompt commands', () => {
  const here = it.runIf(has('bash'));
  const bashrc = (text: string) => writeFileSync(join(home, '.bashrc'), text);

  here.each([
    ['a string', `PROMPT_COMMAND='echo "mine: $?"'`],
    ['a string with a semicolon at its end', `PROMPT_COMMAND='echo "mine: $?";'`],
    ['an array', `PROMPT_COMMAND=('echo "mine: $?"' 'true')`],
    ['exported', `export PROMPT_COMMAND='echo "mine: $?"'`],
  ])('keeps PROMPT_COMMAND as %s, and the status it sees', async (_, line) => {
    bashrc(`${line}\n`);
    const terminal = await start({ command: 'bash' });
    const said = await terminal.type('(exit 9)');
    expect(said).toContain('mine: 9');
    expect(marks(said)).toEqual(['C', 'D;9', 'A', 'B']);
    expect(await terminal.type('bash -i -c true')).not.toContain('not found');
  });

  here('marks a prompt that is made anew each time', async () => {
    bashrc(`PROMPT_COMMAND='PS1="new\\$(true)> "'\n`);
    const terminal = await start({ command: 'bash' });
    expect(marks(await terminal.type('true'))).toEqual(['C', 'D;0', 'A', 'B']);
    expect(marks(await terminal.type('true'))).toEqual(['C', 'D;0', 'A', 'B']);
  });

  here('keeps PS0, and works under `set -u`', async () => {
    bashrc(`PS0='starting\\n'\nset -u\n`);
    const terminal = await start({ command: 'bash' });
    const said = await terminal.type('true');
    expect(said).toContain('starting');
    expect(said).not.toContain('unbound');
    expect(marks(said)).toEqual(['C', 'D;0', 'A', 'B']);
  });

  here('reads a login shell’s files when it is one', async () => {
    bashrc('FROM_RC=yes\n');
    writeFileSync(join(home, '.bash_profile'), 'FROM_PROFILE=yes\n');
    const terminal = await start({ command: 'bash', args: ['-l'] });
    expect(await terminal.type('echo "read: $FROM_PROFILE,$FROM_RC."')).toContain('read: yes,.');
  });
});

describe('shell integration of zsh, with the user’s own hooks', () => {
  const here = it.runIf(has('zsh'));

  here('keeps precmd hooks and marks a prompt that they make anew', async () => {
    writeFileSync(join(home, '.zshrc'), `precmd() { echo "mine: $?"; PS1='new> ' }\n`);
    const terminal = await start({ command: 'zsh' });
    const said = await terminal.type('(exit 9)');
    expect(said).toContain('mine: 9');
    expect(marks(said)).toEqual(['C', 'D;9', 'A', 'B']);
  });

  here('reads the user’s files from their own ZDOTDIR, login files too', async () => {
    mkdirSync(join(home, 'dots'));
    writeFileSync(join(home, 'dots', '.zshenv'), 'FROM_ENV=yes\n');
    writeFileSync(join(home, 'dots', '.zprofile'), 'FROM_PROFILE=yes\n');
    writeFileSync(join(home, 'dots', '.zshrc'), 'FROM_RC=yes\n');
    const terminal = await start({ command: 'zsh', args: ['-l'], env: { ZDOTDIR: join(home, 'dots') } });
    const said = await terminal.type('echo "read: $FROM_ENV,$FROM_PROFILE,$FROM_RC,$(basename $ZDOTDIR)."');
    expect(said).toContain('read: yes,yes,yes,dots.');
  });
});

describe('shell integration', () => {
  const command = { file: '/bin/bash', shell: 'bash', isLogin: false, args: [] } as const;

  it('is for interactive shells only: a command stays as it is', async () => {
    const terminal = new Shell(spec({ command: 'bash', args: ['-c', 'echo "$0: $-"; exit 0'] }));
    await adapter?.start();
    await terminal.host.until(() => terminal.host.toldOf('exited').length > 0);
    expect(terminal.host.outputText()).toBe('bash: hBc\r\n');
  });

  it('is off where the session says so', async () => {
    const terminal = new Shell(spec({ command: 'bash', shellIntegration: false }));
    await adapter?.start();
    adapter?.write(Buffer.from('echo over; exit\r'));
    await terminal.host.until(() => terminal.host.toldOf('exited').length > 0);
    expect(marks(terminal.host.outputText())).toEqual([]);
  });

  it('hands PowerShell a script that the user’s profile comes before, and quotes its path', () => {
    const { args } = withShellIntegration({ ...command, shell: 'pwsh', args: ['-NoLogo'] }, {}, "/it's");
    expect(args).toEqual(['-NoLogo', '-NoExit', '-Command', `try { . '${join("/it''s", 'baton.ps1')}' } catch {}`]);
  });

  it('marks cmd’s prompt, whatever the user made of it', () => {
    expect(withShellIntegration({ ...command, shell: 'cmd' }, { PROMPT: '$T>' }, '/folder').env.PROMPT).toMatch(
      /133;A.*\$T>.*133;B/,
    );
  });

  it('leaves a shell alone that it does not know', () => {
    const unknown = { ...command, file: '/bin/ksh', shell: null };
    expect(withShellIntegration(unknown, { A: '1' }, '/folder')).toEqual({ ...unknown, env: { A: '1' } });
  });
});
