import { expect, it } from 'vitest';
import { SessionSummary } from '../../src-shared/session.ts';
import { quitQuestion } from './quit-question.ts';

const session = (kind: SessionSummary['kind'], status: SessionSummary['status'], title = 'a title') =>
  SessionSummary.parse({
    runId: '0190a000-0000-7000-8000-000000000001',
    kind,
    status,
    title,
    cwd: '/',
    machine: 'laptop',
    machineId: '0190a000-0000-7000-8000-0000000000ff',
    epoch: 1,
    lastSeq: 1,
    createdAt: '',
    lastActivityAt: '',
    permissions: 0,
    queued: 0,
    exitCode: null,
    viewers: 0,
    branchOf: null,
    followers: [],
    followed: true,
    remote: null,
  });

it('asks nothing when nothing would be lost', () => {
  expect(quitQuestion([])).toBeNull();
  expect(quitQuestion([session('pty', 'ended'), session('claude', 'idle'), session('claude', 'interrupted')])).toBeNull();
});

it('names what runs', () => {
  const question = quitQuestion([
    session('pty', 'running', 'vim'),
    session('claude', 'waiting', 'api'),
    session('pty', 'ended', 'old'),
  ]);
  expect(question?.message).toBe('2 sessions are still running.');
  expect(question?.detail).toContain('• vim (terminal)\n• api (Claude, needs you)\n');
  expect(question?.detail).not.toContain('old');
});

it('fits on a screen whatever runs', () => {
  const question = quitQuestion(Array.from({ length: 30 }, () => session('pty', 'running', 'x'.repeat(500))));
  expect(question?.detail.split('\n')).toHaveLength(8 + 1 + 2);
  expect(question?.detail).toContain('• and 22 more');
});
