import { beforeAll, describe, expect, it } from 'vitest';
import { MACHINE, machine, summary } from '../testing/scripted-host.ts';
import { startTexts } from '../texts/texts.ts';
import { viewerName } from './viewer-name.ts';

beforeAll(startTexts);

const machines = [machine({ machineId: MACHINE, name: 'laptop', self: true }), machine({ name: 'desktop' })];
const remote = { connection: 'live', behindBytes: null, heardAt: null, historyComplete: true } as const;

describe('[view-1] who looks at a session', () => {
  it('is named with the machine, wherever the session and the viewer are', () => {
    const here = summary();
    expect(viewerName('window', here, machines)).toBe('a window');
    expect(viewerName('window on desktop', here, machines)).toBe('a window on desktop');
    const there = summary({ machine: 'desktop', remote });
    expect(viewerName('window', there, machines)).toBe('a window on desktop');
    expect(viewerName('window on laptop', there, machines)).toBe('a window on laptop');
  });

  it('is not taken apart where its own name reads like a place', () => {
    expect(viewerName('Chrome on Linux', summary(), machines)).toBe('Chrome on Linux');
    expect(viewerName('Chrome on Linux on laptop', summary({ machine: 'desktop', remote }), machines)).toBe(
      'Chrome on Linux on laptop',
    );
  });
});
