import { lstat, mkdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { RefusalError } from '../../src-shared/refusal.ts';

export interface CommandPlace {
  /** The script in the package that is the command line; null: this is no package. */
  readonly script: string | null;
  readonly platform: NodeJS.Platform;
  /** The user's home. */
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface CommandLink {
  readonly path: string;
  /** A shell finds it there by its name alone. */
  readonly isOnPath: boolean;
}

/** Such a link is one that Baton made: another version's, or one from before it was moved. */
const OF_BATON = /[\\/]resources[\\/]bin[\\/]baton$/i;

/** Makes `baton` a command of the user's: a link in ~/.local/bin to the script in the package. Doing it again is harmless. */
export async function linkCommand({ script, platform, home, env }: CommandPlace): Promise<CommandLink> {
  if (script === null) {
    throw new RefusalError(
      'unsupported',
      'Baton runs from a checkout here, which has no command to install.',
      'In that folder: npm run -s baton -- --help',
    );
  }
  if (platform === 'win32') {
    const hint = `Add ${dirname(script)} to Path under “Edit environment variables for your account”.`;
    throw new RefusalError('unsupported', 'On Windows a command is found by the folder it lies in.', hint);
  }
  if (env.APPIMAGE !== undefined || script.includes('/AppTranslocation/')) {
    throw new RefusalError(
      'unsupported',
      'Baton lies somewhere else each time it is started like this, so that no link to it would last.',
      platform === 'darwin'
        ? 'Move Baton to Applications and start it from there.'
        : 'Unpack the tar.gz and start it from there.',
    );
  }
  const folder = join(home, '.local', 'bin');
  const path = join(folder, 'baton');
  await mkdir(folder, { recursive: true });
  await refuseWhatIsNotOurs(path);
  // In one step: there is never a moment without the command.
  const fresh = `${path}.${process.pid}`;
  await rm(fresh, { force: true });
  await symlink(script, fresh);
  await rename(fresh, path);
  return { path, isOnPath: (env.PATH ?? '').split(delimiter).includes(folder) };
}

async function refuseWhatIsNotOurs(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null || (found.isSymbolicLink() && OF_BATON.test(await readlink(path)))) return;
  throw new RefusalError('not-allowed', `${path} is there already, and is not Baton's.`, 'Move it away and try again.');
}
