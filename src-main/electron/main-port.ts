import type { MessagePortMain } from 'electron';
import { type PortLike, portWire } from '../../src-shared/port-wire.ts';
import type { Wire } from '../../src-shared/wire.ts';

/** A wire over the main process's end of a message port, whose events are Node's and not the DOM's. */
export function mainPortWire(port: MessagePortMain): Wire {
  const listen = (type: 'message' | 'close' | 'messageerror', listener: (event: { readonly data: unknown }) => void) => {
    if (type === 'message') port.on('message', ({ data }: { data: unknown }) => listener({ data }));
    else if (type === 'close') port.on('close', () => listener({ data: undefined }));
  };
  const like: PortLike = {
    postMessage: (message) => port.postMessage(message),
    close: () => port.close(),
    start: () => port.start(),
    addEventListener: listen,
  };
  return portWire(like);
}
