import { expect, it, vi } from 'vitest';
import { RunId } from '../../src-shared/ids.ts';
import { SessionSummary } from '../../src-shared/session.ts';
import { type TrayState, trayIcon, trayMenu, trayTooltip } from './tray-menu.ts';

const engine = { pid: 42, startedAt: new Date(2026, 0, 1, 9, 5), isOwn: true };
const runIdOf = (number: number) => RunId.parse(`0190a000-0000-7000-8000-${String(number).padStart(12, '0')}`);

const session = (number: number, status: SessionSummary['status'], title = `s${number}`) =>
  SessionSummary.parse({
    runId: runIdOf(number),
    kind: 'pty',
    status,
    title,
    cwd: '/',
    machine: 'laptop',
    machineId: runIdOf(0),
    epoch: 1,
    lastSeq: 1,
    createdAt: '',
    lastActivityAt: `2026-01-01T00:00:${String(number).padStart(2, '0')}Z`,
    permissions: status === 'waiting' ? 1 : 0,
    queued: 0,
    exitCode: null,
    viewers: 0,
    branchOf: null,
    remote: null,
  });

const labels = (state: TrayState) => trayMenu(state, () => {}).flatMap(({ label }) => label ?? []);

it('shows what needs the user first, then what works, each newest first, and nothing that is over', () => {
  const sessions = [
    session(1, 'idle'),
    session(2, 'running'),
    session(3, 'ended'),
    session(4, 'waiting'),
    session(5, 'running'),
    session(6, 'interrupted'),
  ];
  expect(labels({ engine, sessions }).slice(1, 5)).toEqual([
    '▲ s4 (needs you)',
    '◐ s5 (running)',
    '◐ s2 (running)',
    '○ s1 (idle)',
  ]);
});

it('says whether the engine runs and whose it is', () => {
  expect(labels({ engine, sessions: [] })[0]).toMatch(/^Engine running since .*(pid 42)/);
  expect(labels({ engine: { ...engine, isOwn: false }, sessions: [] })[0]).toMatch(/^Background engine running/);
  expect(labels({ engine: null, sessions: [] }).slice(0, 2)).toEqual(['Engine: connecting', 'No sessions']);
});

it('offers everything that the tray can do', () => {
  const act = vi.fn();
  for (const { click } of trayMenu({ engine, sessions: [session(1, 'waiting')] }, act))
    click?.({} as never, undefined, {} as never);
  expect(act.mock.calls.map(([action]) => action)).toEqual([
    { do: 'show-session', runId: runIdOf(1) },
    { do: 'new-terminal' },
    { do: 'new-claude' },
    { do: 'show' },
    { do: 'quit' },
  ]);
});

it('stays a menu with very many sessions and very long titles', () => {
  const sessions = Array.from({ length: 40 }, (_, index) => session(index + 1, 'running', `a & b ${'x'.repeat(300)}`));
  const shown = labels({ engine, sessions });
  expect(shown).toHaveLength(1 + 15 + 1 + 4);
  expect(shown[16]).toBe('25 more…');
  expect(shown[1]).toMatch(/^◐ a && b x+… \(running\)$/);
  expect(shown[1]?.length).toBeLessThan(80);
});

it('tells by shape and words that someone is needed', () => {
  expect(trayIcon([session(1, 'running')])).toBe('idle');
  expect(trayIcon([session(1, 'running'), session(2, 'waiting')])).toBe('attention');
  expect(trayTooltip([session(1, 'waiting')])).toBe('Baton: one session needs you');
  expect(trayTooltip([session(1, 'waiting'), session(2, 'waiting')])).toBe('Baton: 2 sessions need you');
});
