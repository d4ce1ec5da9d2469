import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { RunSessionClient } from '../../src-shared/client.ts';
import { ClientId, InputId } from '../../src-shared/ids.ts';
import { CLOSE } from '../../src-shared/refusal.ts';
import { streamWire } from '../stream-wire.ts';
import { connectTo, type EnginePlace, enginePlace, noServer } from './engine-place.ts';
import { EXIT, Failure } from './failure.ts';

export function newInputId(): InputId {
  return InputId.parse(randomUUID());
}

/** An engine that is starting answers late; one that says nothing for longer never will. */
const HELLO_MS = 30_000;
/** A connection that was lost comes back within so long, or not at all. */
const RECONNECT_MS = 5_000;

export type EngineWork<T> = (client: RunSessionClient) => Promise<T>;

/** Works with the engine that runs. Fails with `noServer` where none does. */
export async function withEngine<T>(work: EngineWork<T>): Promise<T> {
  const place = enginePlace();
  const socket = await connectTo(place.socket);
  if (socket === null) throw noServer(place);
  return withSocket(place, socket, work);
}

/** The same, but starts a headless engine where none runs. */
export async function withStartedEngine<T>(work: EngineWork<T>): Promise<T> {
  const place = enginePlace();
  const socket = await connectTo(place.socket);
  if (socket !== null) return withSocket(place, socket, work);
  const { startServer } = await import('./start-server.ts');
  return withSocket(place, (await startServer(place)).socket, work);
}

export async function withSocket<T>(place: EnginePlace, socket: Socket, work: EngineWork<T>): Promise<T> {
  let first: Socket | null = socket;
  const client = new RunSessionClient({
    clientId: ClientId.parse(randomUUID()),
    kind: 'cli',
    name: 'Command line',
    connect: async () => {
      const connected = first ?? (await connectTo(place.socket));
      first = null;
      if (connected === null) throw new Error('the engine is gone');
      return streamWire(connected);
    },
  });
  try {
    return await Promise.race([connectionFailed(client), client.ready().then(() => work(client))]);
  } finally {
    client.stop();
  }
}

/** Rejects when there is no use in waiting any longer; never resolves. */
function connectionFailed(client: RunSessionClient): Promise<never> {
  return new Promise((_, reject) => {
    let timer: NodeJS.Timeout | null = null;
    const failIn = (ms: number, failure: Failure) => {
      timer ??= setTimeout(() => reject(failure), ms);
    };
    const look = () => {
      const { connection } = client;
      switch (connection.is) {
        case 'connecting':
          failIn(HELLO_MS, new Failure(EXIT.noServer, 'The engine does not answer.', 'baton doctor looks for the reason.'));
          return;
        case 'lost': {
          // Answers that came just before are read first.
          if (connection.why === CLOSE.shuttingDown.reason)
            setImmediate(() => reject(new Failure(EXIT.noServer, 'The engine was stopped.')));
          if (client.host === null) return;
          failIn(RECONNECT_MS, new Failure(EXIT.noServer, `The connection to the engine was lost: ${connection.why}.`));
          return;
        }
        case 'refused':
          reject(
            new Failure(EXIT.failed, `The engine refused: ${connection.why}.`, 'Is it another version? Then: baton server stop'),
          );
          return;
        case 'stopped':
        case 'live':
          if (timer !== null) clearTimeout(timer);
          timer = null;
      }
    };
    client.onConnection(look);
    look();
  });
}
