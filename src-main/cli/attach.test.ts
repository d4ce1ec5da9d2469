import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { CliGround, type Terminal } from './cli.fixture.ts';

const DETACH = '\x1cd';

let ground: CliGround;
beforeAll(async () => {
  ground = new CliGround();
  await ground.ok(['server', 'start']);
}, 120_000);
afterAll(() => ground.dispose(), 60_000);

const Summary = z.object({ runId: z.string(), status: z.string(), exitCode: z.nullable(z.int()) });
const sessionOf = async (runId: string) => Summary.parse(await ground.json(['session', runId]));

/** The last line that begins with `mark`, as the terminal was sent it. */
const afterMark = (terminal: Terminal, mark: string) => terminal.output.slice(terminal.output.lastIndexOf(mark));

describe('attach', { timeout: 60_000 }, () => {
  it('shows a shell, passes on what is typed, and leaves it running with the detach keys', async () => {
    const runId = await ground.start('echo ready; read line; echo "got $line"; read rest');
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('ready');
    terminal.type('hello\r');
    await terminal.shows('got hello');
    terminal.type(DETACH);
    expect(await terminal.exit).toBe(0);
    expect(terminal.output).toContain('[detached from ');
    expect(await sessionOf(runId)).toMatchObject({ status: 'running' });
    await ground.ok(['close', runId]);
    expect(await sessionOf(runId)).toMatchObject({ status: 'ended' });
  });

  it('takes other detach keys, and sends a first stroke that is typed twice once', async () => {
    const runId = await ground.start(
      'stty -echo -icanon -isig; echo ready; dd bs=1 count=2 2>/dev/null | od -An -tx1; read rest',
    );
    const terminal = ground.terminal(['attach', runId, '--detach-keys', 'ctrl-p,ctrl-q']);
    await terminal.shows('ready');
    terminal.type('\x10\x10\x10x');
    await terminal.shows('10 10');
    terminal.type('\x10\x11');
    expect(await terminal.exit).toBe(0);
  });

  it('lends the program its size, and tells it when the window changes', async () => {
    const runId = await ground.start(
      'trap "echo size \\$(stty size)" WINCH; echo ready; while :; do read line; echo size $(stty size); done',
    );
    const terminal = ground.terminal(['attach', runId], { cols: 101, rows: 31 });
    await terminal.shows('ready');
    terminal.type('\r');
    await terminal.shows('size 31 101');
    terminal.resize(90, 20);
    await terminal.shows('size 20 90');
    terminal.type(DETACH);
    await terminal.exit;
  });

  it('neither types nor resizes when it may only read', async () => {
    const runId = await ground.start('while :; do read line; echo "got $line $(stty size)"; done');
    const reader = ground.terminal(['attach', runId, '--read-only'], { cols: 120, rows: 40 });
    const writer = ground.terminal(['attach', runId, '--no-resize'], { cols: 130, rows: 50 });
    await reader.shows('\x1b[2J');
    await writer.shows('\x1b[2J');
    reader.type('never\r');
    writer.type('once\r');
    await reader.shows('got once 24 80');
    expect(reader.output).not.toContain('never');
    for (const terminal of [reader, writer]) {
      terminal.type(DETACH);
      expect(await terminal.exit).toBe(0);
    }
  });

  it('puts the terminal back after a full-screen program', async () => {
    const runId = await ground.start(
      String.raw`printf '\033[?1049h\033[?1000h\033[?2004h\033[?25l\033[H\033[2Jfull screen'; read line; printf '\033[?1049l'; read rest`,
    );
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('full screen');
    terminal.type(DETACH);
    expect(await terminal.exit).toBe(0);
    const left = terminal.output.slice(terminal.output.lastIndexOf('full screen'));
    for (const reset of ['\x1b[?1049l', '\x1b[?1000l', '\x1b[?2004l', '\x1b[?25h']) expect(left).toContain(reset);
  });

  it('[pty-6] passes no question on to the terminal it runs in', async () => {
    const runId = await ground.start(
      String.raw`stty -echo; echo ready; read go; printf 'a\033[cb\033[6nc\033]11;?\033\\d\n'; read rest`,
    );
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('ready');
    const from = terminal.output.length;
    terminal.type('\r');
    await terminal.shows('d\r\n', from);
    expect(terminal.output.slice(from)).toContain('abc\x1b\\d\r\n');
    terminal.type(DETACH);
    await terminal.exit;
  });

  it('[seq-2] shows the same bytes in two terminals', async () => {
    const runId = await ground.start(
      'read go; echo BEGIN; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); printf "\\033[3%dmline %d é\\033[0m\\n" $((i%8)) $i; done; echo END; read rest',
    );
    const terminals = [ground.terminal(['attach', runId]), ground.terminal(['attach', runId])];
    for (const terminal of terminals) await terminal.shows('\x1b[2J');
    terminals[0]?.type('\r');
    for (const terminal of terminals) await terminal.shows('END\r\n');
    const [first, second] = terminals.map((terminal) => afterMark(terminal, 'BEGIN'));
    expect(first).toContain('line 20000 é');
    expect(first).toBe(second);
    for (const terminal of terminals) {
      terminal.type(DETACH);
      expect(await terminal.exit).toBe(0);
    }
  });

  it('passes on the program’s code, also that of a signal', async () => {
    const runId = await ground.start('echo ready; read line; exit 7');
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('ready');
    terminal.type('\r');
    expect(await terminal.exit).toBe(7);
    const killed = ground.terminal(['new', '--', 'sh', '-c', 'kill -9 $$']);
    expect(await killed.exit).toBe(128 + 9);
  });

  it('ends with 255 when it is Baton that cannot', async () => {
    const terminal = ground.terminal(['attach', 'nosuchsession']);
    expect(await terminal.exit).toBe(255);
    expect(terminal.output).toContain('There is no session');
  });

  it('leaves Ctrl-C to the program', async () => {
    const runId = await ground.start('trap "echo caught" INT; echo ready; while :; do read line; done');
    const terminal = ground.terminal(['attach', runId]);
    await terminal.shows('ready');
    terminal.type('\x03');
    await terminal.shows('caught');
    terminal.kill('SIGHUP');
    expect(await terminal.exit).toBe(128 + 1);
    expect(await sessionOf(runId)).toMatchObject({ status: 'running' });
  });
});

describe('new', { timeout: 60_000 }, () => {
  it('attaches on a terminal, shows everything and passes on the code', async () => {
    const terminal = ground.terminal(['new', '--title', 'test', '--', 'sh', '-c', 'echo one; echo two; exit 5']);
    expect(await terminal.exit).toBe(5);
    expect(terminal.output).toMatch(/one\r\ntwo/);
  });

  it('tells the program the size it has from the beginning', async () => {
    const terminal = ground.terminal(['new', '--', 'stty', 'size'], { cols: 77, rows: 33 });
    expect(await terminal.exit).toBe(0);
    expect(terminal.output).toContain('33 77');
  });
});
