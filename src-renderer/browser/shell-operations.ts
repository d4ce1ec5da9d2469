import i18next from 'i18next';
import { RefusalError } from '../../src-shared/refusal.ts';
import type { ShellOperations } from '../engine.ts';
import { useWindow } from '../store.ts';

const machine = () => useWindow.getState().host?.machine ?? 'Baton';

function notHere(what: 'openPath' | 'chooseFolder' | 'window'): RefusalError {
  return new RefusalError('unsupported', i18next.t(`browser:notHere.${what}`, { machine: machine() }));
}

/** What the desktop shell does for a window of the app, as far as a page in a browser can. */
export const browserShell: ShellOperations = {
  'shell.openLink': async ({ url }) => {
    const { protocol } = new URL(url);
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new RefusalError('not-allowed', `Only web addresses are opened, not ${protocol}`);
    window.open(url, '_blank', 'noopener,noreferrer');
    return {};
  },
  'shell.openPath': async () => {
    throw notHere('openPath');
  },
  'shell.chooseFolder': async () => {
    throw notHere('chooseFolder');
  },
  'shell.clipboardRead': async () => ({ text: await navigator.clipboard.readText() }),
  'shell.clipboardWrite': async ({ text }) => {
    await navigator.clipboard.writeText(text);
    return {};
  },
  'shell.window': async ({ action }) => {
    if (action !== 'toggle-fullscreen') throw notHere('window');
    if (document.fullscreenElement === null) await document.documentElement.requestFullscreen();
    else await document.exitFullscreen();
    return {};
  },
  'shell.installCommand': async () => {
    throw notHere('window');
  },
  // The page itself tells what happens in sessions that are out of sight.
  'shell.visibleSessions': async () => ({}),
};
