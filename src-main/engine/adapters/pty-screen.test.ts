import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogEvent } from '../../../src-shared/events.ts';
import { NO_SEQ } from '../../../src-shared/ids.ts';
import type { PtySpec } from '../../../src-shared/session.ts';
import { type PtyHost, startPtyHost } from '../pty-host/pty-host-client.ts';
import { forkPtyHost } from '../pty-host/pty-host-fork.ts';
import { type ScreenHandle, type Screens, startScreens } from '../screen/screen.ts';
import type { Adapter } from './adapter.ts';
import { ptyAdapter } from './pty.ts';
import { type RecordingHost, recordingHost } from './recording-host.ts';

const COLORS = { foreground: '#ffffff', background: '#000000', cursor: '#ffffff', palette: Array<string>(16).fill('#808080') };
const ALL = { scrollbackLines: 1000 };

let home: string;
let ptyHost: PtyHost;
let screens: Screens;
let open: Terminal | null;
beforeAll(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'baton-terminal-')));
  ptyHost = startPtyHost(forkPtyHost);
  screens = startScreens({ colors: COLORS });
});
afterAll(async () => {
  await ptyHost.stop(1000);
  await screens.stop();
  rmSync(home, { recursive: true, force: true });
});
beforeEach(() => {
  open = null;
});
afterEach(async () => {
  await open?.adapter.close(1000);
  open?.close();
});

/** A program in a pty with its screen: what a session puts together, without store and viewers. */
class Terminal {
  readonly host: RecordingHost;
  readonly adapter: Adapter;
  readonly screen: ScreenHandle;
  readonly replies: string[] = [];
  private shown = 0;
  private isShowing = true;

  constructor(command: string | null, args: readonly string[], size = { cols: 80, rows: 24 }) {
    const spec: PtySpec = {
      kind: 'pty',
      command,
      args: [...args],
      cwd: home,
      env: {},
      ...size,
      term: 'xterm-256color',
      options: {},
      shellIntegration: false,
    };
    this.host = recordingHost(spec, { env: { HOME: home, PATH: process.env.PATH ?? '/usr/bin:/bin', LANG: 'C.UTF-8' } });
    this.adapter = ptyAdapter(ptyHost, { shellIntegrationFolder: join(home, 'shell'), version: '1' })(this.host);
    this.screen = screens.open(this.host.runId, {
      ...size,
      from: null,
      lastSeq: NO_SEQ,
      answers: true,
      readOutput: async (after) => this.host.log.slice(after),
      events: {
        onReply: (bytes) => {
          this.replies.push(Buffer.from(bytes).toString('latin1'));
          this.adapter.write(bytes);
        },
        onDetails: () => {},
        onScreen: () => {},
        onFailed: (message) => expect.unreachable(message),
      },
    });
    void this.host.until(() => {
      for (const event of this.host.log.slice(this.shown)) this.show(event);
      this.shown = this.host.log.length;
      return !this.isShowing;
    });
    open = this;
  }

  async start(): Promise<this> {
    await this.adapter.start();
    return this;
  }

  close(): void {
    this.isShowing = false;
    this.screen.close();
  }

  async resize(cols: number, rows: number): Promise<void> {
    await this.host.append([{ channel: 'pty:resize', type: 'resized', payload: { cols, rows } }]);
    this.adapter.resize(cols, rows);
  }

  type(text: string): void {
    this.adapter.write(Buffer.from(text));
  }

  /** Resolves when the screen shows it. */
  async shows(text: string | RegExp): Promise<string> {
    for (;;) {
      const told = this.host.told.length;
      const { data } = await this.screen.snapshot(ALL);
      if (typeof text === 'string' ? data.includes(text) : text.test(data)) return data;
      await this.host.until(() => this.host.told.length > told);
    }
  }

  async exited(): Promise<void> {
    await this.host.until(() => this.host.toldOf('exited').length > 0);
  }

  private show(event: LogEvent): void {
    if (event.payload instanceof Uint8Array) this.screen.write(event.seq, event.payload);
    else if (event.channel === 'pty:resize') this.screen.resize(event.seq, this.host.state.cols, this.host.state.rows);
  }
}

const sh = (script: string, size?: { cols: number; rows: number }) => new Terminal('/bin/sh', ['-c', script], size).start();

function has(command: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The text of a screen, without what only looks. */
const plain = (data: string) => data.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '');

