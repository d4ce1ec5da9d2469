import type { Socket } from 'node:net';
import { batonPaths, type Paths } from '../paths.ts';
import { openSocket } from '../stream-wire.ts';
import { EXIT, Failure } from './failure.ts';

/** Where this command finds the engine. */
export interface EnginePlace {
  readonly paths: Paths;
  readonly socket: string;
  /** The socket belongs to these paths: an engine may be started for them. */
  readonly canStart: boolean;
}

/** BATON_HOME, where it is set, decides; inside a pane BATON_SOCKET names the engine that the pane belongs to. */
export function enginePlace(env: NodeJS.ProcessEnv = process.env): EnginePlace {
  const paths = batonPaths(env);
  const socket = env.BATON_HOME || !env.BATON_SOCKET ? paths.socket : env.BATON_SOCKET;
  return { paths, socket, canStart: socket === paths.socket };
}

/** A socket connected to the engine, or null where none listens. */
export function connectTo(path: string): Promise<Socket | null> {
  return openSocket(path).catch((error: Error) => {
    throw new Failure(EXIT.refused, `Cannot reach the engine at ${path}: ${error.message}.`);
  });
}

export function noServer({ socket }: EnginePlace): Failure {
  return new Failure(
    EXIT.noServer,
    `No Baton runs here: nothing listens at ${socket}.`,
    'Open the app, or start one in the background: baton server start',
  );
}
