import { pathToFileURL } from 'node:url';
import { entryPath } from '../../entry-path.ts';
import { EXIT, Failure } from '../failure.ts';

interface RelayOptions {
  readonly host: string;
  readonly port: number;
  readonly data?: string;
  readonly workspaces: number;
  readonly quotaGb: number;
  readonly json?: boolean;
  readonly embedded?: boolean;
}

/** src-main/relay-process.ts, which is built beside this. */
interface RelayProcess {
  runRelay(options: RelayOptions): Promise<void>;
}

/** This process becomes the relay: whoever ends it ends the relay, and nothing is left behind. */
export async function relay(options: RelayOptions): Promise<undefined> {
  const { runRelay }: RelayProcess = await import(/* @vite-ignore */ pathToFileURL(entryPath('relay-process')).href);
  try {
    await runRelay(options);
  } catch (error) {
    throw startFailure(error, options);
  }
}

function startFailure(error: unknown, { host, port }: RelayOptions): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return new Failure(
      EXIT.conflict,
      `Cannot listen at ${host}:${port}: something else does.`,
      'Choose another port with --port.',
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Failure(EXIT.usage, `Cannot listen at ${host}: it is no address of this machine.`, 'Choose one with --host.');
  }
  if (code === 'EACCES') {
    return new Failure(
      EXIT.refused,
      `Cannot listen at ${host}:${port}: this user may not.`,
      'Choose a port from 1024 on with --port.',
    );
  }
  return error;
}
