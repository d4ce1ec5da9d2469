import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { app, clipboard, dialog, shell } from 'electron';
import { RefusalError } from '../../src-shared/refusal.ts';
import { cleanEnv } from '../child-env.ts';
import type { OperationHandlers } from '../engine/connection.ts';
import type { Paths } from '../paths.ts';
import type { AppWindow } from './app-window.ts';
import { linkCommand } from './command-link.ts';
import { planOpening, webAddress } from './opening.ts';

export interface ShellOperationsOptions {
  readonly paths: Paths;
  readonly onNewWindow: () => void;
  readonly onQuit: () => void;
  readonly onShown: () => void;
}

/** What a file that people edit is begun with, so that opening it for the first time shows something to go by. */
const FILE_BEGINNINGS = {
  settings: '// Settings of Baton. Each is described on the settings page; a change takes effect at once.\n{\n}\n',
  keybindings:
    '// Keys of your own, in force from top to bottom: {"key": "ctrl+shift+t", "command": "session.newTerminal"}.\n// A minus before the command takes the keys away from it.\n[\n]\n',
} as const;

/** What the desktop shell does for the page of one window. */
export function shellOperations(window: AppWindow, options: ShellOperationsOptions): OperationHandlers {
  const { browserWindow } = window;
  return {
    'shell.openLink': async ({ url }) => {
      await shell.openExternal(webAddress(url));
      return {};
    },
    'shell.openPath': async ({ path, line }) => {
      await beginFile(path, options.paths);
      await openPath(path, line);
      return {};
    },
    'shell.chooseFolder': async ({ start }) => {
      const { canceled, filePaths } = await dialog.showOpenDialog(browserWindow, {
        title: 'Choose a folder',
        properties: ['openDirectory', 'createDirectory'],
        ...(start === null ? {} : { defaultPath: start }),
      });
      return { path: canceled ? null : (filePaths[0] ?? null) };
    },
    'shell.clipboardRead': async () => ({ text: await clipboard.readText() }),
    'shell.clipboardWrite': async ({ text }) => {
      await clipboard.writeText(text);
      return {};
    },
    'shell.window': async ({ action }) => {
      if (action === 'new') options.onNewWindow();
      else if (action === 'close') browserWindow.close();
      else if (action === 'toggle-fullscreen') browserWindow.setFullScreen(!browserWindow.isFullScreen());
      else options.onQuit();
      return {};
    },
    'shell.installCommand': () =>
      linkCommand({
        script: app.isPackaged ? join(process.resourcesPath, 'bin', 'baton') : null,
        platform: process.platform,
        home: homedir(),
        env: process.env,
      }),
    'shell.visibleSessions': async ({ runIds }) => {
      window.showed(runIds);
      options.onShown();
      return {};
    },
  };
}

async function beginFile(path: string, paths: Paths): Promise<void> {
  if (existsSync(path)) return;
  if (path === paths.settingsFile) await writeFile(path, FILE_BEGINNINGS.settings, { mode: 0o600, flag: 'wx' });
  if (path === paths.keybindingsFile) await writeFile(path, FILE_BEGINNINGS.keybindings, { mode: 0o600, flag: 'wx' });
}

async function openPath(path: string, line: number | null): Promise<void> {
  const opening = await planOpening(path, line, process.env);
  if (opening.by === 'file-manager') shell.showItemInFolder(path);
  else if (opening.by === 'editor') await startEditor(opening.command, opening.args);
  else {
    const problem = await shell.openPath(path);
    if (problem !== '') throw new RefusalError('failed', `${path} cannot be opened: ${problem}.`);
  }
}

function startEditor(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const editor = spawn(command, args, { detached: true, stdio: 'ignore', env: cleanEnv(process.env) });
    editor.once('error', (error) => reject(new RefusalError('failed', `${command} does not start: ${error.message}.`)));
    editor.once('spawn', () => {
      // It is the user's, not ours: it stays when Baton ends.
      editor.unref();
      resolve();
    });
  });
}
