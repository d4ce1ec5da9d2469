import { expect, it } from 'vitest';
import { specOf } from './new-session.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const settings = {
  ...DEFAULT_SETTINGS,
  'terminal.shell': '/bin/zsh',
  'terminal.shellArgs': ['-l'],
  'claude.model': 'opus',
  'claude.options': { maxTurns: 3 },
};

it('[where-8] what is not said is as the settings have it', () => {
  expect(specOf({ kind: 'pty' }, settings)).toMatchObject({ command: '/bin/zsh', args: ['-l'], cwd: '~' });
  expect(specOf({ kind: 'pty', command: 'top', cwd: '/srv' }, settings)).toMatchObject({ command: 'top', args: [], cwd: '/srv' });
  expect(specOf({ kind: 'claude' }, settings)).toMatchObject({ model: 'opus', options: { maxTurns: 3 } });
  expect(specOf({ kind: 'claude', model: null, options: {} }, settings)).toMatchObject({ model: null, options: {} });
});

it('[where-8] on another machine shell and options are its own', () => {
  expect(specOf({ kind: 'pty' }, settings, true)).toMatchObject({ command: null, args: [] });
  expect(specOf({ kind: 'pty', command: 'top', args: ['-b'] }, settings, true)).toMatchObject({ command: 'top', args: ['-b'] });
  expect(specOf({ kind: 'claude' }, settings, true)).toMatchObject({ model: 'opus', options: {} });
});
