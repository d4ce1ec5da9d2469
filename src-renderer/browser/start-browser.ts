import type { HttpFetch } from '../../src-shared/http-fetch.ts';
import { NetworkRoad } from '../../src-shared/network-road.ts';
import { RefusalError } from '../../src-shared/refusal.ts';
import { retryConnection, startEngine } from '../engine.ts';
import { useWindow } from '../store.ts';
import { describeFailure } from '../ui/toasts.tsx';
import { browserName } from './browser-name.ts';
import { Credentials, takeCodeFromAddress } from './credentials.ts';
import { startPageNotices } from './page-notices.ts';
import { browserShell } from './shell-operations.ts';
import { tabClientId } from './tab-client.ts';

/** Follows the engine behind the server that this page came from, once the browser is let in. */
export async function startBrowser(): Promise<void> {
  // Before anything else: the code is not to stay in the address.
  const code = takeCodeFromAddress();
  const clientId = await tabClientId();
  const credentials = new Credentials(clientId);
  // A link that is opened in a tab where the page is already changes nothing but the fragment.
  window.addEventListener('hashchange', () => {
    const another = takeCodeFromAddress();
    if (another !== null) void signIn(another);
  });
  signInWith = (given) => credentials.signIn(given);
  if (code !== null && !(await signIn(code, false))) return;
  if (credentials.token === null) {
    useWindow.setState({ signIn: { is: 'needed' } });
    return;
  }
  const road = new NetworkRoad({
    origin: location.origin,
    openSocket: (url, protocols) => {
      const socket = new WebSocket(url, protocols);
      socket.binaryType = 'arraybuffer';
      return socket;
    },
    fetch: pageFetch,
    token: () => credentials.token,
    onState: (state) => useWindow.setState({ road: state }),
  });
  startEngine({
    clientId,
    kind: 'browser',
    name: browserName(navigator.userAgent),
    connect: road.connect,
    onReconnectToken: (token) => credentials.keep(token),
    shellOperations: browserShell,
  });
  useWindow.subscribe(({ connection }, before) => {
    if (connection === before.connection || connection.is !== 'refused') return;
    credentials.forget();
    useWindow.setState({ signIn: { is: 'ended', reason: connection.reason } });
  });
  window.addEventListener('online', retryConnection);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') retryConnection();
  });
  startPageNotices();
}

const pageFetch: HttpFetch = (url, { headers, ...request }) =>
  fetch(url, { ...request, ...(headers === undefined ? {} : { headers }), cache: 'no-store', credentials: 'omit' });

let signInWith: ((code: string) => Promise<void>) | null = null;

/** Lets this browser in by a code; the page then begins anew. False: it was not accepted, and the page says so. */
export async function signIn(code: string, beginsAnew = true): Promise<boolean> {
  if (signInWith === null) throw new Error('the page signs in before it has begun');
  try {
    await signInWith(code);
    if (beginsAnew) location.reload();
    return true;
  } catch (error) {
    useWindow.setState({
      signIn: error instanceof RefusalError ? { is: 'refused' } : { is: 'unreachable', reason: describeFailure(error) },
    });
    return false;
  }
}
