import { expect, it } from 'vitest';
import type { MachineList } from '../../src-shared/machines.ts';
import { summaryOf } from '../../src-shared/session.fixture.ts';
import { checkMachines } from './verbs/doctor-machines.ts';

const list: MachineList = {
  workspace: { id: '0123456789', createdAt: '2026-01-01T00:00:00Z', keys: 'plain' },
  machines: [],
  relay: { url: null, state: 'off', since: '2026-01-01T00:00:00Z', why: null, embedded: null, lan: false },
};
const standing = { behindBytes: null, heardAt: null, historyComplete: true };

it('[replica-18] doctor names each session that does not go out or is not taken, and why', async () => {
  const sent = summaryOf({ title: 'sent' });
  const unsent = summaryOf({ title: 'held elsewhere', unsent: 'Another machine holds the session.' });
  const followed = summaryOf({ title: 'followed', machine: 'desktop', remote: { connection: 'live', ...standing } });
  const refused = summaryOf({ title: 'not taken', machine: 'desktop', remote: { connection: 'refused', ...standing } });
  const checks = await checkMachines(list, [sent, unsent, followed, refused]);
  const found = checks.filter(({ name }) => name === 'sessions');
  expect(found.map(({ state }) => state)).toEqual(['bad', 'bad']);
  expect(found[0]).toMatchObject({
    message: expect.stringMatching(/^held elsewhere \(\w{8}\) is not sent/),
    fix: 'Another machine holds the session.',
  });
  expect(found[1]?.message).toContain('not what desktop can have sent');
});
