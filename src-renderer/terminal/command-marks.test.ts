import { Terminal } from '@xterm/xterm';
import { describe, expect, it } from 'vitest';
import { CommandMarks } from './command-marks.ts';

const mark = (what: string) => `\u001b]133;${what}\u0007`;

async function shell(script: string) {
  const terminal = new Terminal({ allowProposedApi: true, cols: 20, rows: 6 });
  const marks = new CommandMarks(terminal, { describe: (state) => state.is });
  const write = (text: string) => new Promise<void>((done) => terminal.write(text, done));
  await write(script);
  return { terminal, marks, write };
}

const prompt = `${mark('A')}$ ${mark('B')}`;
const command = (name: string, output: string, exitCode: number) =>
  `${prompt}${name}\r\n${mark('C')}${output}${mark(`D;${exitCode}`)}`;

describe('CommandMarks', () => {
  it('knows what the last command printed', async () => {
    const { marks } = await shell(`${command('seq 2', '1\r\n2\r\n', 0)}${prompt}`);
    expect(marks.lastOutput()).toBe('1\n2');
  });

  it('knows nothing while the first command still runs', async () => {
    const { marks, write } = await shell(`${prompt}make\r\n${mark('C')}cc a.c\r\n`);
    expect(marks.hasOutput).toBe(false);
    expect(marks.lastOutput()).toBeNull();
    await write(mark('D;2'));
    expect(marks.lastOutput()).toBe('cc a.c');
  });

  it('leads from prompt to prompt', async () => {
    const { marks } = await shell(`${command('a', 'x\r\n', 0)}${command('b', 'y\r\ny\r\n', 1)}${prompt}`);
    expect(marks.rowOf('previous', 5)).toBe(2);
    expect(marks.rowOf('previous', 2)).toBe(0);
    expect(marks.rowOf('previous', 0)).toBeNull();
    expect(marks.rowOf('next', 0)).toBe(2);
    expect(marks.rowOf('next', 5)).toBeNull();
  });

  it('does not count a prompt that the shell has drawn again', async () => {
    const { marks } = await shell(`${prompt}\r${prompt}\r\n${prompt}`);
    expect(marks.rowOf('previous', 5)).toBe(1);
    expect(marks.rowOf('previous', 1)).toBeNull();
  });

  it('ends a command at the next prompt where the shell does not say how it ended', async () => {
    const { marks } = await shell(`${prompt}a\r\n${mark('C')}out\r\n${prompt}`);
    expect(marks.lastOutput()).toBe('out');
  });

  it('passes over marks on the other screen and ends without a beginning', async () => {
    const { marks } = await shell(`${mark('D;1')}\u001b[?1049h${prompt}${mark('C')}${mark('D;0')}\u001b[?1049l`);
    expect(marks.rowOf('previous', 9)).toBeNull();
  });

  it('forgets everything when the terminal begins anew', async () => {
    const { marks } = await shell(`${command('a', 'x\r\n', 0)}${prompt}`);
    marks.clear();
    expect(marks.rowOf('previous', 9)).toBeNull();
    expect(marks.lastOutput()).toBeNull();
  });
});
