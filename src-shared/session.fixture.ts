import { SessionSummary } from './session.ts';

/** A session as lists show it: a terminal that runs, where a test says nothing else. */
export function summaryOf(change: Partial<SessionSummary> = {}): SessionSummary {
  return {
    ...SessionSummary.parse({
      runId: '0190a000-0000-7000-8000-000000000001',
      kind: 'pty',
      status: 'running',
      title: 'zsh',
      cwd: '/home/ada/api',
      machine: 'laptop',
      machineId: '0190a000-0000-7000-8000-0000000000ff',
      epoch: 1,
      lastSeq: 1,
      createdAt: '2026-01-01T00:00:00Z',
      lastActivityAt: '2026-01-01T00:00:00Z',
      permissions: 0,
      queued: 0,
      exitCode: null,
      viewers: 0,
      branchOf: null,
      followers: [],
      unsent: null,
      followed: true,
      remote: null,
    }),
    ...change,
  };
}