describe('a program in a terminal', () => {
  it('[pty-6] gets one answer to each of its questions', async () => {
    const asks =
      "stty raw -echo; printf '\\033[c'; dd bs=1 count=7 2>/dev/null | od -An -c; printf '\\033[5;9H\\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c";
    const terminal = await sh(asks);
    await terminal.exited();
    expect(terminal.replies).toEqual(['\x1b[?1;2c', '\x1b[5;9R']);
    const shown = plain((await terminal.screen.snapshot(ALL)).data).replace(/\s+/g, ' ');
    expect(shown).toContain('033 [ ? 1 ; 2 c');
    expect(shown).toContain('033 [ 5 ; 9 R');
  });

  it('draws a full screen and gives the lines before it back', async () => {
    const draws = "echo before; printf '\\033[?1049h\\033[2J\\033[3;5Hfull screen'; read line; printf '\\033[?1049l'; echo after";
    const terminal = await sh(draws);
    const full = await terminal.shows('full screen');
    expect(full).toContain('\x1b[?1049h');
    terminal.type('\n');
    const after = await terminal.shows('after');
    expect(plain(after)).toBe('before\r\nafter');
  });

  it('finds a terminal in order when it is started again after one that left it in disorder', async () => {
    const terminal = await sh(
      "echo before; [ -e again ] && echo $TERM && exit; : >again; printf '\\033[?1049h\\033[?1003h\\033[?2004h\\033[31mpicture\\033[3'",
    );
    await terminal.exited();
    expect((await terminal.screen.snapshot(ALL)).data).toContain('picture');
    await terminal.start();
    await terminal.host.until(() => terminal.host.toldOf('exited').length === 2);
    const again = await terminal.shows('xterm');
    expect(plain(again)).toBe('before\r\nbefore\r\nxterm-256color');
    // Neither modes nor colours are left.
    expect(again).not.toMatch(/\x1b\[(\?|31m)/);
  });

  it('goes on below what was there when it is started again, however the program before it ended', async () => {
    const terminal = await sh("[ -e once ] && echo second && exit; : >once; echo one; printf 'two\\n'");
    await terminal.exited();
    await terminal.start();
    await terminal.host.until(() => terminal.host.toldOf('exited').length === 2);
    expect(plain(await terminal.shows('second'))).toBe('one\r\ntwo\r\nsecond');
  });

  it.runIf(has('less'))('may be less', async () => {
    writeFileSync(join(home, 'text'), Array.from({ length: 500 }, (_, index) => `text line ${index}\n`).join(''));
    const terminal = await new Terminal('less', ['text']).start();
    await terminal.shows('text line 22');
    terminal.type('G');
    await terminal.shows('text line 499');
    await terminal.resize(60, 10);
    // Drawn anew, nine lines of it: what is typed before that less throws away.
    await terminal.shows(/^(?!.*text line 499).*text line 485/s);
    terminal.type('g');
    await terminal.shows('text line 8');
    terminal.type('q');
    await terminal.exited();
    expect((await terminal.screen.snapshot(ALL)).data).not.toContain('\x1b[?1049h');
  });

  it.runIf(has('vi'))('may be vi', async () => {
    const terminal = await new Terminal('vi', ['-u', 'NONE', 'new file']).start();
    await terminal.shows('new file');
    terminal.type('ihello from vi\x1b');
    await terminal.shows('hello from vi');
    terminal.type(':wq\r');
    await terminal.exited();
    expect(execFileSync('cat', [join(home, 'new file')], { encoding: 'utf8' })).toBe('hello from vi\n');
  });

  it('[pty-5] shows every line once while it floods and is resized', async () => {
    const terminal = await sh('read go; i=0; while [ $i -lt 900 ]; do echo "flood $i"; i=$((i+1)); done; echo over');
    terminal.type('\n');
    for (let round = 0; round < 40; round++) {
      const told = terminal.host.told.length;
      await terminal.resize(40 + (round % 60), 8 + (round % 30));
      await terminal.host.until(() => terminal.host.told.length > told);
    }
    await terminal.exited();
    await terminal.resize(80, 24);
    const lines = plain(await terminal.shows('over')).split(/\r\n/);
    expect(lines.filter((line) => line.startsWith('flood')).map((line) => line.trim())).toEqual(
      Array.from({ length: 900 }, (_, index) => `flood ${index}`),
    );
  });

  it('[pty-1] shows characters that come in pieces', async () => {
    const terminal = await sh(
      "printf 'sn\\342'; sleep 0.05; printf '\\230\\203w \\360\\237'; sleep 0.05; printf '\\230\\200!\\n'",
    );
    expect(plain(await terminal.shows('!'))).toContain('sn☃w 😀!');
  });
});
