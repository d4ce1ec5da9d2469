import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { adoptLoginEnv, isFromTerminal, mergedEnv, parseMarked, readLoginEnv } from './login-env.ts';

describe('what the shell prints', () => {
  it('is read from between the marks, whatever stands around it', () => {
    const output = 'Welcome!\nM{"PATH":"/a:/b","TEXT":"two\\nlines = {}"}M\nbye';
    expect(parseMarked(output, 'M')).toEqual({ PATH: '/a:/b', TEXT: 'two\nlines = {}' });
  });

  it('leaves out what is about that shell or about Baton itself', () => {
    const env = { HOME: '/h', PWD: '/', SHLVL: '2', _: '/x', TERM: 'dumb', ELECTRON_RUN_AS_NODE: '1', BATON_HOME: '/b' };
    expect(parseMarked(`<m>${JSON.stringify(env)}<m>`, '<m>')).toEqual({ HOME: '/h' });
  });

  it.each(['', 'no mark', 'M{"PATH":"/a"', 'M{"PATH":1}M', 'Mnonsense{M', 'M[]M'])('is nothing when it is %j', (output) => {
    expect(parseMarked(output, 'M')).toBeNull();
  });
});

it('of two PATHs every folder stays, the shell’s first', () => {
  expect(mergedEnv({ PATH: '/usr/bin:/own', LANG: 'C' }, { PATH: '/opt/bin:/usr/bin', LANG: 'de_DE' })).toEqual({
    PATH: '/opt/bin:/usr/bin:/own',
    LANG: 'de_DE',
  });
  expect(mergedEnv({ PATH: '/usr/bin' }, { A: '1' })).toEqual({ PATH: '/usr/bin', A: '1' });
  expect(mergedEnv({}, {})).toEqual({});
});

it('an app that was started from the desktop has no terminal', () => {
  expect([isFromTerminal({ TERM: 'xterm-256color' }), isFromTerminal({}), isFromTerminal({ TERM: '' })]).toEqual([
    true,
    false,
    false,
  ]);
});

describe.skipIf(process.platform === 'win32')('a real bash', () => {
  let home: string;
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), 'baton-login-')));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const poor = () => ({ HOME: home, PATH: '/usr/bin:/bin', SHELL: '/bin/bash', BATON_HOME: '/not/for/it', KEPT: 'here' });
  const profile = (...lines: string[]) => writeFileSync(join(home, '.bash_profile'), `${lines.join('\n')}\n`);

  it('tells what its start-up files export, in spite of what they print', async () => {
    profile(
      'echo "Hello, you have mail"',
      'export PATH="$HOME/tools:$PATH"',
      "export TWO_LINES=$'first\\nsecond'",
      '[ -n "$BATON_READS_ENVIRONMENT" ] && export WAS_TOLD=yes',
      '[ -n "$BATON_HOME" ] && export LEAKED=yes',
      'sleep 60 &',
    );
    const env = await readLoginEnv({ env: poor() });
    expect(env).toMatchObject({ TWO_LINES: 'first\nsecond', KEPT: 'here', WAS_TOLD: 'yes' });
    expect(env.PATH?.split(':')[0]).toBe(join(home, 'tools'));
    expect(env).not.toHaveProperty('LEAKED');
    expect(env).not.toHaveProperty('ELECTRON_RUN_AS_NODE');
  });

  it('is given up when it takes too long, with all that it waits for', async () => {
    profile(`echo $$ > ${join(home, 'pid')}`, 'sleep 60');
    await expect(readLoginEnv({ env: poor(), timeoutMs: 2_000 })).rejects.toThrow('/bin/bash took longer than 2 s');
    const pid = Number(readFileSync(join(home, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(() => process.kill(-pid, 0)).toThrow('ESRCH'));
  });

  it.each([
    ['exit 3', 'ended with code 3'],
    ['exec yes', 'prints without end'],
  ])('says why it has nothing to tell (%s)', async (line, reason) => {
    profile(line);
    await expect(readLoginEnv({ env: poor() })).rejects.toThrow(reason);
  });

  it('is told to the user once when it fails, and all goes on as it was', async () => {
    const env = { ...poor(), SHELL: '/no/such/shell' };
    const notices: string[] = [];
    await adoptLoginEnv({ env, onNotice: (message) => notices.push(message) });
    expect(notices).toEqual([
      expect.stringMatching(/^The environment of your login shell cannot be had: \/no\/such\/shell does not/),
    ]);
    expect(env).toEqual({ ...poor(), SHELL: '/no/such/shell' });
  });

  it('gives its environment to this process', async () => {
    profile('export FROM_PROFILE=yes', 'PATH=/only/this');
    const env: NodeJS.ProcessEnv = poor();
    await adoptLoginEnv({ env, onNotice: (message) => expect.fail(message) });
    expect(env).toMatchObject({ FROM_PROFILE: 'yes', PATH: '/only/this:/usr/bin:/bin', BATON_HOME: '/not/for/it' });
    expect(env).not.toHaveProperty('BATON_READS_ENVIRONMENT');
  });
});
