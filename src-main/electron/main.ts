import { resolve } from 'node:path';
import { app, dialog, Menu } from 'electron';
import * as z from 'zod/mini';
import { openLogger } from '../logger.ts';
import { batonPaths, type Paths, preparePaths } from '../paths.ts';
import { BATON_VERSION } from '../version.ts';
import { type StartRequest, startRequest } from './app-link.ts';
import { CrashGuard } from './crash-guard.ts';
import { registerPageScheme } from './page-scheme.ts';
import { Shell } from './shell.ts';

/**
 * The app's entry. What has to come before `ready` is done here, at once and without awaiting: `ready` is held until this module
 * has been evaluated.
 */
const Start = z.object({ args: z.array(z.string()), cwd: z.string() });
type Start = z.infer<typeof Start>;

/** The user's part of the command line: neither Electron's switches nor the app's own folder. */
function ownArgs(argv: readonly string[]): string[] {
  return argv.slice(1).filter((arg) => !arg.startsWith('-') && resolve(arg) !== app.getAppPath());
}

function main(): void {
  let paths: Paths;
  try {
    paths = batonPaths();
    preparePaths(paths);
  } catch (error) {
    failToStart(error);
    return;
  }
  // Chromium's files, and with them the single-instance lock, belong to this BATON_HOME.
  app.setPath('userData', paths.electron);
  app.setPath('crashDumps', paths.logs);
  if (process.platform === 'win32') app.setAppUserModelId('dev.baton.app');
  registerPageScheme();
  // Electron's own menu would be built for nothing, and its keys are the terminal's.
  Menu.setApplicationMenu(null);

  const start: Start = { args: ownArgs(process.argv), cwd: process.cwd() };
  if (!app.requestSingleInstanceLock(start)) {
    // The first one has been told, and shows itself.
    app.exit(0);
    return;
  }
  // Linux gets it from the package's desktop file.
  if (app.isPackaged && process.platform !== 'linux') app.setAsDefaultProtocolClient('baton');
  run(paths, start);
}

function run(paths: Paths, start: Start): void {
  const logger = openLogger(paths.logs, 'app');
  let shell: Shell | null = null;
  const crashGuard = new CrashGuard({
    logger,
    logFolder: paths.logs,
    say: (title, body) => shell?.tell('problem', title, body),
  });
  /** Requests that came before there was anything to show. */
  const early: StartRequest[] = [];
  const handle = (request: StartRequest) => {
    if (shell === null) early.push(request);
    else shell.handle(request).catch(crashGuard.bug);
  };

  app.on('second-instance', (_event, _argv, _cwd, data) => {
    const read = Start.safeParse(data);
    startRequest(read.success ? read.data.args : [], read.success ? read.data.cwd : '/').then(handle, crashGuard.bug);
  });
  app.on('open-url', (event, url) => {
    event.preventDefault();
    startRequest([url], '/').then(handle, crashGuard.bug);
  });
  // Without a window Baton goes on: its sessions do.
  app.on('window-all-closed', () => {});
  const begin = async () => {
    // Before `ready` Electron would put its own handlers over these, and those ask like a quit from the menu.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        logger.info('asked to end', { signal });
        if (shell === null) app.exit(0);
        else void shell.quit();
      });
    }
    shell = await Shell.start({
      paths,
      logger,
      crashGuard,
      isDemo: process.argv.includes('--demo'),
      devServer: app.isPackaged ? undefined : process.env.ELECTRON_RENDERER_URL,
    });
    logger.info('app started', { version: BATON_VERSION });
    const first = await startRequest(start.args, start.cwd);
    for (const request of first.is === 'show' ? early.splice(0) : [first, ...early.splice(0)]) handle(request);
  };
  void app
    .whenReady()
    .then(begin)
    .catch((error: unknown) => {
      logger.error('the app cannot start', { error });
      failToStart(error);
    });
}

function failToStart(error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  if (app.isReady()) {
    process.stderr.write(`baton: ${reason}\n`);
    void dialog
      .showMessageBox({ type: 'error', title: 'Baton', message: 'Baton cannot start.', detail: reason, buttons: ['Close'] })
      .finally(() => app.exit(1));
    return;
  }
  // Before `ready` this one works everywhere; on Linux it writes to stderr.
  dialog.showErrorBox('Baton cannot start.', reason);
  app.exit(1);
}

main();
