import { expect, it } from 'vitest';
import { summaryOf } from '../../src-shared/session.fixture.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { quitQuestion } from './quit-question.ts';

const session = (kind: SessionSummary['kind'], status: SessionSummary['status'], title = 'a title') =>
  summaryOf({ kind, status, title });

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
