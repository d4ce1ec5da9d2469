import { describe, expect, it } from 'vitest';
import { DEFAULT_PREFERENCES } from '../preferences.ts';
import { newRunId } from '../testing/scripted-host.ts';
import { FRESH_LAYOUT, readLayout } from './layout.ts';

const runId = newRunId();
const paneId = `session:${runId}`;
const stored = {
  version: 1,
  dock: {
    grid: {
      root: {
        type: 'branch',
        size: 700,
        data: [
          { type: 'leaf', size: 400, data: { id: '1', views: [paneId], activeView: paneId } },
          { type: 'leaf', size: 300, data: { id: '2', views: ['page:settings'], activeView: 'page:settings' } },
        ],
      },
      width: 700,
      height: 500,
      orientation: 'HORIZONTAL',
    },
    panels: {
      [paneId]: { id: paneId, contentComponent: 'pane', title: 'zsh', params: { is: 'session', runId } },
      'page:settings': { id: 'page:settings', contentComponent: 'pane', params: { is: 'page', page: 'settings' } },
    },
    activeGroup: '1',
  },
  closed: [{ is: 'page', page: 'search' }],
  preferences: { ...DEFAULT_PREFERENCES, closingPane: 'keep' },
};

describe('a stored layout', () => {
  it('is taken as it was written', () => {
    const { layout, problem } = readLayout(structuredClone(stored));
    expect(problem).toBeNull();
    expect(layout).toEqual(stored);
  });

  it('that was never written is a fresh one, without complaint', () => {
    expect(readLayout(null)).toEqual({ layout: FRESH_LAYOUT, problem: null });
  });

  it.each([
    ['no object', 'a layout', /damaged/],
    ['a newer version', { ...stored, version: 2 }, /newer version/],
    [
      'a broken grid',
      { ...stored, dock: { ...stored.dock, grid: { ...stored.dock.grid, root: { type: 'twig' } } } },
      /damaged at dock\.grid\.root/,
    ],
    ['an unknown page', { ...stored, closed: [{ is: 'page', page: 'casino' }] }, /damaged at closed\.0/],
    ['a width that no sidebar has', withWidth(9000), /damaged at preferences\.sidebar\.width/],
  ])('with %s falls back to a fresh one and says so', (_, broken, said) => {
    const { layout, problem } = readLayout(broken);
    expect(layout).toEqual(FRESH_LAYOUT);
    expect(problem).toMatch(said);
  });

  it('that names a pane it does not describe loses its panes, not what else it remembers', () => {
    const { [paneId]: _, ...panels } = stored.dock.panels;
    const { layout, problem } = readLayout({ ...stored, dock: { ...stored.dock, panels } });
    expect(layout.dock).toBeNull();
    expect(layout.preferences.closingPane).toBe('keep');
    expect(problem).toContain(paneId);
  });
});

function withWidth(width: number) {
  return { ...stored, preferences: { ...DEFAULT_PREFERENCES, sidebar: { ...DEFAULT_PREFERENCES.sidebar, width } } };
}
