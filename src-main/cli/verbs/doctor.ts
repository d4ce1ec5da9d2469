import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { entryPath } from '../../entry-path.ts';
import { preparePaths } from '../../paths.ts';
import { BATON_VERSION } from '../../version.ts';
import { bad, type Check, ok, warn } from '../check.ts';
import { withSocket } from '../engine-client.ts';
import { connectTo, type EnginePlace, enginePlace } from '../engine-place.ts';
import { EXIT, failureOf } from '../failure.ts';
import { hasColors, oneLine, painter, printJson, printLine } from '../output.ts';
import { checkKeysFile, checkMachines } from './doctor-machines.ts';

const run = promisify(execFile);
const PROGRAM_MS = 10_000;

export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const place = enginePlace();
  // Before the folders: making them ready closes what stands open.
  const keys = checkKeysFile(place.paths.machineKeysFile);
  const folders = await checkFolders(place);
  const checks = [
    folders,
    ...(await checkNativeModules()),
    await checkGit(),
    ...(keys ? [keys] : []),
    ...(await checkEngine(place)),
  ];
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
    return bad(name, failureOf(error).message, 'Make it yours and writable, or set BATON_HOME.');
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
        return bad(name, `does not load: ${why ?? ''}.`, 'In a checkout: npm run setup. Else install Baton again.');
      }
    }),
  );
}

async function checkGit(): Promise<Check> {
  try {
    const { stdout } = await run('git', ['--version'], { timeout: PROGRAM_MS });
    return ok('git', `${stdout.trim()}.`);
  } catch {
    return warn('git', 'cannot be run.', 'Install git: completing files and Claude’s work on a repository need it.');
  }
}

async function checkEngine(place: EnginePlace): Promise<Check[]> {
  const name = 'engine';
  try {
    const socket = await connectTo(place.socket);
    if (socket === null) {
      const fix =
        'Open the app, or: baton server start. Then look again: Claude and your other machines are checked by the engine.';
      return [warn(name, `does not run (${place.socket}).`, fix)];
    }
    return await withSocket(place, socket, async (client) => {
      const { pid, version } = await client.call('engine.status', {});
      const { problems, path } = await client.call('settings.get', {});
      const claude = await client.call('claude.check', {});
      return [
        version === BATON_VERSION
          ? ok(name, `version ${version} answers (pid ${pid}).`)
          : warn(name, `is version ${version}, this command ${BATON_VERSION}.`, 'Start it anew: baton server stop'),
        problems.length === 0 ? ok('settings', `${path} is in order.`) : warn('settings', problems.join(' '), `Edit ${path}.`),
        claude.state === 'ready'
          ? ok('claude', `${claude.version ?? ''} ${claude.path ?? ''} is ready.`.trim())
          : warn('claude', claude.message, null),
        ...(await checkMachines(await client.call('machines.list', {}), (await client.call('session.list', {})).sessions)),
      ];
    });
  } catch (error) {
    const { message, hint } = failureOf(error);
    return [bad(name, message, hint ?? `See the logs in ${place.paths.logs}.`)];
  }
}
