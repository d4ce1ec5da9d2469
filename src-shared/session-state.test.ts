import { describe, expect, it } from 'vitest';
import { newEvent } from './events.ts';
import { FIRST_EPOCH, RunId, Seq } from './ids.ts';
import type { SessionSpec, SessionState } from './session.ts';
import { foldState, initialState } from './session-state.ts';

const runId = RunId.parse('0198f000-0000-7000-8000-000000000001');
const shell: SessionSpec = {
  kind: 'pty',
  command: null,
  args: [],
  cwd: '/home/ada',
  env: {},
  cols: 80,
  rows: 24,
  term: 'xterm-256color',
  options: {},
  shellIntegration: true,
};
const conversation: SessionSpec = {
  kind: 'claude',
  cwd: '/home/ada',
  model: null,
  permissionMode: 'default',
  options: {},
  forkOf: null,
};

const started = newEvent('system:status', 'started', { pid: 7, command: 'zsh' });
const exited = newEvent('system:status', 'exited', { exitCode: 0, signal: null, reason: null });
const prompt = (atPrompt: boolean) => newEvent('system:status', 'details', { atPrompt });

function folded(spec: SessionSpec, ...events: ReturnType<typeof newEvent>[]): SessionState {
  return events.reduce(
    (state, event, at) => foldState(state, { ...event, runId, seq: Seq.parse(at + 1), epoch: FIRST_EPOCH, ts: at }),
    initialState(spec),
  );
}

describe('[pty-9] a terminal', () => {
  it('is idle at its prompt and running while a command runs', () => {
    expect(folded(shell, started).status).toBe('running');
    expect(folded(shell, started, prompt(true)).status).toBe('idle');
    expect(folded(shell, started, prompt(true), prompt(false)).status).toBe('running');
  });

  it('keeps its state when it only tells of its title or folder', () => {
    const moved = newEvent('system:status', 'details', { cwd: '/srv', programTitle: 'vim' });
    expect(folded(shell, started, prompt(true), moved)).toMatchObject({ status: 'idle', cwd: '/srv', programTitle: 'vim' });
  });

  it('is not called back to life by a mark that comes after its end', () => {
    expect(folded(shell, started, exited, prompt(true)).status).toBe('ended');
  });
});

it('a conversation takes no prompt marks', () => {
  expect(folded(conversation, started, prompt(false)).status).toBe('idle');
});
