import { act, cleanup, render } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { addFocusTaker, focusPane } from '../workspace/pane-focus.ts';
import { afterClose, Floating } from './after-close.tsx';

afterEach(cleanup);

const nextTimer = () => act(() => new Promise<void>((resolve) => setTimeout(resolve)));

it('acts at once while nothing floats', () => {
  const once = vi.fn();
  afterClose(once);
  expect(once).toHaveBeenCalledOnce();
});

it('waits for the last of what floats, and then only once', async () => {
  const once = vi.fn();
  const dialog = render(<Floating />);
  const menu = render(<Floating />);
  afterClose(once);
  dialog.unmount();
  await nextTimer();
  expect(once).not.toHaveBeenCalled();
  menu.unmount();
  await nextTimer();
  expect(once).toHaveBeenCalledOnce();
});

it('gives the keyboard to the pane that was wished for last, as soon as it is there', async () => {
  const [early, late] = [vi.fn(), vi.fn()];
  const release = addFocusTaker('early', early);
  const dialog = render(<Floating />);
  focusPane('early');
  focusPane('late');
  dialog.unmount();
  await nextTimer();
  expect(early).not.toHaveBeenCalled();
  const releaseLate = addFocusTaker('late', late);
  expect(late).toHaveBeenCalledOnce();
  release();
  releaseLate();
});
