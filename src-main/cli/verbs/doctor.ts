import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { entryPath } from '../../entry-path.ts';
import { preparePaths } from '../../paths.ts';
import { BATON_VERSION } from '../../version.ts';
import { withSocket } from '../engine-client.ts';
import { connectTo, type EnginePlace, enginePlace } from '../engine-place.ts';
import { EXIT, failureOf } from '../failure.ts';
import { hasColors, oneLine, painter, printJson, printLine } from '../output.ts';

/** warn: something works less well. bad: it does not work. */
interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'bad';
  readonly message: string;
  /** What to do; null where there is nothing to do. */
  readonly fix: string | null;
}

const run = promisify(execFile);
const PROGRAM_MS = 10_000;

export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const place = enginePlace();
  const checks = [await checkFolders(place), ...(await checkNativeModules()), await checkGit(), ...(await checkEngine(place))];
  if (options.json) printJson({ checks });
  else {
    const paint = painter(hasColors(process.stdout));
    const marks = { ok: paint('green', 'ok  '), warn: paint('yellow', 'warn'), bad: paint('red', 'bad ') };
    for (const { name, state, message, fix } of checks) {
      printLine(`${marks[state]} ${paint('bold', name)}: ${oneLine(message)}${fix === null ? '' : ` ${oneLine(fix)}`}`);
    }
  }
  return checks.some(({ state }) => state === 'bad') ? EXIT.failed : EXIT.done;
}

async function checkFolders({ paths }: EnginePlace): Promise<Check> {
  const name = 'folders';
  try {
    preparePaths(paths);
    for (const folder of [paths.config, paths.data, paths.logs, paths.cache]) await access(folder, constants.W_OK);
    return ok(name, `data in ${paths.data}, settings in ${paths.settingsFile}, logs in ${paths.logs}.`);
  } catch (error) {
    return { name, state: 'bad', message: failureOf(error).message, fix: 'Make it yours and writable, or set BATON_HOME.' };
  }
}

/** Each in a process of its own: a module built for another runtime may end whoever loads it. */
async function checkNativeModules(): Promise<Check[]> {
  const from = createRequire(entryPath('headless'));
  const load: Readonly<Record<string, string>> = {
    'better-sqlite3': "new (require(process.argv[1]))(':memory:').prepare('select 1').get()",
    'node-pty': 'require(process.argv[1])',
  };
  return Promise.all(
    Object.entries(load).map(async ([name, script]) => {
      try {
        await run(process.execPath, ['-e', script, from.resolve(name)], { timeout: PROGRAM_MS });
        return ok(name, `loads on Node ${process.versions.node}.`);
      } catch (error) {
        const [why] = failureOf(error).message.split('\n').slice(-1);
        return {
          name,
          state: 'bad' as const,
          message: `does not load: ${why ?? ''}.`,
          fix: 'In a checkout: npm run setup. Else install Baton again.',
        };
      }
    }),
  );
}

async function checkGit(): Promise<Check> {
  try {
    const { stdout } = await run('git', ['--version'], { timeout: PROGRAM_MS });
    return ok('git', `${stdout.trim()}.`);
  } catch {
    return {
      name: 'git',
      state: 'warn',
      message: 'cannot be run.',
      fix: 'Install git: completing files and Claude’s work on a repository need it.',
    };
  }
}

async function checkEngine(place: EnginePlace): Promise<Check[]> {
  const name = 'engine';
  try {
    const socket = await connectTo(place.socket);
    if (socket === null) {
      return [
        {
          name,
          state: 'warn',
          message: `does not run (${place.socket}).`,
          fix: 'Open the app, or: baton server start. Then look again: Claude is checked by the engine.',
        },
      ];
    }
    return await withSocket(place, socket, async (client) => {
      const { pid, version } = await client.call('engine.status', {});
      const { problems, path } = await client.call('settings.get', {});
      const claude = await client.call('claude.check', {});
      return [
        version === BATON_VERSION
          ? ok(name, `version ${version} answers (pid ${pid}).`)
          : {
              name,
              state: 'warn',
              message: `is version ${version}, this command ${BATON_VERSION}.`,
              fix: 'Start it anew: baton server stop',
            },
        problems.length === 0
          ? ok('settings', `${path} is in order.`)
          : { name: 'settings', state: 'warn', message: problems.join(' '), fix: `Edit ${path}.` },
        claude.state === 'ready'
          ? ok('claude', `${claude.version ?? ''} ${claude.path ?? ''} is ready.`.trim())
          : { name: 'claude', state: 'warn', message: claude.message, fix: null },
      ];
    });
  } catch (error) {
    const { message, hint } = failureOf(error);
    return [{ name, state: 'bad', message, fix: hint ?? `See the logs in ${place.paths.logs}.` }];
  }
}

function ok(name: string, message: string): Check {
  return { name, state: 'ok', message, fix: null };
}
