import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src-shared/settings.ts';
import { DEFAULT_SETTINGS } from '../../src-shared/settings.ts';
import { type ClaudeParts, type Ground, ground } from '../engine/engine.fixture.ts';
import { LocalServer } from '../local-server.ts';
import type { LogFields, Logger } from '../logger.ts';
import type { RunningServer } from './server.ts';
import type { Tokens } from './tokens.ts';

export interface ServerGround extends Ground {
  readonly local: LocalServer;
  readonly server: RunningServer;
  readonly tokens: Tokens;
  readonly file: string;
  readonly notices: readonly string[];
  /** Lines of the log: event and fields. */
  readonly logged: readonly (LogFields & { readonly event: string })[];
  /** Changes settings as an edit of the file would. */
  change(settings: Partial<Settings>): Promise<void>;
}

/** A real engine behind a real server at a free port. */
export async function serverGround(settings: Partial<Settings> = {}, claude?: ClaudeParts): Promise<ServerGround> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-server-'));
  const here = await ground(folder, claude, {
    'settings.get': async () => ({ settings: inForce, path: join(folder, 'settings.json'), problems: [] }),
  });
  const file = join(folder, 'server.json');
  const notices: string[] = [];
  const logged: (LogFields & { readonly event: string })[] = [];
  let inForce: Settings = { ...DEFAULT_SETTINGS, ...settings };
  const local = new LocalServer({
    engine: here.engine,
    store: here.store,
    logger: keepLines(logged),
    version: '0.0.0',
    file,
    settings: () => inForce,
    onNotice: (message) => notices.push(message),
  });
  await local.follow();
  const running = () => {
    if (local.running === null) throw new Error(`the server does not run: ${notices.join(' ')}`);
    return local.running;
  };
  return {
    ...here,
    local,
    get server() {
      return running().server;
    },
    get tokens() {
      return running().tokens;
    },
    file,
    notices,
    logged,
    change: (change) => {
      inForce = { ...inForce, ...change };
      return local.follow();
    },
    dispose: async () => {
      await local.stop();
      await here.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function keepLines(lines: (LogFields & { readonly event: string })[]): Logger {
  const keep = (event: string, fields: LogFields = {}) => void lines.push({ event, ...fields });
  return { debug: keep, info: keep, warn: keep, error: keep, close: () => undefined };
}
