import { describe, expect, it } from 'vitest';
import { EXIT, Failure } from './failure.ts';
import { findSession } from './find-session.ts';

const session = (
  runId: string,
  title: string,
  status: 'running' | 'ended' = 'running',
  createdAt = '2026-01-01T00:00:00.000Z',
) => ({
  runId,
  title,
  status,
  createdAt,
});
const build = session('0190aaaa-0000-7000-8000-0000000000a1', 'build', 'running', '2026-01-01T00:00:01.000Z');
const tests = session('0190aaaa-0000-7000-8000-0000000000b2', 'tests', 'running', '2026-01-01T00:00:02.000Z');
const old = session('0190bbbb-0000-7000-8000-0000000000c3', 'Build', 'ended', '2026-01-01T00:00:03.000Z');
const all = [build, tests, old];

const failure = (name: string, sessions = all) => {
  try {
    findSession(sessions, name);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error(`${name} was found`);
};

describe('findSession', () => {
  it.each([
    [build.runId, build],
    [build.runId.toUpperCase(), build],
    ['00a1', build],
    ['0190b', old],
    ['build', build],
    ['Build', old],
    ['TESTS', tests],
  ])('%s', (name, found) => {
    expect(findSession(all, name)).toBe(found);
  });

  it('takes the last one that runs for - and for nothing', () => {
    expect(findSession(all, '-')).toBe(tests);
    expect(findSession(all, undefined)).toBe(tests);
    expect(findSession([old], '-')).toBe(old);
  });

  it('takes the pane’s own for nothing, but not for -', () => {
    expect(findSession(all, undefined, build.runId)).toBe(build);
    expect(findSession(all, '-', build.runId)).toBe(tests);
  });

  it('does not choose between several', () => {
    expect(failure('0190aaaa')).toMatchObject({ exitCode: EXIT.usage });
    const again = session('0190eeee-0000-7000-8000-0000000000f6', 'tests');
    expect(failure('tests', [...all, again]).message).toContain('means 2 sessions');
  });

  it('takes the one that runs where several have had a title', () => {
    expect(findSession(all, 'BUILD')).toBe(build);
    expect(findSession([session('0190eeee-0000-7000-8000-0000000000f6', 'tests', 'ended'), tests], 'tests')).toBe(tests);
  });

  it('takes an id before a title that imitates it', () => {
    const liar = session('0190cccc-0000-7000-8000-0000000000d4', '00a1');
    expect(findSession([...all, liar], '00a1')).toBe(build);
  });

  it('suggests what is near', () => {
    expect(failure('biuld')).toMatchObject({ exitCode: EXIT.notFound, hint: expect.stringContaining('000000a1 (build)') });
    expect(failure('0000a9').hint).toContain('000000a1');
    expect(failure('completely-other').hint).toBe('baton list shows them all.');
    expect(failure('x', []).hint).toContain('baton new');
  });

  it('shows no controls of a title', () => {
    expect(failure('a', [session('0190dddd-0000-7000-8000-0000000000e5', 'a\x1b]0;b\x07')]).hint).not.toContain('\x1b');
  });
});
