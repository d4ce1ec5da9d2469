import { expect, it, vi } from 'vitest';
import { MachineId, RunId } from '../../src-shared/ids.ts';
import type { MachineList, RelayStatus } from '../../src-shared/machines.ts';
import { summaryOf } from '../../src-shared/session.fixture.ts';
import type { SessionSummary } from '../../src-shared/session.ts';
import { type TrayState, trayIcon, trayMenu, trayTooltip } from './tray-menu.ts';

const engine = { pid: 42, startedAt: new Date(2026, 0, 1, 9, 5), isOwn: true, port: 4321 };
const machines = null;
const runIdOf = (number: number) => RunId.parse(`0190a000-0000-7000-8000-${String(number).padStart(12, '0')}`);

const session = (number: number, status: SessionSummary['status'], title = `s${number}`) =>
  summaryOf({
    runId: runIdOf(number),
    status,
    title,
    lastActivityAt: `2026-01-01T00:00:${String(number).padStart(2, '0')}Z`,
    permissions: status === 'waiting' ? 1 : 0,
  });

const labels = (state: TrayState) => trayMenu(state, () => {}).flatMap(({ label }) => label ?? []);

const listOf = (change: Partial<RelayStatus> = {}): MachineList => {
  const one = { platform: null, version: null, lastSeen: null, rights: 'start', may: 'start', sessions: 0 } as const;
  return {
    workspace: { id: '', createdAt: '', keys: 'plain' },
    machines: [
      { ...one, machineId: MachineId.parse(runIdOf(1)), name: 'laptop', self: true, online: true, state: 'up' },
      { ...one, machineId: MachineId.parse(runIdOf(2)), name: 'desk & chair', self: false, online: false, state: 'asleep' },
    ],
    relay: { url: 'ws://127.0.0.1:1', state: 'live', since: '', why: null, embedded: null, lan: true, ...change },
  };
};

it('shows the other machines, how this one stands with the relay, and the switch of its own', () => {
  const shown = (list: MachineList) => trayMenu({ engine, sessions: [], machines: list }, () => {});
  expect(labels({ engine, sessions: [], machines: listOf() }).slice(4, 8)).toEqual([
    'Relay: connected',
    '○ desk && chair (asleep)',
    'Relay on this machine',
    'Add a machine…',
  ]);
  const switchOf = (list: MachineList) => shown(list).find(({ type }) => type === 'checkbox');
  expect(switchOf(listOf())?.checked).toBe(false);
  const embedded = { running: true, url: 'ws://10.0.0.2:7474', address: '10.0.0.2:7474' };
  expect(switchOf(listOf({ embedded }))).toMatchObject({ checked: true, label: 'Relay on this machine (10.0.0.2:7474)' });
});

it('shows what needs the user first, then what works, each newest first, and nothing that is over', () => {
  const sessions = [
    session(1, 'idle'),
    session(2, 'running'),
    session(3, 'ended'),
    session(4, 'waiting'),
    session(5, 'running'),
    session(6, 'interrupted'),
  ];
  expect(labels({ engine, sessions, machines }).slice(1, 5)).toEqual([
    '▲ s4 (needs you)',
    '◐ s5 (running)',
    '◐ s2 (running)',
    '○ s1 (idle)',
  ]);
});

it('says whether the engine runs and whose it is', () => {
  expect(labels({ engine, sessions: [], machines })[0]).toMatch(/^Engine running since .*\(pid 42, port 4321\)/);
  expect(labels({ engine: { ...engine, isOwn: false, port: null }, sessions: [], machines })[0]).toMatch(
    /^Background engine running/,
  );
  expect(labels({ engine: null, sessions: [], machines }).slice(0, 2)).toEqual(['Engine: connecting', 'No sessions']);
});

it('offers everything that the tray can do', () => {
  const act = vi.fn();
  for (const { click } of trayMenu({ engine, sessions: [session(1, 'waiting')], machines: listOf() }, act))
    click?.({} as never, undefined, {} as never);
  expect(act.mock.calls.map(([action]) => action)).toEqual([
    { do: 'show-session', runId: runIdOf(1) },
    { do: 'new-terminal' },
    { do: 'new-claude' },
    { do: 'show' },
    { do: 'relay', isOn: true },
    { do: 'add-machine' },
    { do: 'show' },
    { do: 'quit' },
  ]);
});

it('stays a menu with very many sessions and very long titles', () => {
  const sessions = Array.from({ length: 40 }, (_, index) => session(index + 1, 'running', `a & b ${'x'.repeat(300)}`));
  const shown = labels({ engine, sessions, machines });
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
