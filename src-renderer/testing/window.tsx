import { act, cleanup, configure, render } from '@testing-library/react';
import { ClientId } from '../../src-shared/ids.ts';
import { wirePair } from '../../src-shared/wire.ts';
import { App } from '../app.tsx';
import { setFrameHandlers } from '../commands.ts';
import { startEngine } from '../engine.ts';
import { frameHandlers } from '../frame-commands.ts';
import { listenForKeys } from '../navigation/keys.ts';
import { startShellLink } from '../shell-link.ts';
import { useWindow } from '../store.ts';
import { startTexts } from '../texts/texts.ts';
import type { ScriptedHost } from './scripted-host.ts';

export const THIS_CLIENT = ClientId.parse('0198f000-0000-4000-8000-00000000bbbb');
// A busy machine is slow, not wrong: whoever waits is ended by the test's own time limit.
configure({ asyncUtilTimeout: 25_000 });

const pristine = useWindow.getState();

/** A whole window on a scripted host. Returns what closes it; the next window starts from nothing. */
export async function openWindow(host: ScriptedHost): Promise<() => void> {
  startTexts();
  useWindow.setState(pristine, true);
  setFrameHandlers(frameHandlers);
  const stops = [
    startEngine({
      clientId: THIS_CLIENT,
      kind: 'window',
      name: 'window',
      connect: async () => {
        const [ours, theirs] = wirePair();
        host.serve(theirs);
        return ours;
      },
    }),
    startShellLink(),
    listenForKeys(),
  ];
  render(<App />);
  await settle(
    () => useWindow.getState().settingsFile !== null && host.calls.some(({ operation }) => operation === 'layout.get'),
  );
  return () => {
    for (const stop of stops) stop();
    cleanup();
  };
}

/** Lets the window work until `isDone`. */
export async function settle(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 5000; round++) {
    await act(async () => {
      await new Promise((resolve) => setTimeout(resolve, 2));
    });
    if (isDone()) return;
  }
  throw new Error(`the window did not come to rest: ${isDone}`);
}
