import { afterEach, expect, it, vi } from 'vitest';
import { addPaneHandlers, canRun, runCommand, setFrameHandlers } from './commands.ts';
import { useWindow } from './store.ts';

afterEach(() => {
  setFrameHandlers({});
  useWindow.setState({ activePane: null });
});

it("asks the active pane's handler before the frame's, and only the active one's", () => {
  const [frame, mine, other] = [vi.fn(), vi.fn(), vi.fn()];
  setFrameHandlers({ 'find.show': { run: frame } });
  const release = [
    addPaneHandlers('session:mine', { 'find.show': { run: mine } }),
    addPaneHandlers('session:other', { 'find.show': { run: other } }),
  ];
  useWindow.setState({ activePane: 'session:mine' });
  expect(runCommand('find.show')).toBe(true);
  expect([frame, mine, other].map((each) => each.mock.calls.length)).toEqual([0, 1, 0]);
  for (const each of release) each();
  expect(runCommand('find.show')).toBe(true);
  expect(frame).toHaveBeenCalledOnce();
});

it('does not offer what is not enabled, so that its keys pass through', () => {
  let isEnabled = false;
  const run = vi.fn();
  setFrameHandlers({ 'pane.zoom': { run, isEnabled: () => isEnabled } });
  expect(canRun('pane.zoom')).toBe(false);
  expect(runCommand('pane.zoom')).toBe(false);
  isEnabled = true;
  expect(runCommand('pane.zoom')).toBe(true);
  expect(run).toHaveBeenCalledOnce();
});

it("does not take back another mount's handlers", () => {
  const second = vi.fn();
  const releaseFirst = addPaneHandlers('session:a', { 'find.show': { run: vi.fn() } });
  const releaseSecond = addPaneHandlers('session:a', { 'find.show': { run: second } });
  releaseFirst();
  useWindow.setState({ activePane: 'session:a' });
  expect(runCommand('find.show')).toBe(true);
  expect(second).toHaveBeenCalledOnce();
  releaseSecond();
  expect(runCommand('find.show')).toBe(false);
});
