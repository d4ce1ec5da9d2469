import { ClientId } from '../src-shared/ids.ts';
import { portWire } from '../src-shared/port-wire.ts';
import type { Wire } from '../src-shared/wire.ts';

/** What the preload posts, with the port, each time it has opened one; and what a window that lost its wire asks it for. */
const WIRE_GIVEN = 'baton:wire';
const WIRE_WANTED = 'baton:wire-wanted';

/** Windows of one app share their storage: the shell names each by `?window=` in its address. */
const windowName = new URLSearchParams(location.search).get('window') ?? 'main';
const clientIdKey = `baton.clientId.${windowName}`;

const given: MessagePort[] = [];
let takers: ((port: MessagePort) => void)[] = [];
let hasHadOne = false;

function handleMessage(event: MessageEvent): void {
  // Only this page's own preload speaks here: another origin, a frame or an extension does not.
  if (event.source !== window || event.origin !== location.origin) return;
  const data: unknown = event.data;
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== WIRE_GIVEN) return;
  const [port] = event.ports;
  if (port === undefined) return;
  const taker = takers.shift();
  if (taker) taker(port);
  else given.push(port);
}

/** Ports may come before anyone asks; nothing is lost. Called first of all. */
export function listenForWires(): void {
  window.addEventListener('message', handleMessage);
}

/** A wire to the engine behind this window. The first one comes by itself, later ones are asked for. */
export async function openWire(): Promise<Wire> {
  const port = given.shift() ?? (await nextPort());
  hasHadOne = true;
  return portWire(port);
}

function nextPort(): Promise<MessagePort> {
  return new Promise((resolve) => {
    takers = [resolve];
    if (hasHadOne) window.postMessage({ type: WIRE_WANTED }, location.origin);
  });
}

/** This window's client: kept across reloads and restarts, so that its layout finds it again. */
export function windowClientId(): ClientId {
  // The desktop shell's names are ids already. They outlive a crash; what a page has just stored may not.
  const named = ClientId.safeParse(windowName);
  if (named.success) return named.data;
  const stored = ClientId.safeParse(localStorage.getItem(clientIdKey));
  if (stored.success) return stored.data;
  const made = ClientId.parse(crypto.randomUUID());
  localStorage.setItem(clientIdKey, made);
  return made;
}
